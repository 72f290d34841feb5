/** Lets so many pieces of work go on at once; the others wait for their turn. */
export class Turns {
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  readonly #running = new Set<Promise<void>>()

  constructor(most: number) {
    this.#most = most
  }

  get isFull(): boolean {
    return this.#running.size >= this.#most
  }

  async do(work: () => Promise<void>): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    const done = work().finally(() => {
      this.#running.delete(done)
      this.#waiting.shift()?.()
    })
    this.#running.add(done)
    await done
  }

  /** Resolves when nothing goes on. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
  }
}
