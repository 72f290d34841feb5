/** When nothing fires, whatever day it is: by the clock of a zone, or from one instant to another. */
import { DAY_MS, MINUTE_MS, weekdayOfDays } from '../time/civil.ts'
import { parseInstant } from '../schedule/instant.ts'
import type { Blackout, DailyBlackout } from './calendar.ts'
import { lastAtOrBefore, WHOLE_WEEK, type WeekMask } from './day-set.ts'
import { weekMaskOf } from './day-rules.ts'

/** `from` is inclusive, `to` exclusive. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

export class Blackouts {
  /** of each weekday, bit 0 Sunday, what of the day is blacked out: milliseconds of the clock, sorted, none touches another */
  readonly ofWeekday: readonly (readonly TimeRange[])[]
  /** epoch milliseconds, sorted, none touches another */
  readonly once: readonly TimeRange[]
  /** weekdays of which no time is left */
  readonly closedWeekdays: WeekMask
  readonly #rules: readonly Blackout[]

  constructor(rules: readonly Blackout[]) {
    this.#rules = rules
    const pieces = rules.flatMap((rule) => (rule.kind === 'daily' ? piecesOf(rule) : []))
    this.ofWeekday = Array.from({ length: 7 }, (_none, weekday) => merged(pieces.filter((piece) => piece.weekday === weekday)))
    this.once = merged(rules.flatMap((rule) => (rule.kind === 'once' ? rangesOf(rule.from, rule.to) : [])))
    this.closedWeekdays = this.ofWeekday.reduce((mask, [first], weekday) => (isWholeDay(first) ? mask | (1 << weekday) : mask), 0)
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0
  }

  /** The part of the day of a wall time that holds it; `null`: it is in none. */
  ofWall(wall: number): TimeRange | null {
    const day = Math.floor(wall / DAY_MS)
    return rangeOver(this.ofWeekday[weekdayOfDays(day)] ?? [], wall - day * DAY_MS)
  }

  onceOver(at: number): TimeRange | null {
    return rangeOver(this.once, at)
  }

  /** The first blackout of the list that holds an instant at which the clock shows `wall`; `null`: none does. */
  over(at: number, wall: number): { readonly name: string | null } | null {
    if (this.ofWall(wall) === null && this.onceOver(at) === null) return null
    const day = Math.floor(wall / DAY_MS)
    const time = wall - day * DAY_MS
    const found = this.#rules.find((rule) =>
      rule.kind === 'once'
        ? rangesOf(rule.from, rule.to).some((range) => isIn(range, at))
        : piecesOf(rule).some((piece) => piece.weekday === weekdayOfDays(day) && isIn(piece, time)),
    )
    return { name: found?.name ?? null }
  }
}

/** What a daily blackout takes of the days of a week: over midnight it takes the beginning of the day behind, too. */
function piecesOf({ from, to, weekdays }: DailyBlackout): (TimeRange & { readonly weekday: number })[] {
  const mask = weekdays === undefined ? WHOLE_WEEK : weekMaskOf(weekdays)
  const [begin, end] = [clockMs(from), clockMs(to)]
  const days = [0, 1, 2, 3, 4, 5, 6].filter((weekday) => ((mask >> weekday) & 1) === 1)
  return days.flatMap((weekday) => {
    if (begin < end) return [{ weekday, from: begin, to: end }]
    const first = { weekday, from: begin, to: DAY_MS }
    return end === 0 ? [first] : [first, { weekday: (weekday + 1) % 7, from: 0, to: end }]
  })
}

function rangesOf(from: string, to: string): TimeRange[] {
  const [begin, end] = [parseInstant(from), parseInstant(to)]
  return begin === null || end === null || end <= begin ? [] : [{ from: begin, to: end }]
}

function clockMs(text: string): number {
  return (Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))) * MINUTE_MS
}

function merged(ranges: readonly TimeRange[]): TimeRange[] {
  const result: TimeRange[] = []
  for (const { from, to } of ranges.toSorted((left, right) => left.from - right.from)) {
    const last = result.at(-1)
    if (last === undefined || from > last.to) result.push({ from, to })
    else result[result.length - 1] = { from: last.from, to: Math.max(last.to, to) }
  }
  return result
}

function rangeOver(ranges: readonly TimeRange[], value: number): TimeRange | null {
  const range = ranges[lastAtOrBefore(ranges, value)]
  return range !== undefined && isIn(range, value) ? range : null
}

function isIn({ from, to }: TimeRange, value: number): boolean {
  return from <= value && value < to
}

function isWholeDay(range: TimeRange | undefined): boolean {
  return range !== undefined && range.from === 0 && range.to === DAY_MS
}
