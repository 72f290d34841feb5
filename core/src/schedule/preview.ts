/** The next firings of a schedule, as a person wants to see them before saving it. */
import { DAY_MS, SECOND_MS } from '../time/civil.ts'
import { findZone, formatOffset, formatWall, type Zone, type ZoneTransition } from '../time/zone.ts'
import type { Exclusion } from '../calendar/calendar.ts'
import { calendarCron } from '../calendar/calendar-cron.ts'
import type { CalendarEffect } from './compiled.ts'
import { compileCron, cronKey, type CompiledCron } from './cron-compile.ts'
import type { ScheduleProblem } from './problem.ts'
import { compileSchedule, type BoundCalendar, type Schedule } from './schedule.ts'
import { describeSchedule, type ScheduleWords } from './words.ts'

export interface PreviewOptions {
  /** Firings strictly after this instant, epoch milliseconds; default: now. */
  readonly from?: number
  /** How many at most; bounded to 1,000. */
  readonly count: number
  /** Where the grid of a rate begins. */
  readonly anchorAt: number
  readonly now: number
  /** The calendar that the schedule names, with its name for the words; absent: it has none. */
  readonly calendar?: (BoundCalendar & { readonly name: string }) | undefined
  /** In which zone to show schedules that have none of their own; default UTC. */
  readonly timezone?: string
}

export interface PreviewFiring {
  /** ISO 8601, UTC. */
  readonly at: string
  /** `2026-11-22 08:00:00`, what a clock in the schedule's zone shows. */
  readonly local: string
  /** `+08:00`. */
  readonly offset: string
  /**
   * `overlap`: clocks show this time twice that day. `gap`: clocks were set forward over at least one of the schedule's
   * times since the firing before; this firing stands for it, or (schedules that repeat) comes after it was left out.
   */
  readonly mark?: 'gap' | 'overlap'
  /** The instant on a day off that this firing stands for (ISO 8601, UTC); of several the nearest. */
  readonly movedFrom?: string
}

/** An instant that the schedule names and its calendar leaves out. `name`: of the day or the blackout. */
export interface PreviewLeftOut {
  readonly at: string
  readonly local: string
  readonly offset: string
  readonly why: Exclusion
  readonly name: string | null
}

export type SchedulePreview =
  | {
      readonly ok: true
      readonly firings: readonly PreviewFiring[]
      /** Up to the last of the firings, the first 100. */
      readonly leftOut: readonly PreviewLeftOut[]
      readonly words: ScheduleWords
    }
  | { readonly ok: false; readonly problems: readonly ScheduleProblem[] }

const MAX_COUNT = 1000
const MAX_LEFT_OUT = 100
/** Instants that are looked at for those left out: between them may lie many that fire, or that move. */
const MAX_LOOKED_AT = 5000
const UTC = 'UTC'

/** Lists the next firings, fewer than asked for when the schedule ends (`fixedDelay`: only the first is known), or all its problems. */
export function previewSchedule(schedule: Schedule, options: PreviewOptions): SchedulePreview {
  const compilation = compileSchedule(schedule, options)
  if (!compilation.ok) return compilation
  const { compiled } = compilation
  const cron = cronOf(schedule, options)
  const zone = cron?.zone ?? findZone(options.timezone ?? UTC) ?? findZone(UTC)
  const firings: PreviewFiring[] = []
  const from = options.from ?? options.now
  let at = compiled.next(from)
  while (at !== null && zone !== null && firings.length < Math.min(options.count, MAX_COUNT)) {
    firings.push(firingAt(at, { zone, cron, effect: compiled.calendar }))
    at = compiled.next(at)
  }
  const last = firings.at(-1)
  const until = at === null || last === undefined ? Infinity : Date.parse(last.at)
  const leftOut = compiled.calendar === undefined || zone === null ? [] : leftOutOf(compiled.calendar, zone, { from, until })
  return { ok: true, firings, leftOut, words: describeSchedule(schedule, options.timezone, options.calendar?.name) }
}

function cronOf(schedule: Schedule, { calendar }: PreviewOptions): CompiledCron | null {
  if (schedule.kind !== 'cron') return null
  const compilation = compileCron(schedule)
  if (!compilation.ok || calendar === undefined) return compilation.ok ? compilation.cron : null
  return calendarCron(compilation.cron, cronKey(schedule), calendar.calendar, schedule.onDayOff ?? 'skip').cron
}

interface Surroundings {
  readonly zone: Zone
  readonly cron: CompiledCron | null
  readonly effect: CalendarEffect | undefined
}

function firingAt(at: number, { zone, cron, effect }: Surroundings): PreviewFiring {
  const mark = cron === null ? null : markOf(at, cron)
  const moved = effect?.movedHere(at) ?? null
  return {
    ...shownAt(at, zone),
    ...(mark === null ? {} : { mark }),
    ...(moved === null ? {} : { movedFrom: new Date(moved.from).toISOString() }),
  }
}

function shownAt(at: number, zone: Zone): { readonly at: string; readonly local: string; readonly offset: string } {
  const offsetMs = zone.offsetAt(at)
  return { at: new Date(at).toISOString(), local: formatWall(at + offsetMs), offset: formatOffset(offsetMs) }
}

function leftOutOf(effect: CalendarEffect, zone: Zone, { from, until }: { from: number; until: number }): PreviewLeftOut[] {
  const found: PreviewLeftOut[] = []
  let at = effect.plain.next(from)
  for (let looked = 0; at !== null && at <= until && found.length < MAX_LEFT_OUT && looked < MAX_LOOKED_AT; looked += 1) {
    const excluded = effect.leftOut(at)
    if (excluded?.movedTo === null) found.push({ ...shownAt(at, zone), why: excluded.why, name: excluded.name })
    at = effect.plain.next(at)
  }
  return found
}

/** How far back a left-out time is looked for: a yearly job whose hour was skipped is still told. */
const LOOK_BACK_MS = 366 * DAY_MS

function markOf(at: number, cron: CompiledCron): 'gap' | 'overlap' | null {
  const { zone, instants } = cron
  if (zone.instantsOf(zone.wallAt(at)).kind === 'overlap') return 'overlap'
  const previousAt = Math.max(instants.previous(at) ?? at - LOOK_BACK_MS, at - LOOK_BACK_MS)
  return zone.transitionsBetween(previousAt + 1, at).some((transition) => skipsATime(transition, cron)) ? 'gap' : null
}

function skipsATime(transition: ZoneTransition, cron: CompiledCron): boolean {
  const skipped = cron.walls.atOrAfter(Math.ceil((transition.at + transition.beforeMs) / SECOND_MS))
  return skipped !== null && skipped * SECOND_MS < transition.at + transition.afterMs
}
