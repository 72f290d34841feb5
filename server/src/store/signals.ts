import type { Database, ReadTx, Tx } from './database.ts'
import { inSlots } from './in-slots.ts'
import { listOfNumbers, type SqlList } from './list.ts'
import { lockRows } from './lock.ts'
import { applyBackfillEnds, lockBackfills } from './backfill-runs.ts'
import { lockOpen } from './open-runs.ts'
import type { RunChange } from './report.ts'
import type { SeriesRow, SignalRow } from './schema.ts'
import { applyShardEnds } from './shards.ts'
import { lastSpan, seriesSchedule, type Span } from './spans.ts'
import { pauseAfterFailures } from './tasks.ts'

/** Signals of the given slots, oldest first, but for those of steps, which the conductor applies. */
export async function pendingSignals(db: Database, slots: ReadonlySet<number>, limit: number): Promise<SignalRow[]> {
  if (slots.size === 0) return []
  const here = inSlots(slots)
  return db.read((tx) => readSignals(tx, here, { steps: false, limit }))
}

/** Signals of some slots (`here`, by `inSlots`), oldest first: those of steps (`steps`), or all others. */
export async function readSignals(tx: ReadTx, here: SqlList, { steps, limit }: { steps: boolean; limit: number }): Promise<SignalRow[]> {
  return tx.all<SignalRow>(`SELECT * FROM \`signal\` WHERE kind ${steps ? '=' : '<>'} 5${here.sql} ORDER BY id LIMIT ?`, [
    ...here.params,
    limit,
  ])
}

/** Removes signals of what is not there any more. */
export async function dropSignals(db: Database, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  const list = listOfNumbers(ids)
  await db.write('rest', (tx) => tx.run(`DELETE FROM \`signal\` WHERE id IN ${list.sql}`, list.params))
}

export interface Advanced {
  /** series whose cursor was set */
  readonly seriesIds: readonly number[]
  /** tasks that were switched off */
  readonly tasks: readonly { readonly taskId: number; readonly groupId: number }[]
  /** parents of which shards have ended */
  readonly changes: readonly RunChange[]
  /** whether runs of backfills have ended, so that there is room for more */
  readonly hasBackfilled: boolean
}

export interface AdvanceRequest {
  readonly signals: readonly SignalRow[]
  readonly at: number
  /** as many run ids in a row as there are signals */
  readonly firstId: number
}

/**
 * Applies what ended runs left for others, at cluster time `at`. Two consumers at once are harmless: the row of the target orders them, and the deleted signals count once.
 * Signals that are gone already were applied by another; then nothing is done.
 */
export async function advance(db: Database, request: AdvanceRequest): Promise<Advanced> {
  for (;;) {
    const advanced = await advanceOnce(db, request).catch(nullWhenOvertaken)
    if (advanced !== null) return advanced
  }
}

/** Another consumer has applied some of the signals meanwhile: what was done is rolled back, and read again. */
class Overtaken extends Error {}

function nullWhenOvertaken(error: unknown): null {
  if (error instanceof Overtaken) return null
  throw error
}

async function advanceOnce(db: Database, { signals, at, firstId }: AdvanceRequest): Promise<Advanced> {
  return db.write('rest', async (tx) => {
    const list = listOfNumbers(signals.map((signal) => signal.id))
    const failed = signals.flatMap((signal) => failedTaskOf(signal) ?? [])
    await lockRows(tx, 'task', [...targetsOf(signals, 2), ...failed], 'update')
    await lockRows(tx, 'series', [...targetsOf(signals, 1), ...(await seriesOfTasks(tx, failed))], 'update')
    const backfills = await lockBackfills(tx, targetsOf(signals, 6))
    const parents = await lockOpen(tx, [...new Set(targetsOf(signals, 4))], 'update')
    const here = await tx.all<SignalRow>(`SELECT * FROM \`signal\` WHERE id IN ${list.sql} ORDER BY id`, list.params)
    const seriesIds: number[] = []
    const tasks: { taskId: number; groupId: number }[] = []
    for (const signal of here) {
      if (signal.kind === 1 && (await setDelay(tx, signal))) seriesIds.push(signal.target_id)
      if (signal.kind === 2) tasks.push(...(await switchOff(tx, signal)))
    }
    // after every end of this batch has set its delay: what a stop takes away is not set again
    for (const signal of here) {
      const taskId = failedTaskOf(signal)
      if (taskId === null) continue
      const paused = await pauseAfterFailures(tx, { taskId, instanceId: signal.instance_id }, { now: at, auditId: signal.id })
      if (paused === null) continue
      tasks.push({ taskId, groupId: paused.groupId })
      seriesIds.push(paused.seriesId)
    }
    if ((await tx.run(`DELETE FROM \`signal\` WHERE id IN ${list.sql}`, list.params)) !== here.length) throw new Overtaken()
    const backfilled = here.filter((signal) => signal.kind === 6)
    await applyBackfillEnds(tx, { backfills, signals: backfilled, at })
    const ends = here.filter((signal) => signal.kind === 4)
    const changes = parents.length === 0 ? [] : await applyShardEnds(tx, { parents, signals: ends, at, firstId })
    return { seriesIds, tasks, changes, hasBackfilled: backfilled.length > 0 }
  })
}

function targetsOf(signals: readonly SignalRow[], kind: number): number[] {
  return signals.filter((signal) => signal.kind === kind).map((signal) => signal.target_id)
}

/** The task of which a failed run is to be counted. */
function failedTaskOf({ kind, target_id: targetId, facts }: SignalRow): number | null {
  if (kind === 3) return targetId
  return kind === 1 ? ((JSON.parse(facts) as { failedTask?: number }).failedTask ?? null) : null
}

async function seriesOfTasks(tx: Tx, taskIds: readonly number[]): Promise<number[]> {
  if (taskIds.length === 0) return []
  const list = listOfNumbers(taskIds)
  const rows = await tx.all<{ series_id: number }>(`SELECT series_id FROM task WHERE id IN ${list.sql}`, list.params)
  return rows.map((row) => row.series_id)
}

/** fixedDelay: the end of the run that the series awaits sets its next instant. */
async function setDelay(tx: Tx, signal: SignalRow): Promise<boolean> {
  const [row] = await tx.all<SeriesRow>('SELECT * FROM series WHERE id = ?', [signal.target_id])
  // a cursor that stands on an instant is moved by its outcome alone
  if (row === undefined || row.awaits_id !== signal.instance_id || row.next_due_at !== null) return false
  const { endedAt } = JSON.parse(signal.facts) as { endedAt: number }
  const span = await lastSpan(tx, row.id)
  const next = span === null ? null : delayAfter(span, endedAt)
  const nextDueAt = next === null ? null : Math.max(next, row.last_due_at + 1)
  await tx.run('UPDATE series SET next_due_at = ?, awaits_id = NULL, revision = revision + 1 WHERE id = ?', [nextDueAt, row.id])
  return true
}

/** Not before the span began: what lies before it is for the calendar that was in force then. */
function delayAfter(span: Span, endedAt: number): number | null {
  const schedule = seriesSchedule([span])
  const next = schedule.nextAfterEnd(endedAt)
  if (next === null || next >= span.fromAt || span.schedule.kind !== 'fixedDelay') return next
  return schedule.nextAfterEnd(span.fromAt - span.schedule.delayMs)
}

/** A `once` has fired: the task is switched off, unless somebody has edited it since. */
async function switchOff(tx: Tx, signal: SignalRow): Promise<{ taskId: number; groupId: number }[]> {
  const { taskVersion } = JSON.parse(signal.facts) as { taskVersion: number }
  const matched = await tx.run('UPDATE task SET enabled = 0 WHERE id = ? AND version = ? AND deleted_at IS NULL', [
    signal.target_id,
    taskVersion,
  ])
  if (matched === 0) return []
  const [row] = await tx.all<{ group_id: number }>('SELECT group_id FROM task WHERE id = ?', [signal.target_id])
  return row === undefined ? [] : [{ taskId: signal.target_id, groupId: row.group_id }]
}
