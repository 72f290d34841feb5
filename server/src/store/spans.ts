import type { ScheduleInput } from '@tickwheel/contract'
import type { CalendarEffect, CompiledSchedule, DueInstants, MovedHere } from '@tickwheel/core'
import { query, type ReadTx } from './database.ts'
import { readSchedule } from './definition.ts'
import type { ScheduleSpanRow } from './schema.ts'
import { compileStored } from './schedules.ts'
import { calendarsOfSpans, type SpanCalendar } from './span-calendar.ts'

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
  /** null: it has none */
  readonly calendar: SpanCalendar | null
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
  return row !== null && (row.to_at === null || at < row.to_at) ? spanOfRow(tx, row) : null
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
  return spansOf(tx, rows)
}

/** The newest span of a series, ended or not. */
export async function lastSpan(tx: ReadTx, seriesId: number): Promise<Span | null> {
  const row = await tx.first(
    query.selectFrom('schedule_span').selectAll().where('series_id', '=', seriesId).orderBy('from_at', 'desc').limit(1),
  )
  return row === null ? null : spanOfRow(tx, row)
}

async function spanOfRow(tx: ReadTx, row: ScheduleSpanRow): Promise<Span | null> {
  return (await spansOf(tx, [row]))[0] ?? null
}

/** Spans with the calendars that they name, which are read once for all of them. */
export async function spansOf(tx: ReadTx, rows: readonly ScheduleSpanRow[]): Promise<Span[]> {
  const calendarOf = await calendarsOfSpans(tx, rows)
  return rows.map((row) => ({
    seriesId: row.series_id,
    fromAt: row.from_at,
    toAt: row.to_at,
    taskVersion: row.task_version,
    isEnabled: row.enabled === 1,
    schedule: readSchedule(row.schedule),
    anchorAt: row.anchor_at,
    calendar: calendarOf(row),
  }))
}

/** A series as one schedule: its instants are those of each enabled span inside that span. */
export interface SeriesSchedule extends CompiledSchedule {
  spanAt(at: number): Span | null
  /** What the calendar of an enabled span does to its instants; null: it has none. */
  calendarOf(span: Span): CalendarEffect | null
  /** For which instant, on a day off, the firing at this one stands; null: for itself. */
  movedHere(at: number): MovedByCalendar | null
}

export interface MovedByCalendar extends MovedHere {
  readonly calendar: SpanCalendar
}

/**
 * Joins spans (oldest first) into one schedule, so that `settle` and the ledger need not know where an edit was.
 * Instants before the first span are unknown to it. Of a `fixedDelay` it knows, like core, only the first firing of each span.
 */
export function seriesSchedule(spans: readonly Span[]): SeriesSchedule {
  const pieces = spans.filter((span) => span.isEnabled).map(pieceOf)
  const newest = pieces.at(-1)
  const spanAt = (at: number): Span | null => spans.find((span) => span.fromAt <= at && (span.toAt === null || at < span.toAt)) ?? null
  const calendarOf = (span: Span): CalendarEffect | null => pieces.find((piece) => piece.span === span)?.compiled.calendar ?? null
  return {
    kind: newest?.compiled.kind ?? 'manual',
    next: (after) => firstOf(pieces, (piece) => piece.next(after)),
    previous: (before) => firstOf(pieces.toReversed(), (piece) => piece.previous(before)),
    countBetween: (from, to, limit) => pieces.reduce((sum, piece) => (sum >= limit ? sum : sum + piece.count(from, to, limit - sum)), 0),
    nextAfterEnd: (endedAt) =>
      spans.at(-1)?.isEnabled === true && spans.at(-1)?.toAt === null ? (newest?.compiled.nextAfterEnd(endedAt) ?? null) : null,
    calendarOf,
    spanAt,
    movedHere: (at) => {
      const span = spanAt(at)
      const moved = span === null || span.calendar === null ? null : (calendarOf(span)?.movedHere(at) ?? null)
      return span === null || span.calendar === null || moved === null ? null : { ...moved, calendar: span.calendar }
    },
  }
}

/** What was due, by the spans of a series: of a `fixedDelay`, and where one begins or ends, only its runs know. */
export function dueInstants(spans: readonly Span[]): DueInstants {
  const schedule = seriesSchedule(spans)
  // what a delay has waited for under one version of its calendar may be due under another, which knows another first instant
  const waiting = spans.filter(({ schedule: { kind }, calendar, isEnabled }) => kind === 'fixedDelay' && calendar !== null && isEnabled)
  const mayHaveWaited = (after: number, next: number | null): boolean =>
    waiting.some(({ fromAt, toAt }) => (toAt === null || toAt > after) && (next === null || fromAt <= next))
  return {
    knowsAll: spans.every((span) => span.schedule.kind !== 'fixedDelay'),
    next: (after) => {
      const next = schedule.next(after)
      const kinds = [schedule.spanAt(after)?.schedule.kind, next === null ? undefined : schedule.spanAt(next)?.schedule.kind]
      return kinds.includes('fixedDelay') || mayHaveWaited(after, next) ? 'unknown' : next
    },
    previous: (before) => schedule.previous(before),
    count: (from, to, limit) => schedule.countBetween(from, to, limit),
  }
}

interface Piece {
  readonly span: Span
  readonly compiled: CompiledSchedule
  next(after: number): number | null
  previous(before: number): number | null
  count(from: number, to: number, limit: number): number
}

function pieceOf(span: Span): Piece {
  const compiled = compileStored(span.schedule, span.anchorAt, span.calendar)
  const endAt = span.toAt ?? Number.MAX_SAFE_INTEGER
  return {
    span,
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
