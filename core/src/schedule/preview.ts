/** The next firings of a schedule, as a person wants to see them before saving it. */
import { DAY_MS, SECOND_MS } from '../time/civil.ts'
import { findZone, formatOffset, formatWall, type Zone, type ZoneTransition } from '../time/zone.ts'
import { compileCron, type CompiledCron } from './cron-compile.ts'
import type { ScheduleProblem } from './problem.ts'
import { compileSchedule, type Schedule } from './schedule.ts'
import { describeSchedule, type ScheduleWords } from './words.ts'

export interface PreviewOptions {
  /** Firings strictly after this instant, epoch milliseconds; default: now. */
  readonly from?: number
  /** How many at most; bounded to 1,000. */
  readonly count: number
  /** Where the grid of a rate begins. */
  readonly anchorAt: number
  readonly now: number
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
}

export type SchedulePreview =
  | { readonly ok: true; readonly firings: readonly PreviewFiring[]; readonly words: ScheduleWords }
  | { readonly ok: false; readonly problems: readonly ScheduleProblem[] }

const MAX_COUNT = 1000
const UTC = 'UTC'

/** Lists the next firings, fewer than asked for when the schedule ends (`fixedDelay`: only the first is known), or all its problems. */
export function previewSchedule(schedule: Schedule, options: PreviewOptions): SchedulePreview {
  const compilation = compileSchedule(schedule, options)
  if (!compilation.ok) return compilation
  const cron = cronOf(schedule)
  const zone = cron?.zone ?? findZone(options.timezone ?? UTC) ?? findZone(UTC)
  const firings: PreviewFiring[] = []
  let at = compilation.compiled.next(options.from ?? options.now)
  while (at !== null && zone !== null && firings.length < Math.min(options.count, MAX_COUNT)) {
    firings.push(firingAt(at, zone, cron))
    at = compilation.compiled.next(at)
  }
  return { ok: true, firings, words: describeSchedule(schedule, options.timezone) }
}

function cronOf(schedule: Schedule): CompiledCron | null {
  if (schedule.kind !== 'cron') return null
  const compilation = compileCron(schedule)
  return compilation.ok ? compilation.cron : null
}

function firingAt(at: number, zone: Zone, cron: CompiledCron | null): PreviewFiring {
  const offsetMs = zone.offsetAt(at)
  const firing = { at: new Date(at).toISOString(), local: formatWall(at + offsetMs), offset: formatOffset(offsetMs) }
  const mark = cron === null ? null : markOf(at, cron)
  return mark === null ? firing : { ...firing, mark }
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
