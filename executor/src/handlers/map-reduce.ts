/** A handler in three parts: what a run is split into, what is done with each item, and what is made of the results. */
import type { ShardResult as WireResult } from '@tickwheel/contract'
import type { Items } from '../run/splitter.ts'
import { RunFailure, type Run } from '../run/run.ts'
import type { TaskHandler, Work } from './handler.ts'
import { runOf } from './named.ts'
import type { ParamsReader } from './params.ts'

/** What one shard came to. */
export type ShardResult<Result = unknown> = {
  /** from 0, in the order in which `split` gave the items */
  readonly index: number
  /** what `key` made of its item */
  readonly key: string
} & (
  | { readonly state: 'succeeded'; readonly result: Result; readonly error: null }
  | {
      readonly state: 'failed' | 'timedOut' | 'canceled' | 'lost' | 'skipped'
      readonly result: null
      readonly error: { readonly code: string; readonly message: string } | null
    }
)

/**
 * Work that is split while it runs. Each part is an attempt of its own, on whichever executor has room, with the task's time limit and retries; all of them
 * see the same params.
 */
export interface MapReduce<Params, Item, Result> {
  /**
   * Gives the items, each at most 64 KiB of JSON, at most 10,000 of them: an array, or a generator that makes them as it goes. They run when it has
   * succeeded: when it fails, or its executor is lost, none has run, and the next attempt begins anew. Larger work: give arrays as items.
   */
  split(run: Run<Params>): Items<Item> | Promise<Items<Item>>
  /** Does one item. What it returns is the result of the shard: JSON of at most 64 KiB. What it throws makes the shard fail. */
  work(run: Run<Params>, item: Item): Result | Promise<Result>
  /**
   * Makes one result of all, when every shard has ended; what failed is among them, and it decides whether that is a failure (it throws) or not. Results come
   * by index, a page at a time. Left out: the run succeeds when all shards did, and its result counts them.
   */
  reduce?(run: Run<Params>, results: AsyncIterable<ShardResult<Result>>): unknown
  /** what a person looks for to find the shard of an item; at most 200 characters count. Default: its text. */
  key?(item: Item): string
}

/** Whatever its items and results are. */
export interface AnyMapReduce {
  split(run: Run<never>): Items<unknown> | Promise<Items<unknown>>
  work(run: Run<never>, item: never): unknown
  reduce?(run: Run<never>, results: AsyncIterable<ShardResult<never>>): unknown
  key?(item: never): string
}

export function isMapReduce(value: object): value is AnyMapReduce {
  return 'split' in value && typeof value.split === 'function'
}

export function mapReduceHandler(name: string, parts: AnyMapReduce, params?: ParamsReader): TaskHandler {
  return { slot: `named:${name}`, endsItself: false, run: (work) => runPart(parts, work, params) }
}

async function runPart(parts: AnyMapReduce, work: Work, params: ParamsReader | undefined): Promise<unknown> {
  const { shard, reduce } = work.dispatch
  const run = runOf(work, params)
  if (reduce !== undefined) return reduceAll(parts, work, run)
  if (shard === undefined) return splitAll(parts, work, run)
  const [item] = shard.items ?? []
  if (shard.mapped === true) return parts.work(run, item as never)
  throw new RunFailure(
    'MAP_SHARDED',
    'the task says how it is sharded, and its handler splits it by itself: set the sharding of the task to none',
  )
}

async function splitAll(parts: AnyMapReduce, { splitter }: Work, run: Run<never>): Promise<undefined> {
  if (parts.reduce !== undefined) splitter.wantResults()
  await splitter.map(await parts.split(run), { key: (item) => parts.key?.(item) ?? textOf(item) })
}

function textOf(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item)
}

function reduceAll(parts: AnyMapReduce, { results }: Work, run: Run<never>): unknown {
  if (parts.reduce === undefined)
    throw new RunFailure('REDUCE_UNSUPPORTED', 'this handler has no reduce: the executor that split the run is of another version')
  return parts.reduce(run, typed(results()))
}

/** Safe: by the contract a shard that succeeded has what `work` returned, as JSON, and no other has a result. */
async function* typed(results: AsyncIterable<WireResult>): AsyncGenerator<ShardResult<never>> {
  for await (const one of results) yield one as ShardResult<never>
}
