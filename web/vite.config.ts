import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import vue from '@vitejs/plugin-vue'
import AutoImport from 'unplugin-auto-import/vite'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { build, defineConfig, type Plugin, type UserConfig } from 'vite'
import { precompress } from './bundle/precompress.ts'
import { preloadList } from './bundle/preload-list.ts'
import { groupsOf, watchSharing, type Sharing } from './bundle/share-chunks.ts'
import { sizeReport } from './bundle/size-report.ts'

const server = process.env['TICKWHEEL_SERVER'] ?? 'http://localhost:8080'
const isMocked = process.env['TICKWHEEL_MOCK'] === '1'
const proxied = { target: server, changeOrigin: false, ws: true }

const config: UserConfig = {
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
  // Element Plus has its English texts in any case
  build: { outDir: 'dist', target: 'es2022', chunkSizeWarningLimit: 700, rolldownOptions: { checks: { ineffectiveDynamicImport: false } } },
}

export default defineConfig(async ({ command }) => (command === 'build' ? forPeople(await learnSharing()) : config))

/** Tells what each page weighs instead of listing two hundred files. */
function forPeople(sharing: Sharing): UserConfig {
  const plugins = [sizeReport((text) => process.stdout.write(`${text}\n`)), preloadList(join(import.meta.dirname, 'src/router/router.ts')), precompress()]
  return { ...config, logLevel: 'warn', plugins: [...(config.plugins ?? []), ...plugins], build: { ...config.build, rolldownOptions: { ...config.build?.rolldownOptions, output: { codeSplitting: { groups: groupsOf(sharing) } } } } }
}

async function learnSharing(): Promise<Sharing> {
  let learnt: Sharing | null = null
  const plugins = [...(config.plugins ?? []), watchSharing((sharing) => (learnt = sharing))]
  await build({ ...config, plugins, configFile: false, logLevel: 'error', build: { ...config.build, write: false, minify: false } })
  if (learnt === null) throw new Error('the console could not be bundled')
  return learnt
}

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
