import type { Clock, Wake } from './clock.ts'

interface Alarm {
  /** of cluster time, or of the monotonic clock */
  readonly at: number
  readonly isMonotonic: boolean
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
    return this.#set({ at, isMonotonic: false, order: this.#order++, call })
  }

  after(ms: number, call: () => void): Wake {
    return this.#set({ at: this.#monotonic + ms, isMonotonic: true, order: this.#order++, call })
  }

  breathe(): Promise<void> {
    return Promise.resolve()
  }

  /** Lets time pass, ringing alarms in order. */
  async advance(ms: number, settled: () => Promise<void>): Promise<void> {
    const until = this.#monotonic + ms
    await settled()
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.#pass(this.#waitOf(next))
      this.#alarms.delete(next)
      next.call()
      await settled()
    }
    this.#pass(until - this.#monotonic)
  }

  /** The wall clock jumps, forwards or back; no time passes. */
  jump(ms: number): void {
    this.#now += ms
  }

  #set(alarm: Alarm): Wake {
    this.#alarms.add(alarm)
    return { cancel: () => this.#alarms.delete(alarm) }
  }

  #pass(ms: number): void {
    this.#now += ms
    this.#monotonic += ms
  }

  #waitOf({ at, isMonotonic }: Alarm): number {
    return Math.max(0, at - (isMonotonic ? this.#monotonic : this.#now))
  }

  #next(until: number): Alarm | null {
    let first: { alarm: Alarm; wait: number } | null = null
    for (const alarm of this.#alarms) {
      const wait = this.#waitOf(alarm)
      if (this.#monotonic + wait > until) continue
      if (first === null || wait < first.wait || (wait === first.wait && isBefore(alarm, first.alarm))) first = { alarm, wait }
    }
    return first?.alarm ?? null
  }
}

/** Of two that ring at once: the one that should have rung first. */
function isBefore(a: Alarm, b: Alarm): boolean {
  return a.isMonotonic === b.isMonotonic && a.at !== b.at ? a.at < b.at : a.order < b.order
}
