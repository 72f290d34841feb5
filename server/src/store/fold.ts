import { query, type Database, type ReadTx } from './database.ts'
import type { FiringHourRow, FiringRow, SkipRow } from './schema.ts'
import { dueInstants, spansSince } from './spans.ts'

/** Series that fired more often than this in an hour are folded. */
export const FOLDED_ABOVE = 60
export const HOUR_MS = 3_600_000
const META_KEY = 'folded_until'

/** Where a reader of the ledger stands, in its own order. */
export interface LedgerPosition {
  readonly dueAt: number
  readonly seriesId: number
}

/** Every firing before this instant has been folded, or will not be. */
export async function foldedUntil(db: Database): Promise<number> {
  const [row] = await db.read((tx) => tx.all<{ value: string }>('SELECT value FROM meta WHERE `key` = ?', [META_KEY]))
  return Number(row?.value ?? 0)
}

export async function setFoldedUntil(db: Database, at: number): Promise<void> {
  await db.write('rest', async (tx) => {
    const matched = await tx.run('UPDATE meta SET value = ? WHERE `key` = ?', [String(at), META_KEY])
    if (matched === 0) await tx.insert('meta', [{ key: META_KEY, value: String(at) }])
  })
}

/** The begin of the first hour at or after an instant in which anything fired; null: none. */
export async function firstHourWithFirings(db: Database, from: number): Promise<number | null> {
  const [row] = await db.read((tx) =>
    tx.all<{ due_at: number | null }>('SELECT MIN(due_at) AS due_at FROM firing WHERE due_at >= ?', [from]),
  )
  const dueAt = row?.due_at ?? null
  return dueAt === null ? null : Math.floor(dueAt / HOUR_MS) * HOUR_MS
}

/** Firings after a position and before an instant, in the order of the ledger. */
export async function firingsAfter(db: Database, { dueAt, seriesId }: LedgerPosition, until: number, limit: number): Promise<FiringRow[]> {
  return db.read((tx) =>
    tx.all<FiringRow>(
      'SELECT * FROM firing WHERE ((due_at = ? AND series_id > ?) OR due_at > ?) AND due_at >= ? AND due_at < ? ORDER BY due_at, series_id LIMIT ?',
      [dueAt, seriesId, dueAt, dueAt, until, limit],
    ),
  )
}

/** Hours that are written already: a fold that was interrupted goes on with its deletions. */
export async function foldedSeries(db: Database, hourAt: number): Promise<Set<number>> {
  const rows = await db.read((tx) => tx.all<{ series_id: number }>('SELECT series_id FROM firing_hour WHERE hour_at = ?', [hourAt]))
  return new Set(rows.map((row) => row.series_id))
}

/** What the firings of one series in one hour are checked with. */
export interface HourCheck {
  /** the next due instant after one; null: the schedule cannot tell (a fixedDelay) */
  readonly next: (after: number) => number | null | 'unknown'
  readonly skips: readonly SkipRow[]
  /** the cursor has passed the hour */
  readonly isSettled: boolean
}

export async function hourCheck(db: Database, seriesId: number, hourAt: number): Promise<HourCheck> {
  return db.read(async (tx) => {
    const series = await tx.first(query.selectFrom('series').select(['last_due_at', 'next_due_at']).where('id', '=', seriesId))
    const due = dueInstants(await spansSince(tx, seriesId, 0))
    return {
      next: (after) => due.next(after),
      skips: await skipsOfHour(tx, seriesId, hourAt),
      isSettled: series !== null && (series.next_due_at === null || series.next_due_at >= hourAt + HOUR_MS),
    }
  })
}

async function skipsOfHour(tx: ReadTx, seriesId: number, hourAt: number): Promise<SkipRow[]> {
  const within = query.selectFrom('skip').selectAll().where('series_id', '=', seriesId)
  const before = await tx.rows(within.where('from_at', '<', hourAt).orderBy('from_at', 'desc').limit(1))
  const inside = await tx.rows(
    within
      .where('from_at', '>=', hourAt)
      .where('from_at', '<', hourAt + HOUR_MS)
      .orderBy('from_at'),
  )
  return [...before, ...inside]
}

/** Whether a firing follows what came before it without a gap: another firing, or skips that lie between. `seen`: the firing before in this hour. */
export function isLinked(row: FiringRow, seen: number | null, { next, skips }: HourCheck): boolean {
  const byEnd = new Map(skips.map((skip) => [skip.to_at, skip]))
  if (!follows(row.prev_due_at, row.due_at, next)) return false
  let at = row.prev_due_at
  while (seen !== null && at !== seen) {
    const skip = byEnd.get(at)
    if (skip === undefined || skip.prev_due_at >= at || !follows(skip.prev_due_at, skip.from_at, next)) return false
    at = skip.prev_due_at
  }
  return true
}

function follows(before: number, at: number, next: HourCheck['next']): boolean {
  const expected = next(before)
  return before < at && (expected === 'unknown' || expected === at)
}

/** Writes folded hours; those that are there already stay. */
export async function insertFolded(db: Database, rows: readonly FiringHourRow[]): Promise<void> {
  await db.write('rest', (tx) => tx.insertNew('firing_hour', rows))
}

export async function deleteFirings(db: Database, rows: readonly FiringRow[]): Promise<void> {
  await db.write('rest', (tx) =>
    tx.runMany(
      'DELETE FROM firing WHERE due_at = ? AND series_id = ?',
      rows.map((row) => [row.due_at, row.series_id]),
    ),
  )
}
