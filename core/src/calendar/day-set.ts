/** Days counted from 1970-01-01, told by ranges and weekdays, in O(log n) of the ranges. */
import { weekdayOfDays } from '../time/civil.ts'
import type { DayWalk } from '../schedule/cron-day-walk.ts'

/** Weekdays as bits, bit 0 is Sunday. */
export type WeekMask = number
export const WHOLE_WEEK: WeekMask = 0b111_1111

/** Days in a row of which the given weekdays are members. `from` and `to` are inclusive, and may be infinite. */
export interface DayRange {
  readonly from: number
  readonly to: number
  readonly weekdays: WeekMask
}

/** Ranges that stand one behind the other from the beginning of time to its end. */
export class DaySet implements DayWalk {
  readonly #ranges: readonly DayRange[]
  /** of each range the first member behind it, and the last before it */
  readonly #behind: (number | null)[]
  readonly #before: (number | null)[]

  constructor(ranges: readonly DayRange[]) {
    this.#ranges = ranges
    this.#behind = new Array<number | null>(ranges.length).fill(null)
    this.#before = new Array<number | null>(ranges.length).fill(null)
    for (let index = ranges.length - 2; index >= 0; index -= 1) {
      const range = this.#range(index + 1)
      this.#behind[index] = firstIn(range, range.from) ?? this.#behind[index + 1] ?? null
    }
    for (let index = 1; index < ranges.length; index += 1) {
      const range = this.#range(index - 1)
      this.#before[index] = lastIn(range, range.to) ?? this.#before[index - 1] ?? null
    }
  }

  has(day: number): boolean {
    return hasWeekday(this.#range(this.#indexOf(day)).weekdays, day)
  }

  from(day: number): number | null {
    const index = this.#indexOf(day)
    return firstIn(this.#range(index), day) ?? this.#behind[index] ?? null
  }

  upTo(day: number): number | null {
    const index = this.#indexOf(day)
    return lastIn(this.#range(index), day) ?? this.#before[index] ?? null
  }

  #range(index: number): DayRange {
    return this.#ranges[index] ?? { from: -Infinity, to: Infinity, weekdays: 0 }
  }

  #indexOf(day: number): number {
    return lastAtOrBefore(this.#ranges, day)
  }
}

/** The index of the last of some sorted ranges that begins at or before a value; -1: none does. */
export function lastAtOrBefore(ranges: readonly { readonly from: number }[], value: number): number {
  let low = -1
  let high = ranges.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((ranges[middle]?.from ?? Infinity) <= value) low = middle
    else high = middle
  }
  return low
}

function firstIn({ to, weekdays }: DayRange, from: number): number | null {
  if (weekdays === 0) return null
  for (let day = from; day <= to && day < from + 7; day += 1) if (hasWeekday(weekdays, day)) return day
  return null
}

function lastIn({ from, weekdays }: DayRange, to: number): number | null {
  if (weekdays === 0) return null
  for (let day = to; day >= from && day > to - 7; day -= 1) if (hasWeekday(weekdays, day)) return day
  return null
}

function hasWeekday(weekdays: WeekMask, day: number): boolean {
  return ((weekdays >> weekdayOfDays(day)) & 1) === 1
}
