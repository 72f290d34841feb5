import { formsOf, MIN_SECRET_CHARS } from './forms.ts'

/** What stands in place of a secret. */
export const MASK = '***'
/** JSON that is nested deeper is masked whole. */
const MAX_DEPTH = 200
const HASHES = 4_096

/** Where something stands in a text: from `from` on, up to `to`. */
interface Span {
  from: number
  to: number
}

export interface MaskedLines {
  readonly lines: readonly string[]
  /** what may be the beginning of a secret that the next lines go on with; mostly empty */
  readonly carry: string
}

/**
 * Finds secrets in texts, in each of their forms, and puts `***` in their place. One pass over the text, whatever the number of secrets: a number is made of
 * the last four characters, and only where a form begins with such a number is it compared. Masked text is not changed by another pass.
 */
export class Masker {
  readonly #forms: readonly string[]
  readonly #longest: number
  /** forms by the number of their first four characters */
  readonly #byHash = new Map<number, string[]>()
  readonly #hasHash = new Uint8Array(HASHES)
  readonly #byFirst = new Map<string, string[]>()

  constructor(values: Iterable<string>) {
    this.#forms = [...new Set([...values].flatMap(formsOf))].filter((form) => !MASK.includes(form))
    this.#longest = this.#forms.reduce((longest, form) => Math.max(longest, form.length), 0)
    for (const form of this.#forms) {
      const hash = hashOf(form)
      this.#hasHash[hash] = 1
      this.#byHash.set(hash, [...(this.#byHash.get(hash) ?? []), form])
      this.#byFirst.set(form.charAt(0), [...(this.#byFirst.get(form.charAt(0)) ?? []), form])
    }
  }

  get isEmpty(): boolean {
    return this.#forms.length === 0
  }

  /** A text of any number of lines. `isCut`: its end is missing, so a secret that begins there is hidden, too. */
  text(text: string, { isCut = false }: { readonly isCut?: boolean } = {}): string {
    if (!text.includes('\n')) {
      const spans = this.#find(text)
      if (isCut) this.#addTail(text, spans, MIN_SECRET_CHARS)
      return spans.length === 0 ? text : cover(text, 0, spans)
    }
    const { lines } = this.#lines(text.split('\n'), '', isCut ? MIN_SECRET_CHARS : null)
    return lines.join('\n')
  }

  /**
   * Lines of one log that follow each other, `carry` from those before. A secret that goes over the border of lines is hidden in both. What ends the lines
   * and is at least half of a secret is hidden, because the lines before cannot be changed any more when the rest comes.
   */
  lines(lines: readonly string[], carry: string): MaskedLines {
    return this.#lines(lines, carry, 'half')
  }

  /** Any JSON, the names of its fields as well. A number that is a secret becomes `***`. */
  json(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.text(value)
    if (typeof value === 'number') return this.text(String(value)) === String(value) ? value : MASK
    if (typeof value !== 'object' || value === null) return value
    if (depth >= MAX_DEPTH) return MASK
    if (Array.isArray(value)) return value.map((part: unknown) => this.json(part, depth + 1))
    return Object.fromEntries(Object.entries(value).map(([name, part]: [string, unknown]) => [this.text(name), this.json(part, depth + 1)]))
  }

  #lines(lines: readonly string[], carry: string, tail: number | 'half' | null): MaskedLines {
    const joined = carry + lines.join('')
    const spans = this.#find(joined)
    const rest = tail === null ? '' : this.#addTail(joined, spans, tail)
    if (spans.length === 0) return { lines, carry: rest }
    let from = carry.length
    const masked = lines.map((line) => {
      const start = from
      from += line.length
      return cover(line, start, spans)
    })
    return { lines: masked, carry: rest }
  }

  /** Where forms stand, in order; spans that touch each other are one. */
  #find(text: string): Span[] {
    const spans: Span[] = []
    let hash = 0
    for (let at = 0; at < text.length; at += 1) {
      hash = ((hash << 3) ^ text.charCodeAt(at)) & (HASHES - 1)
      if (this.#hasHash[hash] === 0 || at < MIN_SECRET_CHARS - 1) continue
      const from = at - MIN_SECRET_CHARS + 1
      for (const form of this.#byHash.get(hash) ?? []) if (text.startsWith(form, from)) addSpan(spans, { from, to: from + form.length })
    }
    return spans
  }

  /** What ends the text and begins a form; it becomes a span when it is long enough. */
  #addTail(text: string, spans: Span[], atLeast: number | 'half'): string {
    for (let from = Math.max(0, text.length - this.#longest + 1); from < text.length; from += 1) {
      const form = this.#byFirst.get(text.charAt(from))?.find((one) => endsWithin(text, from, one))
      if (form === undefined) continue
      const length = text.length - from
      const least = atLeast === 'half' ? Math.max(MIN_SECRET_CHARS, Math.ceil(form.length / 2)) : atLeast
      if (length >= least) addSpan(spans, { from, to: text.length })
      return text.slice(from)
    }
    return ''
  }
}

/** Of the first four characters. */
function hashOf(form: string): number {
  let hash = 0
  for (let at = 0; at < MIN_SECRET_CHARS; at += 1) hash = ((hash << 3) ^ form.charCodeAt(at)) & (HASHES - 1)
  return hash
}

/** Whether the text ends in the middle of a form that begins at `from`. */
function endsWithin(text: string, from: number, form: string): boolean {
  const length = text.length - from
  if (length >= form.length) return false
  for (let at = 0; at < length; at += 1) if (text.charCodeAt(from + at) !== form.charCodeAt(at)) return false
  return true
}

function addSpan(spans: Span[], { from, to }: Span): void {
  const last = spans.at(-1)
  if (last === undefined || from > last.to) spans.push({ from, to })
  else last.to = Math.max(last.to, to)
}

/** A text that stands at `start` of what the spans are counted in, with the mask over them. */
function cover(text: string, start: number, spans: readonly Span[]): string {
  const end = start + text.length
  let masked = ''
  let done = start
  for (const { from, to } of spans) {
    if (to <= start || from >= end) continue
    masked += text.slice(done - start, Math.max(from, start) - start) + MASK
    done = Math.min(to, end)
  }
  return masked + text.slice(done - start)
}
