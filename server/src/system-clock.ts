import type { Clock, Wake } from './engine/clock.ts'

const LOOK_MS = 5000
/** What the wall clock is off by is taken up slowly; more than this is a step. */
const STEP_MS = 500
const SLEW_SHARE = 0.1
const LONGEST_TIMER_MS = 2_147_000_000

/**
 * Cluster time on one machine: the monotonic clock plus its offset to the wall clock, which is the database's clock on SQLite. A wall clock that is
 * off by up to half a second is followed slowly, so that time neither stands still nor jumps; more is a step, and told.
 */
export class SystemClock implements Clock {
  readonly #onStep: (byMs: number) => void
  readonly #timer: NodeJS.Timeout
  #offset = Date.now() - performance.now()

  constructor(onStep: (byMs: number) => void) {
    this.#onStep = onStep
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  now(): number {
    return Math.floor(performance.now() + this.#offset)
  }

  monotonic(): number {
    return performance.now()
  }

  wake(at: number, call: () => void): Wake {
    let timer: NodeJS.Timeout | null = null
    const sleep = (): void => {
      timer = setTimeout(() => (this.now() >= at ? call() : sleep()), Math.min(LONGEST_TIMER_MS, Math.max(0, at - this.now())))
    }
    sleep()
    return {
      cancel: () => {
        if (timer !== null) clearTimeout(timer)
      },
    }
  }

  breathe(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const off = Date.now() - performance.now() - this.#offset
    if (Math.abs(off) <= STEP_MS) {
      this.#offset += off * SLEW_SHARE
      return
    }
    this.#offset += off
    this.#onStep(Math.round(off))
  }
}
