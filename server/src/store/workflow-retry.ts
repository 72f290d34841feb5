import { AppError } from '@tickwheel/contract'
import { CAUSE, planRetry, STEP_STATE, type Graph, type RetryProblem } from '@tickwheel/core'
import { writeAudit } from './audit.ts'
import { actorText } from './caller.ts'
import type { Database, Tx } from './database.ts'
import { againWhenTaken, lockRows } from './lock.ts'
import { FLOW_LANE, PARAMS_PAYLOAD } from './run-writes.ts'
import { livingRow, WORKFLOW } from './scheduled-kind.ts'
import type { InstanceRow, OpenInstanceRow, PayloadRow, StepRunRow, WorkflowRunRow } from './schema.ts'
import type { StepFacts } from './step-facts.ts'
import { outputText } from './step-output.ts'
import { answered, mustFit, newRun, remember, type RetryRequest, type Triggered } from './trigger.ts'
import { endedFlowRun, workflowVersion } from './visible-workflow.ts'
import { besideOf } from './workflow-begin.ts'
import { numberOf, recordsOf, type FlowDefinition } from './workflow-state.ts'

export interface StepDone {
  readonly step: string
  readonly output?: unknown
  readonly reason: string
}

export interface WorkflowRetryRequest extends Omit<RetryRequest, 'instanceId'> {
  /** the run that has ended */
  readonly oldRunId: number
  /** these steps and all that is behind them; null: what failed, was canceled or blocked */
  readonly from: readonly string[] | null
  readonly version: 'same' | 'latest'
  /** steps that a person says are done, with what they would have given */
  readonly done: readonly StepDone[]
  readonly serverZone: string
}

/**
 * Runs an ended run of a workflow again as a new run: some steps and all that is behind them run again, the rest is kept as it was, with what it gave. One
 * retry for each run. Throws `AppError`: 409 `STEPS_DO_NOT_FIT` where a step that is named, or would be kept, is not in the version or is another there.
 */
export async function retryWorkflowRun(db: Database, request: WorkflowRetryRequest): Promise<Triggered> {
  return againWhenTaken(() =>
    db.write('rest', async (tx) => {
      const repeated = await answered(tx, request.keyHash)
      if (repeated !== null) return { instanceId: repeated, row: null }
      const old = await endedFlowRun(tx, request.oldRunId, request.scope)
      await lockRows(tx, 'task', [old.task_id], 'share')
      const workflow = await livingRow(tx, WORKFLOW, old.task_id, request.scope)
      await mustBeFirst(tx, old)
      const before = await workflowVersion(tx, old.task_id, old.task_version)
      const version = request.version === 'same' ? old.task_version : workflow.version
      const definition = version === old.task_version ? before : await workflowVersion(tx, workflow.id, version)
      mustFit({ openRuns: request.openRunsOf(workflow.id) }, workflow, definition.overlap)
      const steps = await keptSteps(tx, { old, before: before.flow.graph, graph: definition.flow.graph, request })
      const row = runOf(request, { old, definition, task: { ...workflow, version } })
      await tx.insert('open_instance', [row])
      await tx.insert('workflow_run', [await besideOfRetry(tx, { old, row, definition, serverZone: request.serverZone })])
      await tx.insert('step_run', steps)
      await tx.insert('retry_link', [{ instance_id: old.id, retry_id: row.id }])
      const params = await tx.all<PayloadRow>('SELECT * FROM payload WHERE instance_id = ? AND kind = ?', [old.id, PARAMS_PAYLOAD])
      await tx.insert(
        'payload',
        params.map((payload) => ({ ...payload, instance_id: row.id })),
      )
      await remember(tx, request)
      await writeAudit(tx, request.at, request.auditId, request.caller, {
        action: 'workflow:retry',
        resource: { kind: 'workflowRun', id: old.id, key: String(old.id) },
        groupId: old.group_id,
        after: {
          workflowRunId: row.id,
          version,
          ...(request.from === null ? {} : { from: request.from }),
          ...(request.done.length === 0 ? {} : { done: request.done.map(({ step, reason }) => ({ step, reason })) }),
        },
      })
      return { instanceId: row.id, row }
    }),
  )
}

async function mustBeFirst(tx: Tx, old: InstanceRow): Promise<void> {
  const [linked] = await tx.all<{ retry_id: number }>('SELECT retry_id FROM retry_link WHERE instance_id = ?', [old.id])
  if (linked === undefined) return
  throw new AppError('INSTANCE_ALREADY_RETRIED', `Run ${old.id} was retried already, as run ${linked.retry_id}.`, {
    params: { retryId: linked.retry_id },
  })
}

function runOf(
  request: WorkflowRetryRequest,
  { old, definition, task }: { old: InstanceRow; definition: FlowDefinition; task: Parameters<typeof newRun>[1] },
): OpenInstanceRow {
  const wish = { ...request, taskId: task.id, params: null, executorId: null, scheduledAt: old.due_at }
  const row = newRun(wish, task, definition, 'retriedByPerson', { of: old.id })
  return { ...row, cause: CAUSE.retry, retry_of: old.id, runs_workflow: 1, lane: FLOW_LANE }
}

/** The business date is the old run's. */
async function besideOfRetry(
  tx: Tx,
  { old, row, definition, serverZone }: { old: InstanceRow; row: OpenInstanceRow; definition: FlowDefinition; serverZone: string },
): Promise<WorkflowRunRow> {
  const [before] = await tx.all<WorkflowRunRow>('SELECT * FROM workflow_run WHERE run_id = ?', [old.id])
  const beside = besideOf({ ...row, created_at: old.created_at }, { definition, serverZone, parent: null })
  return before === undefined ? beside : { ...beside, run_date: before.run_date }
}

// ── which steps are kept ──

interface Keeping {
  readonly old: InstanceRow
  readonly before: Graph
  readonly graph: Graph
  readonly request: WorkflowRetryRequest
}

async function keptSteps(tx: Tx, { old, before, graph, request }: Keeping): Promise<StepRunRow[]> {
  const rows = await tx.all<StepRunRow>('SELECT * FROM step_run WHERE run_id = ? ORDER BY step_no, round', [old.id])
  const last = new Map(rows.map((row) => [row.step_no, row]))
  const plan = planRetry({
    old: before,
    next: graph,
    steps: recordsOf(before, last),
    from: request.from,
    done: request.done.map((one) => one.step),
  })
  if (plan.kind === 'problem') throw refusalOf(plan.problem)
  return [
    ...plan.keep.flatMap((key) => {
      const row = last.get(numberOf(before, key))
      return row === undefined ? [] : [keptRow(row, { request, old, stepNo: numberOf(graph, key) })]
    }),
    ...request.done.map((one, index) => doneRow(one, { request, stepNo: numberOf(graph, one.step), index })),
  ].sort((a, b) => a.step_no - b.step_no)
}

function refusalOf({ code, key }: RetryProblem): AppError {
  const words = {
    unknownStep: `The version has no step "${key}".`,
    kindChanged: `Step "${key}" is of another kind in the newest version: run the version of that time, or begin with an earlier step.`,
    hasBranches: `Step "${key}" has branches, and cannot be done without a choice of one: let it run again.`,
  } as const
  return new AppError('STEPS_DO_NOT_FIT', words[code], { params: { key, problem: code } })
}

/** The decisions of its edges follow from what it gave, so they are made again: the newest version may have others. */
function keptRow(
  row: StepRunRow,
  { request, old, stepNo }: { request: WorkflowRetryRequest; old: InstanceRow; stepNo: number },
): StepRunRow {
  return { ...row, run_id: request.runId, step_no: stepNo, round: 1, edges: null, next_at: null, reused_from: row.reused_from ?? old.id }
}

function doneRow(
  { output, reason }: StepDone,
  { request, stepNo, index }: { request: WorkflowRetryRequest; stepNo: number; index: number },
): StepRunRow {
  const { at, caller, runId } = request
  const facts: StepFacts = { decided: { actor: actorText(caller), at, decision: 'completed', comment: reason } }
  return {
    run_id: runId,
    step_no: stepNo,
    round: 1,
    state: STEP_STATE.succeeded,
    instance_id: null,
    started_at: at,
    ended_at: at,
    next_at: null,
    branch: null,
    edges: null,
    facts: JSON.stringify(facts),
    output: outputText(output, `done.${index}.output`),
    error_code: null,
    error: null,
    reused_from: null,
  }
}
