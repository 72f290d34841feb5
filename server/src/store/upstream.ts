import { CAUSE, OUTCOME } from '@tickwheel/core'
import type { ReadTx } from './database.ts'
import { readSchedule } from './definition.ts'
import { runDate } from './run-date.ts'
import type { InstanceRow, TaskRow } from './schema.ts'

/** How many of the newest runs are looked through: an older success does not count. */
const LOOKED_AT = 500

/** Whether a task or a workflow has succeeded for a business date (YYYY-MM-DD), among its last 500 runs. */
export async function hasSucceeded(
  tx: ReadTx,
  { kind, id, date, serverZone }: { kind: 'task' | 'workflow'; id: number; date: string; serverZone: string },
): Promise<boolean> {
  return kind === 'workflow' ? flowSucceeded(tx, id, date) : taskSucceeded(tx, { id, date, serverZone })
}

async function flowSucceeded(tx: ReadTx, id: number, date: string): Promise<boolean> {
  const rows = await tx.all<{ run_id: number }>(
    `SELECT r.run_id FROM (SELECT run_id, run_date FROM workflow_run WHERE workflow_id = ? ORDER BY run_id DESC LIMIT ${LOOKED_AT}) r JOIN instance i ON i.id = r.run_id WHERE r.run_date = ? AND i.outcome = ${OUTCOME.succeeded} LIMIT 1`,
    [id, date],
  )
  return rows.length > 0
}

async function taskSucceeded(tx: ReadTx, { id, date, serverZone }: { id: number; date: string; serverZone: string }): Promise<boolean> {
  const [task] = await tx.all<Pick<TaskRow, 'schedule'>>('SELECT schedule FROM task WHERE id = ?', [id])
  if (task === undefined) return false
  const schedule = readSchedule(task.schedule)
  const rows = await tx.all<Pick<InstanceRow, 'due_at' | 'created_at' | 'outcome' | 'cause'>>(
    `SELECT due_at, created_at, outcome, cause FROM instance WHERE task_id = ? ORDER BY id DESC LIMIT ${LOOKED_AT}`,
    [id],
  )
  return rows.some((row) => row.outcome === OUTCOME.succeeded && row.cause !== CAUSE.shard && runDate(row, schedule, serverZone) === date)
}
