import type { Cancel, Dispatch, ShardFrame } from '@tickwheel/contract'
import { CAUSE } from '@tickwheel/core'
import type { Link } from '../link/link.ts'
import type { Database } from '../store/database.ts'
import { readParams } from '../store/definitions.ts'
import { readShards, type ShardSpec } from '../store/shards.ts'
import type { Clock } from './clock.ts'
import type { Definitions } from './definitions.ts'
import type { OpenRun } from './open-runs.ts'
import type { RestoreGuard } from './restore-guard.ts'

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
      const key = `${run.executorId}:${run.bootId}`
      const order = orders.get(key) ?? { executorId: run.executorId, bootId: run.bootId, frames: [] }
      order.frames.push(frame)
      orders.set(key, order)
    }
    for (const { executorId, bootId, frames } of orders.values()) link.send({ executorId, bootId }, frames)
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

  async #frame(run: OpenRun, bootId: number, params: string | undefined, shard: ShardSpec | undefined): Promise<Dispatch | null> {
    const definition = this.#options.definitions.peekOf(run)
    if (definition === null || definition === undefined) return null
    const groupName = await this.#options.definitions.groupName(run.groupId, this.#options.clock.monotonic())
    return {
      type: 'dispatch',
      instanceId: run.id,
      attempt: run.attempt,
      bootId,
      at: this.#options.clock.now(),
      task: { id: run.taskId, name: definition.name, groupId: run.groupId, groupName },
      handler: definition.handler,
      params: params ?? definition.params,
      scheduledAt: run.dueAt,
      firedAt: run.createdAt,
      timeoutMs: definition.timeoutMs,
      killGraceMs: definition.killGraceMs,
      priority: definition.priority,
      logLimitBytes: this.#options.logLimitBytes,
      movable: definition.retry.max > 0,
      ...(shard === undefined ? {} : { shard: frameOfShard(shard) }),
      ...(run.isReducing ? { reduce: { total: run.shardTotal ?? 0 } } : {}),
    }
  }
}

function frameOfShard({ index, total, key, range, items, mapped }: ShardSpec): ShardFrame {
  return {
    index,
    total,
    key,
    ...(range === undefined ? {} : { range }),
    ...(items === undefined ? {} : { items: [...items] }),
    ...(mapped === true ? { mapped } : {}),
  }
}
