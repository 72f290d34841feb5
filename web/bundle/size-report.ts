/** Prints what each page weighs, and refuses a build whose first files have grown beyond their budget. */
import { brotliCompressSync } from 'node:zlib'
import type { Plugin, Rolldown } from 'vite'
import { filesOf } from './page-files.ts'

/**
 * Of all that index.html loads before anything is drawn, and of what every page of somebody who has signed in needs beside it, compressed by Brotli.
 * They were 97 and 118 KiB when they were set. Whoever must raise one says why in docs/adr/0040.
 */
export const BUDGET_KIB = { entry: 110, shell: 135 } as const

interface Weight {
  readonly files: number
  readonly bytes: number
  readonly brotliBytes: number
}

export function sizeReport(print: (text: string) => void): Plugin {
  return {
    name: 'tickwheel-size-report',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const weigh = scalesOf(bundle)
        const { entry, shell, languages, pages } = filesOf(bundle)
        const around = new Set([...entry, ...shell])
        const parts = { entry: weigh(entry), shell: weigh(shell) }
        const rows: [string, Weight][] = [
          ['entry', parts.entry],
          ['around every page', parts.shell],
          ...Object.entries(languages).map(([locale, files]): [string, Weight] => [`texts: ${locale}`, weigh(files)]),
          ...Object.entries(pages)
            .sort(([a], [b]) => a.localeCompare(b))
            .map(([module, files]): [string, Weight] => [`+ ${module.replace(/^views\/|-page\.vue$/g, '')}`, weigh(files.filter((file) => !around.has(file)))]),
        ]
        print(tableOf(rows))
        for (const part of ['entry', 'shell'] as const) {
          const kib = parts[part].brotliBytes / 1024
          if (kib > BUDGET_KIB[part]) this.error(`The ${part} is ${kib.toFixed(1)} KiB compressed, more than its budget of ${BUDGET_KIB[part]} KiB (web/bundle/size-report.ts): load what is new with the page that needs it.`)
        }
      },
    },
  }
}

function scalesOf(bundle: Rolldown.OutputBundle): (names: readonly string[]) => Weight {
  const known = new Map<string, Weight>()
  const weightOf = (name: string): Weight => {
    const file = bundle[name]
    const text = Buffer.from(file === undefined ? '' : file.type === 'chunk' ? file.code : file.source)
    const weight = known.get(name) ?? { files: 1, bytes: text.length, brotliBytes: brotliCompressSync(text).length }
    known.set(name, weight)
    return weight
  }
  return (names) =>
    names.map(weightOf).reduce((sum, one) => ({ files: sum.files + 1, bytes: sum.bytes + one.bytes, brotliBytes: sum.brotliBytes + one.brotliBytes }), { files: 0, bytes: 0, brotliBytes: 0 })
}

function tableOf(rows: readonly (readonly [string, Weight])[]): string {
  const cells = [['loaded with', 'files', 'KiB', 'brotli KiB'], ...rows.map(([name, { files, bytes, brotliBytes }]) => [name, String(files), (bytes / 1024).toFixed(1), (brotliBytes / 1024).toFixed(1)])]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')).join('\n')
}
