/** A cron with a calendar. */
import type { LeftOut, MovedHere } from '../schedule/compiled.ts'
import type { CompiledCron } from '../schedule/cron-compile.ts'
import { zonedCron, type InstantSet } from '../schedule/cron.ts'
import type { DayWalk } from '../schedule/cron-day-walk.ts'
import { CronWalker } from '../schedule/cron-walk.ts'
import { LruMap } from '../schedule/lru.ts'
import { DAY_MS } from '../time/civil.ts'
import type { DayOffRule, LeftOutBy } from './calendar.ts'
import type { CompiledCalendar } from './compiled-calendar.ts'
import type { OpenTime } from './open-time.ts'
import { CommonDays, MovedDays } from './shifted-days.ts'

/** How often an instant is looked for that is open, one closed time after the other, before there is taken to be none any more. */
const MAX_TIMES_CLOSED = 100_000
/** Of one calendar; a few hundred bytes each. */
const MAX_CACHED = 1024

const cached = new WeakMap<CompiledCalendar, LruMap<string, CalendarCron>>()

/** The days of the cron by the rule for days off, then what blackouts leave of its instants. Cached with the calendar. */
export function calendarCron(cron: CompiledCron, key: string, calendar: CompiledCalendar, rule: DayOffRule): CalendarCron {
  let known = cached.get(calendar)
  if (known === undefined) {
    known = new LruMap(MAX_CACHED)
    cached.set(calendar, known)
  }
  const name = `${rule} ${key}`
  const found = known.get(name)
  if (found !== undefined) return found
  const made = new CalendarCron(cron, calendar, rule)
  known.set(name, made)
  return made
}

export class CalendarCron {
  readonly plain: CompiledCron
  readonly cron: CompiledCron
  readonly #calendar: CompiledCalendar
  readonly #rule: DayOffRule
  readonly #days: DayWalk
  readonly #open: OpenTime

  constructor(plain: CompiledCron, calendar: CompiledCalendar, rule: DayOffRule) {
    this.plain = plain
    this.#calendar = calendar
    this.#rule = rule
    this.#days = daysBy(rule, plain.walls.days, calendar)
    this.#open = calendar.timeOutsideBlackouts(plain.zone)
    const walls = new CronWalker(plain.fields, this.#days)
    const instants = zonedCron(walls, plain.zone, plain.fields)
    this.cron = { ...plain, walls, instants: calendar.blackouts.isEmpty ? instants : openInstants(instants, this.#open) }
  }

  leftOut(at: number): LeftOut | null {
    const named = this.#wallOf(this.plain.walls, at)
    const day = Math.floor(named / DAY_MS)
    const off = this.#excludedDay(day)
    if (off === null) {
      const blackout = this.#calendar.blackoutAt(at, this.plain.zone)
      return blackout === null ? null : { ...blackout, movedTo: null }
    }
    const target = this.#days instanceof MovedDays ? this.#days.targetOf(day) : null
    if (target === null) return { ...off, movedTo: null }
    const wall = named + (target - day) * DAY_MS
    const movedTo = this.plain.zone.firstInstantOf(wall)
    // clocks pass the time over on that day, and what repeats is not made up for
    if (this.plain.fields.repeats && this.plain.zone.wallAt(movedTo) !== wall) return { ...off, movedTo: null }
    const blackout = this.#calendar.blackoutAt(movedTo, this.plain.zone)
    return blackout === null ? { ...off, movedTo } : { ...blackout, movedTo: null }
  }

  movedHere(at: number): MovedHere | null {
    if (!(this.#days instanceof MovedDays)) return null
    const wall = this.#wallOf(this.cron.walls, at)
    const day = Math.floor(wall / DAY_MS)
    if (this.plain.walls.days.has(day)) return null
    const origin = this.#days.originOf(day)
    const off = origin === null ? null : this.#calendar.dayOff(origin)
    if (origin === null || off === null) return null
    return { ...off, from: this.plain.zone.firstInstantOf(wall + (origin - day) * DAY_MS) }
  }

  #excludedDay(day: number): LeftOutBy | null {
    const off = this.#calendar.dayOff(day)
    if (this.#rule !== 'only') return off
    return off === null ? { why: 'workingDay', name: this.#calendar.dayName(day) } : null
  }

  /** The wall time for which an instant stands: its own, or one before it that clocks pass over on its day. */
  #wallOf(walls: CronWalker, at: number): number {
    const { fields, zone } = this.plain
    const wall = zone.wallAt(at)
    const second = Math.floor(wall / 1000)
    if (fields.repeats || walls.atOrAfter(second) === second) return wall
    const before = walls.atOrBefore(second)
    return before !== null && zone.firstInstantOf(before * 1000) === at ? before * 1000 : wall
  }
}

function daysBy(rule: DayOffRule, named: DayWalk, { working, off }: CompiledCalendar): DayWalk {
  switch (rule) {
    case 'skip':
      return new CommonDays(named, working)
    case 'only':
      return new CommonDays(named, off)
    case 'next':
    case 'previous':
      return new MovedDays(named, working, rule)
  }
}

/** The instants of a set that are open. It goes over closed time at once, however many instants lie in it. */
export function openInstants(instants: InstantSet, open: OpenTime): InstantSet {
  return {
    next(after) {
      let found = instants.next(after)
      for (let times = 0; found !== null && times < MAX_TIMES_CLOSED; times += 1) {
        const from = open.from(found)
        if (from === null || from === found) return from
        found = instants.next(from - 1)
      }
      return null
    },
    previous(before) {
      let found = instants.previous(before)
      for (let times = 0; found !== null && times < MAX_TIMES_CLOSED; times += 1) {
        const upTo = open.upTo(found)
        if (upTo === null || upTo === found) return upTo
        found = instants.previous(upTo + 1)
      }
      return null
    },
  }
}
