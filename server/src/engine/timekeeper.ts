import { TimingWheel, type TimerHandle } from '@tickwheel/core'
import type { Clock, Wake } from './clock.ts'

export type { TimerHandle } from '@tickwheel/core'

const IDLE_MS = 1000
const LAG_KEPT_MS = 5000
const LAG_BELIEVED_MS = 60_000
/** The clock went back further than this: the wheel follows it, instead of waiting until time has caught up. */
const REWIND_MS = 1000

/**
 * The wheel and the clock together: the engine's only timer path. A tick hands over everything that is due as one batch of payloads. Between ticks it
 * sleeps until the wheel's next instant, a second at most, so that a clock that jumps is noticed.
 */
export class Timekeeper {
  readonly #clock: Clock
  readonly #wheel: TimingWheel
  readonly #onDue: (payloads: readonly number[]) => void
  #wake: Wake | null = null
  #wakeAt = Infinity
  #isStopped = true
  #worst = { since: 0, lag: 0 }
  #before = 0

  constructor(clock: Clock, onDue: (payloads: readonly number[]) => void) {
    this.#clock = clock
    this.#wheel = new TimingWheel({ startAt: clock.now() })
    this.#onDue = onDue
  }

  get armed(): number {
    return this.#wheel.size
  }

  /** The worst that a tick was late in the last five to ten seconds, ms. */
  get lagMs(): number {
    return Math.max(this.#before, this.#worst.lag)
  }

  start(): void {
    this.#isStopped = false
    this.#sleep()
  }

  stop(): void {
    this.#isStopped = true
    this.#wake?.cancel()
    this.#wake = null
  }

  arm(at: number, payload: number): TimerHandle {
    const handle = this.#wheel.insert(Math.max(0, at), payload)
    if (at < this.#wakeAt) this.#sleep()
    return handle
  }

  cancel(handle: TimerHandle): void {
    this.#wheel.cancel(handle)
  }

  #tick(): void {
    const now = this.#clock.now()
    if (now < this.#wheel.reachedAt - REWIND_MS) this.#wheel.rewind(now)
    const due: number[] = []
    this.#wheel.advance(now, (payload) => due.push(payload))
    this.#sleep()
    if (due.length > 0) this.#onDue(due)
  }

  #sleep(): void {
    if (this.#isStopped) return
    this.#wake?.cancel()
    const now = this.#clock.now()
    this.#wakeAt = Math.min(this.#wheel.nextDueAt() ?? Infinity, now + IDLE_MS)
    this.#wake = this.#clock.after(Math.max(0, this.#wakeAt - now), () => {
      this.#wake = null
      this.#noteLag(now)
      this.#wakeAt = Infinity
      this.#tick()
    })
  }

  /** How late this tick is. A clock that was set meanwhile says nothing of it. */
  #noteLag(sleptAt: number): void {
    const lag = this.#clock.now() - Math.max(this.#wakeAt, sleptAt)
    const monotonic = this.#clock.monotonic()
    if (monotonic - this.#worst.since > LAG_KEPT_MS) {
      this.#before = this.#worst.lag
      this.#worst = { since: monotonic, lag: 0 }
    }
    if (lag > this.#worst.lag && lag < LAG_BELIEVED_MS) this.#worst.lag = lag
  }
}
