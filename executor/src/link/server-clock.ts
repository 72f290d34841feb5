const SAMPLES = 12

/**
 * The server's clock, learned from the instants it sends. A message that waited on its way makes a sample too early, never too late, so the
 * latest of the last samples is the best; each is kept as a distance from a monotonic clock, which no change of the local clock moves.
 */
export class ServerClock {
  readonly #monotonic: () => number
  readonly #offsets: number[] = []
  readonly #wall: () => number

  constructor(wall: () => number, monotonic: () => number) {
    this.#wall = wall
    this.#monotonic = monotonic
  }

  /** The server said that it was `at` a moment ago. */
  learn(at: number): void {
    this.#offsets.push(at - this.#monotonic())
    if (this.#offsets.length > SAMPLES) this.#offsets.shift()
  }

  /** Epoch ms of the server; the local clock before anything was learned. */
  now(): number {
    return this.#offsets.length === 0 ? this.#wall() : this.#monotonic() + Math.max(...this.#offsets)
  }
}
