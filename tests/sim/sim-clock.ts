import type { Clock, Wake } from '../../server/src/engine/clock.ts'
import type { SimProcess } from './sim-process.ts'
import type { Timeline } from './timeline.ts'

/** What is off by up to this is taken up slowly; more is a step. */
const STEP_MS = 500
const SLEW_SHARE = 0.1

export interface SimClockOptions {
  readonly timeline: Timeline
  readonly owner: SimProcess
  /** how far the clock of the database is from the timeline as this process measured it when it started */
  readonly offset: number
  /** what measuring is wrong by, ms: it stays so */
  readonly skew: number
  /** called at each call of the clock: a process can die there */
  readonly onCall: () => void
}

/** Cluster time as one process sees it: its monotonic clock, which is the timeline, and its offset to the database's clock. */
export class SimClock implements Clock {
  readonly #options: SimClockOptions
  readonly skew: number
  #offset: number
  #sleptMs = 0

  constructor(options: SimClockOptions) {
    this.#options = options
    this.skew = options.skew
    this.#offset = options.offset
  }

  now(): number {
    return Math.floor(this.monotonic() + this.#offset + this.skew)
  }

  monotonic(): number {
    return this.#options.timeline.now - this.#sleptMs
  }

  /** The machine was asleep for so long: its monotonic clock stood still, and the process does not know. */
  slept(ms: number): void {
    this.#sleptMs += ms
  }

  wake(at: number, call: () => void): Wake {
    const { timeline, owner } = this.#options
    let cancel: () => void
    const sleep = (): void => {
      cancel = timeline.after(at - this.now(), owner, () => (this.now() >= at ? call() : sleep()))
    }
    sleep()
    return { cancel: () => cancel() }
  }

  after(ms: number, call: () => void): Wake {
    const { timeline, owner } = this.#options
    return { cancel: timeline.after(ms, owner, call) }
  }

  breathe(): Promise<void> {
    const { timeline, owner, onCall } = this.#options
    onCall()
    return timeline.sleep(0, owner)
  }

  /** The process has looked at the database's clock. */
  learn(offset: number): void {
    const off = offset + this.#sleptMs - this.#offset
    this.#offset += Math.abs(off) <= STEP_MS ? off * SLEW_SHARE : off
  }
}
