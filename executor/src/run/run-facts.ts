import type { Dispatch } from '@tickwheel/contract'
import { fencingTokenOf, idempotencyKeyOf } from './fencing.ts'
import type { Run } from './run.ts'

/** What a run is, without the ways to speak about it: plain data that a worker thread can be given. */
export type RunFacts = Omit<Run<unknown>, 'signal' | 'log' | 'progress'>

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
    shard: { index: 0, total: 1 },
  }
}
