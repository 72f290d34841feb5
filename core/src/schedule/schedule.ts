/** Schedules as plain data, and their compiled form that answers "when next?". */
import { DAY_MS } from '../time/civil.ts'
import { compileCron } from './cron-compile.ts'
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

export const SCHEDULE_KINDS = ['cron', 'fixedRate', 'fixedDelay', 'once', 'manual'] as const
export type ScheduleKind = Schedule['kind']

export const MIN_INTERVAL_MS = 100
/** Ten years of 365 days. */
export const MAX_INTERVAL_MS = 3650 * DAY_MS

/**
 * The due instants of a schedule, epoch milliseconds, inside its window. Pure: the same question always has the same answer
 * (as long as the runtime's time zone rules stay the same).
 */
export interface CompiledSchedule {
  readonly kind: ScheduleKind
  /**
   * The first due instant strictly after the given one; `null`: never again. `fixedDelay` knows only its first firing
   * (`anchorAt + delayMs`, not before `validFrom`); later ones come from {@link CompiledSchedule.nextAfterEnd}.
   */
  next(after: number): number | null
  /** The last due instant strictly before; `null` when there is none (before `validFrom`, the anchor, or 1970). */
  previous(before: number): number | null
  /** How many due instants lie in `[from, to]`, counted up to `limit`. Arithmetic for `fixedRate`, one step each for cron. */
  countBetween(from: number, to: number, limit: number): number
  /** Whether `countBetween` costs the same for any number of instants. */
  readonly countsByArithmetic?: boolean
  /** `fixedDelay`: when it is due after a run that ended then; `null` past `validUntil`, and for every other kind. */
  nextAfterEnd(endedAt: number): number | null
}

export type ScheduleCompilation =
  { readonly ok: true; readonly compiled: CompiledSchedule } | { readonly ok: false; readonly problems: readonly ScheduleProblem[] }

/**
 * Checks a schedule and makes it answer questions. All problems are told at once; nothing is thrown.
 * `anchorAt` (epoch milliseconds) is where the grid of `fixedRate` and the first wait of `fixedDelay` begin; other kinds
 * ignore it. Crons are cached by expression, dialect and zone, so compiling again is cheap.
 */
export function compileSchedule(schedule: Schedule, options: { readonly anchorAt: number }): ScheduleCompilation {
  const report = new ProblemReport()
  const instants = instantsOf(schedule, options.anchorAt, report)
  if (instants === null) return { ok: false, problems: report.problems }
  return { ok: true, compiled: instants }
}

function instantsOf(schedule: Schedule, anchorAt: number, report: ProblemReport): CompiledSchedule | null {
  switch (schedule.kind) {
    case 'cron':
      return compileCronSchedule(schedule, report)
    case 'fixedRate': {
      const isSound = checkInterval('everyMs', schedule.everyMs, report)
      const window = readWindow(schedule, report)
      return isSound && window !== null ? rateSchedule(schedule.everyMs, anchorAt, window) : null
    }
    case 'fixedDelay': {
      const isSound = checkInterval('delayMs', schedule.delayMs, report)
      const window = readWindow(schedule, report)
      return isSound && window !== null ? delaySchedule(schedule.delayMs, anchorAt, window) : null
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

function compileCronSchedule(schedule: CronSchedule, report: ProblemReport): CompiledSchedule | null {
  const compilation = compileCron(schedule)
  if (!compilation.ok) report.problems.push(...compilation.problems)
  const window = readWindow(schedule, report)
  if (!compilation.ok || window === null) return null
  const { instants } = compilation.cron
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
