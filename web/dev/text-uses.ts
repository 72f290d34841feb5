import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Keys of texts as the code of the console names them: whole, or as a pattern with parts that are found out when it runs. */
export interface Uses {
  /** every text in quotes that looks like a key */
  readonly whole: ReadonlySet<string>
  /** keys that are asked for in so many words, and a file that does */
  readonly asked: ReadonlyMap<string, string>
  readonly patterns: readonly { readonly pattern: RegExp; readonly file: string; readonly source: string }[]
}

const WHOLE = /'([a-z]\w*(?:\.\w+)+)'/gi
const ASKED = /\bt(?:Maybe)?\(\s*'([^']+)'/g
/** A pattern says at least which part of the texts it is from. */
const BEGINS = /^[a-z]\w*\./i

/** Reads every file of the console that is no text and no test. */
export function readUses(root: string): Uses {
  const whole = new Set<string>()
  const asked = new Map<string, string>()
  const patterns: { pattern: RegExp; file: string; source: string }[] = []
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(vue|ts)$/.test(file) && !/\.(test|fixture|d)\.ts$/.test(file) && !/^locales[\\/](en|zh)/.test(file))
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, key = ''] of text.matchAll(WHOLE)) whole.add(key)
    for (const [, key = ''] of text.matchAll(ASKED)) asked.set(key, file)
    for (const parts of templatesIn(text)) {
      const source = parts.join('${}')
      if (parts.length === 1 && /^[a-z]\w*(\.\w+)+$/i.test(source)) whole.add(source)
      else if (parts.length > 1 && BEGINS.test(source) && /^[\w.]*$/.test(parts.join(''))) patterns.push({ pattern: new RegExp(`^${parts.map((part) => part.replaceAll('.', '\\.')).join('[\\w.-]+')}$`), file, source })
    }
  }
  return { whole, asked, patterns }
}

/** The fixed parts of every template literal, those inside of others too. */
function templatesIn(text: string): string[][] {
  const found: string[][] = []
  readTemplates(text, 0, null, found)
  return found
}

/** Reads on from `at`; within `${…}` until its brace is closed. Returns where it stopped. */
function readTemplates(text: string, from: number, until: '}' | null, found: string[][]): number {
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at]
    if (letter === '`') at = readTemplate(text, at + 1, found)
    else if (until !== null && letter === '{') depth += 1
    else if (until !== null && letter === '}') {
      if (depth === 0) return at
      depth -= 1
    }
  }
  return text.length
}

function readTemplate(text: string, from: number, found: string[][]): number {
  const parts = ['']
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at] ?? ''
    if (letter === '`') {
      found.push(parts)
      return at
    }
    if (letter === '\\') at += 1
    else if (letter === '$' && text[at + 1] === '{') {
      at = readTemplates(text, at + 2, '}', found)
      parts.push('')
    } else parts.push(`${parts.pop() ?? ''}${letter}`)
  }
  return text.length
}
