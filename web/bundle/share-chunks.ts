/**
 * Few files, and none that a page does not need: what index.html loads stands together, so does what most pages share, and the rest goes with its pages.
 * A browser opens six connections to a server without HTTP/2: a hundred small files cost it more than their bytes. Who needs which module is only known
 * when unused exports are gone, so the bundle is made once to learn it, and once more to be kept.
 */
import type { Plugin, Rolldown } from 'vite'

type Groups = NonNullable<Rolldown.CodeSplittingOptions['groups']>

/** What this share of the pages use is fetched with the first of them, as is what stands around every page. Less: more bytes for every page; more: more files for some. */
const COMMON_SHARE = 1 / 3

const PAGE = /\/src\/views\/.+-page\.vue$/
const SHELL = /\/src\/components\/shell\/app-shell\.vue$/

/** Libraries with files of their own, which stay in the browser's cache when a new release of the console comes. */
const LIBRARIES: Groups = [
  { name: 'vue', test: /node_modules[\\/](@vue|vue|vue-router|pinia|vue-i18n|@intlify|axios)[\\/]/ },
  { name: 'codemirror', test: /node_modules[\\/](@codemirror|@lezer|codemirror|style-mod|w3c-keyname|crelt)[\\/]/ },
  { name: 'flow', test: /node_modules[\\/](@vue-flow|@dagrejs|d3-[a-z]+)[\\/]/ },
  { name: 'charts', test: /node_modules[\\/](echarts|zrender|vue-echarts)[\\/]/ },
]

export interface Sharing {
  readonly ofEntry: ReadonlySet<string>
  readonly common: ReadonlySet<string>
}

/** Watches a build without groups, and tells what is shared by whom. */
export function watchSharing(tell: (sharing: Sharing) => void): Plugin {
  return {
    name: 'tickwheel-watch-sharing',
    generateBundle: { order: 'post', handler: (_options, bundle) => tell(sharingOf(bundle)) },
  }
}

function sharingOf(bundle: Rolldown.OutputBundle): Sharing {
  const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
  const modulesFrom = (chunk: Rolldown.OutputChunk): string[] => [...reachOf(chunk, bundle)].flatMap(({ moduleIds }) => moduleIds)
  const roots = (isIt: RegExp): Rolldown.OutputChunk[] => chunks.filter(({ facadeModuleId }) => facadeModuleId !== null && isIt.test(facadeModuleId))
  const entry = chunks.filter(({ isEntry }) => isEntry)
  // index.html and main.ts stay the entry that they are
  const own = new Set(entry.flatMap(({ moduleIds }) => moduleIds.filter((id) => /\/web\/(index\.html|src\/main\.ts)$|modulepreload-polyfill/.test(id))))
  const uses = new Map<string, number>()
  const pages = roots(PAGE)
  for (const page of pages) for (const id of new Set(modulesFrom(page))) uses.set(id, (uses.get(id) ?? 0) + 1)
  const shared = [...uses].filter(([, count]) => count >= pages.length * COMMON_SHARE).map(([id]) => id)
  return {
    ofEntry: new Set(entry.flatMap(modulesFrom).filter((id) => !own.has(id))),
    common: new Set([...roots(SHELL).flatMap(modulesFrom), ...shared]),
  }
}

/** In the order in which they take a module, with all that it imports. */
export function groupsOf({ ofEntry, common }: Sharing): Groups {
  return [
    ...LIBRARIES,
    { name: 'base', test: (id: string) => ofEntry.has(id) },
    { name: 'element', test: (id: string) => common.has(id) && id.includes('node_modules') },
    { name: 'common', test: (id: string) => common.has(id) },
  ].map((group, index) => ({ ...group, priority: 100 - index }))
}

function reachOf(first: Rolldown.OutputChunk, bundle: Rolldown.OutputBundle): Set<Rolldown.OutputChunk> {
  const reached = new Set([first])
  for (const chunk of reached) {
    for (const name of chunk.imports) {
      const next = bundle[name]
      if (next?.type === 'chunk') reached.add(next)
    }
  }
  return reached
}
