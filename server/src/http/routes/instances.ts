import { Readable } from 'node:stream'
import { AppError } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import type { Commands } from '../../engine/commands.ts'
import type { Database } from '../../store/database.ts'
import { compareInstance } from '../../store/instance-compare.ts'
import { getInstance, listInstances, listShards, listTrace, runHead, type RunHead } from '../../store/instances.ts'
import type { LogStore } from '../../store/logs.ts'
import { Streamed, type HandlersOf } from '../handlers.ts'
import { mayIn } from '../may-also.ts'

export function instanceHandlers({
  db,
  commands,
  logs,
  now,
}: {
  db: Database
  commands: Commands
  logs: LogStore
  now: () => number
}): HandlersOf<
  | 'listInstances'
  | 'getInstance'
  | 'compareInstance'
  | 'cancelInstance'
  | 'retryInstance'
  | 'readLogs'
  | 'rawLogs'
  | 'listEvents'
  | 'listShards'
> {
  const head = async (instanceId: number, scope: Scope): Promise<RunHead> => {
    const run = await runHead(db, scope, instanceId)
    if (run === null) throw new AppError('INSTANCE_NOT_FOUND', `There is no instance ${instanceId} that you may see.`)
    return run
  }
  return {
    listInstances: async ({ query, scope }) => listInstances(db, scope, query),
    getInstance: async ({ params, scope, who }) => getInstance(db, scope, params.id, mayIn(who, 'task:viewParams')),
    compareInstance: async ({ params, scope, who }) =>
      compareInstance(db, scope, params.id, {
        now: now(),
        mayViewParams: mayIn(who, 'task:viewParams'),
        mayView: (groupId, isInPlace) => mayIn(who, isInPlace ? 'workflow:view' : 'task:view')(groupId),
      }),
    cancelInstance: async ({ params, scope, who, caller }) => {
      await head(params.id, scope)
      await commands.cancelInstance(params.id, scope, caller)
      return getInstance(db, scope, params.id, mayIn(who, 'task:viewParams'))
    },
    retryInstance: async ({ params, scope, caller, idempotencyKey }) => {
      requireOwnTask(await head(params.id, scope))
      return commands.retryInstance(params.id, idempotencyKey, scope, caller)
    },
    readLogs: async ({ params, query, scope }) => {
      const { isEnded } = await head(params.id, scope)
      return logs.read(params.id, { after: query.after ?? 0, limit: query.limit ?? 1000, ended: isEnded })
    },
    rawLogs: async ({ params, scope }) => {
      await head(params.id, scope)
      return new Streamed('text/plain; charset=utf-8', Readable.from(logs.stream(params.id)), `instance-${params.id}.log`)
    },
    listShards: async ({ params, query, scope }) => listShards(db, scope, params.id, query),
    listEvents: async ({ params, scope }) => ({ items: await listTrace(db, scope, params.id) }),
  }
}

/** What a step of a workflow defines in place, and a fan-out, is no task that could run by itself. */
function requireOwnTask({ instanceId, taskId, step }: RunHead): void {
  if (step === null || step.workflowId !== taskId) return
  const message = `Run ${instanceId} did a step that its workflow defines in place: run the workflow again from that step, as run ${step.workflowRunId} (POST /workflow-run/:id/retry).`
  throw new AppError('UNPROCESSABLE', message, { params: { workflowRunId: step.workflowRunId } })
}
