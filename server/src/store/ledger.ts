import { AppError, type LedgerEntry, type Static, type WhyAnswer, type WhyCalendar } from '@tickwheel/contract'
import { parseInstant, reasonOf, type Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import { floorOfInstant } from './ids.ts'
import { nameOfCalendar } from './named-calendar.ts'
import { instantText } from './page.ts'
import type { FiringHourRow, FiringRow, SeriesRow, SkipRow, TaskRow } from './schema.ts'
import { TASK, visibleRow, type ScheduledKind } from './scheduled-kind.ts'
import { seriesSchedule, spansSince, type SeriesSchedule, type Span } from './spans.ts'

/**
 * The firing ledger of a task, read. It has no index by series: an instant is looked up by its key, and each entry names the instant before it, so a
 * page walks that chain backwards. Where the chain is folded into an hour or was pruned, the spans say which instant was due before (of a `fixedDelay`,
 * whose instants no span knows, its runs do).
 */
export interface FiringListQuery {
  readonly taskId: number
  /** what it is, where it is no task */
  readonly kind?: ScheduledKind | undefined
  /** ISO instants, `[from, to]`; absent: from the beginning, up to the newest entry */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly cursor?: string | undefined
  readonly page?: number | undefined
  readonly pageSize?: number | undefined
}

export interface LedgerPage {
  readonly items: LedgerEntry[]
  /** entries of this page; `totalCapped`: there are more */
  readonly total: number
  readonly totalCapped?: boolean
  readonly page: number
  readonly pageSize: number
  readonly nextCursor: string | null
}

const HOUR_MS = 3_600_000
/** Instants that were pruned are passed over, so many for one page. */
const MAX_STEPS = 2000
const MAX_RUNS_READ = 200
const DAY_MS = 24 * HOUR_MS

/** Ledger entries of a task, newest first. History stays when a task is deleted. Pages by `cursor` only. */
export async function listFirings(db: Database, scope: Scope, asked: FiringListQuery): Promise<LedgerPage> {
  const { page = 1, pageSize = 20 } = asked
  return db.read(async (tx) => {
    const reader = await openLedger(tx, scope, asked)
    const from = readBound(asked.from, 'from') ?? 0
    const start = asked.cursor === undefined ? await reader.newest(readBound(asked.to, 'to')) : readCursor(asked.cursor)
    const { items, next } = await walk(reader, { start, from, limit: pageSize })
    return {
      items,
      total: items.length,
      ...(next === null ? {} : { totalCapped: true }),
      page,
      pageSize,
      nextCursor: next === null ? null : `1.${next.toString(36)}`,
    }
  })
}

async function walk(
  reader: LedgerReader,
  { start, from, limit }: { start: number | null; from: number; limit: number },
): Promise<{ items: LedgerEntry[]; next: number | null }> {
  const items: LedgerEntry[] = []
  let at = start
  for (let step = 0; at !== null && at >= Math.max(from, reader.beginAt); step += 1) {
    if (items.length >= limit || step >= MAX_STEPS) return { items, next: at }
    const found: Found = await reader.at(at)
    if (found.entry !== null) items.push(found.entry)
    at = found.before ?? (await reader.before(found.firstAt))
  }
  return { items, next: null }
}

/** Why the task did, or did not, run at an instant. 404 `TASK_NOT_FOUND` when it never was, or is not visible. */
export async function whyAt(
  db: Database,
  scope: Scope,
  { at, now, ...asked }: Pick<FiringListQuery, 'taskId' | 'kind'> & { at: number; now: number },
): Promise<Static<typeof WhyAnswer>> {
  return db.read(async (tx) => {
    const reader = await openLedger(tx, scope, asked)
    const span = reader.schedule.spanAt(at)
    const { verdict, entry, facts } = await judge(reader, at, now)
    const calendar = span === null ? null : await whyCalendar(tx, reader, span, at)
    return {
      at: instantText(at),
      verdict,
      entry,
      run: entry?.kind === 'fired' ? await firedRun(tx, entry.instanceId, at) : null,
      facts,
      ...(calendar === null ? {} : { calendar }),
      taskVersion: span?.taskVersion ?? null,
      schedule: span?.schedule ?? null,
      previousDueAt: instantText(reader.schedule.previous(at)),
      nextDueAt: instantText(reader.schedule.next(at)),
    }
  })
}

/** What the calendar of the span in force did to an instant; null: it has none, or had no part in it. */
async function whyCalendar(tx: ReadTx, reader: LedgerReader, span: Span, at: number): Promise<WhyCalendar | null> {
  const effect = reader.schedule.calendarOf(span)
  if (span.calendar === null || effect === null || !span.isEnabled) return null
  const isNamed = span.schedule.kind === 'fixedDelay' || effect.plain.next(at - 1) === at
  const left = isNamed ? effect.leftOut(at) : null
  const moved = left === null ? effect.movedHere(at) : null
  const by = left ?? moved
  if (by === null) return null
  const { id: calendarId, version } = span.calendar
  return {
    reason: left === null ? 'calendarMoved' : 'calendarExcluded',
    calendarId,
    name: await nameOfCalendar(tx, calendarId),
    version,
    why: by.why,
    day: by.name,
    movedFrom: moved === null ? null : instantText(moved.from),
    movedTo: left === null || left.movedTo === null || !isCovered(span, left.movedTo) ? null : instantText(left.movedTo),
  }
}

/** Where it was moved to, the span must still have been in force. */
function isCovered({ fromAt, toAt }: Span, at: number): boolean {
  return fromAt <= at && (toAt === null || at < toAt)
}

/** How the run of an instant came into being; null: it is not kept any more. */
async function firedRun(tx: ReadTx, instanceId: number, dueAt: number): Promise<WhyAnswer['run']> {
  for (const table of ['open_instance', 'instance'] as const) {
    const row = await tx.first(query.selectFrom(table).select(['created_at', 'attempt']).where('id', '=', instanceId))
    if (row !== null)
      return { firedAt: instantText(row.created_at), lateMs: Math.max(0, Math.round(row.created_at - dueAt)), attempts: row.attempt }
  }
  return null
}

interface Judgement {
  readonly verdict: WhyAnswer['verdict']
  readonly entry: LedgerEntry | null
  readonly facts: Record<string, unknown>
}

async function judge(reader: LedgerReader, at: number, now: number): Promise<Judgement> {
  const firing = await reader.firingAt(at)
  if (firing !== null) return { verdict: 'fired', entry: firedEntry(firing, reader.schedule), facts: {} }
  const notInForce = judgeSpan(reader, at)
  if (notInForce !== null) return notInForce
  const isDue = reader.isDue(at)
  const skip = await reader.skipOver(at)
  if (skip !== null && (isDue ?? (skip.from_at === at || skip.to_at === at)))
    return { verdict: 'skipped', entry: skipEntry(skip), facts: factsOf(skip.facts) }
  if (isDue === false) return { verdict: 'notDue', entry: null, facts: {} }
  const { series } = reader
  if (series.next_due_at !== null && at >= series.next_due_at && (isDue === true || at === series.next_due_at)) {
    if (series.held !== null) return { verdict: 'held', entry: null, facts: factsOf(series.held) }
    return { verdict: at <= now ? 'overdue' : 'notYet', entry: null, facts: { cursorAt: instantText(series.next_due_at) } }
  }
  if (at > series.last_due_at)
    return {
      verdict: at > now ? 'notYet' : isDue === null ? 'notDue' : 'overdue',
      entry: null,
      facts: series.awaits_id === null ? {} : { awaits: series.awaits_id },
    }
  return (await judgeFolded(reader, at)) ?? { verdict: isDue === null ? 'notDue' : 'unknown', entry: null, facts: {} }
}

/** No schedule was in force then, or a stopped one. */
function judgeSpan({ schedule, spans, task, beginAt }: LedgerReader, at: number): Judgement | null {
  if (at < beginAt) return { verdict: 'beforeTask', entry: null, facts: { createdAt: instantText(task.created_at) } }
  const span = schedule.spanAt(at)
  const isDeleted = task.deleted_at !== null && at >= Math.min(task.deleted_at, spans.at(-1)?.toAt ?? task.deleted_at)
  if (span === null)
    return isDeleted
      ? { verdict: 'deleted', entry: null, facts: { deletedAt: instantText(task.deleted_at) } }
      : { verdict: 'notDue', entry: null, facts: {} }
  if (span.isEnabled) return null
  const pause = pauseAround(spans, span)
  return { verdict: 'paused', entry: null, facts: { fromAt: instantText(pause.fromAt), toAt: instantText(pause.toAt) } }
}

/** A pause goes on over edits that were made meanwhile. */
function pauseAround(spans: readonly Span[], span: Span): { fromAt: number; toAt: number | null } {
  const index = spans.indexOf(span)
  const begin = spans.slice(0, index).findLast((other) => other.isEnabled)
  const end = spans.slice(index + 1).find((other) => other.isEnabled)
  const first = begin === undefined ? spans[0] : spans[spans.indexOf(begin) + 1]
  return { fromAt: first?.fromAt ?? span.fromAt, toAt: end?.fromAt ?? spans.at(-1)?.toAt ?? null }
}

/** An hour that was folded: its runs still know their instants, as long as they are kept. */
async function judgeFolded(reader: LedgerReader, at: number): Promise<Judgement | null> {
  const hour = await reader.hourOver(at)
  if (hour === null) return null
  const run = await reader.runOfHour(hour, at)
  if (run !== null)
    return {
      verdict: 'fired',
      entry: { kind: 'fired', dueAt: instantText(at), instanceId: run.id, taskVersion: run.task_version },
      facts: { folded: true },
    }
  return reader.isDue(at) === null ? null : { verdict: 'folded', entry: foldedEntry(hour), facts: {} }
}

/** `before`: the instant that the entry names before its own; null: ask the schedule what was due before `firstAt`. */
interface Found {
  readonly entry: LedgerEntry | null
  readonly firstAt: number
  readonly before: number | null
}

async function openLedger(
  tx: ReadTx,
  scope: Scope,
  { taskId, kind = TASK }: Pick<FiringListQuery, 'taskId' | 'kind'>,
): Promise<LedgerReader> {
  const task = await visibleRow(tx, kind, taskId, scope)
  const series = await tx.first(query.selectFrom('series').selectAll().where('id', '=', task.series_id))
  if (series === null) throw new Error(`task ${taskId} has no series ${task.series_id}`)
  return new LedgerReader({ tx, task, series, spans: await spansSince(tx, series.id, 0) })
}

/** The ledger of one series inside one view of the store. */
class LedgerReader {
  readonly task: TaskRow
  readonly series: SeriesRow
  readonly spans: readonly Span[]
  readonly schedule: SeriesSchedule
  readonly beginAt: number
  readonly #tx: ReadTx

  constructor({ tx, task, series, spans }: { tx: ReadTx; task: TaskRow; series: SeriesRow; spans: readonly Span[] }) {
    this.#tx = tx
    this.task = task
    this.series = series
    this.spans = spans
    this.schedule = seriesSchedule(spans)
    this.beginAt = spans[0]?.fromAt ?? task.created_at
  }

  /** The last instant at or before `to` that an entry should cover; null: none. */
  async newest(to: number | null): Promise<number | null> {
    const last = this.series.last_due_at
    return to === null || to >= last ? last : this.before(to + 1)
  }

  /** The entry that covers an instant which was due. */
  async at(at: number): Promise<Found> {
    const firing = await this.firingAt(at)
    if (firing !== null) return { entry: firedEntry(firing, this.schedule), firstAt: at, before: firing.prev_due_at }
    const skip = await this.skipOver(at)
    if (skip !== null) return { entry: skipEntry(skip), firstAt: skip.from_at, before: skip.prev_due_at }
    const hour = await this.hourOver(at)
    return hour === null
      ? { entry: null, firstAt: at, before: null }
      : { entry: foldedEntry(hour), firstAt: hour.first_due_at, before: null }
  }

  /** The instant that was due before another, by the schedule or, where only runs know, by the runs. */
  async before(at: number): Promise<number | null> {
    const computed = this.schedule.previous(at)
    if (!this.spans.some((span) => span.schedule.kind === 'fixedDelay')) return computed
    const skip = await this.#tx.first(
      query
        .selectFrom('skip')
        .select('to_at')
        .where('series_id', '=', this.series.id)
        .where('from_at', '<', at)
        .orderBy('from_at', 'desc')
        .limit(1),
    )
    const run = await this.#lastRunDueBefore(at)
    const known = Math.max(run ?? 0, skip === null ? 0 : Math.min(skip.to_at, at - 1))
    const isComputable = computed !== null && this.schedule.spanAt(computed)?.schedule.kind !== 'fixedDelay'
    const found = Math.max(known, isComputable ? computed : 0)
    return found === 0 ? null : found
  }

  async firingAt(at: number): Promise<FiringRow | null> {
    return this.#tx.first(query.selectFrom('firing').selectAll().where('due_at', '=', at).where('series_id', '=', this.series.id))
  }

  /** The skip whose range covers an instant. */
  async skipOver(at: number): Promise<SkipRow | null> {
    const row = await this.#tx.first(
      query
        .selectFrom('skip')
        .selectAll()
        .where('series_id', '=', this.series.id)
        .where('from_at', '<=', at)
        .orderBy('from_at', 'desc')
        .limit(1),
    )
    return row !== null && row.to_at >= at ? row : null
  }

  async hourOver(at: number): Promise<FiringHourRow | null> {
    const row = await this.#tx.first(
      query
        .selectFrom('firing_hour')
        .selectAll()
        .where('hour_at', '=', Math.floor(at / HOUR_MS) * HOUR_MS)
        .where('series_id', '=', this.series.id),
    )
    return row !== null && row.first_due_at <= at && at <= row.last_due_at ? row : null
  }

  async runOfHour(hour: FiringHourRow, at: number): Promise<{ id: number; task_version: number } | null> {
    const runs = query
      .selectFrom('instance')
      .select(['id', 'task_version'])
      .where('task_id', '=', this.task.id)
      .where('id', '>=', hour.first_id)
      .where('id', '<=', hour.last_id)
    return this.#tx.first(runs.where('due_at', '=', at).where('series_id', '=', this.series.id).limit(1))
  }

  /** Null: a `fixedDelay`, whose instants depend on when its runs ended. */
  isDue(at: number): boolean | null {
    const span = this.schedule.spanAt(at)
    if (span === null || !span.isEnabled) return false
    if (span.schedule.kind !== 'fixedDelay') return this.schedule.next(at - 1) === at
    return (this.schedule.calendarOf(span)?.leftOut(at) ?? null) === null ? null : false
  }

  async #lastRunDueBefore(at: number): Promise<number | null> {
    const open = await this.#tx.rows(
      query.selectFrom('open_instance').select('due_at').where('task_id', '=', this.task.id).where('series_id', '=', this.series.id),
    )
    const ended = await this.#tx.rows(
      query
        .selectFrom('instance')
        .select(['due_at', 'series_id'])
        .where('task_id', '=', this.task.id)
        .where('id', '<', floorOfInstant(at + DAY_MS))
        .orderBy('id', 'desc')
        .limit(MAX_RUNS_READ),
    )
    const own = [...open, ...ended.filter((run) => run.series_id === this.series.id)].flatMap((run) =>
      run.due_at !== null && run.due_at < at ? [run.due_at] : [],
    )
    return own.length === 0 ? null : Math.max(...own)
  }
}

function firedEntry(row: FiringRow, schedule: SeriesSchedule): LedgerEntry {
  const moved = schedule.movedHere(row.due_at)
  return {
    kind: 'fired',
    dueAt: instantText(row.due_at),
    instanceId: row.instance_id,
    taskVersion: row.task_version,
    ...(moved === null ? {} : { movedFrom: instantText(moved.from) }),
  }
}

function skipEntry(row: SkipRow): LedgerEntry {
  return {
    kind: 'skipped',
    fromAt: instantText(row.from_at),
    toAt: instantText(row.to_at),
    count: row.count,
    reason: reasonOf(row.reason) ?? 'unknown',
    facts: factsOf(row.facts),
    instanceId: row.instance_id,
    decidedAt: instantText(row.decided_at),
  }
}

function foldedEntry(row: FiringHourRow): LedgerEntry {
  return { kind: 'folded', fromAt: instantText(row.first_due_at), toAt: instantText(row.last_due_at), count: row.fired }
}

function factsOf(text: string): Record<string, unknown> {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function readBound(text: string | undefined, path: string): number | null {
  if (text === undefined) return null
  const at = parseInstant(text)
  if (at !== null) return at
  throw badField(path, `"${text}" is no instant with a zone, such as 2026-12-01T00:00:00.000Z`)
}

/** `1.<instant in base 36>`: where to go on. */
function readCursor(cursor: string): number {
  const at = Number.parseInt(/^1\.([0-9a-z]{1,11})$/.exec(cursor)?.[1] ?? '', 36)
  if (Number.isSafeInteger(at)) return at
  throw badField('cursor', 'the cursor is not one that this list has given: begin without one')
}

function badField(path: string, message: string): AppError {
  return new AppError('VALIDATION_FAILED', message, { errors: [{ path, code: 'BAD_FORMAT', message }] })
}
