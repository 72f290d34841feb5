import type { Facts } from '../reason.ts'

/** How many shards one run may have. */
export const MAX_SHARDS = 10_000

/** How a run of a task is split. `fixed`: into so many; `range`: `[from, to)` into parts of `size`; `list`: the params, a JSON array, likewise. */
export type Sharding =
  | { readonly kind: 'none' }
  | { readonly kind: 'broadcast' }
  | { readonly kind: 'fixed'; readonly total: number }
  | { readonly kind: 'range'; readonly from: number; readonly to: number; readonly size: number }
  | { readonly kind: 'list'; readonly itemsFrom: 'params'; readonly size: number }

/** `from` inclusive, `to` exclusive. */
export interface ShardRange {
  readonly from: number
  readonly to: number
}

/** What one shard is to do. `key` is what a person looks for: the items' text, `from..to`, the name of the executor, or the index. */
export interface ShardPart {
  readonly key: string
  readonly range?: ShardRange
  readonly items?: readonly unknown[]
  /** broadcast: the executor that it is for, and no other */
  readonly executorId?: number
  /** split off by the handler itself while it ran: the items are no params */
  readonly mapped?: true
}

export type ShardProblem = 'rangeEmpty' | 'tooManyShards' | 'paramsNotAList'

export type ShardPlan =
  | { readonly kind: 'shards'; readonly total: number; readonly partAt: (index: number) => ShardPart }
  | { readonly kind: 'refused'; readonly problem: ShardProblem; readonly facts: Facts }

export interface ShardQuestion {
  readonly sharding: Exclude<Sharding, { kind: 'none' }>
  /** as the run was given them */
  readonly params: string
  /** broadcast: who is to get a shard, in order */
  readonly executors: readonly { readonly executorId: number; readonly name: string }[]
}

/**
 * The shards of a run. Asked again with the same question it gives the same shards, so that whoever goes on after another makes what is missing and
 * nothing else. `refused`: the run cannot be split so. An empty list has no shards.
 */
export function planShards({ sharding, params, executors }: ShardQuestion): ShardPlan {
  switch (sharding.kind) {
    case 'broadcast':
      return bounded(executors.length, (index) => broadcastPart(executors[index]))
    case 'fixed':
      return bounded(sharding.total, (index) => ({ key: String(index) }))
    case 'range':
      return planRange(sharding)
    case 'list':
      return planList(itemsOf(params), sharding.size)
  }
}

function broadcastPart(executor: ShardQuestion['executors'][number] | undefined): ShardPart {
  if (executor === undefined) throw new RangeError('a shard was asked for that there is not')
  return { key: executor.name, executorId: executor.executorId }
}

function planRange({ from, to, size }: Extract<Sharding, { kind: 'range' }>): ShardPlan {
  if (to <= from) return { kind: 'refused', problem: 'rangeEmpty', facts: { from, to } }
  return bounded(Math.ceil((to - from) / size), (index) => {
    const range = { from: from + index * size, to: Math.min(to, from + (index + 1) * size) }
    return { key: `${range.from}..${range.to}`, range }
  })
}

function planList(items: readonly unknown[] | null, size: number): ShardPlan {
  if (items === null) return { kind: 'refused', problem: 'paramsNotAList', facts: {} }
  return bounded(Math.ceil(items.length / size), (index) => {
    const part = items.slice(index * size, (index + 1) * size)
    return { key: keyOf(part), items: part }
  })
}

function bounded(total: number, partAt: (index: number) => ShardPart): ShardPlan {
  if (total > MAX_SHARDS) return { kind: 'refused', problem: 'tooManyShards', facts: { total, max: MAX_SHARDS } }
  return { kind: 'shards', total, partAt: (index) => cut(partAt(index)) }
}

const KEY_LENGTH = 200

/** A key is at most 200 characters long. */
function cut(part: ShardPart): ShardPart {
  return part.key.length <= KEY_LENGTH ? part : { ...part, key: [...part.key.slice(0, KEY_LENGTH)].slice(0, -1).join('') }
}

/** The text of one item, or that of the first and the last. */
function keyOf(items: readonly unknown[]): string {
  const texts = [items[0], items.at(-1)].map((item) => (typeof item === 'string' ? item : JSON.stringify(item)))
  return items.length === 1 ? (texts[0] ?? '') : texts.join('..')
}

/** The items of params that are a JSON array; null for any other text. */
export function itemsOf(params: string): readonly unknown[] | null {
  try {
    const value: unknown = JSON.parse(params)
    return Array.isArray(value) ? value : null
  } catch {
    return null
  }
}
