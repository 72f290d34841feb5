import type { ScheduleInput } from '@tickwheel/contract'
import { REASON, slotOf } from '@tickwheel/core'
import { query, type Tx } from './database.ts'
import type { SeriesRow, TaskRow } from './schema.ts'
import { firstDue, planRun, planStop, stoppedAnchor, type Cursor, type SpanPlanInput, type StoppedSkip } from './span-plan.ts'
import type { SpanCalendar } from './span-calendar.ts'
import { lastSpan, spansSince } from './spans.ts'

/** `series.kind` of the schedule of a task or a workflow. */
export const TASK_SERIES = 1

/** A row and its series, both locked. */
export interface LockedSeries {
  readonly row: TaskRow
  readonly series: SeriesRow
}

export interface SpanChange {
  readonly schedule: ScheduleInput
  readonly isEnabled: boolean
  readonly taskVersion: number
  readonly calendar: SpanCalendar | null
}

/** Ends the span in force, begins the next, and says where the cursor stands. */
export async function moveSpan(
  tx: Tx,
  thing: LockedSeries,
  { schedule, isEnabled, taskVersion, calendar }: SpanChange,
  now: number,
): Promise<Cursor> {
  const seriesId = thing.series.id
  const input = await released(tx, thing, await planInput(tx, thing.series, now))
  if (isEnabled) {
    const plan = planRun(input, { schedule, taskVersion, calendar })
    await closeSpan(tx, seriesId, plan.fromAt)
    await insertSpan(tx, { seriesId, fromAt: plan.fromAt, taskVersion, isEnabled, schedule, anchorAt: plan.anchorAt, calendar })
    return plan.cursor
  }
  const plan = planStop(input, taskVersion)
  await closeSpan(tx, seriesId, plan.fromAt)
  await insertSpan(tx, {
    seriesId,
    fromAt: plan.fromAt,
    taskVersion,
    isEnabled,
    schedule,
    anchorAt: stoppedAnchor(input.last, schedule, plan.fromAt),
    calendar,
  })
  await insertStoppedSkip(tx, seriesId, plan.skip, now)
  return plan.cursor
}

/**
 * As `moveSpan` with `writeSeries`, where nobody has decided anything: only the rules of its calendar are others now. A series that is held stays held, and its
 * cursor stands where it stood.
 */
export async function carrySpan(tx: Tx, thing: LockedSeries, change: SpanChange, now: number): Promise<SeriesRow> {
  const { row, series } = thing
  if (series.held === null) return writeSeries(tx, series, { ...(await moveSpan(tx, thing, change, now)), group_id: row.group_id })
  const plan = planRun(await planInput(tx, series, now), change)
  await closeSpan(tx, series.id, plan.fromAt)
  await insertSpan(tx, { ...change, seriesId: series.id, fromAt: plan.fromAt, anchorAt: plan.anchorAt })
  return series
}

/** Ends the span in force because its owner is deleted, and says where the cursor stands: nothing is due any more. */
export async function endSpans(tx: Tx, { row, series }: LockedSeries, now: number): Promise<Cursor> {
  const plan = planStop(await planInput(tx, series, now), row.version)
  await closeSpan(tx, series.id, plan.fromAt)
  await insertStoppedSkip(tx, series.id, plan.skip, now)
  return plan.cursor
}

/**
 * A person has decided about a series that was held because its data was wrong: what it could not fire is one skip, "stopped first", and it goes on from
 * now (`writeSeries` takes the hold away).
 */
async function released(tx: Tx, { row, series }: LockedSeries, input: SpanPlanInput): Promise<SpanPlanInput> {
  if (series.held === null) return input
  const { cursor, skip } = planStop(input, row.version)
  await insertStoppedSkip(tx, series.id, skip, input.now)
  return { ...input, cursor }
}

async function planInput(tx: Tx, series: SeriesRow, now: number): Promise<SpanPlanInput> {
  return {
    now,
    cursor: { nextDueAt: series.next_due_at, lastDueAt: series.last_due_at, taskVersion: series.task_version, awaitsId: series.awaits_id },
    open: await spansSince(tx, series.id, series.last_due_at),
    last: await lastSpan(tx, series.id),
  }
}

async function closeSpan(tx: Tx, seriesId: number, toAt: number): Promise<void> {
  await tx.execute(query.updateTable('schedule_span').set({ to_at: toAt }).where('series_id', '=', seriesId).where('to_at', 'is', null))
}

export async function insertSpan(
  tx: Tx,
  span: SpanChange & { readonly seriesId: number; readonly fromAt: number; readonly anchorAt: number },
): Promise<void> {
  await tx.insert('schedule_span', [
    {
      series_id: span.seriesId,
      from_at: span.fromAt,
      to_at: null,
      task_version: span.taskVersion,
      enabled: span.isEnabled ? 1 : 0,
      schedule: JSON.stringify(span.schedule),
      anchor_at: span.anchorAt,
      calendar_id: span.calendar?.id ?? null,
      calendar_version: span.calendar?.version ?? null,
      calendar_zone: span.calendar?.zone ?? null,
    },
  ])
}

async function insertStoppedSkip(tx: Tx, seriesId: number, skip: StoppedSkip | null, now: number): Promise<void> {
  if (skip === null) return
  await tx.insertNew('skip', [
    {
      series_id: seriesId,
      from_at: skip.fromAt,
      to_at: skip.toAt,
      prev_due_at: skip.prevDueAt,
      count: skip.count,
      reason: REASON.stoppedFirst,
      facts: '{}',
      instance_id: null,
      decided_at: now,
    },
  ])
}

/** The series of what is made now. It begins one millisecond before it exists (`last_due_at`), so that the chain of the ledger has a beginning. */
export function newSeries(of: {
  taskId: number
  seriesId: number
  groupId: number
  schedule: ScheduleInput
  calendar: SpanCalendar | null
  isEnabled: boolean
  now: number
}): SeriesRow {
  const { taskId, now } = of
  return {
    id: of.seriesId,
    kind: TASK_SERIES,
    owner_id: taskId,
    group_id: of.groupId,
    slot: slotOf('task', taskId),
    last_due_at: now - 1,
    task_version: 1,
    revision: 1,
    awaits_id: null,
    held: null,
    next_due_at: of.isEnabled ? firstDue(of, now, now) : null,
  }
}

export async function writeSeries(tx: Tx, series: SeriesRow, to: Cursor & { group_id: number }): Promise<SeriesRow> {
  const next: SeriesRow = {
    ...series,
    group_id: to.group_id,
    next_due_at: to.nextDueAt,
    last_due_at: to.lastDueAt,
    task_version: to.taskVersion,
    awaits_id: to.awaitsId,
    revision: series.revision + 1,
    held: null,
  }
  const { id, group_id, next_due_at, last_due_at, task_version, awaits_id, revision, held } = next
  await tx.execute(
    query.updateTable('series').set({ group_id, next_due_at, last_due_at, task_version, awaits_id, revision, held }).where('id', '=', id),
  )
  return next
}
