import type { LogLevel } from '@tickwheel/contract'
import type { Items, MapOptions } from './splitter.ts'

/** What a handler gets: the run it is for, and the ways to speak about it. */
export interface Run<Params = string> {
  /** `(instanceId, attempt)` names this execution for ever */
  readonly instanceId: number
  readonly attempt: number
  readonly task: { readonly id: number; readonly name: string; readonly groupName: string }
  /** the same for every attempt of this run, and no other run has it */
  readonly idempotencyKey: string
  /** 22 digits that grow with each attempt of this run: a store that refuses a smaller token than the largest it has seen is safe from a frozen executor */
  readonly fencingToken: string
  /** the task's parameters, or those given with this run: text of at most 64 KiB; the value that fits it where the handler declares a schema */
  readonly params: Params
  /** the instant the schedule named, epoch ms; null for a run that somebody started */
  readonly scheduledAt: number | null
  /** epoch ms */
  readonly firedAt: number
  readonly shard: RunShard
  /** aborted when the run is canceled, passes its time limit or its executor stops; the reason tells which */
  readonly signal: AbortSignal
  readonly log: RunLog
  /** `value` from 0 to 1. Only the latest of a tenth of a second is sent. */
  progress(value: number, text?: string): void
  /**
   * Splits this run: each item, or each `size` of them, becomes a shard, a run of the same handler with `shard.items`. They run when this attempt has
   * succeeded, and the run ends as they do; when it fails, none has run. Resolves to how many shards were made, when the server has them. May be called
   * again; at most 10,000 shards a run. To combine the results, see `MapReduce`.
   * Throws RunFailure: MAP_UNSUPPORTED in a shard, on a worker thread and where the server is of an older release; MAP_REFUSED by the server;
   * MAP_TOO_MANY; MAP_ITEM_INVALID for an item that is not JSON or has more than 64 KiB of it.
   */
  map<Item>(items: Items<Item>, options?: MapOptions<Item>): Promise<number>
}

/** Which part of a sharded run this is. A run that is not split is shard 0 of 1, with an empty key. */
export interface RunShard {
  /** from 0 to `total` - 1 */
  readonly index: number
  readonly total: number
  /** the text of its items, `from..to`, the name of its executor, or its index */
  readonly key: string
  /** of a split range: `from` inclusive, `to` exclusive */
  readonly range?: { readonly from: number; readonly to: number }
  /** of a split list: its items, which are also the params of this run, as JSON; of a run that its handler split: what it split off here */
  readonly items?: readonly unknown[]
  /** its item, where it has exactly one */
  readonly item?: unknown
}

/** Writes lines into the log of the run: 300 ms later they are on the screen of whoever watches. */
export type RunLog = Readonly<Record<LogLevel, (text: string) => void>>

/** What it returns is the result of the run: JSON of at most 64 KiB. What it throws makes the run fail. */
export type RunFunction<Params = string> = (run: Run<Params>) => unknown

/** Why a run was told to stop; also the reason of its signal. */
export type StopCause = 'canceled' | 'timedOut' | 'serverLost' | 'superseded' | 'executorStopped'

/** A failure whose code and message reach the run as they are. Handlers may throw it. */
export class RunFailure extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'RunFailure'
    this.code = code
  }
}

/** The reason of a run's signal. */
export class RunStopped extends Error {
  readonly stopCause: StopCause

  constructor(stopCause: StopCause) {
    super(`the run was stopped: ${stopCause}`)
    this.name = 'AbortError'
    this.stopCause = stopCause
  }
}
