/** Crons in Chinese, as operators say them. */
import { FIRST_CRON_YEAR, LAST_CRON_YEAR, type CronFields, type MonthDayRule, type WeekdayRule } from './cron-fields.ts'
import { clockText, maskValues, patternOf, timeShapeOf, type Pattern } from './words-shape.ts'

const WEEKDAYS = ['周日', '周一', '周二', '周三', '周四', '周五', '周六']
const COUNTS = ['零', '一', '二', '三', '四', '五']

/** `每天 02:00`, without the zone. */
export function chineseCron(fields: CronFields): string {
  const time = timeShapeOf(fields)
  const days = dayPhrase(fields)
  if (time.kind === 'clock') return `${days ?? '每天'} ${joined(time.times)}`
  const { within, lead } = repeatPhrase(time)
  const when = days === null && within !== '' ? '每天' : (days ?? '')
  const context = [when, within].filter(Boolean).join(' ')
  return context === '' ? lead : `${context}，${lead}`
}

interface RepeatShape {
  readonly second: Pattern
  readonly minute: Pattern
  readonly hour: Pattern
}

function repeatPhrase(shape: RepeatShape): { within: string; lead: string } {
  const { second, minute, hour } = shape
  if (second.kind !== 'one') {
    return { within: hoursWithin(hour), lead: `${minutesWithin(minute)}${unitPhrase({ unit: '秒', name: '秒', whole: '每分钟' }, second)}` }
  }
  if (minute.kind === 'one') return hourlyPhrase(hour, minute.value, second.value)
  const tail = second.value === 0 ? '' : `的第 ${second.value} 秒`
  if (minute.kind === 'all' && tail !== '') return { within: hoursWithin(hour), lead: `每分钟第 ${second.value} 秒` }
  return { within: hoursWithin(hour), lead: `${unitPhrase({ unit: '分钟', name: '分', whole: '每小时' }, minute)}${tail}` }
}

function unitPhrase(words: { unit: string; name: string; whole: string }, pattern: Pattern): string {
  const { unit, name, whole } = words
  switch (pattern.kind) {
    case 'all':
      return `每${unit}`
    case 'one':
      return `${whole}第 ${pattern.value} ${name}`
    case 'step':
      if (pattern.from === 0 && pattern.isEven) return `每 ${pattern.step} ${unit}`
      return `${whole}从第 ${pattern.from} ${name}起每 ${pattern.step} ${unit}`
    case 'range':
      return `${whole}第 ${pattern.from} 至 ${pattern.to} ${name}`
    case 'list':
      return `${whole}第 ${joined(pattern.values.map(String))} ${name}`
  }
}

function hourlyPhrase(hour: Pattern, minute: number, second: number): { within: string; lead: string } {
  const timeIn = (value: number): string => clockText(value, minute, second)
  const isOnTheHour = minute === 0 && second === 0
  const atMinute = second === 0 ? `第 ${minute} 分` : `第 ${minute} 分 ${second} 秒`
  const hourly = `每小时${isOnTheHour ? '整点' : atMinute}`
  switch (hour.kind) {
    case 'all':
      return { within: '', lead: hourly }
    case 'step':
      if (hour.from !== 0 || !hour.isEven) return { within: `${timeIn(hour.from)} 起`, lead: `每 ${hour.step} 小时` }
      return { within: '', lead: isOnTheHour ? `每 ${hour.step} 小时` : `每 ${hour.step} 小时的${atMinute}` }
    case 'range':
      return { within: `${timeIn(hour.from)} 至 ${timeIn(hour.to)}`, lead: '每小时' }
    case 'one':
    case 'list':
      return { within: hoursWithin(hour), lead: hourly }
  }
}

function minutesWithin(minute: Pattern): string {
  switch (minute.kind) {
    case 'all':
      return ''
    case 'one':
      return `每小时第 ${minute.value} 分内`
    case 'range':
      return `每小时第 ${minute.from} 至 ${minute.to} 分内`
    case 'step':
    case 'list':
      return `每小时第 ${joined(minute.values.map(String))} 分内`
  }
}

function hoursWithin(hour: Pattern): string {
  switch (hour.kind) {
    case 'all':
      return ''
    case 'one':
      return `${clockText(hour.value, 0)} 至 ${clockText(hour.value, 59)}`
    case 'range':
      return `${clockText(hour.from, 0)} 至 ${clockText(hour.to, 59)}`
    case 'step':
    case 'list':
      return `${joined(hour.values.map(String))} 点`
  }
}

function dayPhrase(fields: CronFields): string | null {
  const period = periodPhrase(fields)
  const phrases = [
    ...(fields.monthDays === null ? [] : [monthDayPhrase(fields.monthDays, period.forDays)]),
    ...(fields.weekdays === null ? [] : weekdayPhrases(fields.weekdays, period)),
  ]
  if (phrases.length > 0) return phrases.join('以及')
  return period.forDays === '每月' ? null : `${period.forWeeks}每天`
}

interface Period {
  /** What days of the month follow: `每月`, `每年 1 月`. */
  readonly forDays: string
  /** What weeks and days follow; empty when there is no limit. */
  readonly forWeeks: string
}

function periodPhrase(fields: CronFields): Period {
  const months = patternOf(maskValues(fields.months, 1, 12), 1, 12)
  const years = fields.years === null ? '' : listed(patternOf([...fields.years].sort(ascending), FIRST_CRON_YEAR, LAST_CRON_YEAR), '年')
  if (months.kind === 'all') {
    return years === '' ? { forDays: '每月', forWeeks: '' } : { forDays: `${years}每月`, forWeeks: years }
  }
  const text = `${years === '' ? '每年' : years} ${listed(months, '月')}`
  return { forDays: months.kind === 'one' ? text : `${text}的`, forWeeks: `${text}的` }
}

function monthDayPhrase(rule: MonthDayRule, period: string): string {
  const days = maskValues(rule.mask, 1, 31)
  const parts = [
    ...(days.length === 0 ? [] : [fixedDayPhrase(patternOf(days, 1, 31))]),
    ...rule.beforeLast.map((before) => (before === 0 ? '最后一天' : `倒数第 ${before + 1} 天`)),
    ...rule.nearestWeekdays.map((day) => `最接近 ${day} 日的工作日`),
    ...rule.nearestBeforeLast.map((before) => (before === 0 ? '最后一个工作日' : `最接近倒数第 ${before + 1} 天的工作日`)),
  ]
  const text = joined(parts)
  return /^\d/.test(text) ? `${period} ${text}` : `${period}${text}`
}

function fixedDayPhrase(pattern: Pattern): string {
  if (pattern.kind === 'all') return '每天'
  if (pattern.kind === 'step' && pattern.values.length > 2) return `从 ${pattern.from} 日起每 ${pattern.step} 天`
  return listed(pattern, '日')
}

function weekdayPhrases(rule: WeekdayRule, period: Period): string[] {
  const weekdays = maskValues(rule.mask, 0, 6)
  const ordinals = [
    ...rule.nth.map(({ weekday, nth }) => `第${COUNTS[nth] ?? ''}个${WEEKDAYS[weekday] ?? ''}`),
    ...maskValues(rule.lastMask, 0, 6).map((weekday) => `最后一个${WEEKDAYS[weekday] ?? ''}`),
  ]
  return [
    ...(weekdays.length === 0 ? [] : [`${period.forWeeks}${plainWeekdays(weekdays)}`]),
    ...(ordinals.length === 0 ? [] : [`${period.forDays}${joined(ordinals)}`]),
  ]
}

function plainWeekdays(weekdays: readonly number[]): string {
  const pattern = patternOf(weekdays, 0, 6)
  if (pattern.kind === 'all') return '每天'
  if (pattern.kind === 'range') return `每${WEEKDAYS[pattern.from] ?? ''}至${WEEKDAYS[pattern.to] ?? ''}`
  const ordered = [...weekdays].sort((left, right) => ((left + 6) % 7) - ((right + 6) % 7))
  return `每${joined(ordered.map((weekday) => WEEKDAYS[weekday] ?? ''))}`
}

/** `1 日`, `1 日和 15 日`, `1 日至 5 日`. */
function listed(pattern: Pattern, unit: string): string {
  switch (pattern.kind) {
    case 'all':
      return ''
    case 'one':
      return `${pattern.value} ${unit}`
    case 'range':
      return `${pattern.from} ${unit}至 ${pattern.to} ${unit}`
    case 'step':
    case 'list':
      return joined(pattern.values.map((value) => `${value} ${unit}`))
  }
}

/** `09:00、12:00 和 18:00`: a space only between Chinese and Latin characters. */
function joined(parts: readonly string[]): string {
  if (parts.length <= 1) return parts.join('')
  const head = parts.slice(0, -1).join('、')
  const last = parts.at(-1) ?? ''
  const spaceBefore = isLatin(head.at(-1)) ? ' ' : ''
  const spaceAfter = isLatin(last.at(0)) ? ' ' : ''
  return `${head}${spaceBefore}和${spaceAfter}${last}`
}

function isLatin(character: string | undefined): boolean {
  return character !== undefined && /[0-9A-Za-z]/.test(character)
}

function ascending(left: number, right: number): number {
  return left - right
}
