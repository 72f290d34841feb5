/** Which files of a bundle a page needs, read from the chunks that Rolldown has made. */
import type { Rolldown } from 'vite'

export interface BundleFiles {
  /** what index.html loads */
  readonly entry: readonly string[]
  /** of each language, what its texts need beside the entry */
  readonly languages: Readonly<Record<string, readonly string[]>>
  /** around the pages of somebody who has signed in, beside the entry */
  readonly shell: readonly string[]
  /** by its module (`views/tasks/tasks-page.vue`), what a page needs beside the entry */
  readonly pages: Readonly<Record<string, readonly string[]>>
}

const PAGE = /\/src\/(views\/.+-page\.vue)$/
const LANGUAGE = /\/src\/locales\/(en|zh)\.ts$/
const SHELL = /\/src\/components\/shell\/(app-shell\.vue)$/

/** Throws where the bundle has no entry. */
export function filesOf(bundle: Rolldown.OutputBundle): BundleFiles {
  const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
  const entryChunk = chunks.find((chunk) => chunk.isEntry)
  if (entryChunk === undefined) throw new Error('the bundle has no entry: has index.html become part of another chunk?')
  const entry = reachOf(entryChunk, bundle)
  const byName = (isIt: RegExp): Record<string, readonly string[]> =>
    Object.fromEntries(
      chunks.flatMap((chunk) => {
        const name = isIt.exec(chunk.facadeModuleId ?? '')?.[1]
        return name === undefined ? [] : [[name, reachOf(chunk, bundle).filter((file) => !entry.includes(file))]]
      }),
    )
  return { entry, languages: byName(LANGUAGE), shell: byName(SHELL)['app-shell.vue'] ?? [], pages: byName(PAGE) }
}

/** A chunk with all that it imports, itself first, and their styles. */
function reachOf(first: Rolldown.OutputChunk, bundle: Rolldown.OutputBundle): string[] {
  const reached = new Set([first.fileName])
  const styles = new Set<string>()
  for (const name of reached) {
    const chunk = bundle[name]
    if (chunk?.type !== 'chunk') continue
    for (const style of chunk.viteMetadata?.importedCss ?? []) styles.add(style)
    for (const next of chunk.imports) reached.add(next)
  }
  return [...reached, ...styles]
}
