/** Walks the days that a cron expression names, counted from 1970-01-01. The days of a month are computed once for each month visited. */
import { civilFromDays, daysFromCivil, daysInMonth } from '../time/civil.ts'
import { highestBit, lowestBit } from './bits.ts'
import { matchingDays } from './cron-days.ts'
import { FIRST_CRON_YEAR, LAST_CRON_YEAR, type CronFields } from './cron-fields.ts'

export const FIRST_DAY = daysFromCivil(FIRST_CRON_YEAR, 1, 1)
export const LAST_DAY = daysFromCivil(LAST_CRON_YEAR, 12, 31)

/** A set of days, within the cron years 1970 to 2199. */
export interface DayWalk {
  has(day: number): boolean
  /** The first member at or after a day; `null`: there is none any more. */
  from(day: number): number | null
  /** The last member at or before a day; `null`: there is none. */
  upTo(day: number): number | null
}

/** The days of an expression. Stateless but for a cache of one month. */
export class CronDayWalk implements DayWalk {
  readonly #fields: CronFields
  #cachedMonth = -1
  #cachedDays = 0

  constructor(fields: CronFields) {
    this.#fields = fields
  }

  has(day: number): boolean {
    if (day < FIRST_DAY || day > LAST_DAY) return false
    const date = civilFromDays(day)
    return this.#matchesMonth(date.year, date.month) && ((this.#daysOf(date.year, date.month) >>> date.day) & 1) === 1
  }

  from(day: number): number | null {
    if (day > LAST_DAY) return null
    const start = civilFromDays(Math.max(day, FIRST_DAY))
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

  upTo(day: number): number | null {
    if (day < FIRST_DAY) return null
    const start = civilFromDays(Math.min(day, LAST_DAY))
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
