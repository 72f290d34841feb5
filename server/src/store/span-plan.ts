import type { ScheduleInput } from '@tickwheel/contract'
import { compileStored } from './schedules.ts'
import type { SpanCalendar } from './span-calendar.ts'
import { seriesSchedule, type Span } from './spans.ts'

/**
 * What an edit, a start, a stop or a deletion does to a series. Pure.
 *
 * The new span begins at `fromAt = max(now, lastDueAt + 1)`, after everything that is settled and after the begin of the span before it.
 * - Edit while an instant before `fromAt` is still unfired: the cursor stays on it, with the version of its own span; the firer goes on into the new
 *   span from there (`seriesSchedule` joins them).
 * - Stop or deletion: those instants become one skip, "stopped first", and the cursor moves behind them.
 */
export interface SpanPlanInput {
  readonly now: number
  readonly cursor: Cursor
  /** spans that end after `cursor.lastDueAt`, oldest first */
  readonly open: readonly Span[]
  /** the newest span, ended or not */
  readonly last: Span | null
}

export interface Cursor {
  readonly nextDueAt: number | null
  readonly lastDueAt: number
  readonly taskVersion: number
  readonly awaitsId: number | null
}

/** What is in force from now on. */
export interface SpanWish {
  readonly schedule: ScheduleInput
  readonly taskVersion: number
  readonly calendar: SpanCalendar | null
}

export interface StoppedSkip {
  readonly fromAt: number
  readonly toAt: number
  readonly prevDueAt: number
  /** null: too many to count now */
  readonly count: number | null
}

export interface StopPlan {
  readonly fromAt: number
  readonly cursor: Cursor
  readonly skip: StoppedSkip | null
}

export interface RunPlan {
  readonly fromAt: number
  readonly anchorAt: number
  readonly cursor: Cursor
}

const MAX_COUNTED = 10_000

/** The series is due by `wish` from now on. */
export function planRun(input: SpanPlanInput, wish: SpanWish): RunPlan {
  const fromAt = beginOf(input)
  const { cursor, last } = input
  const kept = keptDelay(input, wish, fromAt)
  const anchorAt = kept !== null || isSameRate(last, wish.schedule) ? (last?.anchorAt ?? fromAt) : fromAt
  const awaitsId = wish.schedule.kind === 'fixedDelay' ? cursor.awaitsId : null
  if (isOverdue(input, fromAt)) return { fromAt, anchorAt, cursor: { ...cursor, awaitsId } }
  const nextDueAt = awaitsId !== null ? null : (kept ?? firstDue(wish, anchorAt, fromAt))
  return { fromAt, anchorAt, cursor: { nextDueAt, lastDueAt: cursor.lastDueAt, taskVersion: wish.taskVersion, awaitsId } }
}

/** The series is not due any more. A run that it awaits is still awaited, so that a later start knows of it. */
export function planStop(input: SpanPlanInput, taskVersion: number): StopPlan {
  const fromAt = beginOf(input)
  const skip = isOverdue(input, fromAt) ? skipOf(input, fromAt) : null
  const { lastDueAt, awaitsId } = input.cursor
  return { fromAt, skip, cursor: { nextDueAt: null, lastDueAt: skip?.toAt ?? lastDueAt, taskVersion, awaitsId } }
}

/** The anchor of a stopped span: a rate keeps its grid through a pause. */
export function stoppedAnchor(last: Span | null, schedule: ScheduleInput, fromAt: number): number {
  return isSameRate(last, schedule) ? (last?.anchorAt ?? fromAt) : fromAt
}

function beginOf({ now, cursor, last }: SpanPlanInput): number {
  return Math.max(now, cursor.lastDueAt + 1, (last?.fromAt ?? -1) + 1)
}

function isOverdue({ cursor }: SpanPlanInput, fromAt: number): boolean {
  return cursor.nextDueAt !== null && cursor.nextDueAt < fromAt
}

/** The first instant of a schedule at or after the begin of its span. */
export function firstDue({ schedule, calendar }: Pick<SpanWish, 'schedule' | 'calendar'>, anchorAt: number, fromAt: number): number | null {
  const compiled = compileStored(schedule, anchorAt, calendar)
  return schedule.kind === 'fixedDelay' ? compiled.nextAfterEnd(fromAt) : compiled.next(fromAt - 1)
}

export function isSameRate(last: Span | null, schedule: ScheduleInput): boolean {
  return last?.schedule.kind === 'fixedRate' && schedule.kind === 'fixedRate' && last.schedule.everyMs === schedule.everyMs
}

/** A delay that is already running goes on when the edit left the schedule as it was; by other rules of its calendar it may have to wait longer. */
function keptDelay({ cursor, last }: SpanPlanInput, wish: SpanWish, fromAt: number): number | null {
  if (cursor.nextDueAt === null || cursor.nextDueAt < fromAt || last === null || !last.isEnabled) return null
  const { schedule, calendar } = wish
  if (schedule.kind !== 'fixedDelay' || JSON.stringify(last.schedule) !== JSON.stringify(schedule)) return null
  if (calendar?.version === last.calendar?.version) return cursor.nextDueAt
  return compileStored(schedule, last.anchorAt, calendar).nextAfterEnd(cursor.nextDueAt - schedule.delayMs)
}

function skipOf({ cursor, open }: SpanPlanInput, fromAt: number): StoppedSkip {
  const first = cursor.nextDueAt ?? fromAt
  const schedule = seriesSchedule(open)
  const toAt = Math.max(first, schedule.previous(fromAt) ?? first)
  const later = toAt === first ? 0 : schedule.countBetween(first + 1, toAt, MAX_COUNTED)
  return { fromAt: first, toAt, prevDueAt: cursor.lastDueAt, count: later < MAX_COUNTED ? later + 1 : null }
}
