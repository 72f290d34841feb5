import type { Clock, Wake } from '../../server/src/engine/clock.ts'

interface Alarm {
  readonly at: number
  readonly order: number
  readonly call: () => void
}

/** So much of the engine's own time passes with each hop: it beats and sweeps once. */
const HOP_MS = 1_000

/**
 * A clock for a past that is played: cluster time hops from one instant at which something is due to the next, so that a month passes in seconds, while
 * the engine's own, monotonic time goes on by a second a hop.
 */
export class HopClock implements Clock {
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
    return this.after(Math.max(0, at - this.#now), call)
  }

  after(ms: number, call: () => void): Wake {
    const alarm = { at: this.#monotonic + ms, order: this.#order++, call }
    this.#alarms.add(alarm)
    return { cancel: () => this.#alarms.delete(alarm) }
  }

  breathe(): Promise<void> {
    return Promise.resolve()
  }

  /** Goes to an instant, never back; nothing rings. */
  slide(to: number): void {
    this.#now = Math.max(this.#now, to)
  }

  /** Goes to an instant, never back, and rings what rings within a second of the engine's own time. */
  async hop(to: number, settled: () => Promise<void>): Promise<void> {
    this.slide(to)
    const until = this.#monotonic + HOP_MS
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.#monotonic = Math.max(this.#monotonic, next.at)
      this.#alarms.delete(next)
      next.call()
      await settled()
    }
    this.#monotonic = until
  }

  #next(until: number): Alarm | null {
    let first: Alarm | null = null
    for (const alarm of this.#alarms) {
      if (alarm.at > until) continue
      if (first === null || alarm.at < first.at || (alarm.at === first.at && alarm.order < first.order)) first = alarm
    }
    return first
  }
}
