import { AppError } from '@tickwheel/contract'
import { outcomeOfCode, PHASE, type Scope } from '@tickwheel/core'
import type { ReadTx, Tx } from './database.ts'
import { lockOpen } from './open-runs.ts'
import type { InstanceRow, OpenInstanceRow } from './schema.ts'
import { isVisible } from './scope.ts'
import { definitionOf } from './tasks.ts'
import { isFlow, type FlowDefinition } from './workflow-state.ts'

/** 404 `WORKFLOW_VERSION_NOT_FOUND` where there is none, or it cannot be read. */
export async function workflowVersion(tx: ReadTx, workflowId: number, version: number): Promise<FlowDefinition> {
  const definition = await definitionOf(tx, workflowId, version)
  if (isFlow(definition)) return definition
  throw new AppError('WORKFLOW_VERSION_NOT_FOUND', `Workflow ${workflowId} has no version ${version}.`, { params: { version } })
}

/** The row of a run of a workflow that has not ended, locked. 404 `WORKFLOW_RUN_NOT_FOUND`, 409 `INSTANCE_ENDED`. */
export async function lockFlowRun(tx: Tx, runId: number, scope: Scope): Promise<OpenInstanceRow> {
  const found = await lockedOrEnded(tx, runId, scope)
  if (found.row !== null) return found.row
  throw runEnded(found.ended)
}

/** A run of a workflow: the open row, locked, or the final one. 404 `WORKFLOW_RUN_NOT_FOUND`. */
export async function lockedOrEnded(
  tx: Tx,
  runId: number,
  scope: Scope,
): Promise<{ readonly row: OpenInstanceRow } | { readonly row: null; readonly ended: InstanceRow }> {
  const [row] = await lockOpen(tx, [runId], 'update')
  if (row !== undefined && row.runs_workflow === 1 && isVisible(scope, row.group_id)) return { row }
  return { row: null, ended: await endedFlowRun(tx, runId, scope) }
}

export function runEnded({ id, outcome }: Pick<InstanceRow, 'id' | 'outcome'>): AppError {
  const state = outcomeOfCode(outcome)
  return new AppError('INSTANCE_ENDED', `Run ${id} has ended already: ${state}.`, { params: { state } })
}

/** The row of a run of a workflow that has ended. 404 `WORKFLOW_RUN_NOT_FOUND`, 409 `INSTANCE_NOT_ENDED`. */
export async function endedFlowRun(tx: ReadTx, runId: number, scope: Scope): Promise<InstanceRow> {
  const [ended] = await tx.all<InstanceRow>('SELECT * FROM instance WHERE id = ? AND runs_workflow = 1', [runId])
  if (ended !== undefined && isVisible(scope, ended.group_id)) return ended
  const [open] = await tx.all<OpenInstanceRow>('SELECT * FROM open_instance WHERE id = ? AND runs_workflow = 1', [runId])
  if (open === undefined || !isVisible(scope, open.group_id))
    throw new AppError('WORKFLOW_RUN_NOT_FOUND', `There is no run ${runId} of a workflow.`, { params: { id: runId } })
  throw new AppError('INSTANCE_NOT_ENDED', `Run ${runId} has not ended yet: cancel it first, or wait for its end.`, {
    params: { id: runId },
  })
}

/** Whether a run of a workflow has begun: from then on the conductor looks at it when `rank_at` has come. */
export function hasBegun(row: OpenInstanceRow): boolean {
  return row.phase === PHASE.running
}
