import type { Cancel, Dispatch, ShardFrame } from '@tickwheel/contract'
import { CAUSE, OUTCOME } from '@tickwheel/core'
import type { Link } from '../link/link.ts'
import type { Database } from '../store/database.ts'
import { readParams } from '../store/definitions.ts'
import type { Loss } from '../store/report.ts'
import { readShards, type ShardSpec } from '../store/shards.ts'
import type { Clock } from './clock.ts'
import type { Definitions } from './definitions.ts'
import type { Filled, Filler } from './filler.ts'
import type { OpenRun } from './open-runs.ts'
import type { SecretUse } from './reference-book.ts'
import type { RestoreGuard } from './restore-guard.ts'
import type { RunMasks } from './run-masks.ts'

/** An attempt that was written longer ago was perhaps sent before, and may run: it is told to stop before a retry begins. */
const JUST_NOW_MS = 1_000
const STOPPED_WITHIN_MS = 30_000

export interface SenderOptions {
  readonly db: Database
  readonly clock: Clock
  readonly definitions: Definitions
  readonly guard: RestoreGuard
  readonly link: () => Link | null
  /** the node that holds the link of an executor of that boot; null: this one, or nobody */
  readonly elsewhere: (executorId: number, bootId: number) => number | null
  /** tells another node that runs are to be sent, or to be stopped, at executors of its own */
  readonly tell: (node: number, instanceIds: readonly number[]) => void
  readonly logLimitBytes: number
  readonly filler: Filler
  readonly masks: RunMasks
  /** ends attempts that cannot be sent */
  readonly lose: (losses: readonly Loss[]) => Promise<void>
  readonly onSecrets: (uses: readonly SecretUse[]) => void
}

/**
 * Puts dispatches and cancels on the link, or tells the node that holds it. What the link does not take now, or a message that is lost, a sweep sends
 * again: the row is the truth.
 */
export class Sender {
  readonly #options: SenderOptions

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Sends runs that are dispatched in the store. Their definitions must be at hand, or are loaded. */
  async dispatch(all: readonly OpenRun[]): Promise<void> {
    const runs = this.#here(all)
    const link = this.#options.link()
    // what a restored store calls dispatched has perhaps run long ago, and its executor no longer refuses it as a repeat
    if (link === null || runs.length === 0 || this.#options.guard.isHeld) return
    await this.#options.definitions.loadOf(runs)
    const changed = runs.filter((run) => run.cause !== CAUSE.schedule).map((run) => run.id)
    const shards = await this.#shardsOf(runs)
    const asked = [...changed, ...new Set([...shards.values()].flatMap(({ parentId }) => parentId ?? []))]
    const params = asked.length === 0 ? new Map<number, string>() : await readParams(this.#options.db, asked)
    const losses: Loss[] = []
    const orders = new Map<string, { executorId: number; bootId: number; frames: Dispatch[] }>()
    for (const run of runs) {
      if (run.executorId === null || run.bootId === null) continue
      const shard = shards.get(run.id)
      if (run.shardIndex !== null && shard === undefined) continue
      const given = params.get(run.id) ?? params.get(shard?.parentId ?? 0)
      const frame = await this.#frame(
        run,
        run.bootId,
        shard?.items === undefined || shard.mapped === true ? given : JSON.stringify(shard.items),
        shard,
      )
      if (frame === null) continue
      if (frame.type === 'unfit') {
        losses.push(frame.loss)
        continue
      }
      const key = `${run.executorId}:${run.bootId}`
      const order = orders.get(key) ?? { executorId: run.executorId, bootId: run.bootId, frames: [] }
      order.frames.push(frame)
      orders.set(key, order)
    }
    for (const { executorId, bootId, frames } of orders.values()) link.send({ executorId, bootId }, frames)
    if (losses.length > 0) await this.#options.lose(losses)
  }

  async #shardsOf(runs: readonly OpenRun[]): Promise<Map<number, ShardSpec>> {
    const ids = runs.filter((run) => run.shardIndex !== null).map((run) => run.id)
    return ids.length === 0 ? new Map<number, ShardSpec>() : readShards(this.#options.db, ids)
  }

  /** Asks executors to stop runs. */
  cancel(all: readonly OpenRun[]): void {
    const runs = this.#here(all)
    const link = this.#options.link()
    if (link === null) return
    for (const run of runs) {
      if (run.executorId === null || run.bootId === null) continue
      const frame: Cancel = { type: 'cancel', instanceId: run.id, attempt: run.attempt, bootId: run.bootId, at: this.#options.clock.now() }
      link.send({ executorId: run.executorId, bootId: run.bootId }, [frame])
    }
  }

  /** Those whose executor hangs here, or nowhere; the others' nodes are told. */
  #here(runs: readonly OpenRun[]): OpenRun[] {
    const here: OpenRun[] = []
    const elsewhere = new Map<number, number[]>()
    for (const run of runs) {
      const node = run.executorId === null || run.bootId === null ? null : this.#options.elsewhere(run.executorId, run.bootId)
      if (node === null) here.push(run)
      else elsewhere.set(node, [...(elsewhere.get(node) ?? []), run.id])
    }
    for (const [node, ids] of elsewhere) this.#options.tell(node, ids)
    return here
  }

  async #frame(
    run: OpenRun,
    bootId: number,
    given: string | undefined,
    shard: ShardSpec | undefined,
  ): Promise<Dispatch | { readonly type: 'unfit'; readonly loss: Loss } | null> {
    const { definitions, clock, filler, masks } = this.#options
    const definition = definitions.peekOf(run)
    if (definition === null || definition === undefined) return null
    const groupName = await definitions.groupName(run.groupId, clock.monotonic())
    const whole = await filler.fill(run.groupId, definition, given)
    if (whole.kind === 'unfit') return { type: 'unfit', loss: lossOf(run, whole, clock.now()) }
    const { handler, params, secrets, names } = whole
    // known before its first word can come
    masks.sent({ instanceId: run.id, attempt: run.attempt }, run.groupId, names)
    if (secrets.length > 0) this.#options.onSecrets(secrets.map(({ id }) => ({ secretId: id, taskId: run.taskId, groupId: run.groupId })))
    return {
      type: 'dispatch',
      instanceId: run.id,
      attempt: run.attempt,
      bootId,
      at: this.#options.clock.now(),
      task: { id: run.taskId, name: definition.name, groupId: run.groupId, groupName },
      handler,
      params,
      scheduledAt: run.dueAt,
      firedAt: run.createdAt,
      timeoutMs: definition.timeoutMs,
      killGraceMs: definition.killGraceMs,
      priority: definition.priority,
      logLimitBytes: this.#options.logLimitBytes,
      movable: definition.retry.max > 0,
      ...(shard === undefined ? {} : { shard: frameOfShard(shard, params) }),
      ...(secrets.length === 0 ? {} : { secrets: secrets.map(({ value }) => value) }),
      ...(run.isReducing ? { reduce: { total: run.shardTotal ?? 0 } } : {}),
    }
  }
}

/** It fails, and is tried again as its task says: the name may be back by then. */
function lossOf(run: OpenRun, { error, reason, facts }: Extract<Filled, { kind: 'unfit' }>, now: number): Loss {
  const isNew = run.sentAt === null || now - run.sentAt <= JUST_NOW_MS
  return {
    instanceId: run.id,
    attempt: run.attempt,
    bootId: run.bootId ?? 0,
    outcome: OUTCOME.failed,
    error,
    trace: { reason, at: now, facts },
    unacceptedReadyAt: null,
    retryNotBefore: isNew ? null : now + STOPPED_WITHIN_MS,
  }
}

/** `params`: as they are sent. The items of a list are those of its params, what they refer to filled in; what a handler split off refers to nothing. */
function frameOfShard({ index, total, key, range, items, mapped }: ShardSpec, params: string): ShardFrame {
  return {
    index,
    total,
    key,
    ...(range === undefined ? {} : { range }),
    ...(items === undefined ? {} : { items: mapped === true ? [...items] : itemsOf(params) }),
    ...(mapped === true ? { mapped } : {}),
  }
}

function itemsOf(params: string): unknown[] {
  const items: unknown = JSON.parse(params)
  return Array.isArray(items) ? items : []
}
