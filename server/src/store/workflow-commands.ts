import { AppError } from '@tickwheel/contract'
import { STEP_STATE, type Graph, type Scope, type Step } from '@tickwheel/core'
import { writeAudit, type AuditEntry } from './audit.ts'
import { actorText, type Caller } from './caller.ts'
import type { Database, Tx } from './database.ts'
import type { OpenInstanceRow, StepRunRow, WorkflowRunRow } from './schema.ts'
import { readStepFacts, type StepFacts } from './step-facts.ts'
import { outputText } from './step-output.ts'
import { hasBegun, lockedOrEnded, lockFlowRun, runEnded, workflowVersion } from './visible-workflow.ts'
import { besideOf } from './workflow-begin.ts'
import { hasEnded, stepRow } from './workflow-state.ts'

/** What a person asks of a run of a workflow. `auditId`: a run id taken before. */
export interface FlowCommand {
  readonly runId: number
  readonly scope: Scope
  readonly at: number
  readonly auditId: number
  readonly caller: Caller
}

/** What runs ends, nothing starts. A run that is paused already stays as it is; one that is queued begins as paused. Throws `AppError`. */
export async function pauseWorkflowRun(db: Database, command: FlowCommand & { readonly serverZone: string }): Promise<OpenInstanceRow> {
  return db.write('rest', async (tx) => {
    const row = await lockFlowRun(tx, command.runId, command.scope)
    const run = await besideIn(tx, row, command.serverZone)
    if (run.paused_at !== null) return row
    await tx.run('UPDATE workflow_run SET paused_at = ?, paused_by = ? WHERE run_id = ?', [command.at, command.caller.actor.name, row.id])
    await audit(tx, command, row, { action: 'workflow:pause' })
    return lookAtNow(tx, row, command.at)
  })
}

/** Goes on. 409 `RUN_NOT_PAUSED`. Throws `AppError`. */
export async function resumeWorkflowRun(db: Database, command: FlowCommand): Promise<OpenInstanceRow> {
  return db.write('rest', async (tx) => {
    const row = await lockFlowRun(tx, command.runId, command.scope)
    const matched = await tx.run('UPDATE workflow_run SET paused_at = NULL, paused_by = NULL WHERE run_id = ? AND paused_at IS NOT NULL', [
      row.id,
    ])
    if (matched === 0) throw new AppError('RUN_NOT_PAUSED', `Run ${row.id} is not paused.`, { params: { id: row.id } })
    await audit(tx, command, row, { action: 'workflow:resume' })
    return lookAtNow(tx, row, command.at)
  })
}

export interface StepCommand extends FlowCommand {
  readonly key: string
}

export interface Decision {
  readonly decision: 'approved' | 'rejected'
  readonly comment: string
}

/**
 * Approves or rejects. 404 `STEP_NOT_FOUND`, 409 `STEP_NOT_WAITING` before its turn, 409 `STEP_ALREADY_DECIDED` after it has ended, 403 for who has started
 * the run, where the step says so.
 */
export async function decideStep(db: Database, command: StepCommand & Decision): Promise<OpenInstanceRow> {
  return db.write('rest', async (tx) => {
    const { at, key, decision, comment, caller } = command
    const { row, step, definition } = await stepIn(tx, command)
    if (definition.kind !== 'approval' || step === null || (step.state !== STEP_STATE.waiting && !hasEnded(step)))
      throw notWaiting(key, 'it is no approval that waits for somebody')
    if (hasEnded(step)) throw decided(key)
    if (definition.notByStarter === true && row.actor === actorText(caller))
      throw new AppError('FORBIDDEN', `Step "${key}" must be decided by somebody else than who started the run.`)
    const facts: StepFacts = { ...readStepFacts(step.facts), decided: { actor: actorText(caller), at, decision, comment } }
    const output = { by: caller.actor.name, at: new Date(at).toISOString(), comment }
    await endStep(tx, { ...step, branch: decision, facts: JSON.stringify(facts), output: JSON.stringify(output) }, at)
    const action = decision === 'approved' ? 'workflow:approve' : 'workflow:reject'
    await audit(tx, command, row, { action, after: { step: key, ...(comment === '' ? {} : { comment }) } })
    return lookAtNow(tx, row, at)
  })
}

export interface Completion {
  readonly output?: unknown
  readonly reason: string
}

/**
 * Marks a step as done, with an output, whatever it does: what runs of it is canceled. 409 `STEP_ALREADY_DECIDED` once it has ended, 409 `STEP_NOT_WAITING` for a
 * kind with branches.
 */
export async function completeStep(db: Database, command: StepCommand & Completion): Promise<OpenInstanceRow> {
  return db.write('rest', async (tx) => {
    const { at, key, reason, caller, runId } = command
    const { row, step, stepNo, definition } = await stepIn(tx, command)
    if (definition.kind === 'approval' || definition.kind === 'condition' || definition.kind === 'switch')
      throw notWaiting(key, 'a step with branches is not completed: approve or reject it, or start the run again behind it')
    if (step !== null && hasEnded(step)) throw decided(key)
    const output = outputText(command.output, 'output')
    const facts: StepFacts = {
      ...readStepFacts(step?.facts ?? null),
      decided: { actor: actorText(caller), at, decision: 'completed', comment: reason },
    }
    const done = { ...(step ?? stepRow(runId, stepNo, {})), facts: JSON.stringify(facts), output, error_code: null, error: null }
    if (step === null) await tx.insert('step_run', [{ ...done, state: STEP_STATE.succeeded, started_at: at, ended_at: at }])
    else await endStep(tx, done, at)
    await audit(tx, command, row, { action: 'workflow:complete', after: { step: key, reason } })
    return lookAtNow(tx, row, at)
  })
}

interface FoundStep {
  readonly row: OpenInstanceRow
  readonly stepNo: number
  readonly definition: Step
  /** the last round; null: its turn has not come */
  readonly step: StepRunRow | null
}

/** A run that is queued yet has no step whose turn has come. Of a run that has ended it is told which came first: the end of the step, or that of the run. */
async function stepIn(tx: Tx, { runId, key, scope }: StepCommand): Promise<FoundStep> {
  const found = await lockedOrEnded(tx, runId, scope)
  const { task_id: workflowId, task_version: version } = found.row ?? found.ended
  const { graph } = (await workflowVersion(tx, workflowId, version)).flow
  const stepNo = numberIn(graph, key)
  const definition = graph.steps[stepNo]
  if (definition === undefined) throw new AppError('STEP_NOT_FOUND', `The workflow has no step "${key}".`, { params: { key } })
  if (found.row !== null && !hasBegun(found.row)) throw notWaiting(key, 'the run has not begun')
  const [step] = await tx.all<StepRunRow>('SELECT * FROM step_run WHERE run_id = ? AND step_no = ? ORDER BY round DESC LIMIT 1', [
    runId,
    stepNo,
  ])
  if (found.row === null) throw step !== undefined && hasEnded(step) ? decided(key) : runEnded(found.ended)
  return { row: found.row, stepNo, definition, step: step ?? null }
}

function numberIn({ steps }: Graph, key: string): number {
  return steps.findIndex((step) => step.key === key)
}

async function endStep(tx: Tx, step: StepRunRow, at: number): Promise<void> {
  await tx.run(
    'UPDATE step_run SET state = ?, ended_at = ?, next_at = NULL, branch = ?, facts = ?, output = ?, error_code = ?, error = ? WHERE run_id = ? AND step_no = ? AND round = ?',
    [STEP_STATE.succeeded, at, step.branch, step.facts, step.output, step.error_code, step.error, step.run_id, step.step_no, step.round],
  )
}

/** What the conductor is to look at, whichever node owns the slot. */
async function lookAtNow(tx: Tx, row: OpenInstanceRow, at: number): Promise<OpenInstanceRow> {
  if (!hasBegun(row)) return row
  await tx.run('UPDATE open_instance SET rank_at = ? WHERE id = ?', [at, row.id])
  return { ...row, rank_at: at }
}

async function besideIn(tx: Tx, row: OpenInstanceRow, serverZone: string): Promise<WorkflowRunRow> {
  const [known] = await tx.all<WorkflowRunRow>('SELECT * FROM workflow_run WHERE run_id = ?', [row.id])
  if (known !== undefined) return known
  const [parent] = await tx.all<WorkflowRunRow>('SELECT * FROM workflow_run WHERE run_id = ?', [row.workflow_run_id ?? 0])
  const definition = await workflowVersion(tx, row.task_id, row.task_version)
  const beside = besideOf(row, { definition, serverZone, parent: parent ?? null })
  await tx.insert('workflow_run', [beside])
  return beside
}

async function audit(
  tx: Tx,
  { at, auditId, caller }: FlowCommand,
  row: OpenInstanceRow,
  entry: Pick<AuditEntry, 'action' | 'after'>,
): Promise<void> {
  const resource = { kind: 'workflowRun', id: row.id, key: String(row.id) }
  await writeAudit(tx, at, auditId, caller, { ...entry, resource, groupId: row.group_id })
}

function decided(key: string): AppError {
  return new AppError('STEP_ALREADY_DECIDED', `Step "${key}" has ended already.`, { params: { key } })
}

function notWaiting(key: string, why: string): AppError {
  return new AppError('STEP_NOT_WAITING', `Step "${key}" cannot be decided now: ${why}.`, { params: { key } })
}
