import type { FieldProblem, ScheduleInput } from '@tickwheel/contract'
import {
  compileSchedule,
  parseInstant,
  type BoundCalendar,
  type CompiledSchedule,
  type Schedule,
  type ScheduleProblem,
} from '@tickwheel/core'

/**
 * A schedule as it is stored: the zone is written in, instants are UTC with milliseconds, an open end of the window is left out.
 * What cannot be read stays as it came, for `checkSchedule` to name.
 */
export function completeSchedule(input: ScheduleInput, serverZone: string): ScheduleInput {
  switch (input.kind) {
    case 'cron': {
      const { validFrom, validUntil, calendarId, ...rest } = input
      return {
        ...rest,
        expression: input.expression.trim(),
        timezone: input.timezone ?? serverZone,
        ...calendarOf(calendarId),
        ...windowOf(validFrom, validUntil),
      }
    }
    case 'fixedRate':
    case 'fixedDelay': {
      const { validFrom, validUntil, calendarId, ...rest } = input
      return { ...rest, ...calendarOf(calendarId), ...windowOf(validFrom, validUntil) }
    }
    case 'once':
      return { kind: 'once', at: utc(input.at) }
    case 'manual':
      return { kind: 'manual' }
  }
}

function calendarOf(calendarId: number | null | undefined): { calendarId?: number } {
  return calendarId === null || calendarId === undefined ? {} : { calendarId }
}

/** The calendar that a schedule names; null: none. */
export function calendarIdOf(schedule: ScheduleInput): number | null {
  return 'calendarId' in schedule ? (schedule.calendarId ?? null) : null
}

function windowOf(
  validFrom: string | null | undefined,
  validUntil: string | null | undefined,
): { validFrom?: string; validUntil?: string } {
  return { ...(isGiven(validFrom) ? { validFrom: utc(validFrom) } : {}), ...(isGiven(validUntil) ? { validUntil: utc(validUntil) } : {}) }
}

function isGiven(text: string | null | undefined): text is string {
  return text !== null && text !== undefined
}

function utc(text: string): string {
  const at = parseInstant(text)
  return at === null ? text : new Date(at).toISOString()
}

/** The schedule in core's own shape. */
export function toSchedule(input: ScheduleInput, serverZone: string): Schedule {
  const complete = completeSchedule(input, serverZone)
  switch (complete.kind) {
    case 'cron': {
      const { timezone, dialect, onDayOff, validFrom, validUntil } = complete
      return {
        kind: 'cron',
        expression: complete.expression,
        timezone: timezone ?? serverZone,
        ...(dialect === undefined ? {} : { dialect }),
        ...(onDayOff === undefined ? {} : { onDayOff }),
        ...windowOf(validFrom, validUntil),
      }
    }
    case 'fixedRate':
      return { kind: 'fixedRate', everyMs: complete.everyMs, ...windowOf(complete.validFrom, complete.validUntil) }
    case 'fixedDelay':
      return { kind: 'fixedDelay', delayMs: complete.delayMs, ...windowOf(complete.validFrom, complete.validUntil) }
    case 'once':
    case 'manual':
      return complete
  }
}

/** What is wrong with a schedule, as problems of fields; empty when it is sound. */
export function checkSchedule(input: ScheduleInput, serverZone: string): FieldProblem[] {
  const compilation = compileSchedule(toSchedule(input, serverZone), { anchorAt: 0 })
  const problems = compilation.ok ? [] : compilation.problems.map(scheduleFieldProblem)
  return input.kind === 'cron' && input.onDayOff !== undefined && calendarIdOf(input) === null ? [...problems, WITHOUT_CALENDAR] : problems
}

export function hasSoundSchedule(input: ScheduleInput): boolean {
  return checkSchedule(input, 'UTC').length === 0
}

const WITHOUT_CALENDAR: FieldProblem = {
  path: 'schedule.calendarId',
  code: 'REQUIRED',
  message: 'onDayOff says what becomes of firings on the days off of a calendar: name one, or leave onDayOff out',
}

/** A schedule from the store, compiled. Throws when it is not sound: it was when it was saved, so the data are broken. */
export function compileStored(schedule: ScheduleInput, anchorAt: number, calendar: BoundCalendar | null): CompiledSchedule {
  const compilation = compileSchedule(toSchedule(schedule, 'UTC'), { anchorAt, ...(calendar === null ? {} : { calendar }) })
  if (compilation.ok) return compilation.compiled
  throw new BrokenData(
    `a stored schedule is not sound: ${JSON.stringify(schedule)}: ${compilation.problems.map((problem) => problem.code).join(', ')}`,
  )
}

/** Thrown when a row cannot be what this program wrote. Hold that series or run and go on. */
export class BrokenData extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BrokenData'
  }
}

/** A problem of core, worded for people who read the answer itself; the console words it from its locales. */
export function scheduleFieldProblem({ path, code, params }: ScheduleProblem): FieldProblem {
  return { path, code, message: problemText({ path, code, params }), params: { ...params } }
}

function problemText({ code, params }: ScheduleProblem): string {
  switch (code) {
    case 'CRON_FIELD_COUNT':
      return `a cron expression has 5, 6 or 7 fields, this one has ${params.count}`
    case 'CRON_TOO_LONG':
      return `the expression has ${params.length} characters, at most ${params.max} are read`
    case 'CRON_BAD_VALUE':
      return `${params.field}: "${params.value}" at character ${params.position} is not understood`
    case 'CRON_OUT_OF_RANGE':
      return `${params.field}: ${params.value} at character ${params.position} is outside ${params.min}–${params.max}`
    case 'CRON_BAD_STEP':
      return `${params.field}: the step ${params.value} at character ${params.position} must be from 1 to ${params.max}`
    case 'CRON_RANGE_REVERSED':
      return `${params.field}: the range ${params.value} at character ${params.position} runs backwards`
    case 'CRON_BOTH_DAYS_RESTRICTED':
      return 'day of month and day of week are both restricted: put ? in one of them'
    case 'CRON_BOTH_DAYS_OPEN':
      return 'day of month and day of week are both ?: put * in one of them'
    case 'CRON_NEVER_FIRES':
      return 'no date matches this expression: it would never fire'
    case 'ZONE_UNKNOWN':
      return `there is no time zone "${params.zone}"; use a name of the IANA database, such as Asia/Shanghai`
    case 'INTERVAL_NOT_INTEGER':
      return `the interval is a whole number of milliseconds, not ${params.value}`
    case 'INTERVAL_TOO_SHORT':
      return `the interval is at least ${params.min} ms, not ${params.value}`
    case 'INTERVAL_TOO_LONG':
      return `the interval is at most ${params.max} ms, not ${params.value}`
    case 'INSTANT_MALFORMED':
      return `"${params.value}" is no instant with a zone, such as 2026-12-01T00:00:00.000Z`
    case 'WINDOW_REVERSED':
      return `validUntil (${params.validUntil}) lies before validFrom (${params.validFrom})`
    case 'WINDOW_WITHOUT_FIRING':
      return 'the schedule has no instant between validFrom and validUntil: it would never fire'
  }
}
