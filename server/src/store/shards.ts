import {
  addShards,
  appendTrace,
  CAUSE,
  endedShards,
  OUTCOME,
  outcomeOfCode,
  outcomeOfFanOut,
  outcomeOfParent,
  PHASE,
  queueRankAt,
  type ShardCounts,
  type ShardPart,
  type ShardRange,
  type TraceEntry,
} from '@tickwheel/core'
import { startCounts } from './counters.ts'
import type { Database, ReadTx, Tx } from './database.ts'
import { parseJson } from './definition.ts'
import { fanOutOf } from './fan-out-part.ts'
import { canceledBy } from './judge.ts'
import { toReduce } from './map-end.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { lockOpen } from './open-runs.ts'
import type { RunChange } from './report.ts'
import { dropMadeFrames } from './map-frames.ts'
import {
  endRuns,
  INLINE_BYTES,
  NEVER,
  NO_SHARDS,
  ON_END_PARENT,
  PART_PAYLOAD,
  REDUCE,
  saveOpen,
  saveSplit,
  type RunEnd,
  type RunError,
} from './run-writes.ts'
import type { OpenInstanceRow, PayloadRow, RunFacts, SignalRow } from './schema.ts'
import { countsOfParent } from './shard-counts.ts'
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
    const starts = [...begun, ...ends.map((end) => end.row)].flatMap((row) => startCounts(row, at))
    await endRuns(tx, at, firstId, ends, starts)
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

/**
 * The shards from `from` on, of which a parent has made so many; at most 1,000. `seqs`: the frames of the attempt that has split them off, which are not
 * needed any more. Null: the parent has moved on, and must be read again.
 */
export async function makeShards(
  db: Database,
  at: number,
  fences: Fences,
  { parentId, from, parts, seqs = [] }: { parentId: number; from: number; parts: readonly ShardPart[]; seqs?: readonly number[] },
): Promise<{ readonly parent: OpenInstanceRow; readonly shards: readonly OpenInstanceRow[] } | null> {
  return db.write('fire', async (tx) => {
    const held = await heldSlots(tx, fences)
    const [row] = await lockOpen(tx, [parentId], 'update')
    if (row === undefined || !held.has(row.slot) || !isParent(row) || row.cancel_at !== null || row.children_made !== from) return null
    const shards = parts.map((part, offset) => shardRow(row, part, from + offset, at))
    await tx.insert('open_instance', shards)
    await tx.insert(
      'payload',
      parts.flatMap((part, offset) => farPart(part, (row.first_child_id ?? 0) + from + offset)),
    )
    if (seqs.length > 0) await dropMadeFrames(tx, row, seqs)
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

function textOfPart(part: ShardPart): string | null {
  const { range, items, executorId, mapped } = part
  if (range !== undefined) return JSON.stringify({ range })
  if (mapped === true) return farText(part) === null ? JSON.stringify({ mapped: 1, items }) : '{"mapped":1,"far":1}'
  if (items !== undefined) return JSON.stringify({ items })
  return executorId === undefined ? null : JSON.stringify({ executorId })
}

/** Items that are too long for a row, which is read often; null: they are not. Those of a list are params, and no longer than such. */
function farText({ items, mapped }: ShardPart): string | null {
  if (mapped !== true || items === undefined) return null
  const text = JSON.stringify(items)
  return text.length > INLINE_BYTES ? text : null
}

function farPart(part: ShardPart, instanceId: number): PayloadRow[] {
  const body = farText(part)
  return body === null ? [] : [{ instance_id: instanceId, kind: PART_PAYLOAD, body }]
}

/** Whether the items of a shard stand in a payload of its own (`PART_PAYLOAD`). */
export function isFar(text: string | null): boolean {
  const value = text === null ? null : parseJson(text)
  return typeof value === 'object' && value !== null && 'far' in value
}

/** Whether a shard was split off by its handler. Asked for every open run, so the text is not read. */
export function isMapped(text: string | null): boolean {
  return text?.startsWith('{"mapped":1') === true
}

/** The items in such a payload. */
export function itemsOfPayload(body: string | undefined): readonly unknown[] {
  const value = body === undefined ? null : parseJson(body)
  return Array.isArray(value) ? value : []
}

/** What a shard is to do, from its column; nothing of it for a shard that only has an index, and no items where they are far. */
export function partOfText(text: string | null): Omit<ShardPart, 'key'> {
  const value = text === null ? null : parseJson(text)
  if (typeof value !== 'object' || value === null) return {}
  const mapped = 'mapped' in value ? ({ mapped: true } as const) : {}
  if ('items' in value && Array.isArray(value.items)) return { items: value.items as readonly unknown[], ...mapped }
  if ('mapped' in value) return mapped
  if ('executorId' in value && typeof value.executorId === 'number') return { executorId: value.executorId }
  return 'range' in value ? { range: value.range as ShardRange } : {}
}

/** Who was online when a broadcast began. */
export function executorsOfParent(row: RunFacts): ParentExecutor[] {
  const value = row.shard_part === null ? null : parseJson(row.shard_part)
  if (typeof value !== 'object' || value === null || !('executors' in value) || !Array.isArray(value.executors)) return []
  return (value.executors as readonly [number, string][]).map(([executorId, name]) => ({ executorId, name }))
}

/** Whether a run has shards that have not all ended: it is with no executor, and its end, or its next attempt, is theirs to bring. */
export function waitsForShards(row: Pick<RunFacts, 'first_child_id' | 'reduce'>): boolean {
  return isParent(row) && row.reduce !== REDUCE.begun
}

/** Whether a run has been split. */
export function isParent(row: Pick<RunFacts, 'first_child_id'>): boolean {
  return row.first_child_id !== null
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
    const after = { ...row, children_open: (row.children_open ?? 0) - ends.length, children_ended: JSON.stringify(counts) }
    return stopsAt(after, counts) ? stopped(after, ends, at) : after
  })
  return settle(tx, { rows, at, firstId })
}

/** A fan-out may say that the first child that fails stops the rest: then its parent is canceled, by nobody (`cancel_by` null). */
function stopsAt(row: OpenInstanceRow, counts: ShardCounts): boolean {
  return row.cancel_at === null && fanOutOf(row)?.failures === 'stop' && failedOf(counts) > 0
}

function stopped(row: OpenInstanceRow, ends: readonly SignalRow[], at: number): OpenInstanceRow {
  const bad = ends.find((signal) => outcomeOfCode(signal.outcome) !== 'succeeded')
  const why: TraceEntry = { reason: 'itemFailed', at, facts: { index: (bad?.instance_id ?? 0) - (row.first_child_id ?? 0) } }
  return { ...row, cancel_at: at, cancel_by: null, trace: appendTrace(row.trace, row.created_at, [why]) }
}

function failedOf({ failed = 0, timedOut = 0, lost = 0 }: ShardCounts): number {
  return failed + timedOut + lost
}

/** Ends parents that were canceled before a shard was made, or whose last end was applied before they were canceled. */
export async function settleParents(db: Database, at: number, firstId: number, parentIds: readonly number[]): Promise<RunChange[]> {
  return db.write('rest', async (tx) => {
    const rows = (await lockOpen(tx, parentIds, 'update')).filter(waitsForShards)
    return settle(tx, { rows, at, firstId })
  })
}

async function settle(
  tx: Tx,
  { rows, at, firstId }: { rows: readonly OpenInstanceRow[]; at: number; firstId: number },
): Promise<RunChange[]> {
  const open = rows.filter((row) => !isDone(row) || reduces(row)).map((row) => (isDone(row) ? toReduce(row, at) : row))
  const ends = rows.filter((row) => isDone(row) && !reduces(row)).map((row) => endOfParent(row, at))
  await saveParents(tx, open)
  await endRuns(tx, at, firstId, ends)
  return [...open.map((row): RunChange => ({ kind: 'open', row })), ...ends.map(endChange)]
}

function isDone(row: OpenInstanceRow): boolean {
  return waitsForShards(row) && row.children_open === 0 && (row.children_made === row.shard_total || row.cancel_at !== null)
}

/** Whether one more attempt combines the results of its shards, however they ended. */
function reduces(row: OpenInstanceRow): boolean {
  return row.reduce === REDUCE.later && row.cancel_at === null
}

function endOfParent(row: OpenInstanceRow, at: number): RunEnd {
  const total = row.shard_total ?? 0
  const counts = countsOfParent(row)
  if (fanOutOf(row) !== null) return endOfFanOut(row, { total, counts, at })
  const state = row.reduce === null ? outcomeOfParent({ total, counts, isCanceled: row.cancel_at !== null }) : 'canceled'
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

function endOfFanOut(row: OpenInstanceRow, { total, counts, at }: { total: number; counts: ShardCounts; at: number }): RunEnd {
  const succeeded = counts.succeeded ?? 0
  const isCanceled = row.cancel_at !== null && row.cancel_by !== null
  const state = outcomeOfFanOut({ total, succeeded, failures: fanOutOf(row)?.failures, isCanceled })
  return {
    row,
    outcome: OUTCOME[state],
    endedAt: at,
    result: resultOf(total, counts),
    error: state === 'failed' ? { code: 'ITEMS_FAILED', message: `${total - succeeded} of ${total} items did not succeed` } : null,
    trace: [{ reason: 'shardsEnded', at, facts: { total, succeeded } }, ...(state === 'canceled' ? [canceledBy(row, at)] : [])],
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
  await saveOpen(tx, rows)
  await saveSplit(tx, rows)
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
  /** its handler has split it off */
  readonly mapped?: true
}

/** Shards among open runs, by run id. */
export async function readShards(db: Database, instanceIds: readonly number[]): Promise<Map<number, ShardSpec>> {
  const specs = new Map<number, ShardSpec>()
  await db.read(async (tx) => {
    for (const part of partsOf(instanceIds, 1000)) for (const [id, spec] of await specsOf(tx, part)) specs.set(id, spec)
  })
  return specs
}

/** With the items that stand apart. */
async function withFarItems(tx: ReadTx, rows: readonly ShardColumns[]): Promise<[number, ShardSpec][]> {
  const items = await farItems(
    tx,
    rows.filter((row) => isFar(row.shard_part)).map((row) => row.id),
  )
  return rows.flatMap((row): [number, ShardSpec][] => {
    const spec = specOf(row)
    const far = items.get(row.id)
    return spec === null ? [] : [[row.id, far === undefined ? spec : { ...spec, items: far }]]
  })
}

async function farItems(tx: ReadTx, ids: readonly number[]): Promise<Map<number, readonly unknown[]>> {
  if (ids.length === 0) return new Map()
  const list = listOfNumbers(ids)
  const rows = await tx.all<PayloadRow>(`SELECT * FROM payload WHERE instance_id IN ${list.sql} AND kind = ${PART_PAYLOAD}`, list.params)
  return new Map(rows.map((row) => [row.instance_id, itemsOfPayload(row.body)]))
}

type ShardColumns = Pick<RunFacts, 'id' | 'parent_id' | 'shard_index' | 'shard_total' | 'shard_key' | 'shard_part'>

async function specsOf(tx: ReadTx, ids: readonly number[]): Promise<[number, ShardSpec][]> {
  const list = listOfNumbers(ids)
  const rows = await tx.all<ShardColumns>(
    `SELECT id, parent_id, shard_index, shard_total, shard_key, shard_part FROM open_instance WHERE id IN ${list.sql}`,
    list.params,
  )
  return withFarItems(tx, rows)
}

/** Null: the run is no shard. */
function specOf(row: ShardColumns): ShardSpec | null {
  if (row.shard_index === null) return null
  return {
    parentId: row.parent_id,
    index: row.shard_index,
    total: row.shard_total ?? 1,
    key: row.shard_key ?? '',
    ...partOfText(row.shard_part),
  }
}
