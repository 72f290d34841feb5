import { StoreAway } from '../store/database.ts'
import type { Clock } from './clock.ts'

export interface PumpOptions {
  readonly clock: Clock
  /** The store is away, or the turn failed for a reason of its own; the pump tries again after `retryMs`. */
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered?: () => void
}

const RETRY_MS = 250

/**
 * Runs a turn over and over while there is work: never two at once, and never none after a kick. Everything that the engine does in the background
 * is a pump, so that a test can wait until all are idle.
 */
export class Pump {
  readonly #options: PumpOptions
  readonly #work: () => Promise<boolean>
  #isWanted = false
  #isStopped = false
  #running: Promise<void> | null = null
  #turn: Promise<void> = Promise.resolve()
  #retry: { cancel(): void } | null = null

  /** `work` is one turn; true: there is more to do at once. */
  constructor(options: PumpOptions, work: () => Promise<boolean>) {
    this.#options = options
    this.#work = work
  }

  /** There is work. */
  kick(): void {
    this.#isWanted = true
    if (this.#isStopped || this.#retry !== null) return
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      if (this.#isWanted) this.kick()
    })
  }

  get isBusy(): boolean {
    return this.#running !== null
  }

  /** Until no turn runs. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  /** Until the turn that runs now is over; the next may begin meanwhile. */
  async turnOver(): Promise<void> {
    await this.#turn
  }

  /** No further turn; the one that runs is waited for. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#isWanted = false
    this.#retry?.cancel()
    await this.idle()
  }

  async #run(): Promise<void> {
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false
      try {
        if (await this.#oneTurn()) this.#isWanted = true
        this.#options.onRecovered?.()
      } catch (error) {
        this.#options.onTrouble(error)
        this.#later()
        return
      }
    }
  }

  async #oneTurn(): Promise<boolean> {
    const turn = this.#work()
    this.#turn = turn.then(ignore, ignore)
    return turn
  }

  #later(): void {
    this.#isWanted = false
    this.#retry = this.#options.clock.after(RETRY_MS, () => {
      this.#retry = null
      this.kick()
    })
  }
}

function ignore(): void {
  // whoever waits for the end of a turn does not care how it ended
}

export function isStoreAway(error: unknown): boolean {
  return error instanceof StoreAway
}
