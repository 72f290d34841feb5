import { AppError } from '@tickwheel/contract'
import { appendTrace, OUTCOME, outcomeOfCode, PHASE, type Scope, type TraceEntry } from '@tickwheel/core'
import { writeAudit } from './audit.ts'
import type { Caller } from './caller.ts'
import type { Database, Tx } from './database.ts'
import { inBulk, type InBulk } from './in-bulk.ts'
import { canceledBy } from './judge.ts'
import { lockOpen } from './open-runs.ts'
import type { RunChange } from './report.ts'
import { endRuns, NEVER, saveOpen, type RunEnd } from './run-writes.ts'
import type { InstanceRow, OpenInstanceRow } from './schema.ts'
import { isVisible } from './scope.ts'
import { lockFlowRun } from './visible-workflow.ts'
import { waitsForShards } from './shards.ts'

export interface CancelRequest {
  readonly instanceIds: readonly number[]
  readonly scope: Scope
  readonly at: number
  /** for each instance two run ids in a row: a signal and an audit row */
  readonly firstId: number
  readonly caller: Caller
  /** who asks, as the run's page shows it */
  readonly by: string
  /** the newer run in whose favour they give way */
  readonly replacedBy?: number
  /** the bulk operation that asks for it; absent: none */
  readonly bulk?: InBulk
}

/**
 * Cancels runs: what has not been sent ends here; what runs is marked, and its executor is told; a parent is marked, and its shards are canceled in
 * transactions of their own. A run marked before stays as it is.
 * Runs that have ended, or are not visible, are left out: `cancelOne` answers for them.
 */
export async function cancelRuns(db: Database, request: CancelRequest): Promise<RunChange[]> {
  return db.write('rest', (tx) => cancelIn(tx, request))
}

/** Cancels a run of a workflow for a person: what its steps have begun is canceled behind it. Throws `WORKFLOW_RUN_NOT_FOUND`, or `INSTANCE_ENDED`. */
export async function cancelWorkflowRun(db: Database, request: CancelRequest & { readonly instanceId: number }): Promise<RunChange[]> {
  return db.write('rest', async (tx) => {
    await lockFlowRun(tx, request.instanceId, request.scope)
    return cancelIn(tx, request)
  })
}

/** Cancels one run for a person. Throws `INSTANCE_NOT_FOUND`, or `INSTANCE_ENDED` with its outcome. */
export async function cancelOne(db: Database, request: CancelRequest & { readonly instanceId: number }): Promise<RunChange[]> {
  return db.write('rest', async (tx) => {
    const [row] = await lockOpen(tx, [request.instanceId], 'update')
    if (row === undefined || !isVisible(request.scope, row.group_id)) await refuse(tx, request.instanceId, request.scope)
    return cancelIn(tx, request)
  })
}

async function refuse(tx: Tx, instanceId: number, scope: Scope): Promise<never> {
  const [ended] = await tx.all<InstanceRow>('SELECT * FROM instance WHERE id = ?', [instanceId])
  if (ended === undefined || !isVisible(scope, ended.group_id))
    throw new AppError('INSTANCE_NOT_FOUND', `There is no run ${instanceId}.`, { params: { id: instanceId } })
  const state = outcomeOfCode(ended.outcome)
  throw new AppError('INSTANCE_ENDED', `Run ${instanceId} has ended already: ${state}.`, { params: { state } })
}

async function cancelIn(tx: Tx, request: CancelRequest): Promise<RunChange[]> {
  const { at } = request
  const rows = (await lockOpen(tx, request.instanceIds, 'update')).filter((row) => isVisible(request.scope, row.group_id))
  const ends: RunEnd[] = []
  const marked: OpenInstanceRow[] = []
  for (const row of rows) {
    const asked = row.cancel_at === null ? markCanceled(row, request) : row
    if (row.phase === PHASE.waiting || row.phase === PHASE.queued)
      ends.push({ row: asked, outcome: OUTCOME.canceled, endedAt: at, result: null, error: null, trace: [canceledBy(asked, at)] })
    else if (row.cancel_at === null) marked.push(asked)
  }
  await saveOpen(tx, marked)
  await endRuns(tx, at, request.firstId, ends)
  await auditAll(tx, request, rows)
  return [
    ...marked.map((row): RunChange => ({ kind: 'open', row })),
    ...ends.map((end): RunChange => ({ kind: 'ended', row: end.row, outcome: end.outcome, endedAt: end.endedAt })),
  ]
}

function markCanceled(row: OpenInstanceRow, { at, by, replacedBy, bulk }: CancelRequest): OpenInstanceRow {
  const why: TraceEntry =
    replacedBy === undefined ? { reason: 'cancelRequested', at, facts: { by } } : { reason: 'replaced', at, facts: { by: replacedBy } }
  return {
    ...row,
    cancel_at: at,
    cancel_by: by,
    rank_at: waitsForShards(row) ? NEVER : at,
    trace: appendTrace(row.trace, row.created_at, [why, ...inBulk(bulk, at)]),
  }
}

async function auditAll(tx: Tx, request: CancelRequest, rows: readonly OpenInstanceRow[]): Promise<void> {
  if (request.caller.actor.kind === 'system') return
  for (const [index, row] of rows.entries()) {
    await writeAudit(tx, request.at, request.firstId + request.instanceIds.length + index, request.caller, {
      action: row.runs_workflow === 1 ? 'workflow:cancel' : 'instance:cancel',
      resource: { kind: row.runs_workflow === 1 ? 'workflowRun' : 'instance', id: row.id, key: String(row.id) },
      groupId: row.group_id,
    })
  }
}

/** Ends runs that were never sent: dropped by policy (`skipped`). Rows that moved on are left alone. */
export async function skipRuns(
  db: Database,
  at: number,
  firstId: number,
  skips: readonly { readonly instanceId: number; readonly blocker: number }[],
): Promise<RunChange[]> {
  return db.write('rest', async (tx) => {
    const blockers = new Map(skips.map((skip) => [skip.instanceId, skip.blocker]))
    const rows = (await lockOpen(tx, [...blockers.keys()], 'update')).filter(
      (row) => row.phase === PHASE.waiting || row.phase === PHASE.queued,
    )
    const ends = rows.map((row): RunEnd => ({
      row,
      outcome: OUTCOME.skipped,
      endedAt: at,
      result: null,
      error: null,
      trace: [{ reason: 'overlapSkipped', at, facts: { blocker: blockers.get(row.id) ?? null } }],
    }))
    await endRuns(tx, at, firstId, ends)
    return ends.map((end): RunChange => ({ kind: 'ended', row: end.row, outcome: end.outcome, endedAt: at }))
  })
}

/** A run that was to be given to an executor by an instant, and was not. */
export interface Overdue {
  readonly instanceId: number
  /** how long it may wait, ms */
  readonly maxMs: number
}

/**
 * Ends runs that have waited too long for their first try: failed, with QUEUE_TIMEOUT. One that was given to an executor meanwhile, or waits to be tried
 * again, is left alone.
 */
export async function endOverdue(db: Database, at: number, firstId: number, overdue: readonly Overdue[]): Promise<RunChange[]> {
  return db.write('rest', async (tx) => {
    const limits = new Map(overdue.map((one) => [one.instanceId, one.maxMs]))
    const rows = (await lockOpen(tx, [...limits.keys()], 'update')).filter(
      // the last attempt of one that was split is another matter
      (row) => (row.phase === PHASE.waiting || row.phase === PHASE.queued) && row.tries === 0 && row.reduce === null,
    )
    const ends = rows.map((row): RunEnd => {
      const [waitedMs, maxMs] = [at - row.created_at, limits.get(row.id) ?? 0]
      return {
        row,
        outcome: OUTCOME.failed,
        endedAt: at,
        result: null,
        error: { code: 'QUEUE_TIMEOUT', message: `no executor was given the run within ${maxMs} ms` },
        trace: [{ reason: 'queueTimedOut', at, facts: { waitedMs, maxMs } }],
      }
    })
    await endRuns(tx, at, firstId, ends)
    return ends.map((end): RunChange => ({ kind: 'ended', row: end.row, outcome: end.outcome, endedAt: at }))
  })
}
