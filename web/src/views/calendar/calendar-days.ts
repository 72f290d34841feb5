/** A calendar's days as a year view shows them, and as a person changes them. Dates are texts such as `2026-10-01`, which sort as they are. */
import type { CalendarDayKind, CalendarDayRule, CalendarRuleSet } from '@tickwheel/core'

const DAY_MS = 86_400_000
export const FIRST_DAY = '1970-01-01'
export const LAST_DAY = '2199-12-31'

/** `weekend`: off by its weekday alone. */
export type DayState = 'normal' | 'weekend' | CalendarDayKind

export interface Day {
  readonly date: string
  readonly state: DayState
  readonly name: string
}

export interface Month {
  /** 1 to 12 */
  readonly month: number
  /** from Monday to Sunday; null: a day of another month */
  readonly weeks: readonly (readonly (Day | null)[])[]
}

export interface Span {
  readonly from: string
  readonly to: string
}

/** The twelve months of a year. */
export function monthsOf(rules: Pick<CalendarRuleSet, 'weekend' | 'days'>, year: number): Month[] {
  const days = daysOf(rules, year)
  return Array.from({ length: 12 }, (_, index) => ({ month: index + 1, weeks: weeksOf(days.filter((day) => Number(day.date.slice(5, 7)) === index + 1)) }))
}

/** Every day of a year, in its order. */
export function daysOf({ weekend, days }: Pick<CalendarRuleSet, 'weekend' | 'days'>, year: number): Day[] {
  const [first, last] = [`${year}-01-01`, `${year}-12-31`]
  const told = new Map<string, CalendarDayRule>()
  for (const rule of days) {
    const to = lastOf(rule)
    if (rule.from > last || to < first) continue
    for (const date of datesIn({ from: later(rule.from, first), to: earlier(to, last) })) told.set(date, rule)
  }
  return datesIn({ from: first, to: last }).map((date) => {
    const rule = told.get(date)
    return { date, state: rule?.kind ?? (weekend.includes(weekdayOf(date)) ? 'weekend' : 'normal'), name: rule?.name ?? '' }
  })
}

/** Makes some days off or worked; null: as their weekday says. What was said of them before is gone, of the days beside them it stays. */
export function paintDays(days: readonly CalendarDayRule[], span: Span, kind: CalendarDayKind | null, name = ''): CalendarDayRule[] {
  const beside = days.flatMap((rule) => without(rule, span))
  return tidy(kind === null ? beside : [...beside, ruleOf(span, kind, name)])
}

/** All of `more` on top of `days`. */
export function addDays(days: readonly CalendarDayRule[], more: readonly CalendarDayRule[]): CalendarDayRule[] {
  return more.reduce<CalendarDayRule[]>((all, rule) => [...all.flatMap((one) => without(one, { from: rule.from, to: lastOf(rule) })), rule], [...days]).sort(byBegin).reduce(joined, [])
}

/** The rules that speak of a year, by their order. */
export function rulesIn(days: readonly CalendarDayRule[], year: number): CalendarDayRule[] {
  return days.filter((rule) => rule.from <= `${year}-12-31` && lastOf(rule) >= `${year}-01-01`).sort(byBegin)
}

export function lastOf({ from, to }: CalendarDayRule): string {
  return to ?? from
}

export function shiftDate(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** How many days a span has. */
export function lengthOf({ from, to }: Span): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1
}

/** The same day so many months later, or the last of a shorter month. */
export function shiftMonth(date: string, months: number): string {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number)
  const length = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, length))).toISOString().slice(0, 10)
}

/** 1 = Monday to 7 = Sunday. */
export function weekdayOf(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay() || 7
}

/** Whether it is a day between 1970 and 2199. */
export function isDay(date: string): boolean {
  const at = Date.parse(`${date}T00:00:00Z`)
  return /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(date) && date >= FIRST_DAY && date <= LAST_DAY
}

export function ruleOf({ from, to }: Span, kind: CalendarDayKind, name: string): CalendarDayRule {
  return { from, ...(to === from ? {} : { to }), kind, ...(name.trim() === '' ? {} : { name: name.trim() }) }
}

function without(rule: CalendarDayRule, { from, to }: Span): CalendarDayRule[] {
  const last = lastOf(rule)
  if (rule.from > to || last < from) return [rule]
  const name = rule.name ?? ''
  return [
    ...(rule.from < from ? [ruleOf({ from: rule.from, to: shiftDate(from, -1) }, rule.kind, name)] : []),
    ...(last > to ? [ruleOf({ from: shiftDate(to, 1), to: last }, rule.kind, name)] : []),
  ]
}

/** In order, what belongs together joined; rules that overlap stay as they are, because the later one counts. */
function tidy(days: readonly CalendarDayRule[]): CalendarDayRule[] {
  const sorted = [...days].sort(byBegin)
  const isClear = sorted.every((rule, index) => index === 0 || lastOf(sorted[index - 1] ?? rule) < rule.from)
  return isClear ? sorted.reduce(joined, []) : [...days]
}

function joined(all: CalendarDayRule[], rule: CalendarDayRule): CalendarDayRule[] {
  const before = all.at(-1)
  if (before === undefined || before.kind !== rule.kind || (before.name ?? '') !== (rule.name ?? '') || shiftDate(lastOf(before), 1) !== rule.from) return [...all, rule]
  return [...all.slice(0, -1), ruleOf({ from: before.from, to: lastOf(rule) }, rule.kind, rule.name ?? '')]
}

function byBegin(left: CalendarDayRule, right: CalendarDayRule): number {
  return left.from < right.from ? -1 : left.from > right.from ? 1 : 0
}

function datesIn({ from, to }: Span): string[] {
  return Array.from({ length: Math.max(0, lengthOf({ from, to })) }, (_, index) => shiftDate(from, index))
}

function weeksOf(days: readonly Day[]): (Day | null)[][] {
  const first = days[0] === undefined ? 1 : weekdayOf(days[0].date)
  const cells = [...Array.from({ length: first - 1 }, () => null), ...days]
  return Array.from({ length: Math.ceil(cells.length / 7) }, (_, week) => Array.from({ length: 7 }, (_day, index) => cells[week * 7 + index] ?? null))
}

function later(left: string, right: string): string {
  return left > right ? left : right
}
function earlier(left: string, right: string): string {
  return left < right ? left : right
}
