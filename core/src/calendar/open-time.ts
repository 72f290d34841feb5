/** The instants that a calendar leaves, as stretches: from anywhere to the next open instant or the last one, however long it is closed. */
import { DAY_MS, weekdayOfDays } from '../time/civil.ts'
import type { Zone } from '../time/zone.ts'
import type { Blackouts } from './blackouts.ts'
import type { DaySet } from './day-set.ts'

/** More than any change of clocks: what lies farther away is not looked at span by span. */
const SKIP_MS = 2 * DAY_MS

export class OpenTime {
  readonly #zone: Zone
  /** days of which some time is open */
  readonly #days: DaySet
  readonly #blackouts: Blackouts

  constructor(zone: Zone, days: DaySet, blackouts: Blackouts) {
    this.#zone = zone
    this.#days = days
    this.#blackouts = blackouts
  }

  /** The first open instant at or after; `null`: none is any more. */
  from(at: number): number | null {
    let from = at
    for (;;) {
      const span = this.#zone.spanAt(from)
      const wall = this.#wallFrom(from + span.offsetMs)
      if (wall === null && span.toAt - from > SKIP_MS) return null
      const found = wall === null ? span.toAt : wall - span.offsetMs
      if (wall !== null && found < span.toAt) {
        const blackout = this.#blackouts.onceOver(found)
        if (blackout === null) return found
        from = blackout.to
      } else from = span.toAt - from > SKIP_MS ? Math.max(span.toAt, found - SKIP_MS) : span.toAt
    }
  }

  /** The last open instant at or before; `null`: none was. */
  upTo(at: number): number | null {
    let upTo = at
    for (;;) {
      const span = this.#zone.spanAt(upTo)
      const wall = this.#wallUpTo(upTo + span.offsetMs)
      if (wall === null && upTo - span.fromAt > SKIP_MS) return null
      const found = wall === null ? span.fromAt - 1 : wall - span.offsetMs
      if (wall !== null && found >= span.fromAt) {
        const blackout = this.#blackouts.onceOver(found)
        if (blackout === null) return found
        upTo = blackout.from - 1
      } else upTo = upTo - span.fromAt > SKIP_MS ? Math.min(span.fromAt - 1, found + SKIP_MS) : span.fromAt - 1
    }
  }

  /** Until when it stays open after an open instant, exclusive, as far as can be said at once: it may be open there, too. */
  openUntil(at: number, until: number): number {
    const span = this.#zone.spanAt(at)
    const once = this.#blackouts.once.find((range) => range.from > at)
    const end = Math.min(until, span.toAt, once?.from ?? Infinity)
    return Math.min(end, this.#wallClosedAfter(at + span.offsetMs, end + span.offsetMs) - span.offsetMs)
  }

  #wallFrom(wall: number): number | null {
    let from = wall
    for (;;) {
      const today = Math.floor(from / DAY_MS)
      const day = this.#days.from(today)
      if (day === null) return null
      if (day > today) from = day * DAY_MS
      const blackout = this.#blackouts.ofWall(from)
      if (blackout === null) return from
      from = day * DAY_MS + blackout.to
    }
  }

  #wallUpTo(wall: number): number | null {
    let upTo = wall
    for (;;) {
      const today = Math.floor(upTo / DAY_MS)
      const day = this.#days.upTo(today)
      if (day === null) return null
      if (day < today) upTo = (day + 1) * DAY_MS - 1
      const blackout = this.#blackouts.ofWall(upTo)
      if (blackout === null) return upTo
      upTo = day * DAY_MS + blackout.from - 1
    }
  }

  #wallClosedAfter(wall: number, until: number): number {
    for (let from = wall; from < until;) {
      const day = Math.floor(from / DAY_MS)
      if (!this.#days.has(day)) return from
      const ranges = this.#blackouts.ofWeekday[weekdayOfDays(day)] ?? []
      const next = ranges.find((range) => range.to > from - day * DAY_MS)
      if (next !== undefined) return Math.max(from, day * DAY_MS + next.from)
      from = (day + 1) * DAY_MS
    }
    return until
  }
}
