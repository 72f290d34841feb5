/** Which days of a month a cron expression names, as a mask with bit 1 for the first. */
import { daysFromCivil, daysInMonth, weekdayOfDays } from '../time/civil.ts'
import type { CronFields, MonthDayRule, WeekdayRule } from './cron-fields.ts'

/** The matching days of a month, bit 1 to 31; 0 when there is none. Does not look at the month and year fields. */
export function matchingDays(fields: CronFields, year: number, month: number): number {
  const shape: MonthShape = { length: daysInMonth(year, month), firstWeekday: weekdayOfDays(daysFromCivil(year, month, 1)) }
  const all = daysUpTo(shape.length)
  if (fields.monthDays === null) return fields.weekdays === null ? all : weekdayMask(fields.weekdays, shape)
  const monthDays = monthDayMask(fields.monthDays, shape)
  if (fields.weekdays === null) return monthDays
  // Both restricted exists in unix only, where a date that matches either fires.
  return monthDays | weekdayMask(fields.weekdays, shape)
}

interface MonthShape {
  readonly length: number
  /** Weekday of the first, 0 is Sunday. */
  readonly firstWeekday: number
}

function daysUpTo(length: number): number {
  return length === 31 ? -2 : (1 << (length + 1)) - 2
}

function monthDayMask(rule: MonthDayRule, shape: MonthShape): number {
  let mask = rule.mask & daysUpTo(shape.length)
  for (const before of rule.beforeLast) mask |= dayBit(shape.length - before)
  for (const day of rule.nearestWeekdays) mask |= nearestWeekdayBit(day, shape)
  for (const before of rule.nearestBeforeLast) mask |= nearestWeekdayBit(shape.length - before, shape)
  return mask
}

function dayBit(day: number): number {
  return day >= 1 ? 1 << day : 0
}

/** Saturday moves to the Friday before and Sunday to the Monday after, but never into another month. A day the month lacks does not fire. */
function nearestWeekdayBit(day: number, shape: MonthShape): number {
  if (day < 1 || day > shape.length) return 0
  const weekday = (shape.firstWeekday + day - 1) % 7
  if (weekday === 6) return dayBit(day === 1 ? 3 : day - 1)
  if (weekday === 0) return dayBit(day === shape.length ? day - 2 : day + 1)
  return dayBit(day)
}

function weekdayMask(rule: WeekdayRule, shape: MonthShape): number {
  let mask = 0
  for (let day = 1, weekday = shape.firstWeekday; day <= shape.length; day += 1, weekday = weekday === 6 ? 0 : weekday + 1) {
    if (((rule.mask >> weekday) & 1) === 1) mask |= 1 << day
    else if (((rule.lastMask >> weekday) & 1) === 1 && day + 7 > shape.length) mask |= 1 << day
  }
  for (const { weekday, nth } of rule.nth) {
    const day = ((weekday - shape.firstWeekday + 7) % 7) + 1 + (nth - 1) * 7
    if (day <= shape.length) mask |= 1 << day
  }
  return mask
}
