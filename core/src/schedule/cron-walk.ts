/**
 * Walks the wall times that a cron expression names, with no zone: seconds since 1970 on a clock that is never set.
 * Fields are bit masks, so a step is a few shifts.
 */
import { DAY_SECONDS } from '../time/civil.ts'
import { highestBit, lowestBit } from './bits.ts'
import { CronDayWalk, FIRST_DAY, LAST_DAY, type DayWalk } from './cron-day-walk.ts'
import type { CronFields, SixtyMask } from './cron-fields.ts'

/** Steps through the wall times of one expression, in both directions: its times of day on its days, or on those that a calendar makes of them. */
export class CronWalker {
  readonly days: DayWalk
  readonly #fields: CronFields
  readonly #firstOfDay: number
  readonly #lastOfDay: number

  constructor(fields: CronFields, days: DayWalk = new CronDayWalk(fields)) {
    this.days = days
    this.#fields = fields
    this.#firstOfDay = this.#timeFrom(0)
    this.#lastOfDay = this.#timeUpTo(DAY_SECONDS - 1)
  }

  /** The first matching wall second at or after the given one; `null` after the last cron year. */
  atOrAfter(second: number): number | null {
    const day = Math.floor(second / DAY_SECONDS)
    if (this.days.has(day)) {
      const time = this.#timeFrom(second - day * DAY_SECONDS)
      if (time >= 0) return day * DAY_SECONDS + time
    }
    const next = this.days.from(Math.max(day + 1, FIRST_DAY))
    return next === null ? null : next * DAY_SECONDS + this.#firstOfDay
  }

  /** The last matching wall second at or before the given one; `null` before the first cron year. */
  atOrBefore(second: number): number | null {
    const day = Math.floor(second / DAY_SECONDS)
    if (this.days.has(day)) {
      const time = this.#timeUpTo(second - day * DAY_SECONDS)
      if (time >= 0) return day * DAY_SECONDS + time
    }
    const previous = this.days.upTo(Math.min(day - 1, LAST_DAY))
    return previous === null ? null : previous * DAY_SECONDS + this.#lastOfDay
  }

  #timeFrom(timeOfDay: number): number {
    const { seconds, minutes, hours } = this.#fields
    const hour = Math.floor(timeOfDay / 3600)
    const minute = Math.floor(timeOfDay / 60) % 60
    if (((hours >> hour) & 1) === 1) {
      if (hasSixty(minutes, minute)) {
        const second = sixtyFrom(seconds, timeOfDay % 60)
        if (second >= 0) return hour * 3600 + minute * 60 + second
      }
      const nextMinute = sixtyFrom(minutes, minute + 1)
      if (nextMinute >= 0) return hour * 3600 + nextMinute * 60 + sixtyFrom(seconds, 0)
    }
    const nextHour = lowestBit(hours & (-2 << hour))
    return nextHour < 0 ? -1 : nextHour * 3600 + sixtyFrom(minutes, 0) * 60 + sixtyFrom(seconds, 0)
  }

  #timeUpTo(timeOfDay: number): number {
    const { seconds, minutes, hours } = this.#fields
    const hour = Math.floor(timeOfDay / 3600)
    const minute = Math.floor(timeOfDay / 60) % 60
    if (((hours >> hour) & 1) === 1) {
      if (hasSixty(minutes, minute)) {
        const second = sixtyUpTo(seconds, timeOfDay % 60)
        if (second >= 0) return hour * 3600 + minute * 60 + second
      }
      const previousMinute = sixtyUpTo(minutes, minute - 1)
      if (previousMinute >= 0) return hour * 3600 + previousMinute * 60 + sixtyUpTo(seconds, 59)
    }
    const previousHour = highestBit(hours & ((1 << hour) - 1))
    return previousHour < 0 ? -1 : previousHour * 3600 + sixtyUpTo(minutes, 59) * 60 + sixtyUpTo(seconds, 59)
  }
}

function hasSixty(mask: SixtyMask, value: number): boolean {
  return (value < 30 ? (mask.low >> value) & 1 : (mask.high >> (value - 30)) & 1) === 1
}

/** The smallest member at or above a value of 0 to 60; -1 when there is none. */
function sixtyFrom(mask: SixtyMask, value: number): number {
  if (value < 30) {
    const found = lowestBit(mask.low & (-1 << value))
    if (found >= 0) return found
    return mask.high === 0 ? -1 : 30 + lowestBit(mask.high)
  }
  const found = lowestBit(mask.high & (-1 << (value - 30)))
  return found < 0 ? -1 : 30 + found
}

/** The largest member at or below a value of -1 to 59; -1 when there is none. */
function sixtyUpTo(mask: SixtyMask, value: number): number {
  if (value < 0) return -1
  if (value >= 30) {
    const found = highestBit(mask.high & ((2 << (value - 30)) - 1))
    if (found >= 0) return 30 + found
    return highestBit(mask.low)
  }
  return highestBit(mask.low & ((2 << value) - 1))
}
