import { appendTrace, CAUSE, OUTCOME, PHASE, slotOf, type TraceEntry } from '@tickwheel/core'
import { leaveEnds } from './alarm-signals.ts'
import { addCounts, type Count } from './counters.ts'
import type { Tx } from './database.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { dropMapFrames } from './map-frames.ts'
import { keepNeverBegun } from './never-begun.ts'
import type { AttemptRow, InstanceRow, OpenInstanceRow, PayloadRow, SignalRow } from './schema.ts'

/** `rank_at` of a run that waits for an earlier run of its task: no sweep finds it, the end of the other wakes it. */
export const NEVER = 9_000_000_000_000_000
/** Outcomes of an attempt that a run's outcome does not have. */
export const ATTEMPT_OUTCOME = { rejected: 7, neverReceived: 8 } as const
/** `on_end`: the end of this run sets the next instant of its fixedDelay series. */
export const ON_END_DELAY = 1
/** `on_end`: a failure of this run counts towards `pauseAfterFailures` of its task. */
export const ON_END_FAILURE = 2
/** Outcomes that count as failures there. */
export const FAILURES: readonly number[] = [OUTCOME.failed, OUTCOME.timedOut, OUTCOME.lost]
/** `on_end`: the end of this run is told to the run of which it is a shard. */
export const ON_END_PARENT = 4
/** `on_end`: the end of this run is told to the run of the workflow whose step it does. */
export const ON_END_WORKFLOW = 8
/** `on_end`: the end of this run is told to the backfill that has made it (`series_id`). */
export const ON_END_BACKFILL = 16
/** `lane` of runs of workflows, queued or begun: they need no executor, and are looked for apart from the many that have one. */
export const FLOW_LANE = -1

/** What a run has in the columns of shards that is neither parent nor shard. */
export const NO_SHARDS = {
  parent_id: null,
  shard_index: null,
  shard_total: null,
  shard_key: null,
  shard_part: null,
  first_child_id: null,
  children_made: null,
  children_ended: null,
  children_open: null,
  mapped: null,
  reduce: null,
} as const

/** What a run has that waits for its first dispatch, and that nobody has spoken of yet. */
export const NOT_SENT = {
  attempt: 0,
  tries: 0,
  executor_id: null,
  boot_id: null,
  tried_executor_id: null,
  sent_at: null,
  accepted_at: null,
  started_at: null,
  cancel_at: null,
  cancel_by: null,
  wait_code: null,
  wait_facts: null,
  progress: null,
  pinned_executor_id: null,
} as const

/** What a run has in the columns of workflows that neither is one nor does a step of one. */
export const NO_WORKFLOW = {
  workflow_run_id: null,
  workflow_id: null,
  workflow_version: null,
  step_no: null,
  runs_workflow: null,
} as const
/** `reduce` of a run: its shards have not ended yet, or they have. */
export const REDUCE = { later: 1, begun: 2 } as const

/** What is longer stands in a payload of its own. */
export const INLINE_BYTES = 2048
const PAYLOAD = { params: 1, result: 2, error: 3, part: 4 } as const
export const PARAMS_PAYLOAD = PAYLOAD.params
export const RESULT_PAYLOAD = PAYLOAD.result
export const PART_PAYLOAD = PAYLOAD.part

export interface RunError {
  readonly code: string
  readonly message: string
}

/** A run that ends: its open row as it was last, and what is added. */
export interface RunEnd {
  readonly row: OpenInstanceRow
  readonly outcome: number
  readonly endedAt: number
  /** JSON text, null: none */
  readonly result: string | null
  readonly error: RunError | null
  readonly trace: readonly TraceEntry[]
}

/**
 * Ends runs: writes each one's final row, which is never changed again, and deletes its open row, so that a second end finds nothing.
 * `firstSignalId`: as many run ids in a row as there are ends. `starts`: what else the transaction counts, so that it adds to each counter once.
 */
export async function endRuns(
  tx: Tx,
  at: number,
  firstSignalId: number,
  ends: readonly RunEnd[],
  starts: readonly Count[] = [],
): Promise<void> {
  if (ends.length === 0) return addCounts(tx, at, starts)
  const sorted = ends.toSorted((a, b) => a.row.id - b.row.id)
  await tx.insert('instance', sorted.map(finalRow))
  await keepNeverBegun(
    tx,
    sorted.map((end) => end.row),
  )
  for (const part of partsOf(
    sorted.map((end) => end.row.id),
    1000,
  )) {
    const list = listOfNumbers(part)
    await tx.run(`DELETE FROM open_instance WHERE id IN ${list.sql}`, list.params)
  }
  await dropMapFrames(
    tx,
    sorted.flatMap(({ row }) => (row.mapped === null ? [] : [row.id])),
  )
  await tx.insert('payload', sorted.flatMap(payloadsOf))
  await tx.insert(
    'signal',
    sorted.flatMap((end, index) => signalsOf(end, firstSignalId + index, at)),
  )
  await leaveEnds(tx, sorted)
  await addCounts(tx, at, [
    // a sharded run counts once, as its parent does, and a run of a workflow once, whatever its steps
    ...sorted.filter(isCounted).map((end) => ({ groupId: end.row.group_id, metric: end.outcome, n: 1 })),
    ...starts,
  ])
}

function isCounted({ row }: RunEnd): boolean {
  return row.cause !== CAUSE.shard && row.workflow_run_id === null
}

function finalRow({ row, outcome, endedAt, result, error, trace }: RunEnd): InstanceRow {
  return {
    id: row.id,
    slot: row.slot,
    group_id: row.group_id,
    task_id: row.task_id,
    task_version: row.task_version,
    cause: row.cause,
    actor: row.actor,
    series_id: row.series_id,
    due_at: row.due_at,
    created_at: row.created_at,
    priority: row.priority,
    retry_of: row.retry_of,
    attempt: row.attempt,
    tries: row.tries,
    executor_id: row.executor_id,
    boot_id: row.boot_id,
    queued_at: row.queued_at,
    sent_at: row.sent_at,
    accepted_at: row.accepted_at,
    started_at: row.started_at,
    cancel_at: row.cancel_at,
    cancel_by: row.cancel_by,
    trace: appendTrace(row.trace, row.created_at, trace),
    parent_id: row.parent_id,
    shard_index: row.shard_index,
    shard_total: row.shard_total,
    shard_key: row.shard_key,
    shard_part: row.shard_part,
    first_child_id: row.first_child_id,
    children_made: row.children_made,
    children_ended: row.children_ended,
    workflow_run_id: row.workflow_run_id,
    workflow_id: row.workflow_id,
    workflow_version: row.workflow_version,
    step_no: row.step_no,
    runs_workflow: row.runs_workflow,
    mapped: row.mapped,
    reduce: row.reduce,
    outcome,
    ended_at: endedAt,
    result: result !== null && result.length <= INLINE_BYTES ? result : null,
    error_code: error?.code ?? null,
    error: error === null ? null : error.message.slice(0, INLINE_BYTES),
  }
}

function payloadsOf({ row, result, error }: RunEnd): PayloadRow[] {
  return [
    ...(result !== null && result.length > INLINE_BYTES ? [{ instance_id: row.id, kind: PAYLOAD.result, body: result }] : []),
    ...(error !== null && error.message.length > INLINE_BYTES ? [{ instance_id: row.id, kind: PAYLOAD.error, body: error.message }] : []),
  ]
}

function signalsOf({ row, outcome, endedAt }: RunEnd, id: number, at: number): SignalRow[] {
  const isFailure = (row.on_end & ON_END_FAILURE) !== 0 && FAILURES.includes(outcome)
  // who waits for a step, or for a child of one, is the run of the workflow or beside it: its owner is to hear of it
  const slot = row.workflow_id === null ? row.slot : slotOf('task', row.workflow_id)
  const common = { id, slot, instance_id: row.id, outcome, at }
  if ((row.on_end & ON_END_PARENT) !== 0 && row.parent_id !== null)
    return [{ ...common, kind: 4, target_id: row.parent_id, facts: JSON.stringify({ endedAt }) }]
  if ((row.on_end & ON_END_WORKFLOW) !== 0 && row.workflow_run_id !== null)
    return [{ ...common, kind: 5, target_id: row.workflow_run_id, facts: JSON.stringify({ endedAt }) }]
  if ((row.on_end & ON_END_BACKFILL) !== 0 && row.series_id !== null) return [{ ...common, kind: 6, target_id: row.series_id, facts: '{}' }]
  if ((row.on_end & ON_END_DELAY) !== 0 && row.series_id !== null) {
    const facts = { endedAt, ...(isFailure ? { failedTask: row.task_id } : {}) }
    return [{ ...common, kind: 1, target_id: row.series_id, facts: JSON.stringify(facts) }]
  }
  return isFailure ? [{ ...common, kind: 3, target_id: row.task_id, facts: JSON.stringify({ endedAt }) }] : []
}

/** An attempt that ended while its run goes on: back to the queue (`readyAt` null) or to wait out a delay. */
export interface Requeue {
  readonly row: OpenInstanceRow
  readonly attemptOutcome: number
  readonly endedAt: number
  readonly error: RunError | null
  readonly readyAt: number | null
  readonly spendsTry: boolean
  readonly trace: readonly TraceEntry[]
}

/** Rejections repeat while an executor is full: beyond these the row of the attempt is not kept. */
const ATTEMPTS_KEPT = 100

/** The open row after a requeue. `rankOf` places it in its lane. */
export function requeued(requeue: Requeue, rankOf: (row: OpenInstanceRow) => number): OpenInstanceRow {
  const { row, readyAt } = requeue
  const base = {
    ...row,
    executor_id: null,
    boot_id: null,
    tried_executor_id: row.executor_id,
    sent_at: null,
    accepted_at: null,
    started_at: null,
    progress: null,
    wait_code: null,
    wait_facts: null,
  }
  const trace = appendTrace(row.trace, row.created_at, requeue.trace)
  const tries = row.tries + (requeue.spendsTry ? 1 : 0)
  return readyAt === null
    ? { ...base, trace, tries, phase: PHASE.queued, lane: row.group_id, rank_at: rankOf(row) }
    : { ...base, trace, tries, phase: PHASE.waiting, lane: 0, rank_at: readyAt }
}

/** The row of an attempt that was not the last. */
export function attemptRow({ row, attemptOutcome, endedAt, error }: Requeue): AttemptRow[] {
  if (row.attempt > ATTEMPTS_KEPT && attemptOutcome >= ATTEMPT_OUTCOME.rejected) return []
  return [
    {
      instance_id: row.id,
      attempt: row.attempt,
      late: 0,
      executor_id: row.executor_id,
      boot_id: row.boot_id,
      sent_at: row.sent_at,
      accepted_at: row.accepted_at,
      started_at: row.started_at,
      ended_at: endedAt,
      outcome: attemptOutcome,
      error_code: error?.code ?? null,
      error: error === null ? null : error.message.slice(0, INLINE_BYTES),
    },
  ]
}

/** Saves what an open row knows of its shards. */
export async function saveSplit(tx: Tx, rows: readonly OpenInstanceRow[]): Promise<void> {
  await tx.runMany(
    'UPDATE open_instance SET shard_total = ?, first_child_id = ?, shard_part = ?, children_made = ?, children_open = ?, children_ended = ?, mapped = ?, reduce = ? WHERE id = ?',
    rows.map((row) => [
      row.shard_total,
      row.first_child_id,
      row.shard_part,
      row.children_made,
      row.children_open,
      row.children_ended,
      row.mapped,
      row.reduce,
      row.id,
    ]),
  )
}

/** Saves what can change in an open row. */
export async function saveOpen(tx: Tx, rows: readonly OpenInstanceRow[]): Promise<void> {
  await tx.runMany(
    'UPDATE open_instance SET phase = ?, lane = ?, rank_at = ?, attempt = ?, tries = ?, executor_id = ?, boot_id = ?, tried_executor_id = ?, queued_at = ?, sent_at = ?, accepted_at = ?, started_at = ?, cancel_at = ?, cancel_by = ?, wait_code = ?, wait_facts = ?, progress = ?, trace = ? WHERE id = ?',
    rows.map((row) => [
      row.phase,
      row.lane,
      row.rank_at,
      row.attempt,
      row.tries,
      row.executor_id,
      row.boot_id,
      row.tried_executor_id,
      row.queued_at,
      row.sent_at,
      row.accepted_at,
      row.started_at,
      row.cancel_at,
      row.cancel_by,
      row.wait_code,
      row.wait_facts,
      row.progress,
      row.trace,
      row.id,
    ]),
  )
}
