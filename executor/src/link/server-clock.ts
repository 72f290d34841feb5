const SAMPLES = 12
/** Two samples in a row that are so much too early, and were received so far apart, did not wait on their way: the server's clock went back. */
const WENT_BACK_MS = 2000
const APART_MS = 2500

interface Sample {
  readonly offset: number
  /** monotonic */
  readonly heardAt: number
}

/**
 * The server's clock, learned from the instants it sends. A message that waited on its way makes a sample too early, never too late, so the
 * latest of the last samples is the best; each is kept as a distance from a monotonic clock, which no change of the local clock moves.
 */
export class ServerClock {
  readonly #monotonic: () => number
  readonly #wall: () => number
  #samples: Sample[] = []

  constructor(wall: () => number, monotonic: () => number) {
    this.#wall = wall
    this.#monotonic = monotonic
  }

  /** The server said that it was `at` a moment ago. */
  learn(at: number): void {
    const heardAt = this.#monotonic()
    this.#samples = [...this.#samples, { offset: at - heardAt, heardAt }].slice(-SAMPLES)
    const [before, last] = this.#samples.slice(-2)
    const early = this.#best - WENT_BACK_MS
    if (before === undefined || last === undefined || before.offset >= early || last.offset >= early) return
    // answers that were read together after a pause may both be old
    if (last.heardAt - before.heardAt >= APART_MS) this.#samples = [before, last]
  }

  /** Epoch ms of the server; the local clock before anything was learned. */
  now(): number {
    return this.#samples.length === 0 ? this.#wall() : this.#monotonic() + this.#best
  }

  get #best(): number {
    return Math.max(...this.#samples.map((sample) => sample.offset))
  }
}
