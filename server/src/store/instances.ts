import {
  AppError,
  type Instance,
  type InstanceListItem,
  type InstanceListQuery,
  type ShardPage,
  type ShardQuery,
  type Static,
  type TraceEntry,
} from '@tickwheel/contract'
import type { Actor, Attempt, RunError } from '@tickwheel/contract'
import {
  CAUSE,
  causeOfCode,
  isOpen,
  outcomeOfCode,
  OUTCOMES,
  readTrace,
  reasonOf,
  stateOfPhase,
  type Facts,
  type InstanceState,
  type Scope,
} from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import { countRuns, filterOf, findRuns, statesOf } from './instance-find.ts'
import { nameOfCalendar } from './named-calendar.ts'
import { instantText, offsetOf } from './page.ts'
import { ATTEMPT_OUTCOME, PART_PAYLOAD, REDUCE } from './run-writes.ts'
import type { AttemptRow, InstanceRow, OpenInstanceRow, PayloadRow, RunFacts } from './schema.ts'
import { isVisible } from './scope.ts'
import { mayHaveShards } from './shard-mark.ts'
import { definitionOfRun } from './step-definition.ts'
import { stepNames, type StepName } from './step-names.ts'
import { countsOfParent } from './shard-counts.ts'
import { isFar, itemsOfPayload, partOfText } from './shards.ts'

export interface InstancePage {
  readonly items: InstanceListItem[]
  readonly total: number
  readonly totalCapped?: boolean
  readonly page: number
  readonly pageSize: number
  readonly nextCursor: string | null
}

/** Runs, newest first. `cursor` wins over `page`; 422 `PAGE_TOO_DEEP` beyond 10,000 rows without one. */
export async function listInstances(db: Database, scope: Scope, asked: InstanceListQuery): Promise<InstancePage> {
  const { page = 1, pageSize = 20, cursor } = asked
  const wanted = filterOf(scope, asked)
  const below = cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor)
  const skipped = cursor === undefined ? offsetOf({ page, pageSize }) : 0
  return db.read(async (tx) => {
    const filter = { ...wanted, ids: asked.workflowRunId === undefined ? null : await runsOfSteps(tx, asked.workflowRunId) }
    const found = await findRuns(tx, filter, below, skipped + pageSize)
    const { total, isCapped } = await countRuns(tx, filter)
    const items = await listItems(tx, await readRuns(tx, found.ids.slice(skipped)), scope)
    return {
      items,
      total,
      ...(isCapped ? { totalCapped: true } : {}),
      page,
      pageSize,
      nextCursor: found.next === null ? null : `1.${found.next.toString(36)}`,
    }
  })
}

/** What the steps of a run of a workflow do; of a fan-out its parent. */
export async function runsOfSteps(tx: ReadTx, workflowRunId: number): Promise<number[]> {
  const rows = await tx.all<{ instance_id: number }>(
    `SELECT instance_id FROM step_run WHERE run_id = ? AND instance_id IS NOT NULL ORDER BY step_no, round LIMIT ${STEP_RUNS_READ}`,
    [workflowRunId],
  )
  return rows.map((row) => row.instance_id)
}

/** A cursor carries its version: `1.<id in base 36>`. */
function readCursor(cursor: string): number {
  const below = Number.parseInt(/^1\.([0-9a-z]{1,11})$/.exec(cursor)?.[1] ?? '', 36)
  if (Number.isSafeInteger(below)) return below
  const message = 'the cursor is not one that this list has given: begin without one'
  throw new AppError('VALIDATION_FAILED', message, { errors: [{ path: 'cursor', code: 'BAD_FORMAT', message }] })
}

/**
 * One run with its attempts. Params and results are null, and named in `hidden`, where `mayViewParams` denies its group.
 * 404 `INSTANCE_NOT_FOUND` when it does not exist or is not visible.
 */
export async function getInstance(
  db: Database,
  scope: Scope,
  instanceId: number,
  mayViewParams: (groupId: number) => boolean,
): Promise<Instance> {
  return db.read(async (tx) => {
    const run = await visibleRun(tx, scope, instanceId)
    const [item] = await listItems(tx, [run], scope)
    if (item === undefined) throw instanceNotFound(instanceId)
    const payloads = await tx.rows(query.selectFrom('payload').selectAll().where('instance_id', '=', instanceId))
    const mayView = mayViewParams(run.row.group_id)
    const message = payloadOf(payloads, 3)
    return {
      ...item,
      error: item.error === null || message === null ? item.error : { ...item.error, message },
      params: mayView ? await paramsOf(tx, run.row, payloads) : null,
      result: mayView ? resultOf(run, payloads) : null,
      progress: run.kind === 'open' ? progressOf(run.row.progress) : null,
      attempts: await attemptsOf(tx, run, item),
      ...(mayView ? {} : { hidden: ['params', 'result'] }),
    }
  })
}

/** The decision trace of a run, in order. */
export async function listTrace(db: Database, scope: Scope, instanceId: number): Promise<TraceEntry[]> {
  return db.read(async (tx) => {
    const { row } = await visibleRun(tx, scope, instanceId)
    const entries: TraceEntry[] = []
    for (const { at, reason, facts } of readTrace(row.trace, row.created_at))
      entries.push({ at: instantText(at), reason, facts: await namedFacts(tx, facts) })
    return entries
  })
}

/** A calendar is told by its present name. */
async function namedFacts(tx: ReadTx, facts: Facts): Promise<Record<string, unknown>> {
  const { calendarId } = facts
  return typeof calendarId === 'number' ? { ...facts, calendar: await nameOfCalendar(tx, calendarId) } : { ...facts }
}

/** What permission checks and log readers need to know of a run. */
export interface RunHead {
  readonly instanceId: number
  readonly taskId: number
  readonly groupId: number
  readonly isEnded: boolean
  /** the run of a workflow that it does a step of */
  readonly step: { readonly workflowRunId: number; readonly workflowId: number } | null
}

/** Null: there is no such run, or it is not visible. */
export async function runHead(db: Database, scope: Scope, instanceId: number): Promise<RunHead | null> {
  return db.read(async (tx) => {
    const [run] = await readRuns(tx, [instanceId])
    if (run === undefined || isOfWorkflow(run) || !isVisible(scope, run.row.group_id)) return null
    const { task_id: taskId, group_id: groupId, workflow_run_id: workflowRunId, workflow_id: workflowId } = run.row
    const step = workflowRunId === null || workflowId === null ? null : { workflowRunId, workflowId }
    return { instanceId, taskId, groupId, isEnded: run.kind === 'ended', step }
  })
}

/** Some runs as list items, by id, as far as they are visible: what live topics show. */
export async function instancesById(db: Database, scope: Scope, ids: readonly number[]): Promise<InstanceListItem[]> {
  return db.read(async (tx) =>
    listItems(
      tx,
      (await readRuns(tx, ids)).filter((run) => !isOfWorkflow(run) && isVisible(scope, run.row.group_id)),
      scope,
    ),
  )
}

export type Run = { readonly kind: 'open'; readonly row: OpenInstanceRow } | { readonly kind: 'ended'; readonly row: InstanceRow }

const READ_AT_ONCE = 500
/** Steps of one run of a workflow, with their earlier rounds. */
const STEP_RUNS_READ = 5000

/** Rows by id, newest first. Open ones are read first: who ends meanwhile is found as ended. */
export async function readRuns(tx: ReadTx, ids: readonly number[]): Promise<Run[]> {
  const runs = new Map<number, Run>()
  for (let from = 0; from < ids.length; from += READ_AT_ONCE) {
    const part = ids.slice(from, from + READ_AT_ONCE)
    for (const row of await tx.rows(query.selectFrom('open_instance').selectAll().where('id', 'in', part)))
      runs.set(row.id, { kind: 'open', row })
    for (const row of await tx.rows(query.selectFrom('instance').selectAll().where('id', 'in', part)))
      runs.set(row.id, { kind: 'ended', row })
  }
  return [...runs.values()].sort((a, b) => b.row.id - a.row.id)
}

/** Of a task; 404 `INSTANCE_NOT_FOUND` otherwise. */
export async function visibleRun(tx: ReadTx, scope: Scope, instanceId: number): Promise<Run> {
  const [run] = await readRuns(tx, [instanceId])
  if (run === undefined || isOfWorkflow(run) || !isVisible(scope, run.row.group_id)) throw instanceNotFound(instanceId)
  return run
}

/** A run of a workflow is asked for as such. */
export function isOfWorkflow({ row }: Run): boolean {
  return row.runs_workflow === 1
}

function instanceNotFound(instanceId: number): AppError {
  return new AppError('INSTANCE_NOT_FOUND', `there is no run ${instanceId}`)
}

/** Runs as lists show them. A workflow outside the scope, of which one of them does a step, is not told. */
export async function listItems(tx: ReadTx, runs: readonly Run[], scope: Scope): Promise<InstanceListItem[]> {
  const rows = runs.map((run) => run.row)
  const shown = await workflowsShown(tx, rows, scope)
  const tasks = await namesOf(
    tx,
    'task',
    rows.flatMap((row) => [row.task_id, row.workflow_id]),
  )
  const stepNameOf = await stepNames(tx, rows)
  const groups = await namesOfGroups(
    tx,
    rows.map((row) => row.group_id),
  )
  const executors = await namesOf(
    tx,
    'executor',
    rows.map((row) => row.executor_id),
  )
  const retries = await retriesOf(
    tx,
    rows.map((row) => row.id),
  )
  return runs.map((run) => ({
    ...factsOf(run.row),
    taskName: taskNameOf(run.row, tasks, stepNameOf(run.row)),
    groupName: groups.get(run.row.group_id) ?? '',
    executorName: run.row.executor_id === null ? null : (executors.get(run.row.executor_id) ?? null),
    state: stateOf(run),
    endedAt: run.kind === 'ended' ? instantText(run.row.ended_at) : null,
    retriedBy: retries.get(run.row.id) ?? null,
    error: run.kind === 'ended' ? errorOf(run.row) : null,
    waitingFor: run.kind === 'open' ? waitingFor(run.row) : null,
    step: shown(run.row.workflow_id) ? stepOf(run.row, tasks, stepNameOf(run.row)) : null,
  }))
}

/** Which workflows are in the scope; runs of a task may be steps of workflows of other groups. */
async function workflowsShown(tx: ReadTx, rows: readonly RunFacts[], scope: Scope): Promise<(workflowId: number | null) => boolean> {
  if (scope === 'all') return () => true
  const ids = [...new Set(rows.flatMap((row) => row.workflow_id ?? []))]
  if (ids.length === 0) return () => false
  const found = await tx.rows(query.selectFrom('task').select(['id', 'group_id']).where('id', 'in', ids))
  const shown = new Set(found.filter((row) => isVisible(scope, row.group_id)).map((row) => row.id))
  return (workflowId) => workflowId !== null && shown.has(workflowId)
}

/** What a step defines in place has no task of its own: it is called after the workflow and the step. */
function taskNameOf(row: RunFacts, tasks: ReadonlyMap<number, string>, step: StepName | null): string {
  const name = tasks.get(row.task_id) ?? ''
  return row.workflow_id === row.task_id && step !== null ? `${name} · ${step.name}` : name
}

function stepOf(row: RunFacts, tasks: ReadonlyMap<number, string>, step: StepName | null): InstanceListItem['step'] {
  const { workflow_run_id: workflowRunId, workflow_id: workflowId } = row
  if (workflowRunId === null || workflowId === null || step === null) return null
  return { workflowRunId, workflowId, workflowName: tasks.get(workflowId) ?? '', stepKey: step.key }
}

function factsOf(row: RunFacts) {
  return {
    id: row.id,
    taskId: row.task_id,
    groupId: row.group_id,
    taskVersion: row.task_version,
    cause: causeOfCode(row.cause),
    actor: actorOf(row.actor),
    attempt: row.attempt,
    priority: row.priority,
    scheduledAt: instantText(row.due_at),
    firedAt: instantText(row.created_at),
    queuedAt: instantText(row.queued_at),
    dispatchedAt: instantText(row.sent_at),
    acceptedAt: instantText(row.accepted_at),
    startedAt: instantText(row.started_at),
    executorId: row.executor_id,
    cancelRequestedAt: instantText(row.cancel_at),
    retryOf: row.retry_of,
    parentId: row.parent_id,
    shard: row.shard_index === null ? null : { index: row.shard_index, total: row.shard_total ?? 1, key: row.shard_key ?? '' },
    shards: row.children_made === null ? null : sumsOf(row),
  }
}

function sumsOf(row: RunFacts): ShardPage['sums'] {
  return {
    total: row.shard_total ?? 0,
    made: row.children_made ?? 0,
    ended: { ...countsOfParent(row) },
    mapped: row.mapped !== null,
    reduce: row.reduce === null ? 'none' : row.reduce === REDUCE.begun ? 'begun' : 'later',
  }
}

function stateOf(run: Run): InstanceState {
  return run.kind === 'open' ? stateOfPhase(run.row.phase) : outcomeOfCode(run.row.outcome)
}

/** Names by id. What was deleted keeps its name as long as its row stays. */
async function namesOf(tx: ReadTx, table: 'task' | 'executor', ids: readonly (number | null)[]): Promise<Map<number, string>> {
  const known = [...new Set(ids.filter((id) => id !== null))]
  if (known.length === 0) return new Map()
  const rows = await tx.rows(query.selectFrom(table).select(['id', 'name']).where('id', 'in', known))
  return new Map(rows.map((row) => [row.id, row.name]))
}

async function retriesOf(tx: ReadTx, ids: readonly number[]): Promise<Map<number, number>> {
  if (ids.length === 0) return new Map()
  const rows = await tx.rows(query.selectFrom('retry_link').selectAll().where('instance_id', 'in', ids))
  return new Map(rows.map((row) => [row.instance_id, row.retry_id]))
}

export function actorOf(text: string | null): Static<typeof Actor> | null {
  const value = text === null ? null : parseJson(text)
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('name' in value) || typeof value.name !== 'string') return null
  const kind = (['user', 'token', 'executor', 'system'] as const).find((known) => known === value.kind)
  return kind === undefined ? null : { kind, id: 'id' in value && typeof value.id === 'number' ? value.id : null, name: value.name }
}

export function errorOf(row: { error_code: string | null; error: string | null }): Static<typeof RunError> | null {
  return row.error_code === null && row.error === null ? null : { code: row.error_code ?? '', message: row.error ?? '' }
}

export function waitingFor(row: OpenInstanceRow): InstanceListItem['waitingFor'] {
  const reason = row.wait_code === null ? null : reasonOf(row.wait_code)
  return reason === null ? null : { reason, facts: objectOf(row.wait_facts) }
}

function objectOf(text: string | null): Record<string, unknown> {
  const value = text === null ? null : parseJson(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

export function payloadOf(payloads: readonly PayloadRow[], kind: number): string | null {
  return payloads.find((payload) => payload.kind === kind)?.body ?? null
}

/** What the run was given: the items of a shard; its own params; those of its parent; else those of the task's version that it runs. */
export async function paramsOf(tx: ReadTx, row: RunFacts, payloads: readonly PayloadRow[]): Promise<string> {
  if (isFar(row.shard_part)) return JSON.stringify(itemsOfPayload(payloadOf(payloads, PART_PAYLOAD) ?? undefined))
  const items = row.shard_index === null ? undefined : partOfText(row.shard_part).items
  if (items !== undefined) return JSON.stringify(items)
  const own = payloadOf(payloads, 1)
  if (own !== null || row.parent_id === null) return own ?? (await paramsOfVersion(tx, row))
  const given = await tx.rows(query.selectFrom('payload').selectAll().where('instance_id', '=', row.parent_id).where('kind', '=', 1))
  return payloadOf(given, 1) ?? (await paramsOfVersion(tx, row))
}

async function paramsOfVersion(tx: ReadTx, row: RunFacts): Promise<string> {
  return (await definitionOfRun(tx, row))?.params ?? ''
}

function resultOf(run: Run, payloads: readonly PayloadRow[]): unknown {
  const text = run.kind === 'ended' ? (payloadOf(payloads, 2) ?? run.row.result) : null
  return text === null ? null : (parseJson(text) ?? null)
}

function progressOf(text: string | null): Instance['progress'] {
  const value = text === null ? null : parseJson(text)
  if (!Array.isArray(value)) return null
  const items: readonly unknown[] = value
  const [share, words] = items
  return typeof share === 'number' ? { value: share, text: typeof words === 'string' ? words : '' } : null
}

/** All attempts in order; the last is the run's own row, unless it ended before the run did (it waits for another try). */
async function attemptsOf(tx: ReadTx, run: Run, item: InstanceListItem): Promise<Instance['attempts']> {
  const rows = await tx.rows(
    query.selectFrom('attempt').selectAll().where('instance_id', '=', run.row.id).orderBy('attempt').orderBy('late'),
  )
  const names = await namesOf(
    tx,
    'executor',
    rows.map((row) => row.executor_id),
  )
  const attempts = rows.map((row) => attemptOf(row, names))
  const isKept = run.row.attempt === 0 || rows.some((row) => row.attempt === run.row.attempt && row.late === 0)
  return isKept ? attempts : [...attempts, lastAttempt(item)].sort((a, b) => a.attempt - b.attempt || Number(a.late) - Number(b.late))
}

function attemptOf(row: AttemptRow, names: ReadonlyMap<number, string>): Static<typeof Attempt> {
  return {
    attempt: row.attempt,
    executorId: row.executor_id,
    executorName: row.executor_id === null ? null : (names.get(row.executor_id) ?? null),
    dispatchedAt: instantText(row.sent_at),
    acceptedAt: instantText(row.accepted_at),
    startedAt: instantText(row.started_at),
    endedAt: instantText(row.ended_at),
    outcome: attemptOutcome(row.outcome),
    error: errorOf(row),
    late: row.late === 1,
  }
}

function attemptOutcome(code: number): string {
  if (code === ATTEMPT_OUTCOME.rejected) return 'rejected'
  if (code === ATTEMPT_OUTCOME.neverReceived) return 'neverReceived'
  return OUTCOMES[code - 1] ?? 'failed'
}

function lastAttempt(item: InstanceListItem): Static<typeof Attempt> {
  const { attempt, executorId, executorName, dispatchedAt, acceptedAt, startedAt, endedAt, error } = item
  const isGoing = item.state === 'waiting' || item.state === 'queued' || isOpen(item.state)
  return {
    attempt,
    executorId,
    executorName,
    dispatchedAt,
    acceptedAt,
    startedAt,
    endedAt,
    outcome: isGoing ? null : item.state,
    error,
    late: false,
  }
}

export interface RunDot {
  readonly id: number
  readonly state: InstanceState
  readonly scheduledAt: string | null
  readonly durationMs: number | null
}

export interface RecentRuns {
  /** newest first */
  readonly recent: readonly RunDot[]
  readonly openRuns: number
}

/** The last runs of each task, and how many of its runs are open. */
export async function recentRuns(tx: ReadTx, taskIds: readonly number[], count: number): Promise<Map<number, RecentRuns>> {
  if (taskIds.length === 0) return new Map()
  const columns = ['id', 'task_id', 'due_at', 'started_at'] as const
  const open = Map.groupBy(
    await tx.rows(
      query
        .selectFrom('open_instance')
        .select([...columns, 'phase'])
        .where('task_id', 'in', taskIds)
        .where('cause', '<>', CAUSE.shard)
        .orderBy('id', 'desc'),
    ),
    (row) => row.task_id,
  )
  const recent = new Map<number, RecentRuns>()
  const hidesShards = await mayHaveShards(tx)
  for (const taskId of taskIds) {
    const newest = query.selectFrom('instance').select([...columns, 'outcome', 'ended_at'])
    const ended = await tx.rows(
      hidesShards
        ? newest.where('id', 'in', [0, ...(await newestEnded(tx, taskId, count))])
        : newest.where('task_id', '=', taskId).orderBy('id', 'desc').limit(count),
    )
    const running = open.get(taskId) ?? []
    const dots: RunDot[] = [
      ...running
        .slice(0, count)
        .map((row) => ({ id: row.id, state: stateOfPhase(row.phase), scheduledAt: instantText(row.due_at), durationMs: null })),
      ...ended.map((row) => ({
        id: row.id,
        state: outcomeOfCode(row.outcome),
        scheduledAt: instantText(row.due_at),
        durationMs: row.started_at === null ? null : Math.max(0, row.ended_at - row.started_at),
      })),
    ]
    recent.set(taskId, { recent: dots.sort((a, b) => b.id - a.id).slice(0, count), openRuns: running.length })
  }
  return recent
}

/** The last ended runs of a task without their shards. */
async function newestEnded(tx: ReadTx, taskId: number, count: number): Promise<readonly number[]> {
  const filter = { scope: 'all', taskId, states: OUTCOMES, hasShards: false, ids: null, fromAt: null, toAt: null } as const
  return (await findRuns(tx, filter, Number.MAX_SAFE_INTEGER, count)).ids
}

/** What a person looks for first has the lowest rank. */
export const SHARD_RANK: Readonly<Record<InstanceState, number>> = {
  failed: 0,
  timedOut: 0,
  lost: 0,
  canceled: 1,
  skipped: 1,
  running: 2,
  dispatched: 3,
  queued: 4,
  waiting: 4,
  succeeded: 5,
}

/**
 * A page of the shards of a run, failed ones first, and how many there are in each state. Reads one range of keys, at most 10,000 rows of it, whatever
 * the page. 404 `INSTANCE_NOT_FOUND`; a run that was not split has none.
 */
export async function listShards(
  db: Database,
  scope: Scope,
  instanceId: number,
  { page = 1, pageSize = 20, state }: ShardQuery,
): Promise<ShardPage> {
  const states = new Set(statesOf(state))
  return db.read(async (tx) => {
    const { row: parent } = await visibleRun(tx, scope, instanceId)
    const all = await shardStates(tx, parent)
    const counts: Record<string, number> = {}
    for (const { state: is } of all) counts[is] = (counts[is] ?? 0) + 1
    const wanted = all.filter((shard) => states.has(shard.state))
    wanted.sort((a, b) => SHARD_RANK[a.state] - SHARD_RANK[b.state] || a.id - b.id)
    const ids = wanted.slice((page - 1) * pageSize, page * pageSize).map((shard) => shard.id)
    const items = new Map((await listItems(tx, await readRuns(tx, ids), scope)).map((item) => [item.id, item]))
    return {
      items: ids.flatMap((id) => items.get(id) ?? []),
      total: wanted.length,
      page,
      pageSize,
      counts,
      sums: sumsOf(parent),
    }
  })
}

export async function shardStates(tx: ReadTx, parent: RunFacts): Promise<{ id: number; state: InstanceState }[]> {
  if (parent.first_child_id === null) return []
  const range = [parent.first_child_id, parent.first_child_id + (parent.children_made ?? 0)]
  const states = new Map<number, InstanceState>()
  // open ones first: who ends meanwhile is found as ended
  const open = await tx.all<{ id: number; phase: number }>('SELECT id, phase FROM open_instance WHERE id >= ? AND id < ?', range)
  for (const row of open) states.set(row.id, stateOfPhase(row.phase))
  const ended = await tx.all<{ id: number; outcome: number }>('SELECT id, outcome FROM instance WHERE id >= ? AND id < ?', range)
  for (const row of ended) states.set(row.id, outcomeOfCode(row.outcome))
  return [...states].map(([id, state]) => ({ id, state }))
}
