import type { Rolldown } from 'vite'
import { describe, expect, it } from 'vitest'
import { filesOf } from './page-files.ts'
import { BUDGET_KIB, sizeReport } from './size-report.ts'

const chunk = (fileName: string, more: { imports?: string[]; facade?: string; isEntry?: boolean; css?: string[]; code?: string }) => ({
  type: 'chunk', fileName, isEntry: more.isEntry ?? false, imports: more.imports ?? [], facadeModuleId: more.facade ?? null, code: more.code ?? '', viteMetadata: { importedCss: new Set(more.css) },
})
const bundleOf = (...chunks: ReturnType<typeof chunk>[]) =>
  ({ ...Object.fromEntries(chunks.map((one) => [one.fileName, one])), 'a.css': { type: 'asset', fileName: 'a.css', source: '.a{}' } }) as unknown as Rolldown.OutputBundle
const plain = (code = '') =>
  bundleOf(
    chunk('index.js', { isEntry: true, imports: ['base.js'], css: ['a.css'], code }),
    chunk('base.js', {}),
    chunk('common.js', { imports: ['base.js'], css: ['b.css'] }),
    chunk('shell.js', { facade: '/web/src/components/shell/app-shell.vue', imports: ['common.js'] }),
    chunk('zh.js', { facade: '/web/src/locales/zh.ts' }),
    chunk('tasks.js', { facade: '/web/src/views/tasks/tasks-page.vue', imports: ['common.js', 'base.js'], css: ['t.css'] }),
  )

/** What the plugin says: the table, or why it refuses. */
function reportOn(bundle: Rolldown.OutputBundle): string {
  let said = ''
  const { generateBundle } = sizeReport((text) => (said = text))
  if (typeof generateBundle !== 'object') throw new Error('the plugin looks at no bundle')
  const refuse = (message: string) => {
    said = message
  }
  Reflect.apply(generateBundle.handler, { error: refuse }, [{}, bundle, true])
  return said
}

describe('the files of a bundle', () => {
  it('are told for the entry, the shell, each language and each page, beside those of the entry', () => {
    expect(filesOf(plain())).toEqual({
      entry: ['index.js', 'base.js', 'a.css'],
      shell: ['shell.js', 'common.js', 'b.css'],
      languages: { zh: ['zh.js'] },
      pages: { 'views/tasks/tasks-page.vue': ['tasks.js', 'common.js', 't.css', 'b.css'] },
    })
  })

  it('are weighed in a table, and refused when what is loaded first has grown over its budget', () => {
    expect(reportOn(plain())).toMatch(/\+ tasks\/tasks +2/)
    let state = 1
    // text that no compression makes small
    const noise = Array.from({ length: (BUDGET_KIB.entry + 40) * 1024 }, () => String.fromCharCode(33 + ((state = (state * 48_271) % 2_147_483_647) % 90))).join('')
    expect(reportOn(plain(noise))).toMatch(/The entry is \d+\.\d KiB compressed, more than its budget of 110 KiB/)
  })
})
