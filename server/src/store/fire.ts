import type { Database, Tx } from './database.ts'
import { leaveSkips } from './alarm-signals.ts'
import { addCounts, METRIC } from './counters.ts'
import { limitedOf } from './group-limits.ts'
import type { FiringRow, OpenInstanceRow, PayloadRow, SkipRow } from './schema.ts'
import { heldSlots, type Fences } from './slots.ts'
import { listOfNumbers, partsOf } from './list.ts'

/** What the passed instants of one series became, decided before the transaction; `revision` is the one it was decided under. */
export interface FireItem {
  readonly seriesId: number
  readonly slot: number
  readonly groupId: number
  readonly taskId: number
  readonly revision: number
  readonly firings: readonly FiringRow[]
  readonly skips: readonly SkipRow[]
  /** the last skip of the series goes on: its row grows up to here */
  readonly widen: { readonly fromAt: number; readonly toAt: number; readonly count: number; readonly reason: number } | null
  readonly runs: readonly OpenInstanceRow[]
  readonly payloads: readonly PayloadRow[]
  readonly cursor: {
    readonly nextDueAt: number | null
    readonly lastDueAt: number
    readonly taskVersion: number
    readonly awaitsId: number | null
  }
  /** a `once` that has fired: its span ends, and a signal switches the task off */
  readonly once: { readonly taskId: number; readonly signalId: number; readonly taskVersion: number; readonly endsAt: number } | null
}

/** `applied` by series id; the others were overtaken: an edit moved the revision, or another node owns the slot (`fenced`). */
export interface FireOutcome {
  readonly applied: ReadonlySet<number>
  readonly overtaken: ReadonlySet<number>
  readonly fenced: ReadonlySet<number>
  /** groups that have got a limit since the caller looked: nothing of them may be fired and dispatched in one commit */
  readonly limited: ReadonlySet<number>
}

interface CursorRow {
  id: number
  revision: number
  held: string | null
}

/**
 * Writes the outcome of the instants that a batch of series passed, and moves their cursors: the one transaction that keeps "no firing lost, none
 * doubled". At most 1,000 runs. Lock order: slot, series. Throws `DuplicateKey` when the ledger has an instant already, which means that data is
 * wrong: the caller runs the items one by one and holds the bad series.
 */
export async function fire(db: Database, at: number, fences: Fences, items: readonly FireItem[]): Promise<FireOutcome> {
  return db.write('fire', async (tx) => {
    const held = await heldSlots(tx, fences)
    const owned = items.filter((item) => held.has(item.slot))
    const revisions = await lockCursors(
      tx,
      owned.map((item) => item.seriesId),
    )
    const limited = await limitedOf(
      tx,
      owned.filter(hasSeat).map((item) => item.groupId),
    )
    const kept = owned
      .filter((item) => revisions.get(item.seriesId) === item.revision && !(hasSeat(item) && limited.has(item.groupId)))
      .sort((a, b) => a.seriesId - b.seriesId)
    await writeLedger(tx, kept)
    await tx.insert(
      'payload',
      kept.flatMap((item) => item.payloads),
    )
    await tx.insert(
      'open_instance',
      kept.flatMap((item) => item.runs),
    )
    await moveCursors(tx, at, kept)
    await leaveSkips(tx, at, kept)
    await addCounts(tx, at, kept.flatMap(countsOf))
    return { ...outcomeOf(items, held, kept), limited }
  })
}

async function lockCursors(tx: Tx, seriesIds: readonly number[]): Promise<Map<number, number>> {
  const revisions = new Map<number, number>()
  for (const part of partsOf(
    [...seriesIds].sort((a, b) => a - b),
    1000,
  )) {
    const list = listOfNumbers(part)
    const rows = await tx.all<CursorRow>(
      `SELECT id, revision, held FROM series WHERE id IN ${list.sql} ORDER BY id${tx.locks.updateFree}`,
      list.params,
    )
    for (const row of rows) if (row.held === null) revisions.set(row.id, row.revision)
  }
  return revisions
}

async function writeLedger(tx: Tx, items: readonly FireItem[]): Promise<void> {
  const firings = items.flatMap((item) => item.firings).sort((a, b) => a.due_at - b.due_at || a.series_id - b.series_id)
  await tx.insert('firing', firings)
  const widened = items.flatMap(({ seriesId, widen }) => (widen === null ? [] : [[widen.toAt, widen.count, seriesId, widen.fromAt]]))
  if (widened.length > 0) await tx.runMany('UPDATE skip SET to_at = ?, `count` = `count` + ? WHERE series_id = ? AND from_at = ?', widened)
  await tx.insert(
    'skip',
    items.flatMap((item) => item.skips),
  )
}

async function moveCursors(tx: Tx, at: number, items: readonly FireItem[]): Promise<void> {
  await tx.runMany(
    'UPDATE series SET next_due_at = ?, last_due_at = ?, task_version = ?, awaits_id = ?, revision = revision + 1 WHERE id = ?',
    items.map(({ seriesId, cursor }) => [cursor.nextDueAt, cursor.lastDueAt, cursor.taskVersion, cursor.awaitsId, seriesId]),
  )
  for (const item of items) if (item.once !== null) await endOnce(tx, at, item, item.once)
}

async function endOnce(tx: Tx, at: number, item: FireItem, once: NonNullable<FireItem['once']>): Promise<void> {
  await tx.run('UPDATE schedule_span SET to_at = ? WHERE series_id = ? AND to_at IS NULL AND from_at < ?', [
    once.endsAt,
    item.seriesId,
    once.endsAt,
  ])
  await tx.insert('signal', [
    {
      id: once.signalId,
      slot: item.slot,
      kind: 2,
      target_id: once.taskId,
      instance_id: 0,
      outcome: 0,
      at,
      facts: JSON.stringify({ taskVersion: once.taskVersion }),
    },
  ])
}

function countsOf(item: FireItem): { groupId: number; metric: number; n: number }[] {
  const skipped = item.skips.reduce((sum, skip) => sum + (skip.count ?? 0), item.widen?.count ?? 0)
  return [
    { groupId: item.groupId, metric: METRIC.fired, n: item.firings.length },
    { groupId: item.groupId, metric: METRIC.skipped, n: skipped },
  ].filter((count) => count.n > 0)
}

function hasSeat(item: FireItem): boolean {
  return item.runs.some((run) => run.executor_id !== null)
}

function outcomeOf(items: readonly FireItem[], held: ReadonlySet<number>, kept: readonly FireItem[]): Omit<FireOutcome, 'limited'> {
  const applied = new Set(kept.map((item) => item.seriesId))
  const lost = items.filter((item) => !applied.has(item.seriesId))
  return {
    applied,
    overtaken: new Set(lost.filter((item) => held.has(item.slot)).map((item) => item.seriesId)),
    fenced: new Set(lost.filter((item) => !held.has(item.slot)).map((item) => item.seriesId)),
  }
}

/** Takes a series out of firing until a person decides, because its data is wrong. */
export async function holdSeries(db: Database, seriesId: number, at: number, reason: string): Promise<void> {
  await db.write('fire', (tx) =>
    tx.run('UPDATE series SET held = ?, revision = revision + 1 WHERE id = ?', [JSON.stringify({ reason, at }), seriesId]),
  )
}
