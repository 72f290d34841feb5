import { addShards, appendTrace, CAUSE, outcomeOfCode, PHASE, queueRankAt } from '@tickwheel/core'
import { BACKFILL_STAGE, endedOf, PLAN_PART, readPlanPart } from './backfill-rows.ts'
import type { Database, Tx } from './database.ts'
import { inSlots } from './in-slots.ts'
import { listOfNumbers } from './list.ts'
import { lockRows } from './lock.ts'
import { FLOW_LANE, NO_SHARDS, NOT_SENT, NO_WORKFLOW, ON_END_BACKFILL } from './run-writes.ts'
import type { BackfillRow, OpenInstanceRow, SignalRow, TaskRow } from './schema.ts'
import { heldSlots, type Fences } from './slots.ts'
import { definitionOf } from './tasks.ts'
import type { RunDefinition } from './workflow-definition.ts'

/** How many runs one transaction makes, at most: one part of a plan. */
export const BACKFILLED_AT_ONCE = PLAN_PART

/** Backfills of the given slots that are not at their end, oldest first: running, or with runs that are to be canceled. At most `limit`. */
export async function activeBackfills(db: Database, slots: ReadonlySet<number>, limit: number): Promise<BackfillRow[]> {
  if (slots.size === 0) return []
  const here = inSlots(slots)
  return db.read((tx) =>
    tx.all<BackfillRow>(
      `SELECT * FROM backfill WHERE stage IN (${BACKFILL_STAGE.running}, ${BACKFILL_STAGE.canceling})${here.sql} ORDER BY id LIMIT ?`,
      [...here.params, limit],
    ),
  )
}

/** How many more runs a backfill may have at once, as far as a row tells. */
export function roomOf({ concurrency, open_runs: open, made, total }: BackfillRow): number {
  return Math.max(0, Math.min(concurrency - open, total - made, BACKFILLED_AT_ONCE))
}

/**
 * Makes the next runs of a backfill, as many as it may have at once, and moves its cursor in the same commit: each of its instants gets one run. A task that
 * does not let its runs be beside each other gets one at a time. `firstId`: as many run ids in a row as `roomOf` gives. Empty: until one of its runs has ended,
 * it has no room. Null: it has moved on, or its slot is another node's.
 */
export async function makeBackfillRuns(
  db: Database,
  { backfill, at, fences, firstId }: { backfill: BackfillRow; at: number; fences: Fences; firstId: number },
): Promise<OpenInstanceRow[] | null> {
  return db.write('fire', async (tx) => {
    const held = await heldSlots(tx, fences)
    await lockRows(tx, 'task', [backfill.task_id], 'share')
    const [row] = await tx.all<BackfillRow>(`SELECT * FROM backfill WHERE id = ?${tx.locks.update}`, [backfill.id])
    if (row === undefined || row.stage !== BACKFILL_STAGE.running || row.made !== backfill.made || !held.has(row.slot)) return null
    const task = await livingTask(tx, row)
    const definition = await definitionOf(tx, task.id, task.version)
    if (definition === null) throw new Error(`version ${task.version} of task ${task.id} is missing in the store`)
    const most = definition.overlap.policy === 'parallel' ? roomOf(backfill) : 1 - row.open_runs
    const from = row.made % PLAN_PART
    const due = (await readPlanPart(tx, row.id, row.made)).slice(from, from + Math.max(0, Math.min(most, roomOf(row))))
    if (due.length === 0) return []
    const runs = due.map((dueAt, offset) => newRun({ row, task, definition, dueAt, place: row.made + offset, id: firstId + offset, at }))
    await tx.insert('open_instance', runs)
    await tx.insert(
      'backfill_run',
      runs.map((run, offset) => ({ task_id: task.id, due_at: due[offset] ?? 0, backfill_id: row.id, instance_id: run.id })),
    )
    await tx.run('UPDATE backfill SET made = ?, open_runs = ? WHERE id = ?', [row.made + runs.length, row.open_runs + runs.length, row.id])
    return runs
  })
}

/** A deletion ends the backfills of its task in its own transaction, and waits for this one. */
async function livingTask(tx: Tx, { id, task_id: taskId }: BackfillRow): Promise<TaskRow> {
  const [task] = await tx.all<TaskRow>('SELECT * FROM task WHERE id = ? AND deleted_at IS NULL', [taskId])
  if (task !== undefined) return task
  throw new Error(`backfill ${id} is running, and there is no task ${taskId}`)
}

interface NewRun {
  readonly row: BackfillRow
  readonly task: TaskRow
  readonly definition: RunDefinition
  readonly dueAt: number
  readonly place: number
  readonly id: number
  readonly at: number
}

/** Its failures do not count towards `pauseAfterFailures`: they say nothing of what the schedule does. */
function newRun({ row, task, definition, dueAt, place, id, at }: NewRun): OpenInstanceRow {
  const isFlow = definition.flow !== undefined
  return {
    id,
    slot: row.slot,
    group_id: task.group_id,
    task_id: task.id,
    task_version: task.version,
    cause: CAUSE.backfill,
    actor: row.actor,
    series_id: row.id,
    due_at: dueAt,
    created_at: at,
    priority: definition.priority,
    retry_of: null,
    queued_at: at,
    trace: appendTrace('[]', at, [{ reason: 'backfilled', at, facts: { backfill: row.id, place: place + 1, total: row.total } }]),
    phase: PHASE.queued,
    lane: isFlow ? FLOW_LANE : task.group_id,
    rank_at: queueRankAt(at, definition.priority),
    on_end: ON_END_BACKFILL,
    ...NOT_SENT,
    ...NO_SHARDS,
    ...NO_WORKFLOW,
    runs_workflow: isFlow ? 1 : null,
  }
}

/** Locks the backfills of which runs have ended; those that are not kept any more are left out. */
export async function lockBackfills(tx: Tx, ids: readonly number[]): Promise<BackfillRow[]> {
  if (ids.length === 0) return []
  const list = listOfNumbers([...new Set(ids)].sort((a, b) => a - b))
  return tx.all<BackfillRow>(`SELECT * FROM backfill WHERE id IN ${list.sql} ORDER BY id${tx.locks.update}`, list.params)
}

/** What the ends of runs make of their backfills, whose rows this transaction has locked: with the last end it is done. */
export async function applyBackfillEnds(
  tx: Tx,
  { backfills, signals, at }: { backfills: readonly BackfillRow[]; signals: readonly SignalRow[]; at: number },
): Promise<void> {
  const byBackfill = Map.groupBy(signals, (signal) => signal.target_id)
  await tx.runMany(
    'UPDATE backfill SET open_runs = ?, ended = ?, stage = ?, ended_at = ? WHERE id = ?',
    backfills.map((row) => {
      const ends = byBackfill.get(row.id) ?? []
      const open = row.open_runs - ends.length
      const isDone = row.stage === BACKFILL_STAGE.running && open === 0 && row.made === row.total
      const ended = addShards(
        endedOf(row),
        ends.map((signal) => outcomeOfCode(signal.outcome)),
      )
      return [open, JSON.stringify(ended), isDone ? BACKFILL_STAGE.done : row.stage, isDone ? at : row.ended_at, row.id]
    }),
  )
}

/** Runs of a backfill that have not ended and that nobody has asked to cancel; at most `limit`. */
export async function backfilledToCancel(db: Database, { id, task_id: taskId }: BackfillRow, limit: number): Promise<number[]> {
  const rows = await db.read((tx) =>
    tx.all<{ id: number }>('SELECT id FROM open_instance WHERE task_id = ? AND series_id = ? AND cancel_at IS NULL ORDER BY id LIMIT ?', [
      taskId,
      id,
      limit,
    ]),
  )
  return rows.map((row) => row.id)
}

/** Every run of a canceled backfill was asked to end. */
export async function endCanceling(db: Database, backfillId: number): Promise<void> {
  await db.write('rest', (tx) =>
    tx.run('UPDATE backfill SET stage = ? WHERE id = ? AND stage = ?', [BACKFILL_STAGE.canceled, backfillId, BACKFILL_STAGE.canceling]),
  )
}
