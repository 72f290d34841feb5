import { AppError, type TaskDefinition } from '@tickwheel/contract'
import { appendTrace, CAUSE, PHASE, queueRankAt, slotOf, type Reason, type Scope } from '@tickwheel/core'
import { raiseAlarms } from './alarm-signals.ts'
import { auditPerson } from './audit.ts'
import { actorText, type Caller } from './caller.ts'
import type { Database, Tx } from './database.ts'
import { inBulk, type InBulk } from './in-bulk.ts'
import { againWhenTaken, lockRows } from './lock.ts'
import { NO_SHARDS, NOT_SENT, NO_WORKFLOW, ON_END_FAILURE, PARAMS_PAYLOAD, PART_PAYLOAD } from './run-writes.ts'
import type { InstanceRow, OpenInstanceRow, PayloadRow, TaskRow } from './schema.ts'
import { judgeTexts } from './references.ts'
import { isVisible } from './scope.ts'
import { partOfText } from './shards.ts'
import { isInPlace, keysOfRow } from './step-definition.ts'
import { definitionOf, visibleTask } from './tasks.ts'
import type { RunDefinition } from './workflow-definition.ts'

export interface TriggerRequest {
  readonly taskId: number
  readonly scope: Scope
  readonly at: number
  /** two run ids: the run's and the audit row's */
  readonly runId: number
  readonly auditId: number
  readonly keyHash: string | null
  readonly caller: Caller
  readonly params: string | null
  /** the groups whose secrets its params may refer to; absent: none */
  readonly mayRefer?: Scope
  readonly executorId: number | null
  readonly scheduledAt: number | null
  readonly openRuns: OpenRunCounts
  /** the bulk operation that it is an item of; absent: none */
  readonly bulk?: InBulk
}

/** Open runs in all and of the task, as the owner of the slot knows them, and the bound on all; beyond a bound a trigger gets 429. */
export interface OpenRunCounts {
  readonly now: number
  readonly max: number
  readonly ofTask: number
}

export interface Triggered {
  readonly instanceId: number
  readonly row: OpenInstanceRow | null
}

/**
 * Makes runs by hand or by API, outside the ledger, many in one commit: at most 500. Each request is answered for itself, with its run or with the
 * `AppError` that refuses it. A repeated `keyHash` answers what the first answered, and makes nothing.
 */
export async function trigger(db: Database, requests: readonly TriggerRequest[]): Promise<(Triggered | AppError)[]> {
  return againWhenTaken(() =>
    db.write('rest', async (tx) => {
      const answers: (Triggered | AppError)[] = []
      // no run is made for a task that is being deleted
      await lockRows(
        tx,
        'task',
        requests.map((request) => request.taskId),
        'share',
      )
      for (const request of requests) answers.push(await triggerOne(tx, request).catch(refusal))
      return answers
    }),
  )
}

/** A refusal comes before anything is written, so the others of the commit stand. */
function refusal(error: unknown): AppError {
  if (error instanceof AppError) return error
  throw error
}

async function triggerOne(tx: Tx, request: TriggerRequest): Promise<Triggered> {
  const repeated = await answered(tx, request.keyHash)
  if (repeated !== null) return { instanceId: repeated, row: null }
  const task = await visibleTask(tx, request.taskId, request.scope)
  const definition = await definitionIn(tx, task.id, task.version)
  if (definition.flow !== undefined) throw new AppError('TASK_NOT_FOUND', `there is no task ${task.id}`)
  await mustFitOrTell(tx, request, task, definition.overlap)
  if (request.executorId !== null) await mustBeExecutorOf(tx, request.executorId, task.group_id)
  if (request.params !== null) await mustReferWell(tx, request.params, task.group_id, request.mayRefer ?? [])
  const row = newRun(request, task, definition, 'triggered')
  await tx.insert('open_instance', [row])
  if (request.params !== null && request.params !== definition.params)
    await tx.insert('payload', [{ instance_id: row.id, kind: PARAMS_PAYLOAD, body: request.params }])
  await remember(tx, request)
  await auditPerson(tx, request, {
    action: 'task:run',
    resource: { kind: 'task', id: task.id, key: task.name },
    groupId: task.group_id,
    after: {
      instanceId: row.id,
      ...(request.params === null ? {} : { params: '(changed)' }),
      ...(request.executorId === null ? {} : { executorId: request.executorId }),
    },
  })
  return { instanceId: row.id, row }
}

export interface RetryRequest {
  readonly instanceId: number
  readonly scope: Scope
  readonly at: number
  readonly runId: number
  readonly auditId: number
  readonly keyHash: string | null
  readonly caller: Caller
  readonly openRunsOf: (taskId: number) => OpenRunCounts
  readonly bulk?: InBulk
}

/**
 * Runs an ended run again as a new run, with its params, in the task's present version. One retry for each run. A shard is run again as the same shard,
 * by itself: its parent has ended, and stays as it is. Throws `AppError`.
 */
export async function retry(db: Database, request: RetryRequest): Promise<Triggered> {
  return againWhenTaken(() =>
    db.write('rest', async (tx) => {
      const repeated = await answered(tx, request.keyHash)
      if (repeated !== null) return { instanceId: repeated, row: null }
      const old = await endedRun(tx, request.instanceId, request.scope)
      mustStandAlone(old)
      await lockRows(tx, 'task', [old.task_id], 'share')
      const task = await visibleTask(tx, old.task_id, request.scope)
      const [linked] = await tx.all<{ retry_id: number }>('SELECT retry_id FROM retry_link WHERE instance_id = ?', [old.id])
      if (linked !== undefined)
        throw new AppError('INSTANCE_ALREADY_RETRIED', `Run ${old.id} was retried already, as run ${linked.retry_id}.`, {
          params: { retryId: linked.retry_id },
        })
      const definition = await definitionIn(tx, task.id, task.version)
      // a shard runs beside the others of its task, whatever waits
      const openRuns = request.openRunsOf(task.id)
      mustFit({ openRuns: old.shard_index === null ? openRuns : { ...openRuns, ofTask: 0 } }, task, definition.overlap)
      const base = newRun(
        { ...request, taskId: task.id, params: null, executorId: null, scheduledAt: old.due_at },
        task,
        definition,
        'retriedByPerson',
        { of: old.id },
      )
      const row: OpenInstanceRow = { ...base, ...shardOf(old), cause: CAUSE.retry, retry_of: old.id }
      await tx.insert('open_instance', [row])
      await tx.insert('retry_link', [{ instance_id: old.id, retry_id: row.id }])
      await copyParams(tx, old, row)
      await remember(tx, request)
      await auditPerson(tx, request, {
        action: 'instance:retry',
        resource: { kind: 'instance', id: old.id, key: task.name },
        groupId: task.group_id,
        after: { instanceId: row.id },
      })
      return { instanceId: row.id, row }
    }),
  )
}

/** What a workflow does in place has no task, and a run of a workflow is run again from its steps. */
function mustStandAlone(old: InstanceRow): void {
  if (old.runs_workflow !== 1 && !isInPlace(keysOfRow(old))) return
  const runId = old.runs_workflow === 1 ? old.id : old.workflow_run_id
  throw new AppError(
    'UNPROCESSABLE',
    `Run ${old.id} is part of a workflow: retry run ${runId} of the workflow, from the step that you want.`,
    {
      params: { workflowRunId: runId ?? 0 },
    },
  )
}

/** What a shard is, for a run that does it again. */
function shardOf({ parent_id, shard_index, shard_total, shard_key, shard_part }: InstanceRow): Partial<OpenInstanceRow> {
  if (shard_index === null) return {}
  const pinned_executor_id = partOfText(shard_part).executorId ?? null
  return { parent_id, shard_index, shard_total, shard_key, shard_part, pinned_executor_id }
}

async function copyParams(tx: Tx, old: InstanceRow, row: OpenInstanceRow): Promise<void> {
  const parts = await tx.all<PayloadRow>('SELECT * FROM payload WHERE instance_id = ? AND kind = ?', [old.id, PART_PAYLOAD])
  await tx.insert(
    'payload',
    parts.map((part) => ({ ...part, instance_id: row.id })),
  )
  const payloads = await tx.all<PayloadRow>('SELECT * FROM payload WHERE instance_id IN (?, ?) AND kind = ?', [
    old.id,
    old.parent_id ?? old.id,
    PARAMS_PAYLOAD,
  ])
  const given = payloads.find((payload) => payload.instance_id === old.id) ?? payloads[0]
  const params = given?.body ?? (await definitionIn(tx, old.task_id, old.task_version)).params
  const current = await definitionIn(tx, row.task_id, row.task_version)
  if (params !== current.params) await tx.insert('payload', [{ instance_id: row.id, kind: PARAMS_PAYLOAD, body: params }])
}

export async function answered(tx: Tx, keyHash: string | null): Promise<number | null> {
  if (keyHash === null) return null
  const [row] = await tx.all<{ answer: string }>('SELECT answer FROM request_key WHERE key_hash = ?', [keyHash])
  return row === undefined ? null : Number(row.answer)
}

export async function remember(tx: Tx, { keyHash, runId, at }: { keyHash: string | null; runId: number; at: number }): Promise<void> {
  if (keyHash !== null) await tx.insert('request_key', [{ key_hash: keyHash, answer: String(runId), at }])
}

async function endedRun(tx: Tx, instanceId: number, scope: Scope): Promise<InstanceRow> {
  const [ended] = await tx.all<InstanceRow>('SELECT * FROM instance WHERE id = ?', [instanceId])
  if (ended !== undefined && isVisible(scope, ended.group_id)) return ended
  const [open] = await tx.all<OpenInstanceRow>('SELECT * FROM open_instance WHERE id = ?', [instanceId])
  if (open !== undefined && isVisible(scope, open.group_id)) {
    throw new AppError('INSTANCE_NOT_ENDED', `Run ${instanceId} has not ended yet: cancel it first, or wait for its end.`, {
      params: { id: instanceId },
    })
  }
  throw new AppError('INSTANCE_NOT_FOUND', `There is no run ${instanceId}.`, { params: { id: instanceId } })
}

async function definitionIn(tx: Tx, taskId: number, version: number): Promise<RunDefinition> {
  const definition = await definitionOf(tx, taskId, version)
  if (definition === null)
    throw new AppError('TASK_VERSION_NOT_FOUND', `Task ${taskId} has no version ${version}.`, { params: { version } })
  return definition
}

/** A refused trigger leaves nothing but this: at most one a minute for each task. */
async function mustFitOrTell(tx: Tx, request: TriggerRequest, task: TaskRow, overlap: { policy: string; max: number }): Promise<void> {
  try {
    mustFit(request, task, overlap)
  } catch (error) {
    await raiseAlarms(tx, [
      {
        event: 'queueFull',
        target: { kind: 'task', id: task.id, name: task.name },
        groupId: task.group_id,
        at: request.at,
        key: `t${task.id}@${Math.floor(request.at / 60_000)}`,
        facts: { max: Math.min(request.openRuns.max, overlap.max) },
      },
    ])
    throw error
  }
}

/** Open runs are bounded, in all and for each task that queues. */
export function mustFit({ openRuns }: { openRuns: OpenRunCounts }, task: TaskRow, overlap: { policy: string; max: number }): void {
  if (openRuns.now >= openRuns.max) {
    throw new AppError('QUEUE_FULL', `There are ${openRuns.max} open runs, which is the limit: wait until some have ended.`, {
      params: { max: openRuns.max },
    })
  }
  if (overlap.policy === 'queue' && openRuns.ofTask > overlap.max) {
    throw new AppError('QUEUE_FULL', `Task "${task.name}" has ${overlap.max} runs waiting already, which is its limit (overlap.max).`, {
      params: { max: overlap.max },
    })
  }
}

async function mustBeExecutorOf(tx: Tx, executorId: number, groupId: number): Promise<void> {
  const [row] = await tx.all<{ id: number }>('SELECT id FROM executor WHERE id = ? AND group_id = ?', [executorId, groupId])
  if (row !== undefined) return
  const message = `There is no executor ${executorId} in the task's group.`
  throw new AppError('UNPROCESSABLE', message, { errors: [{ path: 'executorId', code: 'UNKNOWN_REFERENCE', message }] })
}

export function newRun(
  request: Omit<TriggerRequest, 'scope' | 'openRuns' | 'keyHash' | 'auditId'>,
  task: TaskRow,
  { priority, pauseAfterFailures }: TaskDefinition,
  reason: Reason,
  facts: Record<string, number> = {},
): OpenInstanceRow {
  const { at, caller } = request
  return {
    id: request.runId,
    slot: slotOf('task', task.id),
    group_id: task.group_id,
    task_id: task.id,
    task_version: task.version,
    cause: caller.actor.kind === 'token' ? CAUSE.api : CAUSE.manual,
    actor: actorText(caller),
    series_id: null,
    due_at: request.scheduledAt,
    created_at: at,
    priority,
    retry_of: null,
    queued_at: at,
    trace: appendTrace('[]', at, [{ reason, at, facts: { by: caller.actor.name, ...facts } }, ...inBulk(request.bulk, at)]),
    phase: PHASE.queued,
    lane: task.group_id,
    rank_at: queueRankAt(at, priority),
    on_end: pauseAfterFailures > 0 ? ON_END_FAILURE : 0,
    ...NOT_SENT,
    pinned_executor_id: request.executorId,
    ...NO_SHARDS,
    ...NO_WORKFLOW,
  }
}

/** What a person gives a run refers to values as the task's own params do: to what there is, and what they may see. */
async function mustReferWell(tx: Tx, params: string, groupId: number, mayRefer: Scope): Promise<void> {
  const { problems } = await judgeTexts(tx, [{ path: 'params', text: params, groupId }], mayRefer)
  if (problems.length > 0)
    throw new AppError('UNPROCESSABLE', problems.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors: problems })
}
