import type { Cache } from '../cache.ts'

const KEPT = 10_000

/** A cache in the memory of one process, of 10,000 values at most: then the oldest goes. `now`: monotonic ms. */
export class MemoryCache implements Cache {
  readonly #entries = new Map<string, { readonly value: string; readonly until: number }>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  async get(key: string): Promise<string | null> {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.until <= this.#now() ? null : entry.value
  }

  async put(key: string, value: string, ttlMs: number): Promise<void> {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until: this.#now() + ttlMs })
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= KEPT) break
      this.#entries.delete(oldest)
    }
  }

  async drop(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#entries.delete(key)
  }
}
