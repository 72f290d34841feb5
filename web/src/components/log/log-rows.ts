import type { LogStore } from './log-store.ts'

export interface LogFilter {
  /** bit n: stream n of `STREAMS` */
  readonly streams: number
  /** index into `LEVELS`: this one and above */
  readonly level: number
}

export const NO_FILTER: LogFilter = { streams: 0b1111, level: 0 }

/** Which entries of a store are shown, in order. Without a filter a row is an entry, and nothing is kept. */
export class LogRows {
  readonly #store: LogStore
  readonly #filter: LogFilter | null
  #indexes = new Uint32Array(1024)
  #length = 0
  #seen = 0

  constructor(store: LogStore, filter: LogFilter) {
    this.#store = store
    this.#filter = filter.streams === NO_FILTER.streams && filter.level === 0 ? null : filter
  }

  /** Takes in what the store has got since; answers with the number of rows. */
  update(): number {
    if (this.#filter === null) return this.#store.length
    for (; this.#seen < this.#store.length; this.#seen += 1) if (this.#store.passes(this.#seen, this.#filter.streams, this.#filter.level)) this.#push(this.#seen)
    return this.#length
  }

  entryAt(row: number): number {
    return this.#filter === null ? row : (this.#indexes[row] ?? 0)
  }

  /** The row of an entry, or of the first shown entry after it. */
  rowOf(entry: number): number {
    if (this.#filter === null) return entry
    let low = 0
    let high = this.#length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#indexes[middle] ?? 0) < entry) low = middle + 1
      else high = middle
    }
    return low
  }

  passes(entry: number): boolean {
    return this.#filter === null || this.#store.passes(entry, this.#filter.streams, this.#filter.level)
  }

  #push(entry: number): void {
    if (this.#length === this.#indexes.length) {
      const grown = new Uint32Array(this.#length * 2)
      grown.set(this.#indexes)
      this.#indexes = grown
    }
    this.#indexes[this.#length] = entry
    this.#length += 1
  }
}
