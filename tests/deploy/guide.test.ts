import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { settingKeys } from '../../server/src/config/keys.ts'

const root = join(import.meta.dirname, '../..')
const guide = join(root, 'docs/guide')
const pages = readdirSync(join(guide, 'en')).filter((name) => name.endsWith('.md'))
const files = [...pages.flatMap((page) => [`docs/guide/en/${page}`, `docs/guide/zh/${page}`]), 'docs/guide/README.md', 'deploy/README.md']

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

describe('the guide', () => {
  it('has every page in both languages, and its index names them', () => {
    expect(readdirSync(join(guide, 'zh'))).toEqual(pages)
    const index = read('docs/guide/README.md')
    for (const page of pages) for (const language of ['en', 'zh']) expect(index).toContain(`(${language}/${page})`)
  })

  it.each(['cluster.md', 'backup.md', 'security.md'])('tells the same in both languages: %s', (page) => {
    const [english, chinese] = ['en', 'zh'].map((language) => outlineOf(read(`docs/guide/${language}/${page}`)))
    expect(chinese).toEqual(english)
  })

  it.each(files)('links to files that exist: %s', (file) => {
    const targets = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map((match) => match[1] ?? '')
    expect(targets.filter((target) => !existsSync(join(root, dirname(file), target)))).toEqual([])
  })

  it.each(files)('names settings that there are: %s', (file) => {
    const known = new Set(settingKeys.map((key) => key.variable))
    const ofOthers =
      /^TICKWHEEL_(CONFIG|SERVER|APP|EXECUTOR_TOKEN|PASSWORD|TOKEN|INSTANCE_ID|IDEMPOTENCY_KEY|FENCING_TOKEN|PARAMS|PARAMS_FILE|RESULT)$/
    const named = [...read(file).matchAll(/\bTICKWHEEL_[A-Z_]*[A-Z]\b/g)].map(([name]) => name)
    expect(named.filter((name) => !known.has(name) && !ofOthers.test(name))).toEqual([])
  })
})

/** Headings by level, rows of tables by their number of cells, blocks of code as they are but for comments. */
function outlineOf(text: string): string[] {
  const parts = text.matchAll(/^(#+) |^(\|.*\|)$|^[ ]*```(\w*)\n([\s\S]*?)^[ ]*```/gm)
  return [...parts].map(([, level, row, language, code]) => {
    if (level !== undefined) return level
    if (row !== undefined) return `${String(row.split('|').length)} cells`
    return `${language ?? ''}\n${(code ?? '').replace(/(^|\s)# .*$/gm, '').replace(/[ \t]+$/gm, '')}`
  })
}
