import { PHASE, REASON } from '@tickwheel/core'
import { fanOutOf, type FanOutPart } from '../store/fan-out-part.ts'
import { NEVER, REDUCE } from '../store/run-writes.ts'
import { isMapped } from '../store/shards.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import { isInPlace } from '../store/step-definition.ts'
import { Lane } from './lane.ts'

/** Of so many runs at least it is remembered that they have ended. */
const ENDED_KEPT = 20_000

/** An open run as the owner of its slot keeps it in memory: what decisions need, without trace and texts. */
export interface OpenRun {
  readonly id: number
  readonly slot: number
  readonly taskId: number
  readonly groupId: number
  readonly taskVersion: number
  readonly cause: number
  readonly phase: number
  readonly rankAt: number
  readonly attempt: number
  readonly tries: number
  readonly priority: number
  readonly createdAt: number
  readonly queuedAt: number | null
  readonly dueAt: number | null
  readonly executorId: number | null
  readonly bootId: number | null
  /** of the attempt before, when it has ended */
  readonly triedExecutorId: number | null
  readonly sentAt: number | null
  readonly acceptedAt: number | null
  readonly startedAt: number | null
  readonly cancelAt: number | null
  readonly pinnedExecutorId: number | null
  /** null: no shard */
  readonly shardIndex: number | null
  /** of a run that was split: how many shards it has in all, and how many of them are made; null: it was not split */
  readonly shardTotal: number | null
  readonly childrenMade: number | null
  readonly childrenOpen: number | null
  /** its children are those of a step with items, which the conductor makes; null: it is no such parent */
  readonly fanOut: FanOutPart | null
  /** the run of a workflow whose step it does, and the version and step that say how; null: none */
  readonly workflowRunId: number | null
  readonly workflowId: number | null
  readonly workflowVersion: number | null
  readonly stepNo: number | null
  /** whether it is a run of a workflow itself */
  readonly isFlow: boolean
  /** whether its shards have ended, and one more attempt combines their results */
  readonly isReducing: boolean
  /** only executors that know runs which are split by their handler may have it */
  readonly needsMapper: boolean
  readonly waitCode: number | null
  readonly waitFacts: string | null
}

/**
 * Every open run of the slots that this node owns, with the views that decisions are made from: by task (overlap, which speaks of parents and not of
 * shards), by executor (credits), by group and rank (lanes). Only the fence of the slot makes this memory the only one, so what is decided from it is checked in the transaction.
 */
export class OpenRuns {
  readonly #runs = new Map<number, OpenRun>()
  readonly #byTask = new Map<number, Set<number>>()
  /** runs that were split */
  readonly #parents = new Set<number>()
  /** runs that were not sent and that only one executor may run, but for those that wait for an earlier run */
  readonly #pinned = new Map<number, Set<number>>()
  readonly #byExecutor = new Map<number, Set<number>>()
  readonly #lanes = new Map<number, Lane>()
  /** queued runs of workflows: they need no executor, so nobody stands before them */
  readonly #queuedFlows = new Set<number>()
  /** tasks of which runs are just being written */
  readonly #firing = new Map<number, number>()
  /** ids of runs that ended lately */
  #ended = new Set<number>()
  #endedBefore = new Set<number>()
  /** attempts in flight, by executor and boot */
  readonly #inFlight = new Map<number, Map<number, number>>()
  readonly #waitingForPlace = new Map<number, Set<number>>()
  readonly #inFlightOfTask = new Map<number, number>()
  readonly #inFlightOfGroup = new Map<number, number>()

  get size(): number {
    return this.#runs.size
  }

  get queued(): number {
    return this.#lanes.values().reduce((sum, lane) => sum + lane.size, this.#queuedFlows.size)
  }

  get(id: number): OpenRun | null {
    return this.#runs.get(id) ?? null
  }

  all(): IterableIterator<OpenRun> {
    return this.#runs.values()
  }

  /**
   * Takes a row as the store had it a moment ago. Answers of several transactions may come in another order than their commits: a run that has ended
   * stays so (null), and one of which later news are known already is left as it is.
   */
  put(row: OpenInstanceRow): OpenRun | null {
    if (this.#ended.has(row.id) || this.#endedBefore.has(row.id)) return null
    const before = this.remove(row.id)
    const run = before !== null && isOlder(row, before) ? before : openRunOf(row)
    this.#runs.set(run.id, run)
    if (run.shardIndex === null && !isInPlace(run)) add(this.#byTask, run.taskId, run.id)
    if (run.childrenMade !== null && !run.isReducing) this.#parents.add(run.id)
    if (isPinned(run)) add(this.#pinned, run.pinnedExecutorId, run.id)
    if (waitsForPlace(run)) add(this.#waitingForPlace, run.taskId, run.id)
    if (run.executorId !== null && isThere(run)) {
      add(this.#byExecutor, run.executorId, run.id)
      this.#fly(run, 1)
    }
    if (run.phase === PHASE.queued && run.isFlow) this.#queuedFlows.add(run.id)
    else if (run.phase === PHASE.queued) this.#lane(run.groupId).push(run.rankAt, run.id)
    return run
  }

  /** A run has ended, for good. */
  end(id: number): void {
    this.remove(id)
    if (this.#ended.size >= ENDED_KEPT) {
      this.#endedBefore = this.#ended
      this.#ended = new Set()
    }
    this.#ended.add(id)
  }

  remove(id: number): OpenRun | null {
    const run = this.#runs.get(id)
    if (run === undefined) return null
    this.#runs.delete(id)
    drop(this.#byTask, run.taskId, id)
    this.#parents.delete(id)
    if (isPinned(run)) drop(this.#pinned, run.pinnedExecutorId, id)
    if (waitsForPlace(run)) drop(this.#waitingForPlace, run.taskId, id)
    if (run.executorId !== null && isThere(run)) {
      drop(this.#byExecutor, run.executorId, id)
      this.#fly(run, -1)
    }
    this.#queuedFlows.delete(id)
    if (run.phase === PHASE.queued && !run.isFlow) this.#lane(run.groupId).remove(id)
    return run
  }

  /** Runs that were split and whose shards have not all ended, oldest first. */
  parents(): OpenRun[] {
    return this.#pick(this.#parents).sort((a, b) => a.id - b.id)
  }

  /** Executors that runs wait for which no other may run. */
  executorsAwaited(): number[] {
    return [...this.#pinned.keys()]
  }

  /** The runs that wait for an executor and for no other. */
  pinnedTo(executorId: number): OpenRun[] {
    return this.#pick(this.#pinned.get(executorId))
  }

  /** Open runs of a task without shards, oldest first. */
  ofTask(taskId: number): OpenRun[] {
    return this.#pick(this.#byTask.get(taskId)).sort((a, b) => a.id - b.id)
  }

  countOfTask(taskId: number): { open: number; waiting: number } {
    const ids = this.#byTask.get(taskId)
    if (ids === undefined) return { open: 0, waiting: 0 }
    let waiting = 0
    for (const run of this.#pick(ids)) if (waitsForEarlier(run)) waiting += 1
    return { open: ids.size, waiting }
  }

  /** Tasks of which a run waits for an earlier one. */
  tasksWaiting(): Set<number> {
    const tasks = new Set<number>()
    for (const run of this.#runs.values()) if (waitsForEarlier(run)) tasks.add(run.taskId)
    return tasks
  }

  /** Runs that were sent to an executor and have not ended. */
  ofExecutor(executorId: number): OpenRun[] {
    return this.#pick(this.#byExecutor.get(executorId))
  }

  /** Runs of these tasks are on their way into the store, and may go at once: until they are here nobody else may decide that the task is free. */
  beginFiring(taskIds: Iterable<number>): void {
    for (const taskId of taskIds) this.#firing.set(taskId, (this.#firing.get(taskId) ?? 0) + 1)
  }

  endFiring(taskIds: Iterable<number>): void {
    for (const taskId of taskIds) {
      const left = (this.#firing.get(taskId) ?? 0) - 1
      if (left > 0) this.#firing.set(taskId, left)
      else this.#firing.delete(taskId)
    }
  }

  isFiring(taskId: number): boolean {
    return this.#firing.has(taskId)
  }

  /** Executors that have some of these runs. */
  executorIds(): number[] {
    return [...this.#byExecutor.keys()]
  }

  /** Runs of some slots. */
  ofSlots(slots: ReadonlySet<number>): OpenRun[] {
    return [...this.#runs.values()].filter((run) => slots.has(run.slot))
  }

  /** Tasks with at least so many open runs, and how many; at most `limit`. */
  fullTasks(atLeast: number, limit: number): [number, number][] {
    const full: [number, number][] = []
    for (const [taskId, ids] of this.#byTask) {
      if (full.length >= limit) break
      if (ids.size >= atLeast) full.push([taskId, ids.size])
    }
    return full
  }

  /** Attempts in flight at one boot of an executor: what its capacity is held against. */
  inFlight(executorId: number, bootId: number): number {
    return this.#inFlight.get(executorId)?.get(bootId) ?? 0
  }

  /** Attempts of a task that are in flight. */
  inFlightOfTask(taskId: number): number {
    return this.#inFlightOfTask.get(taskId) ?? 0
  }

  /** Attempts of a group that are in flight for slots of this node. */
  inFlightOfGroup(groupId: number): number {
    return this.#inFlightOfGroup.get(groupId) ?? 0
  }

  /** Runs and shards that waited because as many of their task were in flight as may be, and need not any more: who has waited longest first. */
  placeable(taskId: number): number[] {
    const ids = this.#waitingForPlace.get(taskId)?.values() ?? [].values()
    const placeable: number[] = []
    for (const id of ids) {
      const run = this.#runs.get(id)
      if (run === undefined || this.inFlightOfTask(taskId) + placeable.length >= maxOf(run)) break
      placeable.push(id)
    }
    return placeable
  }

  /** Groups with queued runs. */
  groupsQueued(): number[] {
    return [...this.#lanes].filter(([, lane]) => lane.size > 0).map(([groupId]) => groupId)
  }

  /** The queued runs of a group, first in rank first; at most `limit`. */
  heads(groupId: number, limit: number): OpenRun[] {
    return this.#lane(groupId)
      .first(limit)
      .flatMap((id) => this.#runs.get(id) ?? [])
  }

  /** Queued runs of workflows, first in rank first; at most `limit`. */
  queuedFlows(limit: number): OpenRun[] {
    return this.#pick(this.#queuedFlows)
      .sort((a, b) => a.rankAt - b.rankAt || a.id - b.id)
      .slice(0, limit)
  }

  queuedOf(groupId: number): number {
    return this.#lanes.get(groupId)?.size ?? 0
  }

  isLaneEmpty(groupId: number): boolean {
    return (this.#lanes.get(groupId)?.size ?? 0) === 0
  }

  #fly({ executorId, bootId, taskId, groupId }: OpenRun, by: 1 | -1): void {
    step(this.#inFlightOfTask, taskId, by)
    step(this.#inFlightOfGroup, groupId, by)
    if (executorId === null || bootId === null) return
    const boots = this.#inFlight.get(executorId) ?? new Map<number, number>()
    step(boots, bootId, by)
    if (boots.size > 0) this.#inFlight.set(executorId, boots)
    else this.#inFlight.delete(executorId)
  }

  #lane(groupId: number): Lane {
    const known = this.#lanes.get(groupId)
    if (known !== undefined) return known
    const lane = new Lane()
    this.#lanes.set(groupId, lane)
    return lane
  }

  #pick(ids: ReadonlySet<number> | undefined): OpenRun[] {
    return ids === undefined ? [] : [...ids].flatMap((id) => this.#runs.get(id) ?? [])
  }
}

/** Whether a row was read before what is known of its run: an earlier attempt, one that is known to have ended, or one that is known to have begun. */
function isOlder(row: OpenInstanceRow, known: OpenRun): boolean {
  if (known.cancelAt !== null && row.cancel_at === null && row.attempt === known.attempt) return true
  if (known.isReducing && row.reduce !== REDUCE.begun) return true
  if (known.childrenMade !== null && !known.isReducing) return row.reduce !== REDUCE.begun && (row.children_made ?? -1) < known.childrenMade
  if (row.attempt !== known.attempt) return row.attempt < known.attempt
  if (known.executorId === null) return row.executor_id !== null
  return known.phase === PHASE.running && row.phase === PHASE.dispatched
}

/** Whether a run is with an executor. */
export function isThere(run: { readonly phase: number }): boolean {
  return run.phase === PHASE.dispatched || run.phase === PHASE.running
}

/** Whether a run waits because as many of its task are in flight as may be. */
export function waitsForPlace(run: OpenRun): boolean {
  return waitsForEarlier(run) && run.waitCode === REASON.waitsForTaskLimit
}

function maxOf({ waitFacts }: OpenRun): number {
  const facts: unknown = waitFacts === null ? null : JSON.parse(waitFacts)
  return typeof facts === 'object' && facts !== null && 'max' in facts && typeof facts.max === 'number' ? facts.max : 1
}

/** Whether a run waits for an end of another of its task, and for nothing else. */
export function waitsForEarlier(run: { readonly phase: number; readonly rankAt: number }): boolean {
  return run.phase === PHASE.waiting && run.rankAt === NEVER
}

/** What decisions need of a row. */
export function openRunOf(row: OpenInstanceRow): OpenRun {
  return {
    id: row.id,
    slot: row.slot,
    taskId: row.task_id,
    groupId: row.group_id,
    taskVersion: row.task_version,
    cause: row.cause,
    phase: row.phase,
    rankAt: row.rank_at,
    attempt: row.attempt,
    tries: row.tries,
    priority: row.priority,
    createdAt: row.created_at,
    queuedAt: row.queued_at,
    dueAt: row.due_at,
    executorId: row.executor_id,
    bootId: row.boot_id,
    triedExecutorId: row.tried_executor_id,
    sentAt: row.sent_at,
    acceptedAt: row.accepted_at,
    startedAt: row.started_at,
    cancelAt: row.cancel_at,
    pinnedExecutorId: row.pinned_executor_id,
    shardIndex: row.shard_index,
    shardTotal: row.shard_total,
    childrenMade: row.children_made,
    childrenOpen: row.children_open,
    fanOut: fanOutOf(row),
    workflowRunId: row.workflow_run_id,
    workflowId: row.workflow_id,
    workflowVersion: row.workflow_version,
    stepNo: row.step_no,
    isFlow: row.runs_workflow === 1,
    isReducing: row.reduce === REDUCE.begun,
    needsMapper: row.reduce === REDUCE.begun || isMapped(row.shard_part),
    waitCode: row.wait_code,
    waitFacts: row.wait_facts,
  }
}

function step(counts: Map<number, number>, key: number, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}

function isPinned(run: OpenRun): run is OpenRun & { readonly pinnedExecutorId: number } {
  return run.pinnedExecutorId !== null && !isThere(run) && !waitsForEarlier(run)
}

function add(index: Map<number, Set<number>>, key: number, id: number): void {
  const ids = index.get(key)
  if (ids === undefined) index.set(key, new Set([id]))
  else ids.add(id)
}

function drop(index: Map<number, Set<number>>, key: number, id: number): void {
  const ids = index.get(key)
  if (ids?.delete(id) === true && ids.size === 0) index.delete(key)
}
