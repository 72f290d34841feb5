import type { Dispatch } from '@tickwheel/contract'
import { fencingTokenOf, idempotencyKeyOf } from './fencing.ts'
import type { Run, RunShard } from './run.ts'

/** What a run is, without the ways to speak about it: plain data that a worker thread can be given. */
export type RunFacts = Omit<Run<unknown>, 'signal' | 'log' | 'progress' | 'map'>

/** The facts of a run as its dispatch tells them; its parameters as its handler reads them. */
export function runFacts(dispatch: Dispatch, params: unknown = dispatch.params): RunFacts {
  return {
    instanceId: dispatch.instanceId,
    attempt: dispatch.attempt,
    task: { id: dispatch.task.id, name: dispatch.task.name, groupName: dispatch.task.groupName },
    idempotencyKey: idempotencyKeyOf(dispatch),
    fencingToken: fencingTokenOf(dispatch),
    params,
    scheduledAt: dispatch.scheduledAt,
    firedAt: dispatch.firedAt,
    shard: shardOf(dispatch),
  }
}

/** The part of a run that a dispatch is; all of it where it is not split. */
export function shardOf({ shard }: Dispatch): RunShard {
  if (shard === undefined) return { index: 0, total: 1, key: '' }
  const { index, total, key, range, items } = shard
  return {
    index,
    total,
    key,
    ...(range === undefined ? {} : { range }),
    ...(items === undefined ? {} : { items, ...(items.length === 1 ? { item: items[0] } : {}) }),
  }
}
