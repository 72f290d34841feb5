/** A calendar that answers questions: what a day is, when it is open. Compiled once for all schedules that use it. */
import { DAY_MS } from '../time/civil.ts'
import type { Zone } from '../time/zone.ts'
import { Blackouts } from './blackouts.ts'
import type { CalendarRuleSet, LeftOutBy } from './calendar.ts'
import { DayRules, parseDay, weekMaskOf } from './day-rules.ts'
import { DaySet, WHOLE_WEEK } from './day-set.ts'
import { OpenTime } from './open-time.ts'

/** Answers never change; a question about a day takes O(log n) of the entries. Memory: about 100 bytes an entry. */
export class CompiledCalendar {
  readonly working: DaySet
  readonly off: DaySet
  readonly blackouts: Blackouts
  readonly #days: DayRules
  readonly #workingTime: DaySet
  readonly #anyTime: DaySet
  readonly #byZone = new Map<Zone, { readonly rate: OpenTime; readonly cron: OpenTime }>()

  constructor({ weekend, days, blackouts }: CalendarRuleSet) {
    this.#days = new DayRules(days, weekMaskOf(weekend))
    this.blackouts = new Blackouts(blackouts)
    const openWeekdays = WHOLE_WEEK & ~this.blackouts.closedWeekdays
    this.working = this.#days.daysOf('work')
    this.off = this.#days.daysOf('off')
    this.#workingTime = this.#days.daysOf('work', openWeekdays)
    this.#anyTime = new DaySet([{ from: -Infinity, to: Infinity, weekdays: openWeekdays }])
  }

  /** When a rate may fire: on working days, outside blackouts. */
  workingTime(zone: Zone): OpenTime {
    return this.#timesIn(zone).rate
  }

  /** When a cron may fire whose days are settled: outside blackouts. */
  timeOutsideBlackouts(zone: Zone): OpenTime {
    return this.#timesIn(zone).cron
  }

  /** Why a day (counted from 1970-01-01) is off; `null`: it is a working day. */
  dayOff(day: number): LeftOutBy | null {
    const { isOff, isNamed, name } = this.#days.factsOf(day)
    return isOff ? { why: isNamed ? 'dayOff' : 'weekend', name } : null
  }

  /** What a working day is called; `null`: nothing. */
  dayName(day: number): string | null {
    return this.#days.factsOf(day).name
  }

  blackoutAt(at: number, zone: Zone): LeftOutBy | null {
    const over = this.blackouts.over(at, zone.wallAt(at))
    return over === null ? null : { why: 'blackout', name: over.name }
  }

  /** Why a rate does not fire at an instant; `null`: it may. */
  exclusionAt(at: number, zone: Zone): LeftOutBy | null {
    return this.dayOff(Math.floor(zone.wallAt(at) / DAY_MS)) ?? this.blackoutAt(at, zone)
  }

  #timesIn(zone: Zone): { readonly rate: OpenTime; readonly cron: OpenTime } {
    const known = this.#byZone.get(zone)
    if (known !== undefined) return known
    const made = { rate: new OpenTime(zone, this.#workingTime, this.blackouts), cron: new OpenTime(zone, this.#anyTime, this.blackouts) }
    this.#byZone.set(zone, made)
    return made
  }
}

/** Makes rules answer. What `checkCalendar` refuses is left out of them. */
export function compileCalendar(rules: CalendarRuleSet): CompiledCalendar {
  return new CompiledCalendar(rules)
}

/** The last day that the days of a calendar speak of; `null`: of none. */
export function lastDayOf({ days }: CalendarRuleSet): string | null {
  return days.reduce<string | null>(
    (last, { from, to = from }) => (parseDay(to) !== null && (last === null || to > last) ? to : last),
    null,
  )
}
