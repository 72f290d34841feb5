/** Crons in English. */
import { FIRST_CRON_YEAR, LAST_CRON_YEAR, type CronFields, type MonthDayRule, type WeekdayRule } from './cron-fields.ts'
import { clockText, maskValues, patternOf, timeShapeOf, type Pattern } from './words-shape.ts'

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** `every day at 02:00`, without the zone. */
export function englishCron(fields: CronFields): string {
  const time = timeShapeOf(fields)
  const days = dayPhrase(fields)
  const years =
    fields.years === null ? '' : `, in ${numberList(patternOf([...fields.years].sort(ascending), FIRST_CRON_YEAR, LAST_CRON_YEAR))}`
  if (time.kind === 'clock') return `${days ?? 'every day'} at ${joined(time.times)}${years}`
  return `${repeatPhrase(time)}${days === null ? '' : `, ${days}`}${years}`
}

interface RepeatShape {
  readonly second: Pattern
  readonly minute: Pattern
  readonly hour: Pattern
}

function repeatPhrase(shape: RepeatShape): string {
  const { second, minute, hour } = shape
  if (second.kind !== 'one')
    return [unitPhrase('second', 'minute', second), minutesWithin(minute), hoursWithin(hour)].filter(Boolean).join(' ')
  if (minute.kind === 'one') return hourlyPhrase(hour, minute.value, second.value)
  const tail = second.value === 0 ? '' : ` at second ${second.value}`
  return [unitPhrase('minute', 'hour', minute), hoursWithin(hour)].filter(Boolean).join(' ') + tail
}

function unitPhrase(unit: string, whole: string, pattern: Pattern): string {
  switch (pattern.kind) {
    case 'all':
      return `every ${unit}`
    case 'one':
      return `at ${unit} ${pattern.value} of every ${whole}`
    case 'step':
      if (pattern.from === 0 && pattern.isEven) return `every ${pattern.step} ${unit}s`
      return `every ${pattern.step} ${unit}s from ${unit} ${pattern.from} of every ${whole}`
    case 'range':
    case 'list':
      return `at ${unit}s ${numberList(pattern)} of every ${whole}`
  }
}

function hourlyPhrase(hour: Pattern, minute: number, second: number): string {
  const timeIn = (value: number): string => clockText(value, minute, second)
  const atSecond = second === 0 ? '' : `, second ${second}`
  const atMinute = minute === 0 && second === 0 ? '' : ` at minute ${minute}${atSecond}`
  switch (hour.kind) {
    case 'all':
      return `every hour${atMinute}`
    case 'step':
      if (hour.from === 0 && hour.isEven) return `every ${hour.step} hours${atMinute}`
      return `every ${hour.step} hours from ${timeIn(hour.from)} every day`
    case 'range':
      return `every hour from ${timeIn(hour.from)} to ${timeIn(hour.to)}`
    case 'one':
      return `at ${timeIn(hour.value)}`
    case 'list':
      return `at ${joined(hour.values.map(timeIn))}`
  }
}

function minutesWithin(minute: Pattern): string {
  if (minute.kind === 'all') return ''
  if (minute.kind === 'one') return `in minute ${minute.value} of every hour`
  if (minute.kind === 'step') return `in every ${ordinal(minute.step)} minute from minute ${minute.from}`
  return `in minutes ${numberList(minute)} of every hour`
}

function hoursWithin(hour: Pattern): string {
  switch (hour.kind) {
    case 'all':
      return ''
    case 'one':
      return `from ${clockText(hour.value, 0)} to ${clockText(hour.value, 59)}`
    case 'range':
      return `from ${clockText(hour.from, 0)} to ${clockText(hour.to, 59)}`
    case 'step':
    case 'list':
      return `in the hours ${joined(hour.values.map(String))}`
  }
}

function dayPhrase(fields: CronFields): string | null {
  const months = patternOf(maskValues(fields.months, 1, 12), 1, 12)
  const isEveryMonth = months.kind === 'all'
  const ofMonths = isEveryMonth ? 'of every month' : `of ${nameList(months, (month) => MONTHS[month - 1] ?? '')}`
  const phrases = [
    ...(fields.monthDays === null ? [] : [`on ${monthDayPhrase(fields.monthDays)} ${ofMonths}`]),
    ...(fields.weekdays === null ? [] : weekdayPhrases(fields.weekdays, { ofMonths, isEveryMonth })),
  ]
  if (phrases.length > 0) return phrases.join(' and ')
  return isEveryMonth ? null : `every day ${ofMonths}`
}

function monthDayPhrase(rule: MonthDayRule): string {
  const days = maskValues(rule.mask, 1, 31)
  const parts = [
    ...(days.length === 0 ? [] : [fixedDayPhrase(patternOf(days, 1, 31))]),
    ...rule.beforeLast.map((before) => (before === 0 ? 'the last day' : `the ${ordinal(before + 1)}-to-last day`)),
    ...rule.nearestWeekdays.map((day) => `the weekday nearest the ${ordinal(day)}`),
    ...rule.nearestBeforeLast.map((before) =>
      before === 0 ? 'the last weekday' : `the weekday nearest the ${ordinal(before + 1)}-to-last day`,
    ),
  ]
  return joined(parts)
}

function fixedDayPhrase(pattern: Pattern): string {
  if (pattern.kind === 'all') return 'every day'
  if (pattern.kind === 'step' && pattern.values.length > 2) return `every ${ordinal(pattern.step)} day from the ${ordinal(pattern.from)}`
  return `the ${nameList(pattern, ordinal)}`
}

function weekdayPhrases(rule: WeekdayRule, months: { ofMonths: string; isEveryMonth: boolean }): string[] {
  const weekdays = maskValues(rule.mask, 0, 6)
  const within = months.isEveryMonth ? '' : ` ${months.ofMonths}`
  const ordinals = [
    ...rule.nth.map(({ weekday, nth }) => `the ${ordinal(nth)} ${WEEKDAYS[weekday] ?? ''}`),
    ...maskValues(rule.lastMask, 0, 6).map((weekday) => `the last ${WEEKDAYS[weekday] ?? ''}`),
  ]
  return [
    ...(weekdays.length === 0 ? [] : [`${plainWeekdays(weekdays)}${within}`]),
    ...(ordinals.length === 0 ? [] : [`on ${joined(ordinals)} ${months.ofMonths}`]),
  ]
}

function plainWeekdays(weekdays: readonly number[]): string {
  const pattern = patternOf(weekdays, 0, 6)
  const nameOf = (weekday: number): string => WEEKDAYS[weekday] ?? ''
  if (pattern.kind === 'range') return nameList(pattern, nameOf)
  // The week of sentences begins on Monday.
  const ordered = [...weekdays].sort((left, right) => ((left + 6) % 7) - ((right + 6) % 7))
  return pattern.kind === 'all' ? 'every day' : `every ${joined(ordered.map(nameOf))}`
}

function nameList(pattern: Pattern, nameOf: (value: number) => string): string {
  switch (pattern.kind) {
    case 'all':
      return ''
    case 'one':
      return nameOf(pattern.value)
    case 'range':
      return `${nameOf(pattern.from)} to ${nameOf(pattern.to)}`
    case 'step':
    case 'list':
      return joined(pattern.values.map(nameOf))
  }
}

function numberList(pattern: Pattern): string {
  return nameList(pattern, String)
}

function joined(parts: readonly string[]): string {
  if (parts.length <= 1) return parts.join('')
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`
}

function ordinal(value: number): string {
  const isTeen = value % 100 >= 11 && value % 100 <= 13
  const ending = isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th')
  return `${value}${ending}`
}

function ascending(left: number, right: number): number {
  return left - right
}
