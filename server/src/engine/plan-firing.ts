import {
  appendTrace,
  CAUSE,
  decideOverlap,
  PHASE,
  queueRankAt,
  REASON,
  settle,
  skipPassed,
  type Facts,
  type FireEntry,
  type SkipEntry,
  type SkippedRange,
  type SkipReason,
  type TraceEntry,
} from '@tickwheel/core'
import type { FireItem } from '../store/fire.ts'
import { NEVER, FLOW_LANE, NO_SHARDS, NO_WORKFLOW, ON_END_DELAY, ON_END_FAILURE } from '../store/run-writes.ts'
import type { OpenInstanceRow, SkipRow } from '../store/schema.ts'
import type { SeriesCursor } from '../store/series.ts'
import type { SeriesSchedule } from '../store/spans.ts'
import type { RunDefinition } from '../store/workflow-definition.ts'

/** Open runs of a task as far as decisions need them, with those that this batch makes. */
export interface TaskLoad {
  open: number
  waiting: number
  /** the oldest open run: what others wait for */
  blocker: number | null
}

export interface Seat {
  readonly executorId: number
  readonly bootId: number
  readonly trace: readonly TraceEntry[]
}

export interface PlanInput {
  readonly cursor: SeriesCursor
  readonly schedule: SeriesSchedule
  readonly now: number
  /** the definition of the version in force at an instant */
  readonly definitionOf: (version: number) => RunDefinition
  readonly load: TaskLoad
  readonly maxFires: number
  /** what was due up to here was settled by nobody when the store was restored, and a person chose that it does not fire; 0: nothing was */
  readonly restoredUntil: number
  /** a new run id */
  readonly takeId: () => number
  /** a free place at an executor, if a run of this task may go there at once */
  readonly takeSeat: (definition: RunDefinition) => Seat | null
  /** open runs in all are at their bound */
  readonly isFull: () => boolean
}

export interface Plan {
  readonly item: FireItem
  /** the cursor after the commit */
  readonly after: SeriesCursor | null
  /** open runs of the task are to be canceled in favour of this one (overlap `replace`) */
  readonly replacedBy: number | null
}

/**
 * What the passed instants of one series become: firings with their runs, or skips with their reasons, and where the cursor goes. Decides, writes
 * nothing. The ids and seats that it takes are given back by the caller when the transaction drops the item.
 */
export function planFiring(input: PlanInput): Plan {
  const { now, maxFires } = input
  const schedule = walked(input.schedule)
  const draft = new Draft(input)
  const { lastDueAt, nextDueAt } = skipRestored(input, draft)
  if (nextDueAt === null) return draft.finish(lastDueAt, null)
  const { misfire } = input.definitionOf(versionAt(input, nextDueAt))
  const settled = settle({ compiled: schedule, lastDueAt, nextDueAt, now, misfire, maxFires })
  for (const entry of settled.entries) {
    if (entry.kind === 'skip') draft.skip(entry)
    else draft.fire(entry, versionAt(input, entry.dueAt))
  }
  return draft.finish(settled.lastDueAt, settled.nextDueAt)
}

/** Where settling begins: behind what a restore left over, which is one skip whatever the misfire policy. */
function skipRestored(
  { cursor, schedule, now, restoredUntil }: PlanInput,
  draft: Draft,
): { readonly lastDueAt: number; readonly nextDueAt: number | null } {
  const { lastDueAt, nextDueAt } = cursor
  const passed = skipPassed({ compiled: walked(schedule), lastDueAt, nextDueAt, now: Math.min(now, restoredUntil) })
  if (passed === null) return cursor
  draft.skipRestored(passed.skipped)
  return { lastDueAt: passed.skipped.toAt, nextDueAt: passed.nextDueAt }
}

/**
 * The instants that follow from each other. That of a `fixedDelay` follows from the end of a run alone: what a new span names as its first must not be
 * taken when an older instant has just fired, or two runs would be awaited at once.
 */
function walked(schedule: SeriesSchedule): SeriesSchedule {
  if (schedule.kind !== 'fixedDelay') return schedule
  const isDelay = (at: number): boolean => schedule.spanAt(at)?.schedule.kind === 'fixedDelay'
  return {
    ...schedule,
    next: (after) => {
      const next = schedule.next(after)
      return next === null || isDelay(next) ? null : next
    },
    previous: (before) => {
      let at = schedule.previous(before)
      while (at !== null && isDelay(at)) at = schedule.previous(at)
      return at
    },
  }
}

function versionAt({ cursor, schedule }: PlanInput, at: number): number {
  return schedule.spanAt(at)?.taskVersion ?? cursor.taskVersion
}

class Draft {
  readonly #input: PlanInput
  readonly #firings: FireItem['firings'][number][] = []
  readonly #skips: SkipRow[] = []
  readonly #runs: OpenInstanceRow[] = []
  #widen: FireItem['widen'] = null
  #lastSkip: SeriesCursor['lastSkip']
  #awaitsId: number | null = null
  #replacedBy: number | null = null

  constructor(input: PlanInput) {
    this.#input = input
    this.#lastSkip = input.cursor.lastSkip
  }

  /** Instants that the misfire policy drops. */
  skip(entry: SkipEntry): void {
    const lateMs = this.#input.now - entry.fromAt
    this.#addSkip({
      fromAt: entry.fromAt,
      toAt: entry.toAt,
      prevDueAt: entry.prevDueAt,
      count: entry.count,
      reason: 'misfire',
      facts: { policy: entry.policy, lateMs },
    })
  }

  skipRestored(range: SkippedRange): void {
    this.#addSkip({ ...range, reason: 'restored', facts: {} })
  }

  fire(entry: FireEntry, version: number): void {
    const { load } = this.#input
    const definition = this.#input.definitionOf(version)
    const decision = this.#input.isFull()
      ? ({ kind: 'skip', reason: 'queueFull' } as const)
      : decideOverlap({ ...definition.overlap, open: load.open, waiting: load.waiting })
    if (decision.kind === 'skip') {
      const facts: Facts = decision.reason === 'overlap' ? { blocker: load.blocker } : { max: definition.overlap.max }
      this.#addSkip({ fromAt: entry.dueAt, toAt: entry.dueAt, prevDueAt: entry.prevDueAt, count: 1, reason: decision.reason, facts })
      return
    }
    const row = this.#makeRun({ entry, version, definition, isWaiting: decision.kind !== 'start' })
    if (decision.kind === 'replace') this.#replacedBy = row.id
    this.#firings.push({
      due_at: entry.dueAt,
      series_id: this.#input.cursor.seriesId,
      prev_due_at: entry.prevDueAt,
      task_version: version,
      instance_id: row.id,
    })
    this.#runs.push(row)
    this.#lastSkip = null
  }

  finish(lastDueAt: number, nextSettled: number | null): Plan {
    const { cursor, schedule, now } = this.#input
    const isDelay = schedule.kind === 'fixedDelay'
    const nextDueAt = isDelay && nextSettled === null && this.#awaitsId === null ? schedule.nextAfterEnd(now) : nextSettled
    const taskVersion = versionAt(this.#input, nextDueAt ?? lastDueAt)
    const item: FireItem = {
      seriesId: cursor.seriesId,
      slot: cursor.slot,
      groupId: cursor.groupId,
      taskId: cursor.taskId,
      revision: cursor.revision,
      firings: this.#firings,
      skips: this.#skips,
      widen: this.#widen,
      runs: this.#runs,
      payloads: [],
      // while instants of an older span are left, none of its runs is awaited: the end of one would move the cursor past them
      cursor: { nextDueAt, lastDueAt, taskVersion, awaitsId: nextDueAt === null ? this.#awaitsId : null },
      once: schedule.kind === 'once' && nextDueAt === null ? this.#once(lastDueAt) : null,
    }
    const after =
      nextDueAt === null
        ? null
        : { ...cursor, nextDueAt, lastDueAt, taskVersion, revision: cursor.revision + 1, lastSkip: this.#lastSkip, spans: cursor.spans }
    return { item, after, replacedBy: this.#replacedBy }
  }

  /** The newest version is the one that is switched off: an edit of words alone may have come since the instant. */
  #once(lastDueAt: number): FireItem['once'] {
    const { cursor } = this.#input
    return {
      taskId: cursor.taskId,
      signalId: this.#input.takeId(),
      taskVersion: cursor.spans.at(-1)?.taskVersion ?? cursor.taskVersion,
      endsAt: lastDueAt + 1,
    }
  }

  /** Consecutive skips with one reason and the same facts are one row that grows. */
  #addSkip(skip: SkippedRange & { readonly reason: SkipReason; readonly facts: Facts }): void {
    const { cursor, now } = this.#input
    const reason = REASON[skip.reason]
    const facts = JSON.stringify(skip.facts)
    const last = this.#lastSkip
    const isSame =
      last !== null && last.reason === reason && last.facts === facts && skip.reason !== 'misfire' && skip.reason !== 'restored'
    if (isSame && this.#skips.length === 0 && this.#firings.length === 0) {
      this.#widen = { fromAt: last.fromAt, toAt: skip.toAt, count: (this.#widen?.count ?? 0) + (skip.count ?? 0), reason }
      return
    }
    const grown = isSame ? this.#skips.at(-1) : undefined
    if (grown !== undefined && grown.from_at === last?.fromAt) {
      this.#skips[this.#skips.length - 1] = {
        ...grown,
        to_at: skip.toAt,
        count: grown.count === null || skip.count === null ? null : grown.count + skip.count,
      }
      return
    }
    this.#skips.push({
      series_id: cursor.seriesId,
      from_at: skip.fromAt,
      to_at: skip.toAt,
      prev_due_at: skip.prevDueAt,
      count: skip.count,
      reason,
      facts,
      instance_id: null,
      decided_at: now,
    })
    this.#lastSkip = { fromAt: skip.fromAt, reason, facts }
  }

  #makeRun({
    entry,
    version,
    definition,
    isWaiting,
  }: {
    entry: FireEntry
    version: number
    definition: RunDefinition
    isWaiting: boolean
  }): OpenInstanceRow {
    const { cursor, load, now, schedule } = this.#input
    const id = this.#input.takeId()
    const seat = isWaiting ? null : this.#input.takeSeat(definition)
    const isDelay = schedule.kind === 'fixedDelay'
    if (isDelay) this.#awaitsId = id
    const row: OpenInstanceRow = {
      id,
      slot: cursor.slot,
      group_id: cursor.groupId,
      task_id: cursor.taskId,
      task_version: version,
      cause: CAUSE.schedule,
      actor: null,
      series_id: cursor.seriesId,
      due_at: entry.dueAt,
      created_at: now,
      priority: definition.priority,
      retry_of: null,
      attempt: seat === null ? 0 : 1,
      tries: 0,
      executor_id: seat?.executorId ?? null,
      boot_id: seat?.bootId ?? null,
      tried_executor_id: null,
      queued_at: isWaiting ? null : now,
      sent_at: seat === null ? null : now,
      accepted_at: null,
      started_at: null,
      cancel_at: null,
      cancel_by: null,
      trace: appendTrace('[]', now, [
        firedTrace(entry, now),
        ...movedTrace(schedule, entry.dueAt, now),
        ...(isWaiting ? [waitTrace(load.blocker, now)] : []),
        ...(seat?.trace ?? []),
      ]),
      on_end: (isDelay ? ON_END_DELAY : 0) | (definition.pauseAfterFailures > 0 ? ON_END_FAILURE : 0),
      wait_code: isWaiting ? REASON.waitsForEarlierRun : null,
      wait_facts: isWaiting ? JSON.stringify({ blocker: load.blocker }) : null,
      progress: null,
      pinned_executor_id: null,
      ...NO_SHARDS,
      ...NO_WORKFLOW,
      runs_workflow: definition.flow === undefined ? null : 1,
      ...placeOf({ isWaiting, seat, now, lane: definition.flow === undefined ? cursor.groupId : FLOW_LANE, priority: definition.priority }),
    }
    load.open += 1
    if (isWaiting) load.waiting += 1
    load.blocker ??= id
    return row
  }
}

function placeOf({
  isWaiting,
  seat,
  now,
  lane,
  priority,
}: {
  isWaiting: boolean
  seat: Seat | null
  now: number
  lane: number
  priority: number
}): Pick<OpenInstanceRow, 'phase' | 'lane' | 'rank_at'> {
  if (isWaiting) return { phase: PHASE.waiting, lane: 0, rank_at: NEVER }
  if (seat !== null) return { phase: PHASE.dispatched, lane: 0, rank_at: now + 1000 }
  return { phase: PHASE.queued, lane, rank_at: queueRankAt(now, priority) }
}

function firedTrace(entry: FireEntry, at: number): TraceEntry {
  return entry.misfire === undefined
    ? { reason: 'fired', at, facts: { lateMs: entry.lateMs } }
    : { reason: 'firedAfterMisfire', at, facts: { policy: entry.misfire, lateMs: entry.lateMs } }
}

/** Why it fires at an instant that its schedule does not name. */
function movedTrace(schedule: SeriesSchedule, dueAt: number, at: number): TraceEntry[] {
  const moved = schedule.movedHere(dueAt)
  if (moved === null) return []
  const { calendar, why, name, from } = moved
  const facts = { calendarId: calendar.id, version: calendar.version, why, day: name, from: new Date(from).toISOString() }
  return [{ reason: 'calendarMoved', at, facts }]
}

function waitTrace(blocker: number | null, at: number): TraceEntry {
  return { reason: 'waitsForEarlierRun', at, facts: { blocker } }
}
