import { AppError, MAX_BACKFILL } from '@tickwheel/contract'
import type { ReadTx } from './database.ts'
import { floorOfInstant } from './ids.ts'
import type { ScheduleSpanRow, SeriesRow, TaskRow } from './schema.ts'
import { seriesSchedule, spansOf, type Span } from './spans.ts'

/** What is younger is left to the schedule's own series, which may be about to fire it. */
export const SETTLED_MS = 2000
/** Ids are given out up to 10 s before they are used. */
const ID_SLACK_MS = 11_000
/** A run of a fixedDelay is made when it is due, or as late as this after it. */
const LATE_MS = 86_400_000

/** An instant that was due; `zone`: of the schedule that was in force then, null: it has none. */
export interface DueInstant {
  readonly dueAt: number
  readonly zone: string | null
}

/**
 * The instants of a series in `[from, to)` that its own cursor has settled, oldest first: those that the schedules name which were in force then. Of a
 * `fixedDelay`, whose instants no schedule names, those for which it has made runs. 422 `BACKFILL_TOO_MANY` beyond 10,000.
 */
export async function dueInstants(
  tx: ReadTx,
  task: TaskRow,
  { from, to, now }: { from: number; to: number; now: number },
): Promise<DueInstant[]> {
  const [series] = await tx.all<SeriesRow>('SELECT * FROM series WHERE id = ?', [task.series_id])
  if (series === undefined) throw new Error(`task ${task.id} has no series ${task.series_id}`)
  const until = Math.min(to, now - SETTLED_MS, series.held === null ? (series.next_due_at ?? Infinity) : Infinity)
  const rows = await tx.all<ScheduleSpanRow>(
    'SELECT * FROM schedule_span WHERE series_id = ? AND from_at < ? AND (to_at IS NULL OR to_at > ?) AND enabled = 1 ORDER BY from_at',
    [series.id, until, from],
  )
  const spans = await spansOf(tx, rows)
  const delayed = spans.some(({ schedule }) => schedule.kind === 'fixedDelay') ? await dueOfRuns(tx, task, { from, until }) : []
  const due: DueInstant[] = []
  for (const span of spans) {
    const bounds = { from: Math.max(from, span.fromAt), until: Math.min(until, span.toAt ?? Infinity) }
    if (span.schedule.kind === 'fixedDelay') due.push(...delayed.filter((at) => at >= bounds.from && at < bounds.until).map(withoutZone))
    else addComputed(due, span, bounds)
    if (due.length > MAX_BACKFILL) throw tooMany()
  }
  return due
}

function addComputed(due: DueInstant[], span: Span, { from, until }: { from: number; until: number }): void {
  const schedule = seriesSchedule([span])
  const zone = span.schedule.kind === 'cron' ? (span.schedule.timezone ?? null) : null
  for (let at = schedule.next(from - 1); at !== null && at < until && due.length <= MAX_BACKFILL; at = schedule.next(at))
    due.push({ dueAt: at, zone })
}

function withoutZone(dueAt: number): DueInstant {
  return { dueAt, zone: null }
}

async function dueOfRuns(tx: ReadTx, task: TaskRow, { from, until }: { from: number; until: number }): Promise<number[]> {
  const own = 'task_id = ? AND series_id = ? AND due_at >= ? AND due_at < ?'
  const params = [task.id, task.series_id, from, until]
  const ended = await tx.all<{ due_at: number }>(
    `SELECT due_at FROM instance WHERE ${own} AND id >= ? AND id < ? LIMIT ${MAX_BACKFILL + 1}`,
    [...params, floorOfInstant(from - ID_SLACK_MS), floorOfInstant(until + LATE_MS)],
  )
  const open = await tx.all<{ due_at: number }>(`SELECT due_at FROM open_instance WHERE ${own} LIMIT ${MAX_BACKFILL + 1}`, params)
  return [...new Set([...ended, ...open].map((row) => row.due_at))].sort((a, b) => a - b)
}

function tooMany(): AppError {
  const message = `more than ${MAX_BACKFILL} firings were due between these instants: choose a shorter time`
  return new AppError('UNPROCESSABLE', message, {
    errors: [{ path: 'to', code: 'BACKFILL_TOO_MANY', message, params: { max: MAX_BACKFILL } }],
  })
}
