/**
 * The lines of one run's log, kept for a view of any length. Nothing in here is reactive.
 *
 * What stands for each line for ever is small and typed (number, instant, level, stream: 17 bytes a line). The texts lie in blocks of 1,000 lines;
 * beyond `MAX_TEXT` characters the blocks that were not looked at for longest give theirs up, and get them back from the server when they are looked
 * at again. So a tab holds at most about 64 MiB of text and 17 MB of figures for a million lines, however long the log is.
 *
 * A line's number is attempt × 2^32 + its number in the attempt, from 1 and without holes: a hole is lines that were lost at a bound, and gets
 * an entry of its own, as does the beginning of a further attempt.
 */
import type { LogLine } from '@tickwheel/contract'

export const BLOCK = 1_000
/** characters */
export const MAX_TEXT = 64 * 1024 * 1024
const ATTEMPT = 2 ** 32

export const STREAMS = ['stdout', 'stderr', 'log', 'system'] as const satisfies readonly LogLine['stream'][]
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLine['level'][]

export type Entry =
  | { readonly kind: 'line'; readonly seq: number; readonly atMs: number; readonly stream: LogLine['stream']; readonly level: LogLine['level']; /** null: being read again */ readonly text: string | null }
  | { readonly kind: 'gap'; readonly count: number }
  | { readonly kind: 'attempt'; readonly attempt: number }

const KIND = { line: 0, gap: 1, attempt: 2 } as const

interface Block {
  texts: string[] | null
  size: number
  usedAt: number
}

export class LogStore {
  #length = 0
  #seqs = new Float64Array(1024)
  #ats = new Float64Array(1024)
  /** kind × 16 + stream × 4 + level */
  #marks = new Uint8Array(1024)
  readonly #blocks: Block[] = []
  readonly #maxText: number
  #size = 0
  #clock = 0
  #lastSeq = 0
  #lines = 0

  constructor(maxText = MAX_TEXT) {
    this.#maxText = maxText
  }

  /** Entries: lines, gaps and beginnings of attempts. */
  get length(): number {
    return this.#length
  }

  get lineCount(): number {
    return this.#lines
  }

  /** Number of the last line; 0 without any. What to ask the server for more after. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /** characters held now */
  get textSize(): number {
    return this.#size
  }

  /** Adds lines in order; those that are here already are left out. */
  append(lines: readonly LogLine[]): void {
    for (const line of lines) if (line.seq > this.#lastSeq) this.#add(line)
    this.#evict()
  }

  entry(index: number): Entry | null {
    if (index < 0 || index >= this.#length) return null
    const mark = this.#marks[index] ?? 0
    const seq = this.#seqs[index] ?? 0
    if (mark >> 4 === KIND.gap) return { kind: 'gap', count: seq }
    if (mark >> 4 === KIND.attempt) return { kind: 'attempt', attempt: seq }
    return { kind: 'line', seq, atMs: this.#ats[index] ?? 0, stream: STREAMS[(mark >> 2) & 3] ?? 'stdout', level: LEVELS[mark & 3] ?? 'info', text: this.#text(index) }
  }

  /** Whether an entry passes a filter: bit n of `streams` for stream n, levels from `level` up. Gaps and attempts always do. */
  passes(index: number, streams: number, level: number): boolean {
    const mark = this.#marks[index] ?? 0
    return mark >> 4 !== KIND.line || (((streams >> ((mark >> 2) & 3)) & 1) === 1 && (mark & 3) >= level)
  }

  /** The entry of a line's number, or of the next line when that one is lost; -1 when it is not here yet. */
  indexOf(seq: number): number {
    let low = 0
    let high = this.#length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#seqAtOrBefore(middle) < seq) low = middle + 1
      else high = middle
    }
    return low < this.#length ? low : -1
  }

  /** The block of an entry when its texts were given up: the number to read after, and how many lines. Null when they are here. */
  missing(index: number): { readonly block: number; readonly after: number; readonly limit: number } | null {
    const block = Math.floor(index / BLOCK)
    if (this.#blocks[block] === undefined || this.#blocks[block].texts !== null) return null
    return { block, after: this.#firstSeqOf(block) - 1, limit: BLOCK }
  }

  /** Puts texts back that were read again. */
  restore(block: number, lines: readonly LogLine[]): void {
    const held = this.#blocks[block]
    if (held === undefined || held.texts !== null) return
    const bySeq = new Map(lines.map((line) => [line.seq, line.text]))
    const from = block * BLOCK
    const texts: string[] = []
    for (let index = from; index < Math.min(from + BLOCK, this.#length); index += 1) texts.push(this.#isLine(index) ? (bySeq.get(this.#seqs[index] ?? 0) ?? '') : '')
    held.texts = texts
    held.size = texts.reduce((sum, text) => sum + text.length, 0)
    this.#size += held.size
    this.#touch(held)
    this.#evict()
  }

  #add(line: LogLine): void {
    const attempt = Math.floor(line.seq / ATTEMPT)
    const number = line.seq % ATTEMPT
    const isSameAttempt = Math.floor(this.#lastSeq / ATTEMPT) === attempt
    if (!isSameAttempt && (this.#length > 0 || attempt > 1)) this.#push(attempt, 0, KIND.attempt << 4, '')
    const expected = isSameAttempt ? (this.#lastSeq % ATTEMPT) + 1 : 1
    // the server puts one line of its own at the last of those that are lost: our mark says it in the language shown
    const isMark = number > expected && line.stream === 'system'
    if (number > expected) this.#push(number - expected + (isMark ? 1 : 0), 0, KIND.gap << 4, '')
    this.#lastSeq = line.seq
    if (isMark) return
    this.#push(line.seq, Date.parse(line.at), (STREAMS.indexOf(line.stream) << 2) | LEVELS.indexOf(line.level), line.text)
    this.#lines += 1
  }

  #push(seq: number, atMs: number, mark: number, text: string): void {
    if (this.#length === this.#seqs.length) this.#grow()
    const index = this.#length
    this.#seqs[index] = seq
    this.#ats[index] = atMs
    this.#marks[index] = mark
    this.#length += 1
    const block = (this.#blocks[Math.floor(index / BLOCK)] ??= { texts: [], size: 0, usedAt: 0 })
    // the last block is never given up while it grows
    block.texts?.push(text)
    block.size += text.length
    this.#size += text.length
    this.#touch(block)
  }

  #grow(): void {
    const size = this.#seqs.length * 2
    const [seqs, ats, marks] = [new Float64Array(size), new Float64Array(size), new Uint8Array(size)]
    seqs.set(this.#seqs)
    ats.set(this.#ats)
    marks.set(this.#marks)
    this.#seqs = seqs
    this.#ats = ats
    this.#marks = marks
  }

  #text(index: number): string | null {
    const block = this.#blocks[Math.floor(index / BLOCK)]
    if (block === undefined || block.texts === null) return null
    this.#touch(block)
    return block.texts[index % BLOCK] ?? ''
  }

  #touch(block: Block): void {
    this.#clock += 1
    block.usedAt = this.#clock
  }

  #evict(): void {
    while (this.#size > this.#maxText) {
      const last = this.#blocks.length - 1
      let oldest: Block | null = null
      for (const [index, block] of this.#blocks.entries()) if (block.texts !== null && index !== last && (oldest === null || block.usedAt < oldest.usedAt)) oldest = block
      if (oldest === null) return
      oldest.texts = null
      this.#size -= oldest.size
    }
  }

  #isLine(index: number): boolean {
    return (this.#marks[index] ?? 0) >> 4 === KIND.line
  }

  #firstSeqOf(block: number): number {
    for (let index = block * BLOCK; index < this.#length; index += 1) if (this.#isLine(index)) return this.#seqs[index] ?? 0
    return 0
  }

  /** For the binary search: an entry without a number stands where the line before it does. */
  #seqAtOrBefore(index: number): number {
    for (let at = index; at >= 0; at -= 1) if (this.#isLine(at)) return this.#seqs[at] ?? 0
    return 0
  }
}

/** `12` of attempt 1, `2.12` of attempt 2: how a line is named in an address. */
export function lineName(seq: number): string {
  const attempt = Math.floor(seq / ATTEMPT)
  return attempt <= 1 ? String(seq % ATTEMPT) : `${attempt}.${seq % ATTEMPT}`
}

/** The number of a line named in an address (`#L12`, `#L2.12`); null when it names none. */
export function seqOfHash(hash: string): number | null {
  const match = /^#L(?:(\d{1,6})\.)?(\d{1,10})$/.exec(hash)
  return match === null ? null : Number(match[1] ?? 1) * ATTEMPT + Number(match[2])
}
