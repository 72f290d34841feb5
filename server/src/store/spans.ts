import type { ScheduleInput } from '@tickwheel/contract'
import type { CompiledSchedule, DueInstants } from '@tickwheel/core'
import { query, type ReadTx } from './database.ts'
import { readSchedule } from './definition.ts'
import type { ScheduleSpanRow } from './schema.ts'
import { compileStored } from './schedules.ts'

/**
 * Which schedule of a series was in force when. A series has one span after the other, never two at once; `toAt` is exclusive, null: still in force.
 * An instant is due when the span that covers it is enabled and its schedule names it. After an edit the cursor may still stand on an instant of an
 * older span (it was overdue): it fires under the definition of that span, because its instant came before the edit.
 */
export interface Span {
  readonly seriesId: number
  readonly fromAt: number
  readonly toAt: number | null
  readonly taskVersion: number
  readonly isEnabled: boolean
  readonly schedule: ScheduleInput
  readonly anchorAt: number
}

/** The span in force at an instant; null: before the first, or after the end of the last. */
export async function spanAt(tx: ReadTx, seriesId: number, at: number): Promise<Span | null> {
  const row = await tx.first(
    query
      .selectFrom('schedule_span')
      .selectAll()
      .where('series_id', '=', seriesId)
      .where('from_at', '<=', at)
      .orderBy('from_at', 'desc')
      .limit(1),
  )
  return row !== null && (row.to_at === null || at < row.to_at) ? spanOf(row) : null
}

/** The spans of a series that end after `at`, oldest first: all that `seriesSchedule` needs to answer from there on. */
export async function spansSince(tx: ReadTx, seriesId: number, at: number): Promise<Span[]> {
  const rows = await tx.rows(
    query
      .selectFrom('schedule_span')
      .selectAll()
      .where('series_id', '=', seriesId)
      .where((is) => is.or([is('to_at', 'is', null), is('to_at', '>', at)]))
      .orderBy('from_at'),
  )
  return rows.map(spanOf)
}

/** The newest span of a series, ended or not. */
export async function lastSpan(tx: ReadTx, seriesId: number): Promise<Span | null> {
  const row = await tx.first(
    query.selectFrom('schedule_span').selectAll().where('series_id', '=', seriesId).orderBy('from_at', 'desc').limit(1),
  )
  return row === null ? null : spanOf(row)
}

export function spanOf(row: ScheduleSpanRow): Span {
  return {
    seriesId: row.series_id,
    fromAt: row.from_at,
    toAt: row.to_at,
    taskVersion: row.task_version,
    isEnabled: row.enabled === 1,
    schedule: readSchedule(row.schedule),
    anchorAt: row.anchor_at,
  }
}

/** A series as one schedule: its instants are those of each enabled span inside that span. */
export interface SeriesSchedule extends CompiledSchedule {
  spanAt(at: number): Span | null
}

/**
 * Joins spans (oldest first) into one schedule, so that `settle` and the ledger need not know where an edit was.
 * Instants before the first span are unknown to it. Of a `fixedDelay` it knows, like core, only the first firing of each span.
 */
export function seriesSchedule(spans: readonly Span[]): SeriesSchedule {
  const pieces = spans.filter((span) => span.isEnabled).map(pieceOf)
  const newest = pieces.at(-1)
  return {
    kind: newest?.compiled.kind ?? 'manual',
    next: (after) => firstOf(pieces, (piece) => piece.next(after)),
    previous: (before) => firstOf(pieces.toReversed(), (piece) => piece.previous(before)),
    countBetween: (from, to, limit) => pieces.reduce((sum, piece) => (sum >= limit ? sum : sum + piece.count(from, to, limit - sum)), 0),
    nextAfterEnd: (endedAt) =>
      spans.at(-1)?.isEnabled === true && spans.at(-1)?.toAt === null ? (newest?.compiled.nextAfterEnd(endedAt) ?? null) : null,
    spanAt: (at) => spans.find((span) => span.fromAt <= at && (span.toAt === null || at < span.toAt)) ?? null,
  }
}

/** What was due, by the spans of a series: of a `fixedDelay`, and where one begins or ends, only its runs know. */
export function dueInstants(spans: readonly Span[]): DueInstants {
  const schedule = seriesSchedule(spans)
  return {
    knowsAll: spans.every((span) => span.schedule.kind !== 'fixedDelay'),
    next: (after) => {
      const next = schedule.next(after)
      const kinds = [schedule.spanAt(after)?.schedule.kind, next === null ? undefined : schedule.spanAt(next)?.schedule.kind]
      return kinds.includes('fixedDelay') ? 'unknown' : next
    },
    previous: (before) => schedule.previous(before),
    count: (from, to, limit) => schedule.countBetween(from, to, limit),
  }
}

interface Piece {
  readonly compiled: CompiledSchedule
  next(after: number): number | null
  previous(before: number): number | null
  count(from: number, to: number, limit: number): number
}

function pieceOf(span: Span): Piece {
  const compiled = compileStored(span.schedule, span.anchorAt)
  const endAt = span.toAt ?? Number.MAX_SAFE_INTEGER
  return {
    compiled,
    next(after) {
      const found = compiled.next(Math.max(after, span.fromAt - 1))
      return found !== null && found < endAt ? found : null
    },
    previous(before) {
      const found = compiled.previous(Math.min(before, endAt))
      return found !== null && found >= span.fromAt ? found : null
    },
    count(from, to, limit) {
      const first = Math.max(from, span.fromAt)
      const last = Math.min(to, endAt - 1)
      return first > last ? 0 : compiled.countBetween(first, last, limit)
    },
  }
}

function firstOf<Item>(items: readonly Item[], ask: (item: Item) => number | null): number | null {
  for (const item of items) {
    const answer = ask(item)
    if (answer !== null) return answer
  }
  return null
}
