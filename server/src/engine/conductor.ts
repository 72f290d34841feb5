import { itemKey, ordersOf, type ExpressionScope, type Json, type Step, type StepOutput } from '@tickwheel/core'
import type { Database, ReadTx } from '../store/database.ts'
import { dueFlows, type DueFlow } from '../store/due-flows.ts'
import { ITEM_BYTES_AT_ONCE, ITEMS_AT_ONCE, makeItems, readItems, type ItemOrder } from '../store/fan-out.ts'
import { takeRunIds, type RunIds } from '../store/ids.ts'
import { openRunsById, readOpen } from '../store/open-runs.ts'
import type { RunChange } from '../store/report.ts'
import { ALL_RIGHTS, type RunRights } from '../store/run-rights.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import { dropSignals } from '../store/signals.ts'
import { advanceRun, type AdvancedRun } from '../store/workflow-advance.ts'
import { beginWorkflowRuns } from '../store/workflow-begin.ts'
import { isFlow, keyOf, readFlow, readOutputs, recordsOf, viewOf, type FlowDefinition, type FlowRun } from '../store/workflow-state.ts'
import type { Clock } from './clock.ts'
import type { Definitions } from './definitions.ts'
import type { BeginWish } from './dispatcher.ts'
import type { OpenRun, OpenRuns } from './open-runs.ts'
import { isStoreAway, Pump } from './pump.ts'
import type { RestoreGuard } from './restore-guard.ts'
import type { SlotKeeper } from './slot-keeper.ts'

const AT_ONCE = 500
/** What a turn of one run mostly needs; one that starts more asks for more. */
const IDS_AT_ONCE = 8
/** `RunIds.take` gives no more in a row. */
const BLOCK = 4096
/** A turn that lacks ids or locks is run again, so often at most: each time it asks for all that it then knows of. */
const TRIES = 100
/** A run whose data is wrong is looked at again after so long. */
const BROKEN_MS = 60_000
const BROKEN_KEPT = 1000
/** For so long what an editor may run is not asked again. */
const RIGHTS_KEPT_MS = 1000

export interface ConductorOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  readonly keeper: SlotKeeper
  readonly guard: RestoreGuard
  readonly runs: OpenRuns
  readonly definitions: Definitions
  readonly serverZone: string
  /** what the last editor of a workflow may run now; null: everything */
  readonly rightsOf: ((userId: number) => Promise<RunRights>) | null
  /** whether as many runs are open as may be */
  readonly isFull: () => boolean
  /** these runs are as the store has them; those that are missing have ended */
  readonly onNews: (ids: readonly number[], rows: readonly OpenInstanceRow[]) => void
  readonly onChanges: (changes: readonly RunChange[]) => void
  /** a run as it is now, of which nothing else has changed than when it is looked at next */
  readonly onSeen: (row: OpenInstanceRow) => void
  readonly onMade: (runs: readonly OpenInstanceRow[]) => void
  /** cancels runs of steps */
  readonly cancel: (instanceIds: readonly number[], by: string) => Promise<void>
  readonly onBroken: (runId: number, error: unknown) => void
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

/**
 * The stage that advances runs of workflows: begins those whose turn has come, applies what steps have ended, starts what follows, and makes the children of
 * fan-outs. All that it knows is in the store: a run that is to be looked at has a signal, or is past its `rank_at`, so whoever owns the slot next goes on.
 */
export class Conductor {
  readonly #options: ConductorOptions
  readonly #pump: Pump
  /** runs whose data is wrong, until when */
  readonly #broken = new Map<number, number>()
  readonly #rights = new Map<number, RunRights>()
  #rightsReadAt = -Infinity

  constructor(options: ConductorOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  kick(): void {
    this.#pump.kick()
  }

  /** Begins runs whose turn has come. */
  async begin(wishes: readonly BeginWish[]): Promise<void> {
    const { db, clock, ids, keeper, serverZone, onChanges, onNews } = this.#options
    const beginnings = wishes.map(({ run, definition }) => ({ instanceId: run.id, slot: run.slot, definition }))
    const firstId = await ids.take(beginnings.length)
    const fences = keeper.fencesOf(beginnings.map((one) => one.slot))
    const changes = await beginWorkflowRuns(db, clock.now(), fences, { beginnings, firstId, serverZone })
    onChanges(changes)
    const changed = new Set(changes.map((change) => change.row.id))
    const dropped = beginnings.map((one) => one.instanceId).filter((id) => !changed.has(id))
    if (dropped.length > 0) onNews(dropped, await openRunsById(db, dropped))
    this.kick()
  }

  async #turn(): Promise<boolean> {
    const { db, clock, keeper, guard } = this.#options
    if (!keeper.isTrusted || guard.isHeld) return false
    const due = await dueFlows(db, keeper.slots, { now: clock.now(), limit: AT_ONCE })
    let { isMore } = due
    for (const flow of due.flows) await this.#guarded(flow.runId, () => this.#advance(flow))
    const making = this.#making()
    for (const run of making)
      await this.#guarded(run.id, async () => {
        if (await this.#makeSome(run.id)) isMore = true
      })
    return isMore
  }

  /** One whose data is wrong does not stop the others. */
  async #guarded(runId: number, work: () => Promise<void>): Promise<void> {
    const now = this.#options.clock.now()
    if ((this.#broken.get(runId) ?? 0) > now) return
    this.#broken.delete(runId)
    try {
      await work()
    } catch (error) {
      if (isStoreAway(error)) throw error
      this.#broken.set(runId, now + BROKEN_MS)
      const [oldest] = this.#broken.keys()
      if (this.#broken.size > BROKEN_KEPT && oldest !== undefined) this.#broken.delete(oldest)
      this.#options.onBroken(runId, error)
    }
  }

  // ── one run ──

  async #advance({ runId, row, signalIds }: DueFlow): Promise<void> {
    const { db, onChanges, onMade, onSeen, cancel } = this.#options
    if (row === null) return dropSignals(db, signalIds)
    const advanced = await this.#tryAdvance(runId, { signalIds, definition: await this.#definitionOf(row), row })
    if (advanced.kind !== 'advanced') return
    if (advanced.made.length > 0) onMade(advanced.made)
    for (const change of advanced.changes) if (change.kind === 'open' && !advanced.isChanged) onSeen(change.row)
    if (advanced.isChanged) onChanges(advanced.changes)
    if (advanced.cancels.length > 0) {
      await cancel(advanced.cancels, advanced.changes[0]?.row.cancel_by ?? '')
      this.kick()
    }
  }

  async #tryAdvance(
    runId: number,
    { signalIds, definition, row }: { signalIds: readonly number[]; definition: FlowDefinition; row: OpenInstanceRow },
  ): Promise<AdvancedRun> {
    const { db, clock, serverZone } = this.#options
    const rights = await this.#rightsOf(definition)
    let ids = { first: await this.#takeIds(IDS_AT_ONCE), count: IDS_AT_ONCE }
    let tasks: readonly number[] = []
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const advanced = await advanceRun(db, { runId, at: clock.now(), definition, signalIds, ids, tasks, serverZone, rights })
      if (advanced.kind !== 'lacks') return advanced
      if (advanced.ids > ids.count) ids = { first: await this.#takeIds(advanced.ids), count: advanced.ids }
      tasks = advanced.tasks
    }
    throw new Error(`run ${runId} of workflow ${row.task_id} always lacks something`)
  }

  async #takeIds(count: number): Promise<number> {
    const { db, clock, ids } = this.#options
    return count <= BLOCK ? ids.take(count) : takeRunIds(db, clock.now(), count)
  }

  async #definitionOf(row: OpenInstanceRow): Promise<FlowDefinition> {
    const { definitions } = this.#options
    await definitions.load([{ taskId: row.task_id, version: row.task_version }])
    const definition = definitions.peek(row.task_id, row.task_version)
    if (!isFlow(definition)) throw new Error(`version ${row.task_version} of workflow ${row.task_id} is missing or damaged in the store`)
    return definition
  }

  async #rightsOf({ flow }: FlowDefinition): Promise<RunRights> {
    const { rightsOf, clock } = this.#options
    if (flow.savedBy === null || rightsOf === null) return ALL_RIGHTS
    if (clock.monotonic() - this.#rightsReadAt > RIGHTS_KEPT_MS) {
      this.#rights.clear()
      this.#rightsReadAt = clock.monotonic()
    }
    const known = this.#rights.get(flow.savedBy)
    if (known !== undefined) return known
    const rights = await rightsOf(flow.savedBy)
    this.#rights.set(flow.savedBy, rights)
    return rights
  }

  // ── children of a fan-out ──

  /** Fan-outs with room for children. When all is full, the oldest goes on: its children end, and make room. */
  #making(): OpenRun[] {
    const { runs, isFull } = this.#options
    const making = runs.parents().filter(hasRoom)
    return isFull() ? making.slice(0, 1) : making
  }

  /** True: there is more to do for it at once. */
  async #makeSome(parentId: number): Promise<boolean> {
    const { db, clock, ids, runs, keeper, onChanges, onMade, onNews } = this.#options
    const state = await this.#stateOf(parentId)
    if (state === null || !keeper.slots.has(state.parent.slot)) {
      onNews([parentId], await openRunsById(db, [parentId]))
      return false
    }
    const { parent, flow, definition } = state
    if (flow.row.cancel_at !== null || flow.run.paused_at !== null) return false
    const orders = await this.#ordersOf(state)
    const made = await makeItems(db, {
      parentId,
      at: clock.now(),
      key: keyOf(definition.flow.graph, parent.step_no ?? 0),
      flow: flow.row,
      from: parent.children_made ?? 0,
      orders,
      rights: await this.#rightsOf(definition),
      firstSignalId: await ids.take(Math.max(1, orders.length)),
    })
    if (made === null) {
      onNews([parentId], await openRunsById(db, [parentId]))
      return false
    }
    onMade(made.children)
    onChanges([
      { kind: 'open', row: made.parent },
      ...made.ended.map((end): RunChange => ({ kind: 'ended', row: end.row, outcome: end.outcome, endedAt: end.endedAt })),
    ])
    const after = runs.get(parentId)
    return after !== null && hasRoom(after) && made.children.length + made.ended.length > 0
  }

  async #stateOf(parentId: number): Promise<FanOutState | null> {
    const { db } = this.#options
    const row = await db.read(async (tx) => (await readWithFlow(tx, parentId))?.row ?? null)
    if (row === null) return null
    const definition = await this.#definitionOf(row)
    return db.read(async (tx) => {
      const found = await readWithFlow(tx, parentId)
      const flow = found === null ? null : await readFlow(tx, found.row, definition.flow.graph)
      return found === null || flow === null ? null : { parent: found.parent, flow, items: await readItems(tx, parentId), definition }
    })
  }

  /** What the next children are to do: 1,000 at most, and no more text than a transaction should have. */
  async #ordersOf({ parent, flow, items, definition }: FanOutState): Promise<ItemOrder[]> {
    const { graph, refs } = definition.flow
    const step = stepOf(definition, parent)
    const outputs = new Map<string, StepOutput>()
    for (;;) {
      const found = ordersOf(step, items, scopeOf(flow, definition, outputs))
      if (found.kind === 'need') {
        const needed = await this.#options.db.read((tx) => readOutputs(tx, { runId: flow.row.id, graph, keys: found.steps }))
        for (const [key, output] of needed) outputs.set(key, output)
        continue
      }
      const orders: ItemOrder[] = []
      const from = parent.children_made ?? 0
      let bytes = 0
      for (let index = from; index < items.length && orders.length < ITEMS_AT_ONCE && bytes < ITEM_BYTES_AT_ONCE; index += 1) {
        const order = found.orderAt(index)
        if (order.kind === 'need') throw new Error(`the input of item ${index} has no end of needs`)
        const key = itemKey(items[index] ?? null)
        orders.push(order.kind === 'failed' ? { kind: 'refused', error: order.error, itemKey: key } : orderOfChild(order.value, refs, key))
        bytes += order.kind === 'value' ? (order.value.params?.length ?? 0) : 0
      }
      return orders
    }
  }
}

interface FanOutState {
  readonly parent: OpenInstanceRow
  readonly flow: FlowRun
  readonly items: readonly Json[]
  readonly definition: FlowDefinition
}

/** The parent of a fan-out, and the run of the workflow that it is part of. */
async function readWithFlow(tx: ReadTx, parentId: number): Promise<{ parent: OpenInstanceRow; row: OpenInstanceRow } | null> {
  const [parent] = await readOpen(tx, [parentId])
  const [row] = parent?.workflow_run_id == null ? [] : await readOpen(tx, [parent.workflow_run_id])
  return parent === undefined || row === undefined ? null : { parent, row }
}

function hasRoom({ fanOut, cancelAt, childrenMade, childrenOpen, shardTotal }: OpenRun): boolean {
  if (fanOut === null || cancelAt !== null || (childrenMade ?? 0) >= (shardTotal ?? 0)) return false
  return fanOut.concurrency === 0 || (childrenOpen ?? 0) < fanOut.concurrency
}

function stepOf({ flow }: FlowDefinition, parent: OpenInstanceRow): Extract<Step, { kind: 'fanOut' }> {
  const step = flow.graph.steps[parent.step_no ?? -1]
  if (step?.kind !== 'fanOut') throw new Error(`run ${parent.id} is of no fan-out`)
  return step
}

function scopeOf(flow: FlowRun, definition: FlowDefinition, outputs: ReadonlyMap<string, StepOutput>): ExpressionScope {
  const { params, vars, run } = viewOf(flow, null)
  const records = recordsOf(definition.flow.graph, flow.steps)
  return {
    params,
    vars,
    run,
    stepOf: (key, withResult) => {
      const state = records.get(key)?.state ?? 'pending'
      if (!withResult) return { state, output: null, error: null }
      const output = outputs.get(key)
      return output === undefined ? null : { state, ...output }
    },
  }
}

type Order =
  | { readonly kind: 'task'; readonly task: string | null; readonly params: string | null }
  | { readonly kind: 'subWorkflow'; readonly workflow: string; readonly params: string | null }

function orderOfChild(order: Order, refs: FlowDefinition['flow']['refs'], key: string): ItemOrder {
  const isFlowOrder = order.kind === 'subWorkflow'
  const name = isFlowOrder ? order.workflow : order.task
  if (name === null) return { kind: 'order', refId: null, isFlow: false, params: order.params, itemKey: key }
  const refId = (isFlowOrder ? refs.workflows : refs.tasks)[name]
  if (refId === undefined)
    return { kind: 'refused', error: { code: 'WORKFLOW_UNKNOWN_TASK', message: `${name} is not known` }, itemKey: key }
  return { kind: 'order', refId, isFlow: isFlowOrder, params: order.params, itemKey: key }
}
