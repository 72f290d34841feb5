import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import vue from '@vitejs/plugin-vue'
import AutoImport from 'unplugin-auto-import/vite'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig, type Plugin } from 'vite'

const server = process.env['TICKWHEEL_SERVER'] ?? 'http://localhost:8080'
const isMocked = process.env['TICKWHEEL_MOCK'] === '1'
const proxied = { target: server, changeOrigin: false, ws: true }

/** The parts of the bundle that change seldom, so that a new release of the console leaves them in the browser's cache. */
const chunkGroups = [
  { name: 'vue', test: /node_modules[\\/](@vue|vue|vue-router|pinia|vue-i18n|@intlify|axios)[\\/]/ },
  { name: 'codemirror', test: /node_modules[\\/](@codemirror|@lezer|codemirror|style-mod|w3c-keyname|crelt)[\\/]/ },
  // only who looks at a workflow fetches it
  { name: 'flow', test: /node_modules[\\/](@vue-flow|@dagrejs|d3-[a-z]+)[\\/]/ },
]

export default defineConfig({
  plugins: [
    vue(),
    AutoImport({ resolvers: [ElementPlusResolver()], dts: 'src/auto-imports.d.ts' }),
    Components({ dirs: [], resolvers: [ElementPlusResolver()], dts: 'src/components.d.ts' }),
    ...(isMocked ? [mockServer()] : []),
  ],
  resolve: { conditions: ['development', 'module', 'browser', 'default'] },
  ssr: { resolve: { conditions: ['development', 'module', 'node', 'default'], externalConditions: ['development', 'node', 'default'] } },
  define: { __VUE_I18N_FULL_INSTALL__: false, __VUE_I18N_LEGACY_API__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  cacheDir: isMocked ? 'node_modules/.vite-mock' : 'node_modules/.vite',
  // found at the start rather than page by page, each time with a reload
  optimizeDeps: { include: ['element-plus/es', ...elementStyles(), 'codemirror', '@codemirror/legacy-modes/mode/shell', '@codemirror/lang-javascript', '@codemirror/lang-python'] },
  server: {
    port: 3000,
    strictPort: false,
    ...(isMocked ? {} : { proxy: { '/api': proxied, '/healthz': proxied, '/readyz': proxied, '/docs': proxied } }),
  },
  build: { outDir: 'dist', target: 'es2022', chunkSizeWarningLimit: 700, rolldownOptions: { output: { codeSplitting: { groups: chunkGroups } } } },
})

/** `TICKWHEEL_MOCK=1`: the console against a world in memory, without a server. Loaded only then, so that a build needs none of it. */
function mockServer(): Plugin {
  return {
    name: 'tickwheel-mock',
    async configureServer(server) {
      const { serveMock } = await server.ssrLoadModule('/dev/mock/serve.ts')
      serveMock(server)
    },
  }
}

/** The style of each component of Element Plus, as the resolver imports it. */
function elementStyles(): string[] {
  const root = join(dirname(createRequire(import.meta.url).resolve('element-plus/package.json')), 'es/components')
  const names = readdirSync(root).filter((name) => existsSync(join(root, name, 'style/css.mjs')))
  return names.map((name) => `element-plus/es/components/${name}/style/css`)
}
