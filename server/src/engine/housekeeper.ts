import type { Clock, Wake } from './clock.ts'
import { Pump } from './pump.ts'

/** Work that can wait, a bounded piece at a time; true: there is more to do now. `Folder` and `Pruner` are such. */
export interface Chore {
  step(now: number): Promise<boolean>
}

export interface HousekeeperOptions {
  readonly clock: Clock
  readonly chores: readonly Chore[]
  /** Whether it is for this node to do them; asked before each step. Two nodes at once would do no harm, but the same work twice. */
  readonly isMine: () => boolean
  /** A step failed; it is tried again after a rest. */
  readonly onTrouble: (error: unknown) => void
  /** when the first step comes, and how long it rests when nothing is left: 30 s and a minute unless told */
  readonly firstAfterMs?: number
  readonly restMs?: number
}

const FIRST_AFTER_MS = 30_000
const PAUSE_MS = 25
const REST_MS = 60_000

/** Runs chores in turn, off the hot path: a pause after each step, so that firings come between, and a rest when nothing is left. */
export class Housekeeper {
  readonly #clock: Clock
  readonly #chores: readonly Chore[]
  readonly #isMine: () => boolean
  readonly #pump: Pump
  readonly #firstAfterMs: number
  readonly #restMs: number
  #wake: Wake | null = null
  #isStopped = false

  constructor({ clock, chores, isMine, onTrouble, firstAfterMs = FIRST_AFTER_MS, restMs = REST_MS }: HousekeeperOptions) {
    this.#firstAfterMs = firstAfterMs
    this.#restMs = restMs
    this.#clock = clock
    this.#chores = chores
    this.#isMine = isMine
    this.#pump = new Pump({ clock, onTrouble }, async () => this.#turn())
  }

  start(): void {
    this.#sleep(this.#firstAfterMs)
  }

  /** The step that runs is waited for. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake?.cancel()
    await this.#pump.stop()
  }

  /** Until no step runs. */
  async idle(): Promise<void> {
    await this.#pump.idle()
  }

  async #turn(): Promise<false> {
    let isMore = false
    for (const chore of this.#chores) if (!this.#isStopped && this.#isMine() && (await chore.step(this.#clock.now()))) isMore = true
    this.#sleep(isMore ? PAUSE_MS : this.#restMs)
    return false
  }

  #sleep(ms: number): void {
    if (this.#isStopped) return
    this.#wake = this.#clock.after(ms, () => this.#pump.kick())
  }
}
