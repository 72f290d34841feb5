import type { LineTuple } from '@tickwheel/contract'
import { chunksOf, linesOf, type LogPage } from './log-page.ts'

/** Lines of an attempt as the log takes them. */
export interface Chunk {
  readonly firstSeq: number
  readonly lines: LineTuple[]
  /** so many lines after them are left out */
  readonly dropped?: number
}

/**
 * How far the log of one attempt has been read. The executor numbers lines of its file, the log of a run numbers lines as people see them; both count from
 * the beginning, so a node that takes over reads the file anew and passes over as many lines as are stored.
 */
export class LogCursor {
  readonly #limitBytes: number
  #fromLine = 1
  /** a Node client counts from 0, and gives one line less than it was asked for */
  #countsFromZero = false
  #lines = 0
  #bytes = 0
  #dropped = 0
  #stored: number

  constructor(limitBytes: number, stored = 0) {
    this.#limitBytes = limitBytes
    this.#stored = stored
  }

  /** the line of the file that is read next */
  get fromLine(): number {
    return this.#fromLine
  }

  /** The log has reached its limit: nothing more is read. */
  get isFull(): boolean {
    return this.#bytes >= this.#limitBytes
  }

  /** What is new in a page; the cursor stands behind it. Nothing, and the cursor at the beginning: the page lacks the first line and is asked for again. */
  take({ toLine, text }: LogPage, at: number): Chunk[] {
    if (this.#fromLine === 1 && !this.#countsFromZero && rawLines(text) === toLine - 1) {
      this.#countsFromZero = true
      this.#fromLine = 0
      return []
    }
    this.#fromLine = this.#countsFromZero ? toLine : toLine + 1
    const all = linesOf(text)
    const fits = this.#within(all)
    const passed = Math.min(fits.length, Math.max(0, this.#stored - this.#lines))
    let firstSeq = this.#lines + passed + 1
    const chunks: Chunk[] = []
    for (const lines of chunksOf(fits.slice(passed), at)) {
      chunks.push({ firstSeq, lines })
      firstSeq += lines.length
    }
    this.#lines += fits.length
    const dropped = all.length - fits.length
    if (dropped === 0) return chunks
    this.#lines += dropped
    this.#dropped += dropped
    return [...chunks, { firstSeq, lines: [], dropped }]
  }

  /** The rest cannot be read: a mark in its place. */
  giveUp(): Chunk {
    const firstSeq = Math.max(this.#lines, this.#stored) + 1
    this.#lines = firstSeq
    this.#dropped += 1
    this.#bytes = Math.max(this.#bytes, this.#limitBytes)
    return { firstSeq, lines: [], dropped: 1 }
  }

  /** How much there was in all. */
  end(): { readonly lines: number; readonly bytes: number; readonly dropped: number } {
    return { lines: Math.max(this.#lines, this.#stored), bytes: this.#bytes, dropped: this.#dropped }
  }

  #within(lines: readonly string[]): string[] {
    const fits: string[] = []
    for (const line of lines) {
      if (this.isFull) break
      this.#bytes += Buffer.byteLength(line) + 1
      fits.push(line)
    }
    return fits
  }
}

/** Lines as the executor counts them. */
function rawLines(text: string): number {
  const lines = text.split(/\r\n|\n|\r/)
  return lines.at(-1) === '' ? lines.length - 1 : lines.length
}
