/** Writes into `first-paint.js` which files each page needs, so that they are fetched at once and not one behind the other. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'
import { filesOf, type BundleFiles } from './page-files.ts'
import { pathsOf } from './page-paths.ts'

const PLACE = '/* what pages need: written by the build */ null'

/** As it stands in the script: pages name their files by their places in `files`. */
export interface PreloadList {
  readonly files: readonly string[]
  readonly languages: Readonly<Record<string, readonly number[]>>
  readonly shell: readonly number[]
  readonly login: readonly number[]
  readonly pages: readonly (readonly [pattern: string, files: readonly number[]])[]
}

export function preloadList(routerFile: string): Plugin {
  let files: BundleFiles | null = null
  return {
    name: 'tickwheel-preload-list',
    apply: 'build',
    generateBundle: { order: 'post', handler: (_options, bundle) => void (files = filesOf(bundle)) },
    writeBundle: {
      sequential: true,
      order: 'post',
      handler({ dir = 'dist' }) {
        if (files === null) return
        const script = join(dir, 'first-paint.js')
        const source = readFileSync(script, 'utf8')
        if (!source.includes(PLACE)) throw new Error(`first-paint.js has no place for the list: it is marked by ${PLACE}`)
        writeFileSync(script, source.replace(PLACE, () => JSON.stringify(listOf(files ?? EMPTY, readFileSync(routerFile, 'utf8')))))
      },
    },
  }
}

const EMPTY: BundleFiles = { entry: [], languages: {}, shell: [], pages: {} }

function listOf({ languages, shell, pages }: BundleFiles, router: string): PreloadList {
  const places = new Map<string, number>()
  const placesOf = (names: readonly string[] = []): number[] =>
    names.map((name) => {
      const place = places.get(name) ?? places.size
      places.set(name, place)
      return place
    })
  const list = {
    languages: Object.fromEntries(Object.entries(languages).map(([locale, names]) => [locale, placesOf(names)])),
    shell: placesOf(shell),
    login: placesOf(pages['views/login/login-page.vue']),
    pages: pathsOf(router).map(({ pattern, module }) => [pattern, placesOf(pages[module])] as const),
  }
  return { files: [...places.keys()], ...list }
}
