/** What is wrong with the rules of a calendar, all of it at once. */
import { parseInstant } from '../schedule/instant.ts'
import { CALENDAR_LIMITS, type Blackout, type CalendarDayRule, type CalendarRuleSet } from './calendar.ts'
import { parseDay } from './day-rules.ts'

export const CALENDAR_PROBLEM_CODES = [
  /** Not a day of the years 1970 to 2199. `value`. */
  'CALENDAR_DAY_INVALID',
  /** The end lies before the beginning, or a blackout has no length. `from`, `to`. */
  'CALENDAR_RANGE_REVERSED',
  /** Not an ISO 8601 instant with a zone. `value`. */
  'INSTANT_MALFORMED',
  /** Not HH:MM, not a weekday from 1 to 7, or no weekday at all. `value`. */
  'NOT_ALLOWED_VALUE',
  /** All seven weekdays are off: leave one out, and name days off in `days`. `max`. */
  'TOO_MANY',
  /** A name is longer than it may be. `max`. */
  'TOO_LONG',
] as const
export type CalendarProblemCode = (typeof CALENDAR_PROBLEM_CODES)[number]

export interface CalendarProblem {
  /** below the rules, such as `days.3.to` */
  readonly path: string
  readonly code: CalendarProblemCode
  readonly params: Readonly<Record<string, string | number>>
}

/** Empty when the rules are sound. */
export function checkCalendar(rules: CalendarRuleSet): CalendarProblem[] {
  return [
    ...weekendProblems(rules.weekend),
    ...tooMany('days', rules.days.length, CALENDAR_LIMITS.days),
    ...tooMany('blackouts', rules.blackouts.length, CALENDAR_LIMITS.blackouts),
    ...rules.days.slice(0, CALENDAR_LIMITS.days).flatMap((rule, index) => dayProblems(rule, `days.${index}`)),
    ...rules.blackouts.slice(0, CALENDAR_LIMITS.blackouts).flatMap((rule, index) => blackoutProblems(rule, `blackouts.${index}`)),
  ]
}

function weekendProblems(weekend: readonly number[]): CalendarProblem[] {
  return [...weekdayProblems(weekend, 'weekend'), ...tooMany('weekend', new Set(weekend).size, 6)]
}

function weekdayProblems(weekdays: readonly number[], path: string): CalendarProblem[] {
  return weekdays.flatMap((value, index) =>
    Number.isInteger(value) && value >= 1 && value <= 7 ? [] : [problem(`${path}.${index}`, 'NOT_ALLOWED_VALUE', { value })],
  )
}

function dayProblems({ from, to, name }: CalendarDayRule, path: string): CalendarProblem[] {
  const [first, last] = [parseDay(from), to === undefined ? null : parseDay(to)]
  return [
    ...(first === null ? [problem(`${path}.from`, 'CALENDAR_DAY_INVALID', { value: from })] : []),
    ...(to !== undefined && last === null ? [problem(`${path}.to`, 'CALENDAR_DAY_INVALID', { value: to })] : []),
    ...(first !== null && last !== null && last < first
      ? [problem(`${path}.to`, 'CALENDAR_RANGE_REVERSED', { from, to: to ?? from })]
      : []),
    ...nameProblems(name, path),
  ]
}

function blackoutProblems(rule: Blackout, path: string): CalendarProblem[] {
  if (rule.kind === 'daily') {
    const isOnNoDay = rule.weekdays?.length === 0
    return [
      ...(['from', 'to'] as const).flatMap((end) =>
        /^([01]\d|2[0-3]):[0-5]\d$/.test(rule[end]) ? [] : [problem(`${path}.${end}`, 'NOT_ALLOWED_VALUE', { value: rule[end] })],
      ),
      ...(isOnNoDay ? [problem(`${path}.weekdays`, 'NOT_ALLOWED_VALUE', { value: '' })] : []),
      ...weekdayProblems(rule.weekdays ?? [], `${path}.weekdays`),
      ...nameProblems(rule.name, path),
    ]
  }
  const [from, to] = [parseInstant(rule.from), parseInstant(rule.to)]
  return [
    ...(from === null ? [problem(`${path}.from`, 'INSTANT_MALFORMED', { value: rule.from })] : []),
    ...(to === null ? [problem(`${path}.to`, 'INSTANT_MALFORMED', { value: rule.to })] : []),
    ...(from !== null && to !== null && to <= from
      ? [problem(`${path}.to`, 'CALENDAR_RANGE_REVERSED', { from: rule.from, to: rule.to })]
      : []),
    ...nameProblems(rule.name, path),
  ]
}

function nameProblems(name: string | undefined, path: string): CalendarProblem[] {
  return name !== undefined && name.length > CALENDAR_LIMITS.nameLength
    ? [problem(`${path}.name`, 'TOO_LONG', { max: CALENDAR_LIMITS.nameLength })]
    : []
}

function tooMany(path: string, count: number, max: number): CalendarProblem[] {
  return count > max ? [problem(path, 'TOO_MANY', { max })] : []
}

function problem(path: string, code: CalendarProblemCode, params: CalendarProblem['params']): CalendarProblem {
  return { path, code, params }
}
