/** What the days of a calendar are: the last entry that covers a day decides, then its weekday. */
import { daysFromCivil, daysInMonth } from '../time/civil.ts'
import { FIRST_CRON_YEAR, LAST_CRON_YEAR } from '../schedule/cron-fields.ts'
import type { CalendarDayKind, CalendarDayRule } from './calendar.ts'
import { DaySet, lastAtOrBefore, WHOLE_WEEK, type WeekMask } from './day-set.ts'

/** Days in a row of which one entry speaks. */
interface Stretch {
  readonly from: number
  readonly to: number
  readonly kind: CalendarDayKind
  readonly name: string | null
}

export interface DayFacts {
  readonly isOff: boolean
  /** the entry says so, and not the weekday */
  readonly isNamed: boolean
  readonly name: string | null
}

export class DayRules {
  readonly #stretches: readonly Stretch[]
  readonly #weekend: WeekMask

  constructor(days: readonly CalendarDayRule[], weekend: WeekMask) {
    this.#stretches = stretchesOf(days)
    this.#weekend = weekend
  }

  factsOf(day: number): DayFacts {
    const stretch = this.#stretches[lastAtOrBefore(this.#stretches, day)]
    if (stretch !== undefined && day <= stretch.to) return { isOff: stretch.kind === 'off', isNamed: true, name: stretch.name }
    return { isOff: ((this.#weekend >> ((((day + 4) % 7) + 7) % 7)) & 1) === 1, isNamed: false, name: null }
  }

  /** The days of one kind, of the given weekdays. */
  daysOf(kind: CalendarDayKind, weekdays: WeekMask = WHOLE_WEEK): DaySet {
    const otherwise = (kind === 'off' ? this.#weekend : ~this.#weekend & WHOLE_WEEK) & weekdays
    const ranges = []
    let from = -Infinity
    for (const stretch of this.#stretches) {
      if (stretch.from > from) ranges.push({ from, to: stretch.from - 1, weekdays: otherwise })
      ranges.push({ from: stretch.from, to: stretch.to, weekdays: stretch.kind === kind ? weekdays : 0 })
      from = stretch.to + 1
    }
    return new DaySet([...ranges, { from, to: Infinity, weekdays: otherwise }])
  }
}

/** Weekdays from 1 = Monday to 7 = Sunday as a mask. */
export function weekMaskOf(weekdays: readonly number[]): WeekMask {
  return weekdays.reduce((mask, weekday) => mask | (1 << (weekday % 7)), 0)
}

/** A day of the cron years from its text; `null`: there is no such day. */
export function parseDay(text: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (match === null) return null
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (year < FIRST_CRON_YEAR || year > LAST_CRON_YEAR || month < 1 || month > 12) return null
  return day < 1 || day > daysInMonth(year, month) ? null : daysFromCivil(year, month, day)
}

interface Edge {
  readonly at: number
  readonly index: number
  readonly isBegin: boolean
}

/** Entries cut so that none covers another: where several cover a day, the last of them counts. Entries that cannot be read are left out. */
function stretchesOf(days: readonly CalendarDayRule[]): Stretch[] {
  const edges = days.flatMap(({ from, to }, index): Edge[] => {
    const first = parseDay(from)
    const last = to === undefined ? first : parseDay(to)
    if (first === null || last === null || last < first) return []
    return [
      { at: first, index, isBegin: true },
      { at: last + 1, index, isBegin: false },
    ]
  })
  edges.sort((left, right) => left.at - right.at)
  const stretches: Stretch[] = []
  const open = new Set<number>()
  let since = 0
  for (let next = 0; next < edges.length;) {
    const { at } = edges[next] ?? { at: 0 }
    const counts = open.size === 0 ? undefined : days[Math.max(...open)]
    if (counts !== undefined) stretches.push({ from: since, to: at - 1, kind: counts.kind, name: counts.name ?? null })
    for (let edge = edges[next]; edge?.at === at; edge = edges[next]) {
      if (edge.isBegin) open.add(edge.index)
      else open.delete(edge.index)
      next += 1
    }
    since = at
  }
  return stretches
}
