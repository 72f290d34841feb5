import type { Owner, Timeline } from './timeline.ts'

/** One start of a process. It can be killed at any instant, and stopped and continued (SIGSTOP, SIGCONT): its monotonic clock goes on meanwhile. */
export class SimProcess implements Owner {
  readonly name: string
  readonly #timeline: Timeline
  readonly #deaths: (() => void)[] = []
  #isDead = false
  #pauses = 0
  /** how often it has been stopped */
  pauseCount = 0
  /** when it went on after the last stop, timeline ms */
  continuedAt = -Infinity

  constructor(name: string, timeline: Timeline) {
    this.name = name
    this.#timeline = timeline
  }

  get isDead(): boolean {
    return this.#isDead
  }

  get isPaused(): boolean {
    return this.#pauses > 0
  }

  /** What the outside sees when it dies: connections end, locks are given back. */
  onDeath(call: () => void): void {
    this.#deaths.push(call)
  }

  kill(): void {
    if (this.#isDead) return
    this.#isDead = true
    for (const call of this.#deaths.splice(0)) call()
  }

  pause(): void {
    this.#pauses += 1
    this.pauseCount += 1
  }

  continue(): void {
    if (this.#pauses === 0) return
    this.#pauses -= 1
    if (this.#pauses > 0) return
    this.continuedAt = this.#timeline.now
    this.#timeline.release(this)
  }
}

/** What a dead process waits for. */
export function never(): Promise<never> {
  return new Promise(() => undefined)
}
