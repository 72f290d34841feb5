/** Schedules as plain data, and their compiled form that answers "when next?". */
import type { DayOffRule } from '../calendar/calendar.ts'
import { calendarCron } from '../calendar/calendar-cron.ts'
import { calendarDelay, calendarRate } from '../calendar/calendar-rate.ts'
import type { CompiledCalendar } from '../calendar/compiled-calendar.ts'
import { DAY_MS } from '../time/civil.ts'
import { findZone, type Zone } from '../time/zone.ts'
import type { CompiledSchedule, ScheduleKind } from './compiled.ts'
import { compileCron, cronKey } from './cron-compile.ts'
import type { InstantSet } from './cron.ts'
import type { CronDialect } from './cron-fields.ts'
import { parseInstant } from './instant.ts'
import type { ScheduleProblem, ScheduleProblemCode } from './problem.ts'

/** From when and until when a schedule is due: ISO 8601 instants, both inclusive; absent: without limit. */
export interface ScheduleWindow {
  readonly validFrom?: string
  readonly validUntil?: string
}

export interface CronSchedule extends ScheduleWindow {
  readonly kind: 'cron'
  readonly expression: string
  /** IANA name. */
  readonly timezone: string
  /** Absent: five fields mean unix, six and seven Quartz. */
  readonly dialect?: CronDialect
  /** What becomes of its instants on days off, where it is compiled with a calendar; absent: `skip`. */
  readonly onDayOff?: DayOffRule
}

/** Start to start: due every `everyMs` after the anchor, first one interval after it. */
export interface FixedRateSchedule extends ScheduleWindow {
  readonly kind: 'fixedRate'
  readonly everyMs: number
}

/** End to start: due `delayMs` after the anchor, then `delayMs` after the end of each run. */
export interface FixedDelaySchedule extends ScheduleWindow {
  readonly kind: 'fixedDelay'
  readonly delayMs: number
}

/** Due once, at an ISO 8601 instant. Whether that is past is for the caller to ask. */
export interface OnceSchedule {
  readonly kind: 'once'
  readonly at: string
}

/** Never due by itself. */
export interface ManualSchedule {
  readonly kind: 'manual'
}

export type Schedule = CronSchedule | FixedRateSchedule | FixedDelaySchedule | OnceSchedule | ManualSchedule

export const MIN_INTERVAL_MS = 100
/** Ten years of 365 days. */
export const MAX_INTERVAL_MS = 3650 * DAY_MS

export type ScheduleCompilation =
  { readonly ok: true; readonly compiled: CompiledSchedule } | { readonly ok: false; readonly problems: readonly ScheduleProblem[] }

/**
 * Checks a schedule and makes it answer questions. All problems are told at once; nothing is thrown.
 * `anchorAt` (epoch milliseconds) is where the grid of `fixedRate` and the first wait of `fixedDelay` begin; other kinds
 * ignore it. Crons are cached by expression, dialect and zone, so compiling again is cheap.
 */
export function compileSchedule(schedule: Schedule, options: CompileOptions): ScheduleCompilation {
  const report = new ProblemReport()
  const instants = instantsOf(schedule, options, report)
  if (instants === null) return { ok: false, problems: report.problems }
  return { ok: true, compiled: instants }
}

export interface CompileOptions {
  readonly anchorAt: number
  /** `once` and `manual` have none. */
  readonly calendar?: BoundCalendar | undefined
}

/** A calendar as a schedule uses it. `zone` (IANA): by whose clock its days are told for rates and delays; a cron has a zone of its own. */
export interface BoundCalendar {
  readonly calendar: CompiledCalendar
  readonly zone: string
}

/** Whether a calendar leaves a schedule no firing after an instant, which it would have without it. */
export function leavesNothing(compiled: CompiledSchedule, after: number): boolean {
  if (compiled.calendar === undefined) return false
  const { plain } = compiled.calendar
  if (compiled.kind === 'fixedDelay') return compiled.nextAfterEnd(after) === null && plain.nextAfterEnd(after) !== null
  return compiled.next(after) === null && plain.next(after) !== null
}

function instantsOf(schedule: Schedule, { anchorAt, calendar }: CompileOptions, report: ProblemReport): CompiledSchedule | null {
  switch (schedule.kind) {
    case 'cron':
      return compileCronSchedule(schedule, calendar, report)
    case 'fixedRate': {
      const isSound = checkInterval('everyMs', schedule.everyMs, report)
      const window = readWindow(schedule, report)
      if (!isSound || window === null) return null
      const plain = rateSchedule(schedule.everyMs, anchorAt, window)
      const zone = zoneOf(calendar, report)
      return calendar === undefined ? plain : zone === null ? null : calendarRate(plain, calendar.calendar, zone)
    }
    case 'fixedDelay': {
      const isSound = checkInterval('delayMs', schedule.delayMs, report)
      const window = readWindow(schedule, report)
      if (!isSound || window === null) return null
      const plain = delaySchedule(schedule.delayMs, anchorAt, window)
      const zone = zoneOf(calendar, report)
      if (calendar === undefined || zone === null) return calendar === undefined ? plain : null
      return calendarDelay(plain, { calendar: calendar.calendar, zone, untilAt: window.untilAt })
    }
    case 'once': {
      const at = readInstant('at', schedule.at, report)
      return at === null ? null : singleSchedule('once', at)
    }
    case 'manual':
      return singleSchedule('manual', null)
  }
}

class ProblemReport {
  readonly problems: ScheduleProblem[] = []

  add(field: string, code: ScheduleProblemCode, params: Record<string, string | number>): void {
    this.problems.push({ path: `schedule.${field}`, code, params })
  }
}

interface Window {
  readonly fromAt: number
  readonly untilAt: number
}

/** The farthest instants that dates can express: questions beyond are asked as of there. */
const EARLIEST = -8.64e15
const LATEST = 8.64e15

function zoneOf(calendar: BoundCalendar | undefined, report: ProblemReport): Zone | null {
  const zone = calendar === undefined ? null : findZone(calendar.zone)
  if (calendar !== undefined && zone === null) report.add('calendarId', 'ZONE_UNKNOWN', { zone: calendar.zone })
  return zone
}

function compileCronSchedule(schedule: CronSchedule, bound: BoundCalendar | undefined, report: ProblemReport): CompiledSchedule | null {
  const compilation = compileCron(schedule)
  if (!compilation.ok) report.problems.push(...compilation.problems)
  const window = readWindow(schedule, report)
  if (!compilation.ok || window === null) return null
  const plain = windowedCron(schedule, compilation.cron.instants, window, report)
  if (plain === null || bound === undefined) return plain
  const withCalendar = calendarCron(compilation.cron, cronKey(schedule), bound.calendar, schedule.onDayOff ?? 'skip')
  return {
    ...steppedSchedule('cron', windowed(withCalendar.cron.instants, window)),
    calendar: {
      plain,
      leftOut: (at) => {
        const found = withCalendar.leftOut(at)
        const isOutside = found?.movedTo !== undefined && found.movedTo !== null && !isWithin(window, found.movedTo)
        return found !== null && isOutside ? { ...found, movedTo: null } : found
      },
      movedHere: (at) => withCalendar.movedHere(at),
    },
  }
}

function windowedCron(schedule: CronSchedule, instants: InstantSet, window: Window, report: ProblemReport): CompiledSchedule | null {
  if (schedule.validFrom === undefined && schedule.validUntil === undefined) return unlimitedCron(instants)
  const first = instants.next(window.fromAt - 1)
  if (first === null || first > window.untilAt) {
    report.add('validUntil', 'WINDOW_WITHOUT_FIRING', { validFrom: schedule.validFrom ?? '', validUntil: schedule.validUntil ?? '' })
    return null
  }
  return steppedSchedule('cron', windowed(instants, window))
}

/** Crons without a window share one compiled form: for a million tasks that saves 500 bytes each. */
const unlimitedCrons = new WeakMap<InstantSet, CompiledSchedule>()

function unlimitedCron(instants: InstantSet): CompiledSchedule {
  const known = unlimitedCrons.get(instants)
  if (known !== undefined) return known
  const made = steppedSchedule('cron', windowed(instants, { fromAt: EARLIEST, untilAt: LATEST }))
  unlimitedCrons.set(instants, made)
  return made
}

function isWithin({ fromAt, untilAt }: Window, at: number): boolean {
  return at >= fromAt && at <= untilAt
}

function windowed(instants: InstantSet, window: Window): InstantSet {
  return {
    next(after) {
      const found = instants.next(Math.min(LATEST, Math.max(after, window.fromAt - 1)))
      return found !== null && found <= window.untilAt ? found : null
    },
    previous(before) {
      const found = instants.previous(Math.max(EARLIEST, Math.min(before, window.untilAt + 1)))
      return found !== null && found >= window.fromAt ? found : null
    },
  }
}

function rateSchedule(everyMs: number, anchorAt: number, window: Window): CompiledSchedule {
  const fromAt = Math.max(anchorAt, window.fromAt)
  const firstStep = Math.max(1, Math.ceil((fromAt - anchorAt) / everyMs))
  const stepAfter = (after: number): number => Math.max(firstStep, Math.floor((after - anchorAt) / everyMs) + 1)
  const lastStep = Math.floor((window.untilAt - anchorAt) / everyMs)
  const stepBefore = (before: number): number => Math.min(lastStep, Math.ceil((before - anchorAt) / everyMs) - 1)
  return {
    kind: 'fixedRate',
    countsByArithmetic: true,
    next(after) {
      const step = stepAfter(after)
      return step <= lastStep ? anchorAt + step * everyMs : null
    },
    previous(before) {
      const step = stepBefore(before)
      return step >= firstStep ? anchorAt + step * everyMs : null
    },
    countBetween: (from, to, limit) => Math.max(0, Math.min(limit, stepBefore(to + 1) - stepAfter(from - 1) + 1)),
    nextAfterEnd: () => null,
  }
}

function delaySchedule(delayMs: number, anchorAt: number, window: Window): CompiledSchedule {
  const nextAfterEnd = (endedAt: number): number | null => {
    const dueAt = Math.max(endedAt + delayMs, window.fromAt)
    return dueAt <= window.untilAt ? dueAt : null
  }
  return { ...singleSchedule('fixedDelay', nextAfterEnd(anchorAt)), nextAfterEnd }
}

function singleSchedule(kind: ScheduleKind, at: number | null): CompiledSchedule {
  return steppedSchedule(kind, {
    next: (after) => (at !== null && after < at ? at : null),
    previous: (before) => (at !== null && at < before ? at : null),
  })
}

function steppedSchedule(kind: ScheduleKind, instants: InstantSet): CompiledSchedule {
  return {
    kind,
    ...instants,
    countBetween(from, to, limit) {
      let count = 0
      let at = instants.next(from - 1)
      while (at !== null && at <= to && count < limit) {
        count += 1
        at = instants.next(at)
      }
      return count
    },
    nextAfterEnd: () => null,
  }
}

function checkInterval(field: string, value: number, report: ProblemReport): boolean {
  if (!Number.isInteger(value)) report.add(field, 'INTERVAL_NOT_INTEGER', { value })
  else if (value < MIN_INTERVAL_MS) report.add(field, 'INTERVAL_TOO_SHORT', { value, min: MIN_INTERVAL_MS })
  else if (value > MAX_INTERVAL_MS) report.add(field, 'INTERVAL_TOO_LONG', { value, max: MAX_INTERVAL_MS })
  else return true
  return false
}

function readWindow(schedule: ScheduleWindow, report: ProblemReport): Window | null {
  const { validFrom, validUntil } = schedule
  const fromAt = validFrom === undefined ? EARLIEST : readInstant('validFrom', validFrom, report)
  const untilAt = validUntil === undefined ? LATEST : readInstant('validUntil', validUntil, report)
  if (fromAt === null || untilAt === null) return null
  if (untilAt >= fromAt) return { fromAt, untilAt }
  report.add('validUntil', 'WINDOW_REVERSED', { validFrom: validFrom ?? '', validUntil: validUntil ?? '' })
  return null
}

function readInstant(field: string, text: string, report: ProblemReport): number | null {
  const at = parseInstant(text)
  if (at === null) report.add(field, 'INSTANT_MALFORMED', { value: text })
  return at
}
