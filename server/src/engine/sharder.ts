import { planShards, type ShardPart, type ShardPlan, type TraceEntry } from '@tickwheel/core'
import type { TaskDefinition } from '@tickwheel/contract'
import type { Database } from '../store/database.ts'
import { readParams } from '../store/definitions.ts'
import { takeRunIds, type RunIds } from '../store/ids.ts'
import { nextMappedParts } from '../store/map-frames.ts'
import { openRunsById } from '../store/open-runs.ts'
import type { RunChange } from '../store/report.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import {
  executorsOfParent,
  makeShards,
  settleParents,
  SHARDS_AT_ONCE,
  shardsToCancel,
  splitRuns,
  type ParentExecutor,
  type Split,
} from '../store/shards.ts'
import { keysOfRow } from '../store/step-definition.ts'
import type { Clock } from './clock.ts'
import type { Definitions } from './definitions.ts'
import type { OpenRun, OpenRuns } from './open-runs.ts'
import { Pump } from './pump.ts'
import type { RestoreGuard } from './restore-guard.ts'
import type { SlotKeeper } from './slot-keeper.ts'

const CANCELED_AT_ONCE = 500

/** A queued run whose turn to be split has come. `executors`: who is to get a shard of a broadcast; null: it is none. */
export interface SplitWish {
  readonly run: OpenRun
  readonly definition: TaskDefinition
  readonly executors: readonly ParentExecutor[] | null
}

export interface SharderOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  readonly keeper: SlotKeeper
  readonly guard: RestoreGuard
  readonly runs: OpenRuns
  readonly definitions: Definitions
  /** whether as many runs are open as may be */
  readonly isFull: () => boolean
  /** these runs are as the store has them; those that are missing have ended */
  readonly onNews: (ids: readonly number[], rows: readonly OpenInstanceRow[]) => void
  readonly onChanges: (changes: readonly RunChange[]) => void
  readonly onMade: (shards: readonly OpenInstanceRow[]) => void
  /** cancels shards, for the same reason as their parent */
  readonly cancel: (instanceIds: readonly number[], by: string) => Promise<void>
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

/**
 * The split stage: makes the shards of parents, 1,000 a transaction, and cancels those of a parent that was canceled. How far it came stands in the
 * parent's row, so whoever owns the slot next goes on there. That a parent ends is the advancer's work.
 */
export class Sharder {
  readonly #options: SharderOptions
  readonly #pump: Pump

  constructor(options: SharderOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  kick(): void {
    this.#pump.kick()
  }

  /** Splits runs whose turn has come. Their ids are taken before, each a range in a row; those of splits that are dropped are lost. */
  async split(wishes: readonly SplitWish[]): Promise<void> {
    const { db, clock, ids, keeper, onNews, onChanges } = this.#options
    const params = await this.#paramsOf(wishes.map(({ run, definition }) => ({ id: run.id, definition })))
    const plans = wishes.map(({ run, definition, executors }) => planOf(definition, params.get(run.id) ?? '', executors ?? []))
    const counts = plans.map((plan) => (plan.kind === 'shards' ? plan.total : 0))
    const sum = counts.reduce((a, b) => a + b, 0)
    let nextId = sum === 0 ? 0 : await takeRunIds(db, clock.now(), sum)
    const at = clock.now()
    const splits = wishes.map((wish, index) => {
      const split = splitOf(wish, plans[index], nextId, at)
      nextId += split.total
      return split
    })
    const firstId = await ids.take(splits.length)
    const fences = keeper.fencesOf(splits.map((split) => split.slot))
    const changes = await splitRuns(db, at, fences, { splits, firstId })
    onChanges(changes)
    const changed = new Set(changes.map((change) => change.row.id))
    const dropped = splits.map((split) => split.instanceId).filter((id) => !changed.has(id))
    if (dropped.length > 0) onNews(dropped, await openRunsById(db, dropped))
    this.kick()
  }

  /** One step for each parent that has something to do, so that none waits for another's thousands. */
  async #turn(): Promise<boolean> {
    const { keeper, guard, runs, isFull } = this.#options
    if (!keeper.isTrusted) return false
    const isMaking = (run: OpenRun): boolean =>
      run.fanOut === null && run.cancelAt === null && (run.childrenMade ?? 0) < (run.shardTotal ?? 0)
    const making = guard.isHeld ? [] : runs.parents().filter(isMaking)
    let isMore = false
    // the oldest goes on even when all is full: its shards end, and make room
    for (const [place, run] of making.entries()) if ((place === 0 || !isFull()) && (await this.#makeSome(run.id))) isMore = true
    for (const run of runs.parents().filter((parent) => parent.cancelAt !== null)) if (await this.#cancelSome(run.id)) isMore = true
    return isMore
  }

  /** True: there is more to do for it at once. */
  async #makeSome(parentId: number): Promise<boolean> {
    const { db, clock, keeper, onChanges, onMade, onNews } = this.#options
    const [row] = await openRunsById(db, [parentId])
    if (row === undefined || !keeper.slots.has(row.slot)) {
      onNews([parentId], row === undefined ? [] : [row])
      return false
    }
    const next = await this.#nextParts(row)
    if (next === null || next.parts.length === 0) return false
    const made = await makeShards(db, clock.now(), keeper.fencesOf([row.slot]), { parentId, from: row.children_made ?? 0, ...next })
    if (made === null) {
      onNews([parentId], await openRunsById(db, [parentId]))
      return false
    }
    onChanges([{ kind: 'open', row: made.parent }])
    onMade(made.shards)
    return (made.parent.children_made ?? 0) < (made.parent.shard_total ?? 0)
  }

  /** What the next shards of a parent are to do: as its handler has split them off, else as its task says. Null: that cannot be known now. */
  async #nextParts(row: OpenInstanceRow): Promise<{ readonly parts: readonly ShardPart[]; readonly seqs?: readonly number[] } | null> {
    const { db, definitions } = this.#options
    if (row.mapped !== null) return nextMappedParts(db, row, SHARDS_AT_ONCE)
    await definitions.loadOf([keysOfRow(row)])
    const definition = definitions.peekOf(keysOfRow(row))
    if (definition === null || definition === undefined) return null
    const params = await this.#paramsOf([{ id: row.id, definition }])
    const plan = planOf(definition, params.get(row.id) ?? '', executorsOfParent(row))
    if (plan.kind === 'refused') return null
    const from = row.children_made ?? 0
    const count = Math.min(SHARDS_AT_ONCE, (row.shard_total ?? 0) - from)
    return { parts: Array.from({ length: Math.max(0, count) }, (_, offset) => plan.partAt(from + offset)) }
  }

  async #cancelSome(parentId: number): Promise<boolean> {
    const { db, clock, ids, onChanges, onNews, cancel } = this.#options
    const [row] = await openRunsById(db, [parentId])
    if (row === undefined) {
      onNews([parentId], [])
      return false
    }
    const shards = await shardsToCancel(db, row, CANCELED_AT_ONCE)
    if (shards.length > 0) await cancel(shards, row.cancel_by ?? '')
    else if (row.children_open === 0) onChanges(await settleParents(db, clock.now(), await ids.take(1), [parentId]))
    return shards.length === CANCELED_AT_ONCE
  }

  async #paramsOf(runs: readonly { readonly id: number; readonly definition: TaskDefinition }[]): Promise<Map<number, string>> {
    const changed = await readParams(
      this.#options.db,
      runs.map((run) => run.id),
    )
    return new Map(runs.map((run) => [run.id, changed.get(run.id) ?? run.definition.params]))
  }
}

function planOf(definition: TaskDefinition, params: string, executors: readonly ParentExecutor[]): ShardPlan {
  const { sharding } = definition
  if (sharding === undefined || sharding.kind === 'none') return { kind: 'shards', total: 0, partAt: () => ({ key: '' }) }
  return planShards({ sharding, params, executors })
}

function splitOf({ run, executors }: SplitWish, plan: ShardPlan | undefined, firstChildId: number, at: number): Split {
  const base = { instanceId: run.id, slot: run.slot, executors, firstChildId }
  if (plan?.kind === 'refused') return { ...base, total: 0, ...refusal(plan, at) }
  const total = plan?.total ?? 0
  const trace: TraceEntry = { reason: 'split', at, facts: { total } }
  return { ...base, total, error: null, trace }
}

const PROBLEM_WORDS = {
  rangeEmpty: 'the range ends before it begins',
  tooManyShards: 'a run has at most 10,000 shards: make each of them larger',
  paramsNotAList: 'the params are no JSON array, of which its shards could be made',
} as const

function refusal({ problem, facts }: Extract<ShardPlan, { kind: 'refused' }>, at: number): Pick<Split, 'error' | 'trace'> {
  return {
    error: { code: 'SHARDS_REFUSED', message: `the run cannot be split: ${PROBLEM_WORDS[problem]}` },
    trace: { reason: 'shardsRefused', at, facts: { problem, ...facts } },
  }
}

/** Whether the runs of a task are split. */
