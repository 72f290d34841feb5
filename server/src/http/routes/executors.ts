import { AppError, PARAMS_SCHEMA_BYTES, STREAM_PATH, type Executor, type Register } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import type { ExecutorSessionTokens } from '../../auth/executor-tokens.ts'
import type { CachedReads } from '../../cached-reads.ts'
import type { Config } from '../../config/schema.ts'
import type { Commands, LiveExecutor } from '../../engine/commands.ts'
import type { Database } from '../../store/database.ts'
import { describeExecutors, executorsById, readHandlers, type FindInFlight, type InFlight } from '../../store/executor-views.ts'
import { findGroupByAppName, getGroup } from '../../store/groups.ts'
import { instantText } from '../../store/page.ts'
import type { HandlersOf } from '../handlers.ts'
import { requireAlso } from '../may-also.ts'
import { pageOf } from '../paging.ts'

export interface ExecutorParts {
  readonly db: Database
  readonly commands: Commands
  readonly reads: CachedReads
  readonly sessionTokens: ExecutorSessionTokens
  readonly liveExecutors: () => Promise<ReadonlyMap<number, LiveExecutor>>
  readonly timing: Config['executor']
}

/** What an engine's knowledge of an executor looks like in the API. */
export function inFlightOf(live: LiveExecutor | undefined): InFlight | null {
  if (live === undefined) return null
  const running = live.inFlight.map(({ instanceId, attempt, taskId, taskName, startedAt }) => ({
    instanceId,
    attempt,
    taskId,
    taskName,
    since: instantText(startedAt),
  }))
  return { running, load: live.load, seenAt: live.seenAt, isStopping: live.isStopping }
}

export function executorHandlers(
  parts: ExecutorParts,
): HandlersOf<
  | 'registerExecutor'
  | 'heartbeat'
  | 'listExecutors'
  | 'listHandlers'
  | 'getExecutor'
  | 'drainExecutor'
  | 'resumeExecutor'
  | 'deleteExecutor'
> {
  const { db, commands, reads, sessionTokens, timing } = parts
  const finder = async (): Promise<FindInFlight> => {
    const live = await parts.liveExecutors()
    return (executorId) => inFlightOf(live.get(executorId))
  }
  const one = async (executorId: number, scope: Scope): Promise<Executor> => {
    const [executor] = await executorsById(db, scope, { ids: [executorId], find: await finder() })
    if (executor === undefined) throw new AppError('EXECUTOR_NOT_FOUND', `There is no executor ${executorId} that you may see.`)
    return executor
  }
  return {
    registerExecutor: async ({ body, who, caller }) => {
      if (body.protocol.min > PROTOCOL || body.protocol.max < PROTOCOL) {
        throw new AppError(
          'UNPROCESSABLE',
          `This server speaks version ${PROTOCOL} of the protocol, the executor ${body.protocol.min} to ${body.protocol.max}: use matching releases.`,
          {
            errors: [
              { path: 'protocol', code: 'NOT_ALLOWED_VALUE', message: `must include ${PROTOCOL}`, params: { allowed: String(PROTOCOL) } },
            ],
          },
        )
      }
      refuseLongSchemas(body.handlers)
      const group = await findGroupByAppName(db, body.appName)
      if (group === null || !who.groupIds.includes(group.id)) throw unknownApp(body.appName)
      const session = await commands.registerExecutor(group.id, body, caller)
      reads.changed()
      return {
        ...session,
        sessionToken: sessionTokens.issue(session),
        heartbeatMs: timing.heartbeatMs,
        deadMs: timing.deadMs,
        streamUrl: STREAM_PATH,
        protocol: PROTOCOL,
      }
    },
    heartbeat: async ({ body, who }) => {
      if (body.executorId !== who.executorId || (body.bootId !== undefined && body.bootId !== who.bootId))
        throw new AppError('FORBIDDEN', 'This session belongs to another executor.')
      return commands.heartbeat(who, body)
    },
    listExecutors: async ({ query, scope }) =>
      describeExecutors(await reads.executorList(scope, { ...pageOf(query), groupId: query.groupId, state: query.state }), await finder()),
    listHandlers: async ({ params, scope, who }) => {
      const group = await getGroup(db, scope, params.id)
      requireAlso(who, 'executor:view', group.id)
      return { items: await readHandlers(db, group.id) }
    },
    getExecutor: async ({ params, scope }) => one(params.id, scope),
    drainExecutor: async ({ params, scope, caller }) => {
      await commands.drainExecutor(params.id, true, scope, caller)
      reads.changed()
      return one(params.id, scope)
    },
    resumeExecutor: async ({ params, scope, caller }) => {
      await commands.drainExecutor(params.id, false, scope, caller)
      reads.changed()
      return one(params.id, scope)
    },
    deleteExecutor: async ({ params, scope, caller }) => {
      await commands.forgetExecutor(params.id, scope, caller)
      reads.changed()
      return null
    },
  }
}

const PROTOCOL = 1

function refuseLongSchemas(handlers: Register['handlers']): void {
  const errors = handlers.flatMap(({ paramsSchema }, index) => {
    const bytes = paramsSchema === undefined ? 0 : Buffer.byteLength(JSON.stringify(paramsSchema))
    if (bytes <= PARAMS_SCHEMA_BYTES) return []
    const message = `must have at most ${PARAMS_SCHEMA_BYTES} bytes of JSON, not ${bytes}`
    return [{ path: `handlers.${index}.paramsSchema`, code: 'TOO_LONG', message, params: { max: PARAMS_SCHEMA_BYTES } }]
  })
  if (errors.length > 0) throw new AppError('VALIDATION_FAILED', 'A schema of parameters is too long: declare a shorter one.', { errors })
}

function unknownApp(appName: string): AppError {
  const message = `no group with the appName "${appName}" is open to this token`
  return new AppError('UNPROCESSABLE', `No group with the appName "${appName}" is open to this token: make the group, or a token for it.`, {
    errors: [{ path: 'appName', code: 'UNKNOWN_REFERENCE', message, params: { value: appName } }],
  })
}
