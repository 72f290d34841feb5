import vue from '@vitejs/plugin-vue'
import AutoImport from 'unplugin-auto-import/vite'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [
    vue(),
    AutoImport({ resolvers: [ElementPlusResolver({ importStyle: false })], dts: false }),
    Components({ dirs: [], resolvers: [ElementPlusResolver({ importStyle: false })], dts: false }),
  ],
  resolve: { conditions: ['development', 'module', 'browser', 'default'] },
  test: {
    name: 'web',
    environment: 'happy-dom',
    include: ['src/**/*.test.ts', 'dev/**/*.test.ts', 'bundle/**/*.test.ts'],
    setupFiles: ['dev/test-setup.ts'],
    testTimeout: 60_000,
    sequence: { groupOrder: 1 },
    server: { deps: { inline: ['element-plus'] } },
  },
})
