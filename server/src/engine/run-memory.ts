import { PHASE, REASON, slotOf } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import { openRunsById, openRunsOfSlots } from '../store/open-runs.ts'
import type { RunChange } from '../store/report.ts'
import { NEVER, REDUCE } from '../store/run-writes.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import type { Advancer } from './advancer.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Events } from './events.ts'
import type { GroupLimits } from './group-limits.ts'
import type { Lending } from './lending.ts'
import type { Mail } from './mail.ts'
import { isThere, openRunOf, waitsForEarlier, waitsForPlace, type OpenRun, type OpenRuns } from './open-runs.ts'
import type { Roster } from './roster.ts'
import type { Sender } from './sender.ts'
import type { SlotKeeper } from './slot-keeper.ts'
import type { Timekeeper } from './timekeeper.ts'

const PAGE = 5000
/** how far ahead a run of a workflow is armed in the wheel */
const ARMED_MS = 60_000

export interface RunMemoryOptions {
  readonly db: Database
  readonly runs: OpenRuns
  readonly roster: Roster
  readonly keeper: SlotKeeper
  readonly timekeeper: Timekeeper
  /** a run that was split has shards to make, or to cancel */
  readonly onParent: () => void
  /** a run of a workflow is to be looked at, or a step of one has ended */
  readonly onFlow: () => void
  readonly dispatcher: Dispatcher
  readonly advancer: Advancer
  readonly sender: Sender
  readonly lending: Lending
  readonly limits: GroupLimits
  readonly mail: Mail
  readonly events: Events
  /** a report that another node wrote put a run back into its queue */
  readonly onSentBack: (row: OpenInstanceRow, executorId: number) => void
  readonly count: (name: string, n: number) => void
  readonly now: () => number
  /** for work that nobody waits for */
  readonly follow: (work: Promise<void>) => void
}

/**
 * Takes what transactions did into memory: of this node's slots into `OpenRuns`, with what follows from it (who waits is woken, what was dispatched is
 * sent, a free place is given away); of other nodes' slots as a hint to their owner.
 */
export class RunMemory {
  readonly #options: RunMemoryOptions
  /** tasks that were triggered here and whose slot is another node's, since the last look at the others */
  readonly #triggered = new Map<number, number>()

  constructor(options: RunMemoryOptions) {
    this.#options = options
  }

  /** Runs of a task that were queued here lately and that its owner may not have told of yet. */
  triggered(taskId: number): number {
    return this.#triggered.get(taskId) ?? 0
  }

  /** The others have told what they have. */
  looked(): void {
    this.#triggered.clear()
  }

  /** Runs that were fired, some of them dispatched with it. */
  fired(rows: readonly OpenInstanceRow[]): void {
    const { runs, sender, follow } = this.#options
    const made = rows.flatMap((row) => runs.put(row) ?? [])
    const sent = made.filter((run) => run.phase === PHASE.dispatched)
    for (const run of sent) this.#spend(run)
    this.#emit(rows)
    follow(sender.dispatch(sent))
  }

  /** Runs that the dispatcher wrote, read again: those that it claimed are sent. */
  async dispatched(claimed: readonly number[], changed: readonly number[]): Promise<void> {
    const { db, runs, sender } = this.#options
    const rows = await openRunsById(db, changed)
    // what became of them meanwhile may be known already: a slow read does not replace it
    const there = new Set(rows.map((row) => row.id))
    for (const id of changed) if (!there.has(id)) runs.remove(id)
    for (const row of rows) this.remember(row)
    this.#emit(rows)
    const sent = claimed.flatMap((id) => runs.get(id) ?? [])
    for (const run of sent) this.#spend(run)
    await sender.dispatch(sent)
  }

  /** What reports, cancels, losses and skips made of runs of any slot. */
  apply(changes: readonly RunChange[]): void {
    const { sender, advancer, dispatcher, count } = this.#options
    const asked: OpenRun[] = []
    const ended: OpenRun[] = []
    const landed: OpenRun[] = []
    for (const { kind, row } of changes) {
      const run = kind === 'open' ? (this.remember(row) ?? openRunOf(row)) : openRunOf(row)
      if (kind === 'open' && run.cancelAt !== null) asked.push(run)
      if (kind === 'ended') ended.push(run)
      if (kind === 'ended' || !isThere(run)) landed.push(run)
      // one that its handler has split leaves its executor, and goes on without
      else if (row.mapped !== null && run.executorId === null) landed.push({ ...run, executorId: run.triedExecutorId })
    }
    this.#landed(landed)
    count('ended', ended.length)
    this.#forgetEnded(ended)
    this.#freeGroups(changes)
    this.#emit(changes.map((change) => change.row))
    sender.cancel(asked)
    this.#tellOwners(
      changes.flatMap(({ kind, row }) =>
        kind === 'ended' || !isThere(row) || row.cancel_at !== null || row.executor_id === null ? [row] : [],
      ),
    )
    if (changes.some((change) => change.kind === 'ended' && change.row.on_end !== 0)) {
      advancer.kick()
      this.#options.onFlow()
    }
    // all shards of a run have ended: it is queued once more
    if (changes.some(({ kind, row }) => kind === 'open' && row.reduce === REDUCE.begun && row.phase === PHASE.queued)) dispatcher.kick()
  }

  /** Rows that a sweep found and memory did not have. */
  found(rows: readonly OpenInstanceRow[]): void {
    for (const row of rows) this.remember(row)
    if (rows.length > 0) this.#options.dispatcher.kick()
  }

  /** Runs that a command made. */
  queued(rows: readonly OpenInstanceRow[]): void {
    for (const row of rows) if (this.remember(row) === null) this.#triggered.set(row.task_id, this.triggered(row.task_id) + 1)
    this.#emit(rows)
    this.#tellOwners(rows)
    this.#options.dispatcher.kick()
  }

  /** Runs of own slots, read again because somebody said that they have changed: those that are missing have ended. */
  news(ids: readonly number[], rows: readonly OpenInstanceRow[]): void {
    const { runs, advancer, dispatcher } = this.#options
    const open = new Set(rows.map((row) => row.id))
    const ended = ids.flatMap((id) => (open.has(id) ? [] : (runs.get(id) ?? [])))
    for (const row of rows) {
      const before = runs.get(row.id)
      if (before?.executorId != null && isThere(before) && row.phase === PHASE.queued) this.#options.onSentBack(row, before.executorId)
      this.remember(row)
    }
    this.#forgetEnded(ended)
    const there = new Set(rows.filter(isThere).map((row) => row.id))
    for (const id of ids) if (!there.has(id)) this.#landedElsewhere(id)
    if (ended.length > 0) advancer.kick()
    this.#options.onFlow()
    this.#emitFlows(rows)
    dispatcher.kick()
  }

  /** Memory holds the runs of owned slots only; null: the slot is another node's, or the run has ended meanwhile. A run that waits for an instant is armed. */
  remember(row: OpenInstanceRow): OpenRun | null {
    const { keeper, runs, lending, timekeeper } = this.#options
    if (!keeper.holds(row.slot)) return null
    const run = runs.put(row)
    if (run === null) return null
    if (run.executorId !== null) lending.land(run.executorId, run.id)
    if (run.childrenMade !== null && !run.isReducing && (run.cancelAt !== null || run.childrenMade < (run.shardTotal ?? 0)))
      this.#options.onParent()
    // who waits for one executor is woken by a place there, and needs no timer that would outlive it
    const isTimed = run.phase === PHASE.waiting && run.rankAt !== NEVER && run.waitCode !== REASON.waitsForChosenExecutor
    if (isTimed) timekeeper.arm(run.rankAt, -run.id)
    if (run.isFlow && run.phase === PHASE.running) this.#look(run)
    return run
  }

  /** A run of a workflow is looked at when its instant comes; one that is far off, a sweep finds. */
  #look(run: OpenRun): void {
    const { now, timekeeper, onFlow } = this.#options
    const waitMs = run.rankAt - now()
    if (waitMs <= 0) onFlow()
    else if (waitMs <= ARMED_MS) timekeeper.arm(run.rankAt, -run.id)
  }

  /** Brings what is open of some slots into memory. */
  async read(slots: ReadonlySet<number>, seen: (row: OpenInstanceRow) => void = () => undefined): Promise<void> {
    let after: number | null = 0
    while (after !== null) {
      const page: { rows: OpenInstanceRow[]; last: number | null } = await openRunsOfSlots(this.#options.db, slots, after, PAGE)
      for (const row of page.rows) {
        this.remember(row)
        seen(row)
      }
      after = page.last
    }
  }

  /**
   * The store was away, so that the outcome of a commit may be unknown: memory is made from the store again. Whoever waits for a transaction of the time
   * before finds its rows moved on, and drops what it decided.
   */
  async readAgain(): Promise<void> {
    const { db, runs, keeper } = this.#options
    const before = new Set([...runs.all()].map((run) => run.id))
    await this.read(keeper.slots, (row) => before.delete(row.id))
    for (const row of await openRunsById(db, [...before])) before.delete(row.id)
    for (const id of before) runs.remove(id)
  }

  /** Slots are another node's now. What is in flight at executors of this node is so for another. */
  forget(slots: ReadonlySet<number>): void {
    const { runs, roster, lending, dispatcher } = this.#options
    for (const run of runs.ofSlots(slots)) {
      runs.remove(run.id)
      dispatcher.forget(run.groupId, run.id)
      if (run.executorId !== null && isThere(run) && roster.get(run.executorId)?.isHere === true) lending.fly(run.executorId, run.id, null)
    }
  }

  /** Runs that have ended leave memory; what waits for them, or for their place, is looked at. */
  #forgetEnded(ended: readonly OpenRun[]): void {
    const { runs, dispatcher, follow } = this.#options
    const groups = new Set<number>()
    const woken = new Set<number>()
    for (const run of ended) {
      runs.end(run.id)
      dispatcher.forget(run.groupId, run.id)
      groups.add(run.groupId)
      const next = runs.ofTask(run.taskId)[0]
      if (next !== undefined && waitsForEarlier(next) && !waitsForPlace(next)) woken.add(next.id)
      for (const id of runs.placeable(run.taskId)) woken.add(id)
    }
    if (woken.size > 0) follow(dispatcher.ready([...woken]))
    for (const groupId of groups) follow(dispatcher.roomIn(groupId))
    dispatcher.kick()
  }

  /** Places under the limits of groups are free: here and, by hint, at every node. */
  #freeGroups(changes: readonly RunChange[]): void {
    const { limits, dispatcher, mail } = this.#options
    const freed = new Set(
      changes.flatMap(({ kind, row }) => (kind === 'ended' || !isThere(row) ? [row.group_id] : [])).filter((id) => limits.has(id)),
    )
    if (freed.size === 0) return
    dispatcher.freed(freed)
    mail.room([...freed])
  }

  /** Attempts are with their executors no more: each place there is free for whoever asked. */
  #landed(runs: readonly OpenRun[]): void {
    const { lending, mail, roster } = this.#options
    const elsewhere = new Map<number, number[]>()
    for (const { executorId, id } of runs) {
      if (executorId === null) continue
      lending.land(executorId, id)
      const member = roster.get(executorId)
      if (member?.isHere === true) lending.grant(member)
      else if (member?.linkRun != null) elsewhere.set(member.linkRun, [...(elsewhere.get(member.linkRun) ?? []), id])
    }
    // an executor without a connection reports wherever it likes: the node that lends its places must hear of it
    for (const [node, ids] of elsewhere) mail.landed(node, ids)
  }

  #landedElsewhere(instanceId: number): void {
    const { lending, roster } = this.#options
    for (const executorId of lending.landAnywhere(instanceId)) {
      const member = roster.get(executorId)
      if (member?.isHere === true) lending.grant(member)
    }
  }

  /** A place at an executor of another node was borrowed, and is used. */
  #spend({ executorId }: OpenRun): void {
    if (executorId !== null) this.#options.lending.spend(executorId)
  }

  /** The owner of a step's workflow is told, too. */
  #tellOwners(rows: readonly OpenInstanceRow[]): void {
    const { keeper, mail } = this.#options
    const flows = rows.flatMap(({ workflow_run_id: id, workflow_id: workflowId }) =>
      id === null || workflowId === null ? [] : [{ id, slot: slotOf('task', workflowId) }],
    )
    mail.runs([...rows, ...flows].filter((row) => !keeper.holds(row.slot)))
  }

  #emit(rows: readonly OpenInstanceRow[]): void {
    this.#emitFlows(rows)
    this.#options.events.emit(
      rows.map((row) => ({ kind: 'instanceChanged', instanceId: row.id, taskId: row.task_id, groupId: row.group_id })),
    )
  }

  /** Runs of workflows that have changed, or a step of which has; of one that another node owns, that node tells. */
  #emitFlows(rows: readonly OpenInstanceRow[]): void {
    const { runs, events } = this.#options
    const changed = new Map<number, { workflowId: number; groupId: number }>()
    for (const row of rows) {
      if (row.runs_workflow === 1) changed.set(row.id, { workflowId: row.task_id, groupId: row.group_id })
      const flow = row.workflow_run_id === null ? null : runs.get(row.workflow_run_id)
      if (flow !== null) changed.set(flow.id, { workflowId: flow.taskId, groupId: flow.groupId })
    }
    events.emit([...changed].map(([workflowRunId, of]) => ({ kind: 'workflowRunChanged', workflowRunId, ...of })))
  }
}
