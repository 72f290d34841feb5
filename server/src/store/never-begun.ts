import { PHASE } from '@tickwheel/core'
import type { Tx } from './database.ts'
import type { OpenInstanceRow } from './schema.ts'

/** In place of a business date: the run has ended before it began. Whoever shows it computes the date. */
export const NO_DATE = ''

/**
 * Keeps beside a run of a workflow that ends before it began (canceled in the queue, skipped, refused for its params) what stands beside the others: lists
 * of runs are read from there.
 */
export async function keepNeverBegun(tx: Tx, rows: readonly OpenInstanceRow[]): Promise<void> {
  const neverBegun = rows.filter((row) => row.runs_workflow === 1 && row.phase !== PHASE.running)
  if (neverBegun.length === 0) return
  // one that was paused in the queue has it already
  await tx.insertNew(
    'workflow_run',
    neverBegun.map((row) => ({
      run_id: row.id,
      workflow_id: row.task_id,
      version: row.task_version,
      run_date: NO_DATE,
      depth: 0,
      paused_at: null,
      paused_by: null,
    })),
  )
}
