import {
  alarmEventOf,
  FIRST_PACE,
  ALARM_TARGET,
  failuresInARow,
  isSlow,
  lastDayTime,
  nextDayTime,
  OUTCOME,
  slideWindow,
  startOfDay,
  usualMs,
  withLate,
  withTook,
  type AlarmEvent,
  type Condition,
  type ConditionOf,
  type Pace,
  type Track,
} from '@tickwheel/core'
import { IncidentBook, isTask, type Occurrence } from './alarm-book.ts'
import { factsIn } from './alarm-incidents.ts'
import { lastEnds, recoveryOf, type EndedRun } from './alarm-recovery.ts'
import { compiledConditions, idsIn } from './alarm-rule-row.ts'
import { earlier, tell } from './alarm-tell.ts'
import { query, type Database, type Tx } from './database.ts'
import { parseJson } from './definition.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { inSlots } from './in-slots.ts'
import type { AlarmRuleRow, AlarmSignalRow, AlarmTrackRow } from './schema.ts'

/** Open incidents are asked whether they are over so often, so many at a time, all of them in turn. */
const CHECK_EVERY_MS = 5_000
const CHECKED_AT_ONCE = 50
/** A time of day that passed so long before it is looked at says nothing any more. */
const DEADLINE_OLD_MS = 12 * 3_600_000
/** failures in a row that are counted when their incident opens */
const ROW_COUNTED = 100
/** ids that a turn needs beside one for each signal: incidents of tasks that are not done in time, and a message for each channel */
export const TURN_IDS = 130

export interface TurnRequest {
  readonly ruleId: number
  /** those of the rule, oldest first; none: it is only time to look */
  readonly signals: readonly AlarmSignalRow[]
  readonly now: number
  /** as many run ids in a row as there are signals, and `TURN_IDS` */
  readonly firstId: number
}

/** `overtaken`: another consumer has applied some of the signals; nothing was done. `told`: messages were left in the outbox. */
export type TurnOutcome =
  | {
      readonly kind: 'done'
      readonly incidents: readonly { readonly incidentId: number; readonly groupId: number | null }[]
      readonly told: boolean
    }
  | { readonly kind: 'overtaken' }

class Overtaken extends Error {}

/**
 * Applies what happened to one rule: its incidents, what it remembers, and its messages, in one transaction under its row. Two consumers at once are harmless:
 * the row orders them, and the deleted signals count once.
 */
export async function turnOfRule(db: Database, request: TurnRequest): Promise<TurnOutcome> {
  try {
    return await db.write('rest', async (tx) => turn(tx, request))
  } catch (error) {
    if (error instanceof Overtaken) return { kind: 'overtaken' }
    throw error
  }
}

/** Rules of some slots that are to be looked at without a signal. */
export async function dueRules(db: Database, slots: ReadonlySet<number>, now: number, limit: number): Promise<number[]> {
  if (slots.size === 0) return []
  const here = inSlots(slots)
  const rows = await db.read((tx) =>
    tx.all<{ rule_id: number }>(`SELECT rule_id FROM alarm_state WHERE next_at <= ?${here.sql} ORDER BY next_at LIMIT ?`, [
      now,
      ...here.params,
      limit,
    ]),
  )
  return rows.map((row) => row.rule_id)
}

const NOTHING: TurnOutcome = { kind: 'done', incidents: [], told: false }

async function turn(tx: Tx, { ruleId, signals, now, firstId }: TurnRequest): Promise<TurnOutcome> {
  const [rule] = await tx.lock(query.selectFrom('alarm_rule').selectAll().where('id', '=', ruleId))
  await takeSignals(tx, signals)
  if (rule === undefined || rule.enabled === 0) {
    await tx.run('UPDATE alarm_state SET next_at = NULL WHERE rule_id = ?', [ruleId])
    return NOTHING
  }
  let nextId = firstId
  const takeId = (): number => nextId++
  const memory = await readMemory(tx, ruleId, now)
  const book = await IncidentBook.load(tx, rule, takeId)
  const tracks = await Tracks.load(tx, ruleId, signals)
  const rules = new RuleTurn({ tx, rule, book, tracks, now })
  for (const signal of signals) await rules.apply(signal)
  const deadlineAt = await rules.lookAtDeadlines(memory.deadlineAt)
  const checked = await rules.check(memory)
  await book.name()
  const { pace, nextAt } = await tell(tx, { rule, book, pace: memory.pace, now, takeId })
  await book.save()
  await tracks.save(now)
  const next = [nextAt, book.open.length > 0 ? now + CHECK_EVERY_MS : null, rules.nextDeadline()].reduce(earlier, null)
  await tx.run('UPDATE alarm_state SET next_at = ?, pace = ? WHERE rule_id = ?', [
    next,
    JSON.stringify({ pace, deadlineAt, ...checked } satisfies Memory),
    ruleId,
  ])
  return {
    kind: 'done',
    incidents: book.touched.map((row) => ({ incidentId: row.id, groupId: row.group_id })),
    told: pace !== memory.pace,
  }
}

/** Signals that are gone were applied by another. */
async function takeSignals(tx: Tx, signals: readonly AlarmSignalRow[]): Promise<void> {
  const taken = await tx.runMany(
    'DELETE FROM alarm_signal WHERE rule_id = ? AND event = ? AND signal_key = ?',
    signals.map((signal) => [signal.rule_id, signal.event, signal.signal_key]),
  )
  if (taken !== signals.length) throw new Overtaken()
}

/** What a rule remembers from turn to turn. */
interface Memory {
  readonly pace: Pace
  /** times of day up to here were looked at */
  readonly deadlineAt: number
  /** when open incidents were asked whether they are over, and the last of them */
  readonly checkedAt?: number
  readonly checkedId?: number
}

async function readMemory(tx: Tx, ruleId: number, now: number): Promise<Memory> {
  const [row] = await tx.all<{ pace: string }>('SELECT pace FROM alarm_state WHERE rule_id = ?', [ruleId])
  const value = row === undefined ? null : parseJson(row.pace)
  return isMemory(value) ? value : { pace: FIRST_PACE, deadlineAt: now }
}

function isMemory(value: unknown): value is Memory {
  return typeof value === 'object' && value !== null && 'pace' in value && 'deadlineAt' in value
}

/** What a rule remembers of tasks, read and written once a turn. */
class Tracks {
  readonly #tx: Tx
  readonly #ruleId: number
  readonly #known: Map<number, Track>
  readonly #changed = new Set<number>()

  private constructor(tx: Tx, ruleId: number, known: Map<number, Track>) {
    this.#tx = tx
    this.#ruleId = ruleId
    this.#known = known
  }

  static async load(tx: Tx, ruleId: number, signals: readonly AlarmSignalRow[]): Promise<Tracks> {
    const known = new Map<number, Track>()
    const taskIds = [0, ...new Set(signals.filter((signal) => isTask(signal.target_kind)).map((signal) => signal.target_id))]
    if (signals.length === 0) return new Tracks(tx, ruleId, known)
    for (const part of partsOf(taskIds, 1000)) {
      const list = listOfNumbers(part)
      const rows = await tx.all<AlarmTrackRow>(`SELECT * FROM alarm_track WHERE rule_id = ? AND task_id IN ${list.sql}`, [
        ruleId,
        ...list.params,
      ])
      for (const row of rows) known.set(row.task_id, trackIn(row.facts))
    }
    return new Tracks(tx, ruleId, known)
  }

  get(taskId: number): Track {
    return this.#known.get(taskId) ?? {}
  }

  set(taskId: number, more: Track): void {
    this.#known.set(taskId, { ...this.get(taskId), ...more })
    this.#changed.add(taskId)
  }

  async save(now: number): Promise<void> {
    for (const taskId of [...this.#changed].sort((left, right) => left - right)) {
      const facts = JSON.stringify(this.get(taskId))
      const matched = await this.#tx.run('UPDATE alarm_track SET facts = ?, updated_at = ? WHERE rule_id = ? AND task_id = ?', [
        facts,
        now,
        this.#ruleId,
        taskId,
      ])
      if (matched === 0) await this.#tx.insert('alarm_track', [{ rule_id: this.#ruleId, task_id: taskId, facts, updated_at: now }])
    }
  }
}

function trackIn(text: string): Track {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([name, list]) => [name, numbersIn(list)]))
}

function numbersIn(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'number') : []
}

/** One turn of one rule: what each signal means for it. */
class RuleTurn {
  readonly #tx: Tx
  readonly #rule: AlarmRuleRow
  readonly #book: IncidentBook
  readonly #tracks: Tracks
  readonly #now: number
  readonly #conditions: readonly Condition[]

  constructor({ tx, rule, book, tracks, now }: { tx: Tx; rule: AlarmRuleRow; book: IncidentBook; tracks: Tracks; now: number }) {
    this.#tx = tx
    this.#rule = rule
    this.#book = book
    this.#tracks = tracks
    this.#now = now
    this.#conditions = compiledConditions(rule)
  }

  /** One of an event that the rule does not watch for any more is dropped. */
  async apply(signal: AlarmSignalRow): Promise<void> {
    const event = alarmEventOf(signal.event)
    if (event === null) return
    const condition = this.#condition(event)
    if (condition === null) return
    if (signal.signal_key.startsWith('-')) return this.#clear(event, signal)
    switch (condition.event) {
      case 'failedInARow':
        return this.#failedInARow(signal, condition)
      case 'failedInWindow':
        return this.#failedInWindow(signal, condition)
      case 'late':
        return this.#late(signal)
      case 'slow':
        return this.#took(signal, condition)
      case 'failed':
      case 'timedOut':
      case 'lost':
      case 'missed':
      case 'unfinished':
      case 'noExecutor':
      case 'queueFull':
      case 'nodeDown':
      case 'incomplete':
      case 'undeliverable':
        return this.#book.record(occurrenceOf(event, signal))
    }
  }

  /** Tasks that are to be done by a time of day that has passed since; up to when that was looked at. */
  async lookAtDeadlines(since: number): Promise<number> {
    const condition = this.#condition('unfinished')
    if (condition?.event !== 'unfinished') return this.#now
    const deadline = lastDayTime(condition, this.#now)
    if (deadline === null || deadline <= since || this.#now - deadline > DEADLINE_OLD_MS) return this.#now
    const dayFrom = startOfDay(condition.timezone, deadline)
    for (const taskId of idsIn(this.#rule.task_ids)) await this.#lookAtTask(taskId, { condition, deadline, dayFrom })
    return this.#now
  }

  /** When the next such time of day comes, epoch ms. */
  nextDeadline(): number | null {
    const condition = this.#condition('unfinished')
    return condition?.event === 'unfinished' ? nextDayTime(condition, this.#now) : null
  }

  /** Asks some of the open incidents whether they are over. */
  async check(memory: Memory): Promise<Pick<Memory, 'checkedAt' | 'checkedId'>> {
    const { checkedAt = 0, checkedId = 0 } = memory
    if (this.#now - checkedAt < CHECK_EVERY_MS) return { checkedAt, checkedId }
    const open = this.#book.open.toSorted((left, right) => left.id - right.id)
    const rest = open.filter((row) => row.id > checkedId)
    const some = (rest.length === 0 ? open : rest).slice(0, CHECKED_AT_ONCE)
    for (const row of some) {
      const by = await recoveryOf(this.#tx, row, { now: this.#now, conditions: this.#conditions })
      if (by !== null) this.#book.recover(row, by, this.#now)
    }
    return { checkedAt: this.#now, checkedId: some.at(-1)?.id ?? 0 }
  }

  #condition(event: AlarmEvent): Condition | null {
    return this.#conditions.find((condition) => condition.event === event) ?? null
  }

  /** Whoever raised it says that it is over. */
  #clear(event: AlarmEvent, { target_kind: kind, target_id: targetId, at }: AlarmSignalRow): void {
    const row = this.#book.find(event, kind, targetId)
    if (row !== null) this.#book.recover(row, 'cleared', at)
  }

  /** What ended before is read from history, so that successes leave no signal. Each run counts once, however often it is seen there. */
  async #failedInARow(signal: AlarmSignalRow, { times }: ConditionOf<'failedInARow'>): Promise<void> {
    const occurrence = occurrenceOf('failedInARow', signal)
    const known = this.#book.find('failedInARow', signal.target_kind, signal.target_id)
    if (known !== null) {
      if (!(await this.#book.hasRun(known, signal.instance_id))) this.#book.record(occurrence)
      return
    }
    if ((await this.#lastFailures(signal.target_id, times)).length < times) return
    const ends = await this.#lastFailures(signal.target_id, ROW_COUNTED)
    const runs = ends.map((end) => ({ id: end.id, outcome: end.outcome, at: end.ended_at, error: end.error })).toReversed()
    this.#book.record({ ...occurrence, runs, count: runs.length, facts: { ...occurrence.facts, times } })
  }

  /** The failures before the last run of a task that did not fail, newest first, of so many runs. */
  async #lastFailures(taskId: number, limit: number): Promise<readonly EndedRun[]> {
    const ends = await lastEnds(this.#tx, taskId, limit)
    return ends.slice(0, failuresInARow(ends.map((end) => ({ isFailure: end.outcome !== OUTCOME.succeeded }))))
  }

  #failedInWindow(signal: AlarmSignalRow, condition: ConditionOf<'failedInWindow'>): void {
    const taskId = this.#rule.grouping === 'rule' ? 0 : signal.target_id
    const { failures, isReached } = slideWindow(this.#tracks.get(taskId).failures ?? [], signal.at, condition)
    this.#tracks.set(taskId, { failures })
    const occurrence = occurrenceOf('failedInWindow', signal)
    const isOpen = this.#book.find('failedInWindow', signal.target_kind, signal.target_id) !== null
    if (isOpen) this.#book.record(occurrence)
    else if (isReached)
      this.#book.record({
        ...occurrence,
        count: failures.length,
        facts: { ...occurrence.facts, times: condition.times, windowMs: condition.windowMs },
      })
  }

  /** Whoever sweeps sees a run that is late, and so does its end: it counts once. */
  #late(signal: AlarmSignalRow): void {
    if (signal.instance_id > 0) {
      const late = withLate(this.#tracks.get(signal.target_id).late ?? [], signal.instance_id)
      if (late === null) return
      this.#tracks.set(signal.target_id, { late })
    }
    this.#book.record(occurrenceOf('late', signal))
  }

  /** A success counts towards what is usual; one that took much longer is an occurrence, and one that did not is the end of it. */
  #took(signal: AlarmSignalRow, { percent }: ConditionOf<'slow'>): void {
    const tookMs = Number(factsIn(signal.facts)['tookMs'] ?? 0)
    const known = this.#tracks.get(signal.target_id).tookMs ?? []
    const usual = usualMs(known)
    this.#tracks.set(signal.target_id, { tookMs: withTook(known, tookMs) })
    if (isSlow(tookMs, usual, percent)) {
      const occurrence = occurrenceOf('slow', signal)
      this.#book.record({ ...occurrence, facts: { ...occurrence.facts, usualMs: usual } })
      return
    }
    const open = this.#book.find('slow', signal.target_kind, signal.target_id)
    if (open !== null && this.#rule.grouping !== 'rule') this.#book.recover(open, 'success', signal.at)
  }

  async #lookAtTask(
    taskId: number,
    { condition, deadline, dayFrom }: { condition: ConditionOf<'unfinished'>; deadline: number; dayFrom: number },
  ): Promise<void> {
    const ends = await lastEnds(this.#tx, taskId, 20)
    if (ends.some((end) => end.outcome === OUTCOME.succeeded && end.ended_at >= dayFrom)) return
    const [task] = await this.#tx.all<{ group_id: number }>('SELECT group_id FROM task WHERE id = ? AND deleted_at IS NULL', [taskId])
    if (task === undefined) return
    this.#book.record({
      event: 'unfinished',
      targetKind: ALARM_TARGET.task,
      targetId: taskId,
      groupId: task.group_id,
      at: deadline,
      runs: [],
      count: 1,
      facts: { by: condition.by, timezone: condition.timezone },
    })
  }
}

function occurrenceOf(event: AlarmEvent, signal: AlarmSignalRow): Occurrence {
  const { error, ...facts } = factsIn(signal.facts)
  const run = { id: signal.instance_id, outcome: signal.outcome, at: signal.at, error: typeof error === 'string' ? error : null }
  return {
    event,
    targetKind: signal.target_kind,
    targetId: signal.target_id,
    groupId: signal.group_id,
    at: signal.at,
    runs: signal.instance_id > 0 ? [run] : [],
    count: signal.count,
    facts,
  }
}
