import { alarmEventOf, OUTCOME, PHASE, type Condition, type Recovery } from '@tickwheel/core'
import { isTask } from './alarm-book.ts'
import { factsIn } from './alarm-incidents.ts'
import type { ReadTx } from './database.ts'
import type { IncidentRow } from './schema.ts'

/** ended runs of a task that are looked through for a success */
const RUNS_LOOKED_AT = 20
/** An incident about many things, or about none that could succeed, is over when nothing has happened for so long. */
const QUIET_MS = 15 * 60_000
const QUEUE_QUIET_MS = 5 * 60_000
const SLOW_QUIET_MS = 86_400_000
/** What lasts is told of every 20 s. */
const LASTING_QUIET_MS = 60_000

/** Why an incident is over at an instant (epoch ms); null: it is not. */
export async function recoveryOf(
  tx: ReadTx,
  row: IncidentRow,
  { now, conditions }: { readonly now: number; readonly conditions: readonly Condition[] },
): Promise<Recovery | null> {
  const event = alarmEventOf(row.event)
  const silentMs = now - row.last_at
  switch (event) {
    case 'failed':
    case 'timedOut':
    case 'lost':
    case 'failedInARow':
    case 'missed':
    case 'unfinished':
      return isTask(row.target_kind) ? afterSuccess(tx, row) : quiet(silentMs > QUIET_MS)
    case 'failedInWindow':
      return quiet(silentMs > windowOf(conditions))
    case 'late':
      return isTask(row.target_kind) ? afterStart(tx, row) : quiet(silentMs > QUIET_MS)
    case 'slow':
      return isTask(row.target_kind) && (await isDeleted(tx, row.target_id)) ? 'gone' : quiet(silentMs > SLOW_QUIET_MS)
    case 'noExecutor':
    case 'nodeDown':
      return silentMs > LASTING_QUIET_MS ? 'gone' : null
    case 'queueFull':
      return quiet(silentMs > QUEUE_QUIET_MS)
    case 'incomplete':
    case 'undeliverable':
    case null:
      return null
  }
}

function quiet(isQuiet: boolean): Recovery | null {
  return isQuiet ? 'quiet' : null
}

function windowOf(conditions: readonly Condition[]): number {
  return conditions.find((condition) => condition.event === 'failedInWindow')?.windowMs ?? 0
}

async function afterSuccess(tx: ReadTx, row: IncidentRow): Promise<Recovery | null> {
  const runs = await lastEnds(tx, row.target_id, RUNS_LOOKED_AT)
  if (runs.some((run) => run.outcome === OUTCOME.succeeded && isAfter(run, row))) return 'success'
  return (await isDeleted(tx, row.target_id)) ? 'gone' : null
}

function isAfter(run: EndedRun, row: IncidentRow): boolean {
  return run.ended_at > row.last_at || (run.ended_at === row.last_at && run.id > row.last_instance_id)
}

/** A run that was late has started or ended; a due instant that nobody had looked at was settled. */
async function afterStart(tx: ReadTx, row: IncidentRow): Promise<Recovery | null> {
  if (row.last_instance_id > 0) {
    const [open] = await tx.all<{ phase: number }>('SELECT phase FROM open_instance WHERE id = ?', [row.last_instance_id])
    return open === undefined || open.phase === PHASE.running ? 'gone' : null
  }
  const [cursor] = await tx.all<{ next_due_at: number | null }>(
    'SELECT series.next_due_at FROM task JOIN series ON series.id = task.series_id WHERE task.id = ?',
    [row.target_id],
  )
  const dueAt = Number(factsIn(row.facts)['dueAt'] ?? 0)
  return cursor === undefined || cursor.next_due_at === null || cursor.next_due_at > dueAt ? 'gone' : null
}

async function isDeleted(tx: ReadTx, taskId: number): Promise<boolean> {
  const [task] = await tx.all<{ deleted_at: number | null }>('SELECT deleted_at FROM task WHERE id = ?', [taskId])
  return task === undefined || task.deleted_at !== null
}

export interface EndedRun {
  readonly id: number
  readonly outcome: number
  readonly ended_at: number
  readonly error: string | null
}

/** The last runs of a task or workflow that have ended by themselves, newest first: no shards, none that was canceled or gave way. */
export async function lastEnds(tx: ReadTx, taskId: number, limit: number): Promise<EndedRun[]> {
  return tx.all<EndedRun>(
    `SELECT id, outcome, ended_at, error FROM instance
     WHERE task_id = ? AND parent_id IS NULL AND outcome IN (1, 2, 3, 5) AND (workflow_run_id IS NULL OR workflow_id <> task_id)
     ORDER BY id DESC LIMIT ?`,
    [taskId, limit],
  )
}
