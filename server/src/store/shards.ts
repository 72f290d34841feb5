import {
  addShards,
  appendTrace,
  CAUSE,
  endedShards,
  OUTCOME,
  outcomeOfCode,
  outcomeOfParent,
  PHASE,
  queueRankAt,
  type ShardCounts,
  type ShardPart,
  type ShardRange,
  type TraceEntry,
} from '@tickwheel/core'
import type { Database, ReadTx, Tx } from './database.ts'
import { parseJson } from './definition.ts'
import { canceledBy } from './judge.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { lockOpen } from './open-runs.ts'
import type { RunChange } from './report.ts'
import { endRuns, NEVER, NO_SHARDS, ON_END_PARENT, type RunEnd, type RunError } from './run-writes.ts'
import type { OpenInstanceRow, RunFacts, SignalRow } from './schema.ts'
import { heldSlots, type Fences } from './slots.ts'

/** How many shards one transaction makes. */
export const SHARDS_AT_ONCE = 1000

export interface ParentExecutor {
  readonly executorId: number
  readonly name: string
}

/** A queued run whose turn has come: it is split, or ends at once because it cannot be (`error`) or has nothing to do (`total` 0). */
export interface Split {
  readonly instanceId: number
  readonly slot: number
  readonly total: number
  /** the first of `total` ids in a row */
  readonly firstChildId: number
  /** of a broadcast: who gets a shard */
  readonly executors: readonly ParentExecutor[] | null
  readonly error: RunError | null
  readonly trace: TraceEntry
}

/**
 * Begins parents: from here on each runs until its shards have ended, and has no executor. What was canceled, taken or split meanwhile is left alone, and
 * so is what another node owns. `firstId`: as many run ids in a row as there are splits.
 */
export async function splitRuns(
  db: Database,
  at: number,
  fences: Fences,
  { splits, firstId }: { splits: readonly Split[]; firstId: number },
): Promise<RunChange[]> {
  return db.write('fire', async (tx) => {
    const held = await heldSlots(tx, fences)
    const rows = new Map(
      (
        await lockOpen(
          tx,
          splits.map((split) => split.instanceId),
          'updateFree',
        )
      ).map((row) => [row.id, row]),
    )
    const begun: OpenInstanceRow[] = []
    const ends: RunEnd[] = []
    for (const split of splits) {
      const row = rows.get(split.instanceId)
      if (row === undefined || !held.has(split.slot) || row.phase !== PHASE.queued || row.cancel_at !== null) continue
      const parent = parentRow(row, split, at)
      if (split.total > 0 && split.error === null) begun.push(parent)
      else ends.push(endAtOnce(parent, split, at))
    }
    await saveParents(tx, begun)
    await endRuns(tx, at, firstId, ends)
    return [...begun.map((row): RunChange => ({ kind: 'open', row })), ...ends.map(endChange)]
  })
}

function parentRow(row: OpenInstanceRow, { total, firstChildId, executors, trace }: Split, at: number): OpenInstanceRow {
  return {
    ...row,
    phase: PHASE.running,
    lane: 0,
    rank_at: NEVER,
    started_at: at,
    wait_code: null,
    wait_facts: null,
    shard_total: total,
    first_child_id: total === 0 ? null : firstChildId,
    shard_part: executors === null ? null : JSON.stringify({ executors: executors.map(({ executorId, name }) => [executorId, name]) }),
    children_made: 0,
    children_open: 0,
    children_ended: '{}',
    trace: appendTrace(row.trace, row.created_at, [trace]),
  }
}

function endAtOnce(row: OpenInstanceRow, { error }: Split, at: number): RunEnd {
  const outcome = error === null ? OUTCOME.succeeded : OUTCOME.failed
  return { row, outcome, endedAt: at, result: error === null ? resultOf(0, {}) : null, error, trace: [] }
}

/** The shards from `from` on, of which a parent has made so many; at most 1,000. Null: the parent has moved on, and must be read again. */
export async function makeShards(
  db: Database,
  at: number,
  fences: Fences,
  { parentId, from, parts }: { parentId: number; from: number; parts: readonly ShardPart[] },
): Promise<{ readonly parent: OpenInstanceRow; readonly shards: readonly OpenInstanceRow[] } | null> {
  return db.write('fire', async (tx) => {
    const held = await heldSlots(tx, fences)
    const [row] = await lockOpen(tx, [parentId], 'update')
    if (row === undefined || !held.has(row.slot) || !isParent(row) || row.cancel_at !== null || row.children_made !== from) return null
    const shards = parts.map((part, offset) => shardRow(row, part, from + offset, at))
    await tx.insert('open_instance', shards)
    const parent = { ...row, children_made: from + shards.length, children_open: (row.children_open ?? 0) + shards.length }
    await saveParents(tx, [parent])
    return { parent, shards }
  })
}

function shardRow(parent: OpenInstanceRow, part: ShardPart, index: number, at: number): OpenInstanceRow {
  const total = parent.shard_total ?? 0
  return {
    ...parent,
    ...NO_SHARDS,
    id: (parent.first_child_id ?? 0) + index,
    cause: CAUSE.shard,
    series_id: null,
    created_at: at,
    retry_of: null,
    attempt: 0,
    tries: 0,
    queued_at: at,
    started_at: null,
    trace: appendTrace('[]', at, [{ reason: 'shardOf', at, facts: { parent: parent.id, index, total } }]),
    phase: PHASE.queued,
    lane: parent.group_id,
    rank_at: queueRankAt(at, parent.priority),
    on_end: ON_END_PARENT,
    pinned_executor_id: part.executorId ?? parent.pinned_executor_id,
    parent_id: parent.id,
    shard_index: index,
    shard_total: total,
    shard_key: part.key,
    shard_part: textOfPart(part),
  }
}

function textOfPart({ range, items, executorId }: ShardPart): string | null {
  if (range !== undefined) return JSON.stringify({ range })
  if (items !== undefined) return JSON.stringify({ items })
  return executorId === undefined ? null : JSON.stringify({ executorId })
}

/** What a shard is to do, from its column; nothing of it for a shard that only has an index. */
export function partOfText(text: string | null): Omit<ShardPart, 'key'> {
  const value = text === null ? null : parseJson(text)
  if (typeof value !== 'object' || value === null) return {}
  if ('items' in value && Array.isArray(value.items)) return { items: value.items as readonly unknown[] }
  if ('executorId' in value && typeof value.executorId === 'number') return { executorId: value.executorId }
  return 'range' in value ? { range: value.range as ShardRange } : {}
}

/** Who was online when a broadcast began. */
export function executorsOfParent(row: RunFacts): ParentExecutor[] {
  const value = row.shard_part === null ? null : parseJson(row.shard_part)
  if (typeof value !== 'object' || value === null || !('executors' in value) || !Array.isArray(value.executors)) return []
  return (value.executors as readonly [number, string][]).map(([executorId, name]) => ({ executorId, name }))
}

/** Whether a run has been split. */
export function isParent(row: Pick<RunFacts, 'first_child_id'>): boolean {
  return row.first_child_id !== null
}

export function countsOfParent(row: Pick<RunFacts, 'children_ended'>): ShardCounts {
  const value = row.children_ended === null ? null : parseJson(row.children_ended)
  return typeof value === 'object' && value !== null ? value : {}
}

/**
 * What the ends of shards make of their parents, whose rows this transaction has locked: who has no shard open any more ends. The caller deletes the
 * signals in the same transaction, so each counts once.
 */
export async function applyShardEnds(
  tx: Tx,
  { parents, signals, at, firstId }: { parents: readonly OpenInstanceRow[]; signals: readonly SignalRow[]; at: number; firstId: number },
): Promise<RunChange[]> {
  const byParent = Map.groupBy(signals, (signal) => signal.target_id)
  const rows = parents.map((row): OpenInstanceRow => {
    const ends = byParent.get(row.id) ?? []
    const counts = addShards(
      countsOfParent(row),
      ends.map((signal) => outcomeOfCode(signal.outcome)),
    )
    return { ...row, children_open: (row.children_open ?? 0) - ends.length, children_ended: JSON.stringify(counts) }
  })
  return settle(tx, { rows, at, firstId })
}

/** Ends parents that were canceled before a shard was made, or whose last end was applied before they were canceled. */
export async function settleParents(db: Database, at: number, firstId: number, parentIds: readonly number[]): Promise<RunChange[]> {
  return db.write('rest', async (tx) => {
    const rows = (await lockOpen(tx, parentIds, 'update')).filter(isParent)
    return settle(tx, { rows, at, firstId })
  })
}

async function settle(
  tx: Tx,
  { rows, at, firstId }: { rows: readonly OpenInstanceRow[]; at: number; firstId: number },
): Promise<RunChange[]> {
  const open = rows.filter((row) => !isDone(row))
  const ends = rows.filter(isDone).map((row) => endOfParent(row, at))
  await saveParents(tx, open)
  await endRuns(tx, at, firstId, ends)
  return [...open.map((row): RunChange => ({ kind: 'open', row })), ...ends.map(endChange)]
}

function isDone(row: OpenInstanceRow): boolean {
  return row.children_open === 0 && (row.children_made === row.shard_total || row.cancel_at !== null)
}

function endOfParent(row: OpenInstanceRow, at: number): RunEnd {
  const total = row.shard_total ?? 0
  const counts = countsOfParent(row)
  const state = outcomeOfParent({ total, counts, isCanceled: row.cancel_at !== null })
  const succeeded = counts.succeeded ?? 0
  const missing = total - endedShards(counts)
  return {
    row,
    outcome: OUTCOME[state],
    endedAt: at,
    result: resultOf(total, counts),
    error: state === 'failed' ? { code: 'SHARDS_FAILED', message: `${total - succeeded} of ${total} shards did not succeed` } : null,
    trace: [
      { reason: 'shardsEnded', at, facts: { total, succeeded } },
      ...(missing > 0 ? [{ reason: 'shardsNeverMade', at, facts: { missing } } as const] : []),
      ...(state === 'canceled' ? [canceledBy(row, at)] : []),
    ],
  }
}

/** The result of a parent: how many shards there were, and how many ended in each state. */
function resultOf(total: number, counts: ShardCounts): string {
  return JSON.stringify({ shards: total, ...counts })
}

function endChange(end: RunEnd): RunChange {
  return { kind: 'ended', row: end.row, outcome: end.outcome, endedAt: end.endedAt }
}

async function saveParents(tx: Tx, rows: readonly OpenInstanceRow[]): Promise<void> {
  await tx.runMany(
    'UPDATE open_instance SET phase = ?, lane = ?, rank_at = ?, started_at = ?, wait_code = ?, wait_facts = ?, shard_total = ?, first_child_id = ?, shard_part = ?, children_made = ?, children_open = ?, children_ended = ?, trace = ? WHERE id = ?',
    rows.map((row) => [
      row.phase,
      row.lane,
      row.rank_at,
      row.started_at,
      row.wait_code,
      row.wait_facts,
      row.shard_total,
      row.first_child_id,
      row.shard_part,
      row.children_made,
      row.children_open,
      row.children_ended,
      row.trace,
      row.id,
    ]),
  )
}

/** Shards of a parent that have not ended and that nobody has asked to cancel; at most `limit`. */
export async function shardsToCancel(db: Database, parent: OpenInstanceRow, limit: number): Promise<number[]> {
  const first = parent.first_child_id ?? 0
  const rows = await db.read((tx) =>
    tx.all<{ id: number }>(
      'SELECT id FROM open_instance WHERE id >= ? AND id < ? AND parent_id = ? AND cancel_at IS NULL ORDER BY id LIMIT ?',
      [first, first + (parent.children_made ?? 0), parent.id, limit],
    ),
  )
  return rows.map((row) => row.id)
}

/** Ends shards that were never sent and that only an executor that is lost could have run. Rows that moved on are left alone. */
export async function loseUnsent(db: Database, at: number, firstId: number, instanceIds: readonly number[]): Promise<RunChange[]> {
  return db.write('rest', async (tx) => {
    const rows = (await lockOpen(tx, instanceIds, 'update')).filter((row) => row.phase === PHASE.waiting || row.phase === PHASE.queued)
    const ends = rows.map((row): RunEnd => ({
      row,
      outcome: OUTCOME.lost,
      endedAt: at,
      result: null,
      error: { code: 'EXECUTOR_LOST', message: 'the executor that this shard was for is gone' },
      trace: [{ reason: 'pinnedExecutorLost', at, facts: { executorId: row.pinned_executor_id } }],
    }))
    await endRuns(tx, at, firstId, ends)
    return ends.map(endChange)
  })
}

/** What the dispatch of a shard says of it. */
export interface ShardSpec {
  readonly parentId: number | null
  readonly index: number
  readonly total: number
  readonly key: string
  readonly range?: ShardRange
  readonly items?: readonly unknown[]
}

/** Shards among open runs, by run id. */
export async function readShards(db: Database, instanceIds: readonly number[]): Promise<Map<number, ShardSpec>> {
  const specs = new Map<number, ShardSpec>()
  await db.read(async (tx) => {
    for (const part of partsOf(instanceIds, 1000)) for (const [id, spec] of await specsOf(tx, part)) specs.set(id, spec)
  })
  return specs
}

type ShardColumns = Pick<RunFacts, 'id' | 'parent_id' | 'shard_index' | 'shard_total' | 'shard_key' | 'shard_part'>

async function specsOf(tx: ReadTx, ids: readonly number[]): Promise<[number, ShardSpec][]> {
  const list = listOfNumbers(ids)
  const rows = await tx.all<ShardColumns>(
    `SELECT id, parent_id, shard_index, shard_total, shard_key, shard_part FROM open_instance WHERE id IN ${list.sql}`,
    list.params,
  )
  return rows.flatMap((row) => {
    const spec = specOf(row)
    return spec === null ? [] : [[row.id, spec]]
  })
}

/** Null: the run is no shard. */
export function specOf(row: ShardColumns): ShardSpec | null {
  if (row.shard_index === null) return null
  return {
    parentId: row.parent_id,
    index: row.shard_index,
    total: row.shard_total ?? 1,
    key: row.shard_key ?? '',
    ...partOfText(row.shard_part),
  }
}
