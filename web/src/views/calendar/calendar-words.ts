import type { CalendarListItem, CalendarRules } from '@tickwheel/contract'
import { t } from '../../locales/text.ts'
import { formatDate, formatWeekdayNumber } from '../../utils/time.ts'
import { daysOf, type Day } from './calendar-days.ts'

const SOON_MS = 60 * 86_400_000

/** `2020–2026`, `2024, 2026`. */
export function yearsWords(years: readonly number[]): string {
  const spans: [number, number][] = []
  for (const year of [...years].sort((a, b) => a - b)) {
    const last = spans.at(-1)
    if (last !== undefined && last[1] === year - 1) last[1] = year
    else spans.push([year, year])
  }
  return spans.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ')
}

/** That nobody has entered the holidays to come; empty: they are there, or the calendar has none at all. */
export function runsOutWords({ lastDay }: Pick<CalendarListItem, 'lastDay'>, nowMs: number): string {
  if (lastDay === null) return ''
  const endMs = Date.parse(`${lastDay}T23:59:59Z`)
  if (endMs > nowMs + SOON_MS) return ''
  return t(endMs < nowMs ? 'calendars.ranOut' : 'calendars.runsOut', { date: formatDate(lastDay) })
}

export function weekendWords(weekend: readonly number[]): string {
  return weekend.length === 0 ? t('calendars.nothing') : [...weekend].sort((a, b) => a - b).map((weekday) => formatWeekdayNumber(weekday)).join(', ')
}

/** What was different in other rules, as sentences: of every day from the first to the last year that either speaks of. */
export function differences(then: CalendarRules, now: CalendarRules, most: number): { words: string[]; more: number } {
  const words: string[] = []
  if (weekendWords(then.weekend) !== weekendWords(now.weekend)) words.push(t('calendars.history.weekend', { then: weekendWords(then.weekend), now: weekendWords(now.weekend) }))
  if (JSON.stringify(then.blackouts) !== JSON.stringify(now.blackouts)) words.push(t('calendars.history.blackouts', { then: then.blackouts.length, now: now.blackouts.length }))
  // a weekend that has changed would tell of every week
  const weekend = now.weekend
  const changed = yearsOf(then, now).flatMap((year) => {
    const before = daysOf({ weekend, days: then.days }, year)
    return daysOf({ weekend, days: now.days }, year).flatMap((day, index) => {
      const old = before[index]
      return old === undefined || (old.state === day.state && old.name === day.name) ? [] : [t('calendars.history.day', { date: formatDate(day.date), then: dayWords(old), now: dayWords(day) })]
    })
  })
  return { words: [...words, ...changed.slice(0, most)], more: Math.max(0, changed.length - most) }
}

function dayWords({ state, name }: Day): string {
  const words = t(`calendars.states.${state}`)
  return name === '' ? words : t('calendars.history.named', { state: words, name })
}

const MOST_YEARS = 30

function yearsOf(...both: readonly CalendarRules[]): number[] {
  const years = both.flatMap(({ days }) => days.flatMap(({ from, to }) => [Number(from.slice(0, 4)), Number((to ?? from).slice(0, 4))]))
  if (years.length === 0) return []
  const [first, last] = [Math.min(...years), Math.max(...years)]
  return Array.from({ length: Math.min(MOST_YEARS, last - first + 1) }, (_, index) => Math.max(first, last - MOST_YEARS + 1) + index)
}
