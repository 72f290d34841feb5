/** Where a word stands in a log: found piece by piece, so that a search through a million lines never holds the page up. */
import { plainText } from './ansi.ts'
import { BLOCK, type LogStore } from './log-store.ts'

export const MAX_HITS = 100_000
const SLICE = 4_000

export class LogSearch {
  readonly needle: string
  readonly #store: LogStore
  readonly #passes: (index: number) => boolean
  #hits: number[] = []
  #at = 0

  /** `needle` is compared without regard to case; `passes` says which entries are shown. */
  constructor(store: LogStore, needle: string, passes: (index: number) => boolean) {
    this.#store = store
    this.#passes = passes
    this.needle = needle.toLowerCase()
  }

  /** Entries with a hit, in order. */
  get hits(): readonly number[] {
    return this.#hits
  }

  get isCapped(): boolean {
    return this.#hits.length >= MAX_HITS
  }

  isDone(): boolean {
    return this.needle === '' || this.isCapped || this.#at >= this.#store.length
  }

  /** Searches on for a piece. Answers with the entry whose texts must be read again first, or null. */
  step(): number | null {
    const end = Math.min(this.#store.length, this.#at + SLICE)
    while (this.#at < end && !this.isCapped) {
      if (this.#at % BLOCK === 0 && this.#store.missing(this.#at) !== null) return this.#at
      if (this.#passes(this.#at) && this.#matches(this.#at)) this.#hits.push(this.#at)
      this.#at += 1
    }
    return null
  }

  /** The place among the hits of the first one at or after an entry, going round at the end; -1 without hits. */
  from(index: number): number {
    const found = this.#hits.findIndex((hit) => hit >= index)
    return found === -1 ? (this.#hits.length === 0 ? -1 : 0) : found
  }

  #matches(index: number): boolean {
    const entry = this.#store.entry(index)
    return entry?.kind === 'line' && entry.text !== null && plainText(entry.text).toLowerCase().includes(this.needle)
  }
}
