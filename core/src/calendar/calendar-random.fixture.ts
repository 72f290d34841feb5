/** Random calendars, and an oracle that reads their rules day by day and minute by minute. */
import fc from 'fast-check'
import { DAY_MS, MINUTE_MS, civilFromDays, daysFromCivil, weekdayOfDays } from '../time/civil.ts'
import type { Zone } from '../time/zone.ts'
import type { Blackout, CalendarDayRule, CalendarRuleSet } from './calendar.ts'

const FIRST = daysFromCivil(2026, 2, 20)

/** `2026-10-01` */
export function dayText(day: number): string {
  const { year, month, day: date } = civilFromDays(day)
  return `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
}

const dayRule: fc.Arbitrary<CalendarDayRule> = fc
  .record({ from: fc.integer({ min: -10, max: 60 }), length: fc.nat({ max: 9 }), kind: fc.constantFrom('off' as const, 'work' as const) })
  .map(({ from, length, kind }) => ({
    from: dayText(FIRST + from),
    ...(length === 0 ? {} : { to: dayText(FIRST + from + length) }),
    kind,
    name: `${kind} ${from}`,
  }))
const clock = fc
  .nat({ max: 95 })
  .map((quarter) => `${String(quarter >> 2).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`)
const weekdays = fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 })
const blackout: fc.Arbitrary<Blackout> = fc.oneof(
  fc.record({ kind: fc.constant('daily' as const), from: clock, to: clock, weekdays }, { requiredKeys: ['kind', 'from', 'to'] }),
  fc.record({ from: fc.nat({ max: 60 * 96 }), length: fc.integer({ min: 1, max: 400 }) }).map(({ from, length }) => ({
    kind: 'once' as const,
    from: new Date(FIRST * DAY_MS + from * 15 * MINUTE_MS).toISOString(),
    to: new Date(FIRST * DAY_MS + (from + length) * 15 * MINUTE_MS).toISOString(),
  })),
)

/** Rules about the spring of 2026, in which the clocks of many zones are set. */
export const randomCalendar: fc.Arbitrary<CalendarRuleSet> = fc.record({
  weekend: fc.subarray([1, 2, 3, 4, 5, 6, 7], { maxLength: 6 }),
  days: fc.array(dayRule, { maxLength: 8 }),
  blackouts: fc.array(blackout, { maxLength: 3 }),
})

export function isOffByHand(rules: CalendarRuleSet, day: number): boolean {
  const text = dayText(day)
  const said = rules.days.findLast(({ from, to = from }) => from <= text && text <= to)
  if (said !== undefined) return said.kind === 'off'
  return rules.weekend.includes(isoWeekday(day))
}

export function isBlackedOutByHand(rules: CalendarRuleSet, at: number, zone: Zone): boolean {
  const wall = zone.wallAt(at)
  const day = Math.floor(wall / DAY_MS)
  const minute = Math.floor((wall - day * DAY_MS) / MINUTE_MS)
  return rules.blackouts.some((rule) => {
    if (rule.kind === 'once') return Date.parse(rule.from) <= at && at < Date.parse(rule.to)
    const begins = (on: number): boolean => rule.weekdays?.includes(isoWeekday(on)) ?? true
    const [from, to] = [minutes(rule.from), minutes(rule.to)]
    if (from < to) return begins(day) && minute >= from && minute < to
    return (begins(day) && minute >= from) || (begins(day - 1) && minute < to)
  })
}

function isoWeekday(day: number): number {
  return weekdayOfDays(day) === 0 ? 7 : weekdayOfDays(day)
}

function minutes(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
}
