import { DuplicateKey, type Database } from '../store/database.ts'
import { fire, holdSeries, type FireOutcome } from '../store/fire.ts'
import type { RunIds } from '../store/ids.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import type { RunDefinition } from '../store/workflow-definition.ts'
import type { Clock } from './clock.ts'
import type { Definitions } from './definitions.ts'
import type { Loader } from './loader.ts'
import type { OpenRuns } from './open-runs.ts'
import { planFiring, type Plan, type Seat, type TaskLoad } from './plan-firing.ts'
import { isStoreAway, Pump } from './pump.ts'
import type { RestoreGuard } from './restore-guard.ts'
import type { ArmedSeries, SeriesTable } from './series-table.ts'
import type { SlotKeeper } from './slot-keeper.ts'

const BATCH_RUNS = 1000
const SERIES_AT_ONCE = 1000
const FIRES_OF_ONE_SERIES = 200

export interface FirerOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  readonly keeper: SlotKeeper
  readonly guard: RestoreGuard
  readonly table: SeriesTable
  readonly loader: Loader
  readonly definitions: Definitions
  readonly runs: OpenRuns
  /** whether as many runs are open as may be */
  readonly isFull: () => boolean
  /** reserves a place at an executor for a run that may go at once */
  readonly takeSeat: (taskId: number, groupId: number, definition: RunDefinition) => Seat | null
  /** groups that have got a limit which was not known here */
  readonly onLimited: (groupIds: ReadonlySet<number>) => void
  /** the batch is over: seats that were not used are free again */
  readonly clearSeats: () => void
  /** runs that were written: remember them, send those with a seat, tell the console */
  readonly onFired: (rows: readonly OpenInstanceRow[], counts: { fired: number; skipped: number }) => void
  /** the runs of a batch are in memory, or will never be: what waited for that can be looked at */
  readonly onWritten: () => void
  readonly onReplace: (replacements: readonly { taskId: number; by: number }[]) => void
  readonly onHeld: (seriesId: number, error: unknown) => void
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

/**
 * The fire stage: takes the series that are due, settles their instants, and writes ledger, runs and cursors of many series in one transaction. What the
 * transaction drops was overtaken, and is read again.
 */
export class Firer {
  readonly #options: FirerOptions
  readonly #due = new Set<number>()
  readonly #pump: Pump

  constructor(options: FirerOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  /** These series are due. */
  due(seriesIds: readonly number[]): void {
    for (const id of seriesIds) this.#due.add(id)
    this.#pump.kick()
  }

  async #turn(): Promise<boolean> {
    if (this.#due.size === 0 || !this.#options.keeper.isTrusted || this.#options.guard.isHeld) return false
    const batch = this.#take()
    for (const { armed } of batch) armed.isFiring = true
    try {
      await this.#load(batch)
      await this.#fireBatch(batch)
    } catch (error) {
      for (const { id } of batch) this.#due.add(id)
      throw error
    } finally {
      this.#options.clearSeats()
      for (const { armed } of batch) armed.isFiring = false
    }
    for (const { id } of batch) this.#rearm(id)
    return this.#due.size > 0
  }

  #take(): { id: number; armed: ArmedSeries }[] {
    const batch: { id: number; armed: ArmedSeries }[] = []
    for (const id of this.#due) {
      if (batch.length >= SERIES_AT_ONCE) break
      this.#due.delete(id)
      const armed = this.#options.table.get(id)
      if (armed !== null && this.#options.keeper.slots.has(armed.cursor.slot)) batch.push({ id, armed })
    }
    return batch
  }

  async #load(batch: readonly { armed: ArmedSeries }[]): Promise<void> {
    await this.#options.definitions.load(
      batch.flatMap(({ armed }) => armed.cursor.spans.map((span) => ({ taskId: armed.cursor.taskId, version: span.taskVersion }))),
    )
  }

  async #fireBatch(batch: readonly { id: number; armed: ArmedSeries }[]): Promise<void> {
    const { ids, clock } = this.#options
    do await ids.ensure(BATCH_RUNS + SERIES_AT_ONCE)
    while (ids.atHand < BATCH_RUNS + SERIES_AT_ONCE)
    const now = clock.now()
    const { plans, broken } = this.#planAll(batch, now)
    await this.#write(now, plans)
    for (const { seriesId, error } of broken) await this.#hold(seriesId, error)
  }

  /** Decides for every series of the batch, without waiting in between, so that ids and loads stay this batch's own. */
  #planAll(
    batch: readonly { id: number; armed: ArmedSeries }[],
    now: number,
  ): { plans: Plan[]; broken: { seriesId: number; error: unknown }[] } {
    const loads = new Map<number, TaskLoad>()
    const plans: Plan[] = []
    const broken: { seriesId: number; error: unknown }[] = []
    let runs = 0
    for (const { id, armed } of batch) {
      if (armed.cursor.nextDueAt > now) continue
      if (runs >= BATCH_RUNS) {
        this.#due.add(id)
        continue
      }
      try {
        const plan = this.#plan(armed, now, { loads, maxFires: Math.min(FIRES_OF_ONE_SERIES, BATCH_RUNS - runs) })
        runs += plan.item.runs.length
        plans.push(plan)
      } catch (error) {
        broken.push({ seriesId: id, error })
      }
    }
    return { plans, broken }
  }

  #plan({ cursor, schedule }: ArmedSeries, now: number, { loads, maxFires }: { loads: Map<number, TaskLoad>; maxFires: number }): Plan {
    const { definitions, ids, isFull, takeSeat } = this.#options
    return planFiring({
      cursor,
      schedule,
      now,
      maxFires,
      restoredUntil: this.#options.guard.restoredUntil,
      takeId: () => ids.next(),
      load: this.#loadOf(cursor.taskId, loads),
      definitionOf: (version) => sound(definitions.peek(cursor.taskId, version), cursor.taskId, version),
      takeSeat: (definition) => takeSeat(cursor.taskId, cursor.groupId, definition),
      isFull,
    })
  }

  #loadOf(taskId: number, loads: Map<number, TaskLoad>): TaskLoad {
    const known = loads.get(taskId)
    if (known !== undefined) return known
    const counts = this.#options.runs.countOfTask(taskId)
    const load: TaskLoad = { ...counts, blocker: counts.open === 0 ? null : (this.#options.runs.ofTask(taskId)[0]?.id ?? null) }
    loads.set(taskId, load)
    return load
  }

  async #write(now: number, plans: readonly Plan[]): Promise<void> {
    if (plans.length === 0) return
    const tasks = new Set(plans.flatMap((plan) => plan.item.runs.map((run) => run.task_id)))
    this.#options.runs.beginFiring(tasks)
    try {
      await this.#settle(plans, await this.#fire(now, plans))
    } catch (error) {
      // what fails for a reason of its own is done one by one, and the bad item is held: one bad row must not stop every node in turn
      if (isStoreAway(error)) throw error
      if (plans.length === 1) await this.#hold(plans[0]?.item.seriesId ?? 0, error)
      else for (const plan of plans) await this.#write(now, [plan])
    } finally {
      this.#options.runs.endFiring(tasks)
      this.#options.onWritten()
    }
  }

  async #fire(now: number, plans: readonly Plan[]): Promise<FireOutcome> {
    const fences = this.#options.keeper.fencesOf(plans.map((plan) => plan.item.slot))
    return fire(
      this.#options.db,
      now,
      fences,
      plans.map((plan) => plan.item),
    )
  }

  async #settle(plans: readonly Plan[], outcome: FireOutcome): Promise<void> {
    const applied = plans.filter((plan) => outcome.applied.has(plan.item.seriesId))
    this.#options.onLimited(outcome.limited)
    for (const { item, after } of applied) this.#move(item.seriesId, after)
    this.#options.onFired(
      applied.flatMap((plan) => plan.item.runs),
      {
        fired: applied.reduce((sum, plan) => sum + plan.item.firings.length, 0),
        skipped: applied.reduce((sum, plan) => sum + plan.item.skips.length + (plan.item.widen?.count ?? 0), 0),
      },
    )
    const replaced = applied.flatMap((plan) =>
      plan.replacedBy === null ? [] : [{ taskId: plan.item.runs[0]?.task_id ?? 0, by: plan.replacedBy }],
    )
    if (replaced.length > 0) this.#options.onReplace(replaced)
    for (const id of outcome.fenced) this.#options.loader.forget(id)
    if (outcome.fenced.size > 0) this.#options.keeper.kick()
    if (outcome.overtaken.size > 0) await this.#reread([...outcome.overtaken])
  }

  /** Takes what was overtaken as the store has it, whatever memory knew. A revision that has gone down: the store is another one than before. */
  async #reread(seriesIds: readonly number[]): Promise<void> {
    const { guard, loader, table } = this.#options
    const known = new Map(seriesIds.map((id) => [id, table.get(id)?.cursor.revision ?? 0]))
    for (const id of seriesIds) loader.forget(id)
    await loader.hint(seriesIds)
    if (seriesIds.some((id) => (table.get(id)?.cursor.revision ?? Infinity) < (known.get(id) ?? 0))) guard.doubt()
  }

  #move(seriesId: number, after: Plan['after']): void {
    const armed = this.#options.table.get(seriesId)
    if (armed === null) return
    if (after === null) this.#options.loader.forget(seriesId)
    else armed.cursor = after
  }

  #rearm(seriesId: number): void {
    const armed = this.#options.table.get(seriesId)
    if (armed === null) return
    if (armed.cursor.nextDueAt <= this.#options.clock.now()) this.#due.add(seriesId)
    else this.#options.loader.rearm(seriesId)
  }

  async #hold(seriesId: number, error: unknown): Promise<void> {
    await holdSeries(
      this.#options.db,
      seriesId,
      this.#options.clock.now(),
      error instanceof DuplicateKey ? 'duplicateInstant' : 'brokenDefinition',
    )
    this.#options.loader.forget(seriesId)
    this.#options.onHeld(seriesId, error)
  }
}

function sound(definition: RunDefinition | null | undefined, taskId: number, version: number): RunDefinition {
  if (definition === null || definition === undefined)
    throw new Error(`version ${version} of task ${taskId} is missing or damaged in the store`)
  return definition
}
