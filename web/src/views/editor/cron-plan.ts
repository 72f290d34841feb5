/** Cron for people: a few plans that cover most tasks, translated to an expression and back. Anything else is `custom`. */
import type { ScheduleForm } from './task-form.ts'

export type CronPlan =
  | { kind: 'everyMinutes'; minutes: number }
  | { kind: 'hourly'; minute: number }
  | { kind: 'daily'; hour: number; minute: number }
  /** days as Quartz counts them: 1 = Sunday */
  | { kind: 'weekly'; days: number[]; hour: number; minute: number }
  /** day 0: the last one */
  | { kind: 'monthly'; day: number; hour: number; minute: number }
  | { kind: 'custom' }

export const PLAN_KINDS = ['everyMinutes', 'hourly', 'daily', 'weekly', 'monthly', 'custom'] as const
/** Those that divide an hour evenly. */
export const MINUTE_STEPS = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30] as const

const DAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const

/** The plan as a Quartz expression with six fields; null for `custom` and for a week without days. */
export function expressionOf(plan: CronPlan): string | null {
  switch (plan.kind) {
    case 'everyMinutes':
      return plan.minutes === 1 ? '0 * * * * ?' : `0 */${plan.minutes} * * * ?`
    case 'hourly':
      return `0 ${plan.minute} * * * ?`
    case 'daily':
      return `0 ${plan.minute} ${plan.hour} * * ?`
    case 'weekly':
      return plan.days.length === 0 ? null : `0 ${plan.minute} ${plan.hour} ? * ${weekText(plan.days)}`
    case 'monthly':
      return `0 ${plan.minute} ${plan.hour} ${plan.day === 0 ? 'L' : plan.day} * ?`
    case 'custom':
      return null
  }
}

/** The plan that an expression is, `custom` when it is none of them. */
export function planOf(expression: string, dialect: ScheduleForm['dialect'] = 'auto'): CronPlan {
  const fields = expression.trim().split(/\s+/)
  const isUnix = dialect === 'unix' || (dialect === 'auto' && fields.length === 5)
  const [second, minute = '', hour = '', monthDay = '', month = '', weekDay = ''] = fields.length === 5 ? ['0', ...fields] : fields
  if ((fields.length !== 5 && fields.length !== 6) || second !== '0' || month !== '*') return { kind: 'custom' }
  const isAnyMonthDay = monthDay === '*' || monthDay === '?'
  const isAnyWeekDay = weekDay === '*' || weekDay === '?'
  if (hour === '*' && isAnyMonthDay && isAnyWeekDay) return minutePlan(minute)
  const time = { hour: numberIn(hour, 0, 23), minute: numberIn(minute, 0, 59) }
  if (time.hour === null || time.minute === null) return { kind: 'custom' }
  return dayPlan({ hour: time.hour, minute: time.minute }, { monthDay, weekDay, isAnyMonthDay, isAnyWeekDay, isUnix })
}

interface DayFields {
  readonly monthDay: string
  readonly weekDay: string
  readonly isAnyMonthDay: boolean
  readonly isAnyWeekDay: boolean
  readonly isUnix: boolean
}

function dayPlan(time: { hour: number; minute: number }, fields: DayFields): CronPlan {
  if (fields.isAnyMonthDay && fields.isAnyWeekDay) return { kind: 'daily', ...time }
  if (fields.isAnyMonthDay) {
    const days = daysOf(fields.weekDay, fields.isUnix)
    return days === null ? { kind: 'custom' } : { kind: 'weekly', days, ...time }
  }
  const day = fields.monthDay === 'L' ? 0 : numberIn(fields.monthDay, 1, 31)
  return fields.isAnyWeekDay && day !== null ? { kind: 'monthly', day, ...time } : { kind: 'custom' }
}

function minutePlan(minute: string): CronPlan {
  if (minute === '*') return { kind: 'everyMinutes', minutes: 1 }
  const step = /^(?:\*|0)\/(\d+)$/.exec(minute)
  const minutes = MINUTE_STEPS.find((one) => String(one) === step?.[1])
  if (minutes !== undefined) return { kind: 'everyMinutes', minutes }
  const fixed = numberIn(minute, 0, 59)
  return fixed === null ? { kind: 'custom' } : { kind: 'hourly', minute: fixed }
}

function weekText(days: readonly number[]): string {
  const sorted = [...days].sort((a, b) => a - b)
  if (sorted.join() === '2,3,4,5,6') return 'MON-FRI'
  return sorted.map((day) => DAY_NAMES[day - 1]).join(',')
}

function daysOf(text: string, isUnix: boolean): number[] | null {
  const days = new Set<number>()
  for (const part of text.toUpperCase().split(',')) {
    const [from, to = from] = part.split('-').map((word) => dayOf(word, isUnix))
    if (from == null || to == null || part.split('-').length > 2) return null
    for (let day = from; ; day = (day % 7) + 1) {
      days.add(day)
      if (day === to) break
    }
  }
  return [...days].sort((a, b) => a - b)
}

function dayOf(word: string, isUnix: boolean): number | null {
  const named = DAY_NAMES.findIndex((name) => name === word)
  if (named >= 0) return named + 1
  const number = isUnix ? numberIn(word, 0, 7) : numberIn(word, 1, 7)
  return number === null ? null : isUnix ? (number % 7) + 1 : number
}

function numberIn(text: string, min: number, max: number): number | null {
  if (!/^\d{1,2}$/.test(text)) return null
  const number = Number(text)
  return number >= min && number <= max ? number : null
}
