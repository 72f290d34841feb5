import type { Database, ReadTx } from './database.ts'
import { listOfNumbers, partsOf } from './list.ts'
import type { ScheduleSpanRow, SeriesRow } from './schema.ts'
import { spansOf, type Span } from './spans.ts'

/** The cursor of a series with the spans that can still matter: those in force at `nextDueAt` or later. */
export interface SeriesCursor {
  readonly seriesId: number
  readonly taskId: number
  readonly groupId: number
  readonly slot: number
  readonly nextDueAt: number
  readonly lastDueAt: number
  readonly taskVersion: number
  readonly revision: number
  readonly spans: readonly Span[]
  /** the last skip row of the ledger when it ends at `lastDueAt`: consecutive skips with one reason widen it */
  readonly lastSkip: { readonly fromAt: number; readonly reason: number; readonly facts: string } | null
}

/** Series of the given slots that are due up to an instant, soonest first; at most `limit`. Held ones are left out. */
export async function dueSeries(db: Database, slots: readonly number[], until: number, limit: number): Promise<SeriesCursor[]> {
  if (slots.length === 0) return []
  const list = listOfNumbers(slots)
  return db.read(async (tx) => {
    const rows = await tx.all<SeriesRow>(
      `SELECT * FROM series WHERE slot IN ${list.sql} AND next_due_at <= ? AND held IS NULL ORDER BY next_due_at LIMIT ?`,
      [...list.params, until, limit],
    )
    return withSpans(tx, rows)
  })
}

/** The ids, cursors and revisions alone of what is due up to an instant: what a sweep compares with memory. */
export async function dueRevisions(
  db: Database,
  slots: readonly number[],
  until: number,
  limit: number,
): Promise<{ id: number; revision: number }[]> {
  if (slots.length === 0) return []
  const list = listOfNumbers(slots)
  return db.read((tx) =>
    tx.all(`SELECT id, revision FROM series WHERE slot IN ${list.sql} AND next_due_at <= ? AND held IS NULL ORDER BY next_due_at LIMIT ?`, [
      ...list.params,
      until,
      limit,
    ]),
  )
}

/** Some series by id; those without a next instant, held, or unknown are left out. */
export async function seriesById(db: Database, ids: readonly number[]): Promise<SeriesCursor[]> {
  return db.read(async (tx) => {
    const found: SeriesCursor[] = []
    for (const part of partsOf(ids, 1000)) {
      const list = listOfNumbers(part)
      const rows = await tx.all<SeriesRow>(
        `SELECT * FROM series WHERE id IN ${list.sql} AND next_due_at IS NOT NULL AND held IS NULL`,
        list.params,
      )
      found.push(...(await withSpans(tx, rows)))
    }
    return found
  })
}

async function withSpans(tx: ReadTx, rows: readonly SeriesRow[]): Promise<SeriesCursor[]> {
  const unique = [...new Map(rows.map((row) => [row.id, row])).values()]
  const spans = new Map<number, Span[]>()
  const skips = new Map<number, NonNullable<SeriesCursor['lastSkip']>>()
  for (const part of partsOf(unique, 1000)) {
    const list = listOfNumbers(part.map((row) => row.id))
    const spanRows = await tx.all<ScheduleSpanRow>(
      `SELECT p.* FROM schedule_span p JOIN series s ON s.id = p.series_id WHERE p.series_id IN ${list.sql} AND (p.to_at IS NULL OR p.to_at > s.next_due_at) ORDER BY p.series_id, p.from_at`,
      list.params,
    )
    for (const span of await spansOf(tx, spanRows)) spans.set(span.seriesId, [...(spans.get(span.seriesId) ?? []), span])
    const skipRows = await tx.all<{ series_id: number; from_at: number; reason: number; facts: string }>(
      `SELECT k.series_id, k.from_at, k.reason, k.facts FROM skip k JOIN series s ON s.id = k.series_id WHERE k.series_id IN ${list.sql} AND k.from_at = (SELECT m.from_at FROM skip m WHERE m.series_id = s.id ORDER BY m.from_at DESC LIMIT 1) AND k.to_at = s.last_due_at`,
      list.params,
    )
    for (const row of skipRows) skips.set(row.series_id, { fromAt: row.from_at, reason: row.reason, facts: row.facts })
  }
  return unique.flatMap((row) => cursorOf(row, spans.get(row.id) ?? [], skips.get(row.id) ?? null))
}

function cursorOf(row: SeriesRow, spans: readonly Span[], lastSkip: SeriesCursor['lastSkip']): SeriesCursor[] {
  if (row.next_due_at === null) return []
  return [
    {
      seriesId: row.id,
      taskId: row.owner_id,
      groupId: row.group_id,
      slot: row.slot,
      nextDueAt: row.next_due_at,
      lastDueAt: row.last_due_at,
      taskVersion: row.task_version,
      revision: row.revision,
      spans,
      lastSkip,
    },
  ]
}
