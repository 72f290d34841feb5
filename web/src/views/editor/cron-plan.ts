/**
 * Cron for people: on which days, in which months and when in the day, as controls have it, translated to an expression and back. It reads what an
 * expression means, not how it is spelt. A part that the controls cannot show stays as it is written (`raw`), while the others can be changed.
 */
import { CRON_FIELD_NAMES, parseCron, splitCron, type CronDialect, type CronFields, type CronFieldName, type SixtyMask } from '@tickwheel/core'
import type { ScheduleForm } from './task-form.ts'

export type TimePlan =
  | { readonly kind: 'at'; readonly hour: number; readonly minute: number; readonly second: number }
  /** the same minute of several hours */
  | { readonly kind: 'list'; readonly hours: readonly number[]; readonly minute: number }
  | { readonly kind: 'everyHours'; readonly every: number; readonly minute: number }
  /** from the beginning of one hour to the end of another; the end may lie before the beginning: over midnight */
  | { readonly kind: 'everyMinutes'; readonly every: number; readonly from: number; readonly to: number }
  | { readonly kind: 'everySeconds'; readonly every: number }
  /** the first three fields as they are written */
  | { readonly kind: 'raw'; readonly text: string }

export type DaysPlan =
  | { readonly kind: 'every' }
  /** 0 is Sunday */
  | { readonly kind: 'week'; readonly days: readonly number[] }
  /** `LAST`: the last one; `LAST_WEEKDAY`: the last that is neither a Saturday nor a Sunday */
  | { readonly kind: 'month'; readonly days: readonly number[] }
  /** the second Friday; nth `LAST`: the last Friday */
  | { readonly kind: 'nth'; readonly nth: number; readonly weekday: number }
  /** both day fields as they are written */
  | { readonly kind: 'raw'; readonly monthDay: string; readonly weekday: string }

export interface CronPlan {
  readonly time: TimePlan
  readonly days: DaysPlan
  /** 1 to 12; empty: all of them */
  readonly months: readonly number[]
  /** the year field as it is written; empty: every year */
  readonly years: string
}

/** Why there is no plan: it cannot be read, or (crontab) either of two day fields may match, which no control shows. */
export type Unplanned = 'unreadable' | 'eitherDay'

export const TIME_KINDS = ['at', 'list', 'everyHours', 'everyMinutes', 'everySeconds'] as const
export const DAYS_KINDS = ['every', 'week', 'month', 'nth'] as const
/** Those that divide a minute or an hour evenly, and a day. */
export const SIXTY_STEPS = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30] as const
export const HOUR_STEPS = [1, 2, 3, 4, 6, 8, 12] as const
export const LAST = 0
export const LAST_WEEKDAY = -1

const DAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const
const LAST_HOUR = 23

/** The plan as a Quartz expression; null while no hour or no day is chosen. */
export function expressionOf({ time, days, months, years }: CronPlan): string | null {
  const texts = dayTexts(days)
  const first = timeText(time)
  if (first === null || texts === null) return null
  const month = months.length === 0 ? '*' : ascending(months).join(',')
  return [first, texts.monthDay, month, texts.weekday, ...(years === '' ? [] : [years])].join(' ')
}

/** The plan that an expression is, or why it is none. */
export function planOf(expression: string, dialect: ScheduleForm['dialect'] = 'auto'): CronPlan | Unplanned {
  const read = readCron(expression, dialect === 'auto' ? undefined : dialect)
  if (read === null) return 'unreadable'
  const { fields, textOf } = read
  const days = daysPlan(fields) ?? { kind: 'raw', monthDay: textOf('dayOfMonth'), weekday: textOf('dayOfWeek') }
  // a crontab counts its weekdays differently: its text cannot stand in a Quartz expression
  if (days.kind === 'raw' && fields.dialect === 'unix') return 'eitherDay'
  const time = timePlan(fields) ?? { kind: 'raw', text: `${textOf('second')} ${textOf('minute')} ${textOf('hour')}` }
  const months = bitsOf(fields.months, 1, 12)
  return { time, days, months: months.length === 12 ? [] : months, years: fields.years === null ? '' : textOf('year') }
}

/** Whether two readings match the same instants, leaving aside in which dialect they were written. */
export function sameMeaning(left: CronFields, right: CronFields): boolean {
  const shape = ({ seconds, minutes, hours, months, years, repeats, ...rest }: CronFields) =>
    JSON.stringify([seconds, minutes, hours, months, years === null ? null : ascending([...years]), repeats, daysShape(rest)])
  return shape(left) === shape(right)
}

function readCron(expression: string, dialect: CronDialect | undefined): { fields: CronFields; textOf: (name: CronFieldName) => string } | null {
  const parsed = parseCron(expression, dialect)
  const texts = splitCron(expression, dialect)?.texts
  if (!parsed.ok || texts === undefined) return null
  const names = new Map(CRON_FIELD_NAMES.map((name) => [name, name === 'second' ? '0' : '*']))
  for (const { name, text } of texts) names.set(name, text)
  return { fields: parsed.fields, textOf: (name) => names.get(name) ?? '*' }
}

function timeText(time: TimePlan): string | null {
  switch (time.kind) {
    case 'at':
      return `${time.second} ${time.minute} ${time.hour}`
    case 'list':
      return time.hours.length === 0 ? null : `0 ${time.minute} ${ascending(time.hours).join(',')}`
    case 'everyHours':
      return `0 ${time.minute} ${stepText(time.every)}`
    case 'everyMinutes':
      return `0 ${stepText(time.every)} ${time.from === 0 && time.to === LAST_HOUR ? '*' : time.from === time.to ? String(time.from) : `${time.from}-${time.to}`}`
    case 'everySeconds':
      return `${stepText(time.every)} * *`
    case 'raw':
      return time.text
  }
}

function stepText(every: number): string {
  return every === 1 ? '*' : `*/${every}`
}

function dayTexts(days: DaysPlan): { monthDay: string; weekday: string } | null {
  switch (days.kind) {
    case 'every':
      return { monthDay: '*', weekday: '?' }
    case 'week':
      return days.days.length === 0 ? null : { monthDay: '?', weekday: weekText(days.days) }
    case 'month':
      return days.days.length === 0 ? null : { monthDay: monthText(days.days), weekday: '?' }
    case 'nth':
      return { monthDay: '?', weekday: `${DAY_NAMES[days.weekday] ?? 'SUN'}${days.nth === LAST ? 'L' : `#${days.nth}`}` }
    case 'raw':
      return { monthDay: days.monthDay, weekday: days.weekday }
  }
}

function weekText(days: readonly number[]): string {
  const sorted = ascending(days)
  return sorted.join() === '1,2,3,4,5' ? 'MON-FRI' : sorted.map((day) => DAY_NAMES[day]).join(',')
}

function monthText(days: readonly number[]): string {
  return [...ascending(days.filter((day) => day > 0)), ...(days.includes(LAST) ? ['L'] : []), ...(days.includes(LAST_WEEKDAY) ? ['LW'] : [])].join(',')
}

/** The first time of day that means the same; null: none does. */
function timePlan(fields: CronFields): TimePlan | null {
  const minute = single(sixtyBits(fields.minutes))
  const hours = bitsOf(fields.hours, 0, LAST_HOUR)
  return [...timesAt(fields, minute, hours), ...timesEvery(minute, hours)].find((time) => isTime(time, fields)) ?? null
}

function timesAt(fields: CronFields, minute: number | null, hours: readonly number[]): TimePlan[] {
  const [second, hour] = [single(sixtyBits(fields.seconds)), single(hours)]
  if (minute === null || second === null) return []
  return hour === null ? [{ kind: 'list', hours, minute }] : [{ kind: 'at', hour, minute, second }]
}

function timesEvery(minute: number | null, hours: readonly number[]): TimePlan[] {
  const { from, to } = windowOf(hours)
  return [
    ...(minute === null ? [] : HOUR_STEPS.map((every): TimePlan => ({ kind: 'everyHours', every, minute }))),
    ...SIXTY_STEPS.map((every): TimePlan => ({ kind: 'everyMinutes', every, from, to })),
    ...SIXTY_STEPS.map((every): TimePlan => ({ kind: 'everySeconds', every })),
  ]
}

/** The hours as one span of the clock, which may go over midnight; whether they are one is for the comparison to find. */
function windowOf(hours: readonly number[]): { from: number; to: number } {
  if (hours.length > LAST_HOUR) return { from: 0, to: LAST_HOUR }
  const from = hours.find((hour) => !hours.includes((hour + LAST_HOUR) % 24)) ?? 0
  return { from, to: (from + hours.length - 1) % 24 }
}

function isTime(time: TimePlan, fields: CronFields): boolean {
  const parsed = parseCron(`${timeText(time) ?? ''} * * ?`)
  if (!parsed.ok) return false
  const shape = ({ seconds, minutes, hours, repeats }: CronFields) => JSON.stringify([seconds, minutes, hours, repeats])
  return shape(parsed.fields) === shape(fields)
}

function daysPlan({ monthDays, weekdays }: CronFields): DaysPlan | null {
  if (monthDays !== null && weekdays !== null) return null
  if (weekdays !== null) {
    const days = bitsOf(weekdays.mask, 0, 6)
    const nths = [...bitsOf(weekdays.lastMask, 0, 6).map((weekday) => ({ weekday, nth: LAST })), ...weekdays.nth]
    if (nths.length === 0) return { kind: 'week', days }
    const [only] = nths
    return days.length === 0 && nths.length === 1 && only !== undefined ? { kind: 'nth', nth: only.nth, weekday: only.weekday } : null
  }
  if (monthDays === null) return { kind: 'every' }
  const { beforeLast, nearestWeekdays, nearestBeforeLast } = monthDays
  if (nearestWeekdays.length > 0 || [...beforeLast, ...nearestBeforeLast].some((before) => before > 0)) return null
  return { kind: 'month', days: [...bitsOf(monthDays.mask, 1, 31), ...(beforeLast.length > 0 ? [LAST] : []), ...(nearestBeforeLast.length > 0 ? [LAST_WEEKDAY] : [])] }
}

function daysShape({ dialect, monthDays, weekdays }: Pick<CronFields, 'dialect' | 'monthDays' | 'weekdays'>): unknown {
  const month = monthDays === null ? null : [monthDays.mask, ...[monthDays.beforeLast, monthDays.nearestWeekdays, monthDays.nearestBeforeLast].map((days) => [...new Set(ascending(days))])]
  const week = weekdays === null ? null : [weekdays.mask, weekdays.lastMask, [...new Set(weekdays.nth.map(({ weekday, nth }) => weekday * 10 + nth))].sort((a, b) => a - b)]
  return [month, week, month !== null && week !== null ? dialect : '']
}

function bitsOf(mask: number, from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index).filter((bit) => (mask & (1 << bit)) !== 0)
}

function sixtyBits({ low, high }: SixtyMask): number[] {
  return [...bitsOf(low, 0, 29), ...bitsOf(high, 0, 29).map((bit) => bit + 30)]
}

function single(values: readonly number[]): number | null {
  return values.length === 1 ? (values[0] ?? null) : null
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}
