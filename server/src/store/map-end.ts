/**
 * A run that its handler has split. The attempt that did it ends first, and only if it succeeded does the run go on as a parent: it has no executor, its
 * shards run like those of any other, and it ends as they do. With `reduce` it gets one attempt more when they have ended, through the queue, and ends as
 * that attempt does.
 */
import { appendTrace, OUTCOME, PHASE, type TraceEntry } from '@tickwheel/core'
import { canceledBy, rankOf, type AttemptEnd } from './judge.ts'
import { NEVER, REDUCE, type Requeue, type RunEnd } from './run-writes.ts'
import type { OpenInstanceRow } from './schema.ts'
import { countsOfParent } from './shard-counts.ts'

export type AfterMap =
  /** as a parent, or queued for its last attempt where there is nothing to wait for; `attempt`: the one that is over, and succeeded */
  | { readonly kind: 'parent'; readonly row: OpenInstanceRow; readonly attempt: Requeue }
  | { readonly kind: 'end'; readonly end: RunEnd; readonly attempt: Requeue }
  /** nothing of it is split, or it cannot be: the attempt ends like any other */
  | { readonly kind: 'attemptEnded'; readonly ended: AttemptEnd }

/** What becomes of a run whose attempt has succeeded and has split it. `firstChildId`: the first of as many ids in a row as the attempt says. */
export function afterMap(ended: AttemptEnd, { at, firstChildId }: { at: number; firstChildId: number | null }): AfterMap {
  const { row, map = { shards: 0, reduce: false } } = ended
  const mapped = row.mapped ?? 0
  if (row.shard_index !== null || row.reduce !== null)
    return failed(ended, 'MAP_REFUSED', 'a shard, or an attempt that combines results, cannot split its run')
  if (mapped !== map.shards)
    return failed(ended, 'MAP_INCOMPLETE', `the attempt has split off ${mapped} shards, and its end says that they are ${map.shards}`)
  if (mapped === 0 && !map.reduce) return { kind: 'attemptEnded', ended }
  if (mapped > 0 && firstChildId === null) throw new Error(`run ${row.id} is split, and no ids were taken for its shards`)
  const attempt: Requeue = {
    row,
    attemptOutcome: OUTCOME.succeeded,
    endedAt: ended.at,
    error: null,
    readyAt: null,
    spendsTry: false,
    trace: [],
  }
  if (row.cancel_at !== null) return { kind: 'end', end: canceledEnd(ended, mapped), attempt }
  const split: TraceEntry = { reason: 'mapped', at, facts: { total: mapped, reduce: map.reduce } }
  const parent: OpenInstanceRow = {
    ...row,
    phase: PHASE.running,
    lane: 0,
    rank_at: NEVER,
    // its last attempt has tries of its own
    tries: 0,
    executor_id: null,
    boot_id: null,
    tried_executor_id: null,
    sent_at: null,
    accepted_at: null,
    progress: null,
    wait_code: null,
    wait_facts: null,
    shard_total: mapped,
    first_child_id: mapped === 0 ? null : firstChildId,
    children_made: 0,
    children_open: 0,
    children_ended: '{}',
    mapped,
    reduce: map.reduce ? REDUCE.later : null,
    trace: appendTrace(row.trace, row.created_at, [split]),
  }
  return { kind: 'parent', row: mapped === 0 ? toReduce(parent, at) : parent, attempt }
}

/** The row of a parent whose shards have ended, back in its queue for the attempt that combines their results. */
export function toReduce(row: OpenInstanceRow, at: number): OpenInstanceRow {
  const trace: TraceEntry = {
    reason: 'reducing',
    at,
    facts: { total: row.shard_total, succeeded: countsOfParent(row).succeeded ?? 0 },
  }
  return {
    ...row,
    phase: PHASE.queued,
    lane: row.group_id,
    rank_at: rankOf(row),
    started_at: null,
    reduce: REDUCE.begun,
    trace: appendTrace(row.trace, row.created_at, [trace]),
  }
}

function failed(ended: AttemptEnd, code: string, message: string): AfterMap {
  return {
    kind: 'attemptEnded',
    ended: {
      ...ended,
      outcome: OUTCOME.failed,
      result: null,
      error: { code, message },
      trace: [{ reason: 'failed', at: ended.at, facts: { code } }],
    },
  }
}

/** Somebody asked to cancel while it was being split: none of its shards is made. */
function canceledEnd({ row, at }: AttemptEnd, missing: number): RunEnd {
  return {
    row,
    outcome: OUTCOME.canceled,
    endedAt: at,
    result: null,
    error: null,
    trace: [...(missing > 0 ? [{ reason: 'shardsNeverMade', at, facts: { missing } } as const] : []), canceledBy(row, at)],
  }
}
