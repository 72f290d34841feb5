import { giveBack, isFull, take, type BucketLimit, type TokenBucket } from '@tickwheel/core'
import type { Buckets, Taken } from '../bucket.ts'

const KEPT = 100_000
const SWEEP_EVERY = 10_000

interface Entry {
  readonly bucket: TokenBucket
  readonly limit: BucketLimit
}

/** Buckets of one process. At most 100,000 keys; when there are more, full ones are forgotten, then the least recently used. */
export class MemoryBuckets implements Buckets {
  readonly #entries = new Map<string, Entry>()
  readonly #now: () => number
  #untilSweep = SWEEP_EVERY

  /** `now`: monotonic ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  async take(key: string, limit: BucketLimit, cost = 1): Promise<Taken> {
    const { allowed, bucket, remaining, retryAfterMs, resetMs } = take(this.#entries.get(key)?.bucket ?? null, this.#now(), limit, cost)
    this.#keep(key, { bucket, limit })
    return { allowed, remaining, retryAfterMs, resetMs }
  }

  async giveBack(key: string, limit: BucketLimit, cost = 1): Promise<void> {
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#keep(key, { bucket: giveBack(entry.bucket, this.#now(), limit, cost), limit })
  }

  get size(): number {
    return this.#entries.size
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    this.#untilSweep--
    if (this.#untilSweep <= 0 || this.#entries.size > KEPT) this.#sweep()
  }

  #sweep(): void {
    this.#untilSweep = SWEEP_EVERY
    const now = this.#now()
    for (const [key, { bucket, limit }] of this.#entries) {
      if (isFull(bucket, now, limit)) this.#entries.delete(key)
    }
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= KEPT * 0.9) break
      this.#entries.delete(key)
    }
  }
}
