/** One piece of work that wants a slot. `start` is called once, synchronously, when it gets one. */
export interface PoolJob {
  readonly handler: string
  /** higher first; equal ones in the order they came */
  readonly priority: number
  start(): void
}

export interface PoolOptions {
  /** how many run at once, at least 1 */
  readonly concurrency: number
  /** how many may wait for a slot; 0: none */
  readonly queueLimit: number
}

/**
 * The bounded worker pool: at most `concurrency` jobs run, at most `queueLimit` wait in priority order, the rest are refused.
 * A handler's own limit makes its jobs wait while others pass them. A slot is free again only by `release`, so a job that never ends keeps it.
 */
export class Pool {
  readonly #concurrency: number
  readonly #queueLimit: number
  readonly #limits = new Map<string, number>()
  readonly #runningOf = new Map<string, number>()
  readonly #waiting: PoolJob[] = []
  #running = 0

  constructor(options: PoolOptions) {
    this.#concurrency = options.concurrency
    this.#queueLimit = options.queueLimit
  }

  get running(): number {
    return this.#running
  }

  get queued(): number {
    return this.#waiting.length
  }

  /** At most this many jobs of one handler run at once. */
  limit(handler: string, concurrency: number): void {
    this.#limits.set(handler, concurrency)
  }

  /** Starts the job, lets it wait, or refuses it. */
  offer(job: PoolJob): 'started' | 'queued' | 'full' {
    if (this.#hasRoomFor(job)) {
      this.#start(job)
      return 'started'
    }
    if (this.#waiting.length >= this.#queueLimit) return 'full'
    this.#waiting.splice(this.#placeOf(job), 0, job)
    return 'queued'
  }

  /** Takes a waiting job out; false when it does not wait (any more). */
  withdraw(job: PoolJob): boolean {
    const place = this.#waiting.indexOf(job)
    if (place < 0) return false
    this.#waiting.splice(place, 1)
    return true
  }

  /** Gives the slot of a started job back and starts what waits. */
  release(job: PoolJob): void {
    this.#running -= 1
    this.#runningOf.set(job.handler, this.#of(job.handler) - 1)
    this.#startWaiting()
  }

  #startWaiting(): void {
    for (let place = 0; place < this.#waiting.length && this.#running < this.#concurrency;) {
      const job = this.#waiting[place]
      if (job === undefined) return
      if (!this.#hasRoomFor(job)) {
        place += 1
        continue
      }
      this.#waiting.splice(place, 1)
      this.#start(job)
    }
  }

  #start(job: PoolJob): void {
    this.#running += 1
    this.#runningOf.set(job.handler, this.#of(job.handler) + 1)
    job.start()
  }

  #hasRoomFor(job: PoolJob): boolean {
    return this.#running < this.#concurrency && this.#of(job.handler) < (this.#limits.get(job.handler) ?? Infinity)
  }

  #of(handler: string): number {
    return this.#runningOf.get(handler) ?? 0
  }

  /** After the last one of the same or a higher priority. */
  #placeOf(job: PoolJob): number {
    let low = 0
    let high = this.#waiting.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#waiting[middle]?.priority ?? 0) >= job.priority) low = middle + 1
      else high = middle
    }
    return low
  }
}
