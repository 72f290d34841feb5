import { currentLocale } from '../locales/i18n.ts'
import { t } from '../locales/text.ts'
import { formatRough } from './duration.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

let zone: string | undefined

/** The zone of this browser, such as `Asia/Shanghai`. Asked for once: it costs as much as a formatter, which keeps its zone as well. */
export function localZone(): string {
  return (zone ??= Intl.DateTimeFormat().resolvedOptions().timeZone)
}

/**
 * An instant for a list, in this browser's zone: the time alone today, month and day in this year, else the whole date. Seconds of
 * another day are left out when they are zero.
 */
export function formatInstant(at: string | number, nowMs: number): string {
  const date = new Date(at)
  const now = new Date(nowMs)
  if (date.toDateString() === now.toDateString()) return formatTime(date, true)
  return `${formatDay(date, date.getFullYear() !== now.getFullYear())} ${formatTime(date, date.getSeconds() !== 0)}`
}

/** The date and time to the second in a zone: `2026-11-22 08:00:00`. */
export function formatInZone(at: string | number, zone: string): string {
  return zoned(at, zone, false)
}

/** As `formatInZone`, with milliseconds and the zone's offset: `2026-11-22 08:00:00.000 (UTC+8)`. */
export function formatExact(at: string | number, zone: string): string {
  return `${zoned(at, zone, true)} (${offsetOf(at, zone)})`
}

/** The time of day to the millisecond in this browser's zone, for lines of a log: `08:00:00.123`. Cheap enough for every row of a scroll. */
export function formatClock(atMs: number): string {
  const date = new Date(atMs)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** How far an instant is away: `in 3 min`, `3 min ago`, `now`. */
export function formatRelative(at: string | number, nowMs: number): string {
  const distance = new Date(at).getTime() - nowMs
  if (Math.abs(distance) < 1_000) return t('units.now')
  return distance > 0 ? t('units.in', { span: formatRough(distance) }) : t('units.ago', { span: formatRough(-distance) })
}

/** The day of week in a zone, short: `Sun`, `周日`. */
export function formatWeekday(at: string | number, zone: string): string {
  return format(`weekday ${zone}`, { weekday: 'short', timeZone: zone }).format(new Date(at))
}

/** The day of week by its number (0 and 7: Sunday), short: `Sun`, `周日`; narrow: `S`, `日`. */
export function formatWeekdayNumber(weekday: number, isNarrow = false): string {
  // the fourth of January 1970 was a Sunday
  const at = new Date(Date.UTC(1970, 0, 4 + weekday))
  return format(isNarrow ? 'weekday narrow' : 'weekday UTC', { weekday: isNarrow ? 'narrow' : 'short', timeZone: 'UTC' }).format(at)
}

/** The name of a month (1 to 12): `January`, `一月`; short: `Jan`, `1月`. */
export function formatMonth(month: number, style: 'long' | 'short' = 'short'): string {
  return format(`month ${style}`, { month: style, timeZone: 'UTC' }).format(new Date(Date.UTC(1970, month - 1, 1)))
}

/** A date of a calendar, such as `2026-10-01`, with its day of week. */
export function formatDate(date: string): string {
  return format('date', { year: 'numeric', month: 'short', day: 'numeric', weekday: 'short', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`))
}

function formatTime(date: Date, withSeconds: boolean): string {
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(withSeconds ? { second: '2-digit' } : {}) }
  return format(withSeconds ? 'seconds' : 'minutes', options).format(date)
}

function formatDay(date: Date, withYear: boolean): string {
  const options: Intl.DateTimeFormatOptions = { month: 'short', day: 'numeric', ...(withYear ? { year: 'numeric' } : {}) }
  return format(withYear ? 'year' : 'day', options).format(date)
}

function zoned(at: string | number, zone: string, withMs: boolean): string {
  const parts = format(`parts ${zone}`, {
    timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23',
  }).formatToParts(new Date(at))
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')}:${part('second')}${withMs ? `.${part('fractionalSecond')}` : ''}`
}

function offsetOf(at: string | number, zone: string): string {
  const parts = format(`offset ${zone}`, { timeZone: zone, timeZoneName: 'shortOffset' }).formatToParts(new Date(at))
  return (parts.find((part) => part.type === 'timeZoneName')?.value ?? 'UTC').replace('GMT', 'UTC')
}

/** Formatters cost much to make and nothing to keep. */
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = currentLocale() === 'zh' ? 'zh-CN' : 'en-US'
  const key = `${locale} ${name}`
  const known = formats.get(key)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat(locale, options)
  formats.set(key, made)
  return made
}
