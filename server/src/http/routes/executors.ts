import {
  AppError,
  MAP_PROTOCOL,
  PARAMS_SCHEMA_BYTES,
  REPORT_PATH,
  STREAM_PATH,
  type Executor,
  type Heartbeat,
  type Register,
  type ReportAnswer,
  type ReportBody,
} from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import type { ExecutorSessionTokens } from '../../auth/executor-tokens.ts'
import type { CachedReads } from '../../cached-reads.ts'
import type { Config } from '../../config/schema.ts'
import type { Commands, LiveExecutor } from '../../engine/commands.ts'
import type { HeardAnswer, JoinAnswer, Session } from '../../link/link.ts'
import type { Database } from '../../store/database.ts'
import { describeExecutors, executorsById, readHandlers, type FindInFlight, type InFlight } from '../../store/executor-views.ts'
import { findGroupByAppName, getGroup } from '../../store/groups.ts'
import { instantText } from '../../store/page.ts'
import { listUnclaimed } from '../../store/unclaimed.ts'
import { readShardResults } from '../../store/shard-results.ts'
import type { HandlersOf } from '../handlers.ts'
import { requireAlso } from '../may-also.ts'
import { pageOf } from '../paging.ts'

/** Executors that hold no connection, as their calls reach them. */
export interface PostCalls {
  /** the address as orders are posted to it; null: it is none */
  readonly readAddress: (text: string) => string | null
  /** why executors are not called there; null: they are */
  readonly refusalOf: (address: URL) => Promise<string | null>
  readonly register: (session: Session, address: string) => Promise<JoinAnswer['kind']>
  readonly beat: (session: Session, beat: Heartbeat) => Promise<HeardAnswer>
  readonly report: (session: Session, body: ReportBody) => Promise<ReportAnswer>
}

export interface ExecutorParts {
  readonly db: Database
  readonly commands: Commands
  readonly reads: CachedReads
  readonly sessionTokens: ExecutorSessionTokens
  readonly liveExecutors: () => Promise<ReadonlyMap<number, LiveExecutor>>
  readonly timing: Config['executor']
  readonly post: PostCalls
  readonly now: () => number
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
  | 'reportRuns'
  | 'readShardResults'
  | 'listExecutors'
  | 'listHandlers'
  | 'listUnclaimed'
  | 'getExecutor'
  | 'drainExecutor'
  | 'resumeExecutor'
  | 'deleteExecutor'
> {
  const { db, commands, reads, sessionTokens, timing, post } = parts
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
      if (body.protocol.min > MAP_PROTOCOL || body.protocol.max < PROTOCOL) {
        throw new AppError(
          'UNPROCESSABLE',
          `This server speaks versions ${PROTOCOL} and ${MAP_PROTOCOL} of the protocol, the executor ${body.protocol.min} to ${body.protocol.max}: use matching releases.`,
          {
            errors: [
              {
                path: 'protocol',
                code: 'NOT_ALLOWED_VALUE',
                message: `must include ${PROTOCOL} or ${MAP_PROTOCOL}`,
                params: { allowed: `${PROTOCOL}, ${MAP_PROTOCOL}` },
              },
            ],
          },
        )
      }
      refuseLongSchemas(body.handlers)
      const group = await findGroupByAppName(db, body.appName)
      if (group === null || !who.groupIds.includes(group.id)) throw unknownApp(body.appName)
      const address = body.address === undefined ? null : await addressIn(body.address, post)
      const session = await commands.registerExecutor(group.id, body, caller, address === null ? undefined : { transport: 'http', address })
      reads.changed()
      if (address !== null) refusedAs(await post.register(session, address))
      return {
        ...session,
        sessionToken: sessionTokens.issue(session),
        heartbeatMs: timing.heartbeatMs,
        deadMs: timing.deadMs,
        streamUrl: STREAM_PATH,
        ...(address === null ? {} : { reportUrl: REPORT_PATH }),
        protocol: Math.min(body.protocol.max, MAP_PROTOCOL),
      }
    },
    heartbeat: async ({ body, who }) => {
      if (body.executorId !== who.executorId || (body.bootId !== undefined && body.bootId !== who.bootId)) throw notYours()
      const heard = await post.beat(who, body)
      refusedAs(heard.kind)
      return heard.kind === 'heard' ? { cancel: [...heard.cancel], unknown: [...heard.unknown] } : { cancel: [], unknown: [] }
    },
    reportRuns: async ({ body, who }) => {
      if (body.executorId !== who.executorId || body.bootId !== who.bootId) throw notYours()
      return post.report(who, body)
    },
    readShardResults: async ({ query, who }) => readShardResults(db, who, query),
    listExecutors: async ({ query, scope }) =>
      describeExecutors(await reads.executorList(scope, { ...pageOf(query), groupId: query.groupId, state: query.state }), await finder()),
    listHandlers: async ({ params, scope, who }) => {
      const group = await getGroup(db, scope, params.id)
      requireAlso(who, 'executor:view', group.id)
      return { items: await readHandlers(db, group.id) }
    },
    listUnclaimed: async ({ scope }) => {
      // a group may be made by who may edit all of them
      if (scope !== 'all') return { items: [], total: 0 }
      const apps = await listUnclaimed(db, parts.now() - UNCLAIMED_MS)
      return { items: apps.map((app) => ({ ...app, addresses: [...app.addresses], seenAt: instantText(app.seenAt) })), total: apps.length }
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
/** Executors register every 10 to 60 s, and it is written once a minute. */
const UNCLAIMED_MS = 180_000

function refuseLongSchemas(handlers: Register['handlers']): void {
  const errors = handlers.flatMap(({ paramsSchema }, index) => {
    const bytes = paramsSchema === undefined ? 0 : Buffer.byteLength(JSON.stringify(paramsSchema))
    if (bytes <= PARAMS_SCHEMA_BYTES) return []
    const message = `must have at most ${PARAMS_SCHEMA_BYTES} bytes of JSON, not ${bytes}`
    return [{ path: `handlers.${index}.paramsSchema`, code: 'TOO_LONG', message, params: { max: PARAMS_SCHEMA_BYTES } }]
  })
  if (errors.length > 0) throw new AppError('VALIDATION_FAILED', 'A schema of parameters is too long: declare a shorter one.', { errors })
}

function notYours(): AppError {
  return new AppError('FORBIDDEN', 'This session belongs to another executor.')
}

async function addressIn(text: string, { readAddress, refusalOf }: PostCalls): Promise<string> {
  const address = readAddress(text)
  if (address !== null) {
    const refusal = await refusalOf(new URL(address))
    if (refusal === null) return address
    throw new AppError('UNPROCESSABLE', `The address of the executor is refused: ${refusal}.`, {
      errors: [{ path: 'address', code: 'NOT_ALLOWED_VALUE', message: refusal, params: { allowed: 'executor.networks' } }],
    })
  }
  const message = 'must be an http:// or https:// URL without account, query and fragment, like http://10.0.0.7:9000/tickwheel'
  throw new AppError('UNPROCESSABLE', `The address of the executor ${message}.`, {
    errors: [{ path: 'address', code: 'BAD_FORMAT', message, params: { format: 'url' } }],
  })
}

/** Throws what an executor is told that cannot be joined or heard. */
function refusedAs(kind: JoinAnswer['kind'] | HeardAnswer['kind']): void {
  switch (kind) {
    case 'welcome':
    case 'heard':
      return
    case 'superseded':
      throw new AppError(
        'EXECUTOR_SUPERSEDED',
        'A newer process has registered with the name of this executor: stop this one, or give it another name.',
      )
    case 'sessionUnknown':
      throw new AppError('UNAUTHENTICATED', 'This session has ended: register again.')
    case 'storeAway':
      throw new AppError('STORE_AWAY', 'The store cannot be reached; try again in a few seconds.', { params: { retryAfterSeconds: 2 } })
  }
}

function unknownApp(appName: string): AppError {
  const message = `no group with the appName "${appName}" is open to this token`
  return new AppError('UNPROCESSABLE', `No group with the appName "${appName}" is open to this token: make the group, or a token for it.`, {
    errors: [{ path: 'appName', code: 'UNKNOWN_REFERENCE', message, params: { value: appName } }],
  })
}
