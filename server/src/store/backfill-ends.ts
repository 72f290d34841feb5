import { BACKFILL_STAGE } from './backfill-rows.ts'
import type { Tx } from './database.ts'

/** A task is deleted, or stopped with its runs: its backfills make no more. The caller cancels the runs that are open. */
export async function endBackfillsOf(tx: Tx, taskId: number, now: number): Promise<void> {
  await tx.run('UPDATE backfill SET stage = ?, ended_at = ? WHERE task_id = ? AND stage = ?', [
    BACKFILL_STAGE.canceled,
    now,
    taskId,
    BACKFILL_STAGE.running,
  ])
}
