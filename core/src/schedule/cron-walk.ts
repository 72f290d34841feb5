/**
 * Walks the wall times that a cron expression names, with no zone: seconds since 1970 on a clock that is never set.
 * Fields are bit masks, so a step is a few shifts; the days of a month are computed once for each month visited.
 */
import { DAY_SECONDS, civilFromDays, daysFromCivil, daysInMonth } from '../time/civil.ts'
import { matchingDays } from './cron-days.ts'
import { FIRST_CRON_YEAR, LAST_CRON_YEAR, type CronFields, type SixtyMask } from './cron-fields.ts'

const FIRST_DAY = daysFromCivil(FIRST_CRON_YEAR, 1, 1)
const LAST_DAY = daysFromCivil(LAST_CRON_YEAR, 12, 31)

/** Steps through the matching wall times of one expression, in both directions. Stateless but for a cache of one month. */
export class CronWalker {
  readonly #fields: CronFields
  readonly #firstOfDay: number
  readonly #lastOfDay: number
  #cachedMonth = -1
  #cachedDays = 0

  constructor(fields: CronFields) {
    this.#fields = fields
    this.#firstOfDay = this.#timeFrom(0)
    this.#lastOfDay = this.#timeUpTo(DAY_SECONDS - 1)
  }

  /** The first matching wall second at or after the given one; `null` after the last cron year. */
  atOrAfter(second: number): number | null {
    const day = Math.floor(second / DAY_SECONDS)
    if (day >= FIRST_DAY && day <= LAST_DAY && this.#matchesDay(day)) {
      const time = this.#timeFrom(second - day * DAY_SECONDS)
      if (time >= 0) return day * DAY_SECONDS + time
    }
    const next = this.#dayFrom(Math.max(day + 1, FIRST_DAY))
    return next === null ? null : next * DAY_SECONDS + this.#firstOfDay
  }

  /** The last matching wall second at or before the given one; `null` before the first cron year. */
  atOrBefore(second: number): number | null {
    const day = Math.floor(second / DAY_SECONDS)
    if (day >= FIRST_DAY && day <= LAST_DAY && this.#matchesDay(day)) {
      const time = this.#timeUpTo(second - day * DAY_SECONDS)
      if (time >= 0) return day * DAY_SECONDS + time
    }
    const previous = this.#dayUpTo(Math.min(day - 1, LAST_DAY))
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

  #matchesDay(days: number): boolean {
    const { year, month, day } = civilFromDays(days)
    return this.#matchesMonth(year, month) && ((this.#daysOf(year, month) >>> day) & 1) === 1
  }

  #dayFrom(days: number): number | null {
    if (days > LAST_DAY) return null
    const start = civilFromDays(days)
    let fromDay = start.day
    let { year, month } = start
    while (year <= LAST_CRON_YEAR) {
      const found = this.#matchesMonth(year, month) ? lowestBit(this.#daysOf(year, month) & (-1 << fromDay)) : -1
      if (found > 0) return daysFromCivil(year, month, found)
      fromDay = 1
      const hasYear = this.#fields.years === null || this.#fields.years.has(year)
      month = hasYear ? month + 1 : 13
      if (month > 12) {
        month = 1
        year += 1
      }
    }
    return null
  }

  #dayUpTo(days: number): number | null {
    if (days < FIRST_DAY) return null
    const start = civilFromDays(days)
    let upToDay = start.day
    let { year, month } = start
    while (year >= FIRST_CRON_YEAR) {
      const found = this.#matchesMonth(year, month) ? highestBit(this.#daysOf(year, month) & daysThrough(upToDay)) : -1
      if (found > 0) return daysFromCivil(year, month, found)
      const hasYear = this.#fields.years === null || this.#fields.years.has(year)
      month = hasYear ? month - 1 : 0
      if (month < 1) {
        month = 12
        year -= 1
      }
      upToDay = daysInMonth(year, month)
    }
    return null
  }

  #matchesMonth(year: number, month: number): boolean {
    return ((this.#fields.months >> month) & 1) === 1 && (this.#fields.years === null || this.#fields.years.has(year))
  }

  #daysOf(year: number, month: number): number {
    const key = year * 12 + month
    if (key !== this.#cachedMonth) {
      this.#cachedDays = matchingDays(this.#fields, year, month)
      this.#cachedMonth = key
    }
    return this.#cachedDays
  }
}

function daysThrough(day: number): number {
  return day === 31 ? -1 : (1 << (day + 1)) - 1
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

function lowestBit(mask: number): number {
  return mask === 0 ? -1 : 31 - Math.clz32(mask & -mask)
}

function highestBit(mask: number): number {
  return mask === 0 ? -1 : 31 - Math.clz32(mask)
}
