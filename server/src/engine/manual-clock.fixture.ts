import type { Clock, Wake } from './clock.ts'

interface Alarm {
  readonly at: number
  readonly order: number
  readonly call: () => void
}

/** A clock that a test turns by hand. `settled` is awaited between alarms, so that what one alarm starts is done before the next rings. */
export class ManualClock implements Clock {
  #now: number
  #monotonic = 0
  #order = 0
  readonly #alarms = new Set<Alarm>()

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  wake(at: number, call: () => void): Wake {
    const alarm = { at, order: this.#order++, call }
    this.#alarms.add(alarm)
    return { cancel: () => this.#alarms.delete(alarm) }
  }

  breathe(): Promise<void> {
    return Promise.resolve()
  }

  /** Lets time pass, ringing alarms in order. */
  async advance(ms: number, settled: () => Promise<void>): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.#pass(Math.max(0, next.at - this.#now))
      this.#alarms.delete(next)
      next.call()
      await settled()
    }
    this.#pass(until - this.#now)
  }

  /** The wall clock jumps, forwards or back; no time passes. */
  jump(ms: number): void {
    this.#now += ms
  }

  #pass(ms: number): void {
    this.#now += ms
    this.#monotonic += ms
  }

  #next(until: number): Alarm | null {
    let first: Alarm | null = null
    for (const alarm of this.#alarms)
      if (alarm.at <= until && (first === null || alarm.at < first.at || (alarm.at === first.at && alarm.order < first.order)))
        first = alarm
    return first
  }
}
