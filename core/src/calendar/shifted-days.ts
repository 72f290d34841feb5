/** The days of a cron as a calendar makes them: what falls on a day off is left out, or lands on a working day. */
import { FIRST_DAY, LAST_DAY, type DayWalk } from '../schedule/cron-day-walk.ts'
import type { DaySet } from './day-set.ts'

/** Days off in a row beyond which nothing is moved: a calendar that ends, or was never filled, would gather years on one day. */
export const MAX_DAYS_MOVED_OVER = 366

/** The days of `named` that are in `allowed`. */
export class CommonDays implements DayWalk {
  readonly #named: DayWalk
  readonly #allowed: DaySet

  constructor(named: DayWalk, allowed: DaySet) {
    this.#named = named
    this.#allowed = allowed
  }

  has(day: number): boolean {
    return this.#named.has(day) && this.#allowed.has(day)
  }

  from(day: number): number | null {
    let found = this.#named.from(day)
    while (found !== null) {
      const allowed = this.#allowed.from(found)
      if (allowed === null || allowed === found) return allowed
      found = this.#named.from(allowed)
    }
    return null
  }

  upTo(day: number): number | null {
    let found = this.#named.upTo(day)
    while (found !== null) {
      const allowed = this.#allowed.upTo(found)
      if (allowed === null || allowed === found) return allowed
      found = this.#named.upTo(allowed)
    }
    return null
  }
}

/**
 * The working days of `named`, and those on which its days off land: the next working day, or the previous. Times of day are the same on each day of a
 * cron, so that days are all that moves, and what lands where the cron fires anyway is one firing.
 */
export class MovedDays implements DayWalk {
  readonly #named: DayWalk
  readonly #working: DaySet
  readonly #rule: 'next' | 'previous'

  constructor(named: DayWalk, working: DaySet, rule: 'next' | 'previous') {
    this.#named = named
    this.#working = working
    this.#rule = rule
  }

  has(day: number): boolean {
    return this.#working.has(day) && (this.#named.has(day) || this.originOf(day) !== null)
  }

  /** The nearest day off that lands on a working day; `null`: none does. */
  originOf(day: number): number | null {
    if (this.#working.has(this.#rule === 'next' ? day - 1 : day + 1)) return null
    const origin = this.#rule === 'next' ? this.#named.upTo(day - 1) : this.#named.from(day + 1)
    return origin !== null && this.targetOf(origin) === day ? origin : null
  }

  /** Where a day off lands; `null`: nowhere, or it is a working day. */
  targetOf(day: number): number | null {
    const after = this.#working.from(day)
    if (after === day) return null
    const before = this.#working.upTo(day)
    if (after === null || before === null || after - before - 1 > MAX_DAYS_MOVED_OVER) return null
    const target = this.#rule === 'next' ? after : before
    return target >= FIRST_DAY && target <= LAST_DAY ? target : null
  }

  from(day: number): number | null {
    for (let start = this.#working.from(day); start !== null;) {
      if (this.has(start)) return start
      const named = this.#named.from(start)
      if (named === null) return null
      const found = this.#working.has(named) ? named : this.targetOf(named)
      if (found !== null && found >= start) return found
      // what is left out here lies in days off: it goes on behind them
      start = this.#working.from(named)
    }
    return null
  }

  upTo(day: number): number | null {
    for (let start = this.#working.upTo(day); start !== null;) {
      if (this.has(start)) return start
      const named = this.#named.upTo(start)
      if (named === null) return null
      const found = this.#working.has(named) ? named : this.targetOf(named)
      if (found !== null && found <= start) return found
      start = this.#working.upTo(named)
    }
    return null
  }
}
