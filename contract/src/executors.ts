import { OUTCOMES } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { EXECUTOR_STATES, EXECUTOR_TRANSPORTS, SHARD_RESULT_ROUTE } from './constants.ts'
import { AppName } from './groups.ts'
import { ReportAnswer, ReportBody } from './reports.ts'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'

/** What an executor tells of itself at each process start. `name` is its own name, unique in the group: the same name is the same executor coming back. */
export const Register = strict({
  appName: AppName,
  name: Type.String({ minLength: 1, maxLength: 128, pattern: '^[^/\\s\\u0000-\\u001f]+$' }),
  protocol: strict({ min: Type.Integer({ minimum: 1 }), max: Type.Integer({ minimum: 1 }) }),
  version: Type.String({ maxLength: 64 }),
  capacity: Type.Integer({ minimum: 1, maximum: 10_000 }),
  labels: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 }), { maxProperties: 32 })),
  handlers: Type.Array(
    strict({
      name: Type.String({ minLength: 1, maxLength: 128 }),
      description: Type.Optional(Type.String({ maxLength: 1000 })),
      kind: Type.Optional(oneOf(['builtIn', 'named'])),
      paramsSchema: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), {
          description: 'JSON schema of its parameters, at most 16 KiB: the console makes a form of it',
        }),
      ),
    }),
    { maxItems: 1000 },
  ),
  host: Type.String({ maxLength: 255 }),
  pid: Type.Integer({ minimum: 0 }),
  /** the boot this process got before, when it registers again in the same life (its session ran out): it keeps its boot */
  bootId: Type.Optional(Id),
  /** a random word of this process, the same in each of its registrations: one that the server handles late does not supersede the process itself */
  processKey: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' })),
  address: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1_024,
      description: 'http(s) URL to which the server posts its orders; absent: the executor opens the stream',
    }),
  ),
})
export type Register = Static<typeof Register>

export const Registered = strict({
  executorId: Id,
  bootId: Id,
  sessionToken: Type.String(),
  heartbeatMs: Type.Integer(),
  deadMs: Type.Integer(),
  streamUrl: Type.String({
    description: 'ws:// or wss:// address of the stream; may be relative to the server (`/api/v1/executor/stream`)',
  }),
  reportUrl: Type.Optional(Type.String({ description: 'where an executor with an address reports, relative to the server' })),
  protocol: Type.Integer(),
})
export type Registered = Static<typeof Registered>

export const RunningAttempt = strict({ instanceId: Id, attempt: Type.Integer({ minimum: 1 }) })
export type RunningAttempt = Static<typeof RunningAttempt>
export const Load = strict({
  cpu: Type.Number({ minimum: 0, description: 'share of all cores, 0–1' }),
  memory: Type.Number({ minimum: 0, description: 'bytes of resident memory' }),
  running: Type.Integer({ minimum: 0 }),
  queued: Type.Integer({ minimum: 0 }),
})
export type Load = Static<typeof Load>

export const Heartbeat = strict({
  executorId: Id,
  bootId: Type.Optional(Id),
  running: Type.Array(RunningAttempt, { maxItems: 10_000 }),
  load: Load,
})
export type Heartbeat = Static<typeof Heartbeat>
export const HeartbeatAnswer = strict({ cancel: Type.Array(RunningAttempt), unknown: Type.Array(RunningAttempt) })
export type HeartbeatAnswer = Static<typeof HeartbeatAnswer>

/** What a shard came to, for the attempt that combines the results. */
export const ShardResult = strict({
  index: Type.Integer({ minimum: 0 }),
  key: Type.String(),
  state: oneOf(OUTCOMES),
  result: Type.Unknown({ description: 'what the handler returned; null where there is nothing' }),
  error: nullable(strict({ code: Type.String(), message: Type.String() })),
})
export type ShardResult = Static<typeof ShardResult>
export const ShardResultQuery = strict({
  instanceId: Id,
  attempt: Type.Integer({ minimum: 1 }),
  from: Type.Optional(Type.Integer({ minimum: 0, default: 0, description: 'the index to begin with' })),
})
export const ShardResultPage = strict({
  items: Type.Array(ShardResult, { description: 'by index; about 1 MiB of results, at least one' }),
  next: nullable(Type.Integer({ description: 'give it as `from` to read on; null: that was all' })),
})
export type ShardResultPage = Static<typeof ShardResultPage>

export const Executor = strict({
  id: Id,
  groupId: Id,
  groupName: Type.String(),
  name: Type.String(),
  state: oneOf(EXECUTOR_STATES),
  transport: oneOf(EXECUTOR_TRANSPORTS),
  address: nullable(Type.String({ description: 'where the server reaches it; null: it opens a connection by itself' })),
  version: Type.String(),
  host: Type.String(),
  pid: Type.Integer(),
  capacity: Type.Integer(),
  inFlight: Type.Integer({ description: 'attempts that the server has there now' }),
  running: Type.Array(strict({ instanceId: Id, attempt: Type.Integer(), taskId: Id, taskName: Type.String(), since: nullable(Instant) })),
  load: nullable(Load),
  labels: Type.Record(Type.String(), Type.String()),
  handlers: Type.Array(strict({ name: Type.String(), description: Type.String(), kind: oneOf(['builtIn', 'named']) })),
  registeredAt: Instant,
  seenAt: Instant,
})
export type Executor = Static<typeof Executor>

/** A function that live executors of a group can run. `paramsSchema`: as the newest process that has it declares it. */
export const NamedHandler = strict({
  name: Type.String(),
  description: Type.String(),
  paramsSchema: nullable(Type.Record(Type.String(), Type.Unknown())),
})
export type NamedHandler = Static<typeof NamedHandler>

/** XXL-JOB executors that registered under an app name that no group has. */
export const UnclaimedApp = strict({
  appName: Type.String({ description: 'as the executors write it' }),
  groupAppName: nullable(Type.String({ description: 'the appName that a group for them must have; null: none can be made of theirs' })),
  addresses: Type.Array(Type.String()),
  seenAt: Instant,
})
export type UnclaimedApp = Static<typeof UnclaimedApp>

const tag = 'executor'
export const executorRoutes = [
  defineRoute({
    id: 'registerExecutor',
    method: 'POST',
    path: '/executor/register',
    access: 'executorToken',
    budget: 'executor',
    tag,
    summary: 'Join as an executor',
    body: Register,
    status: 200,
    answer: Registered,
  }),
  defineRoute({
    id: 'heartbeat',
    method: 'POST',
    path: '/executor/heartbeat',
    access: 'executorSession',
    budget: 'executor',
    tag,
    summary: 'I am alive',
    body: Heartbeat,
    status: 200,
    answer: HeartbeatAnswer,
  }),
  defineRoute({
    id: 'reportRuns',
    method: 'POST',
    path: '/executor/report',
    access: 'executorSession',
    budget: 'executor',
    tag,
    summary: 'What happened to runs, from an executor with an address',
    body: ReportBody,
    status: 200,
    answer: ReportAnswer,
  }),
  defineRoute({
    id: 'readShardResults',
    method: 'GET',
    path: SHARD_RESULT_ROUTE,
    access: 'executorSession',
    budget: 'executor',
    tag,
    summary: 'What the shards of a run came to, for the attempt that combines their results',
    query: ShardResultQuery,
    status: 200,
    answer: ShardResultPage,
  }),
  defineRoute({
    id: 'listExecutors',
    method: 'GET',
    path: '/executor',
    access: 'executor:view',
    budget: 'read',
    tag,
    summary: 'List executors',
    query: strict({ ...PageQuery, groupId: Type.Optional(Id), state: Type.Optional(oneOf(EXECUTOR_STATES)) }),
    status: 200,
    answer: listOf(Executor),
  }),
  defineRoute({
    id: 'listHandlers',
    method: 'GET',
    path: '/group/:id/handler',
    access: 'group:view',
    budget: 'read',
    tag,
    summary: 'The functions that live executors of a group can run (needs executor:view, too)',
    params: IdParams,
    status: 200,
    answer: strict({ items: Type.Array(NamedHandler) }),
  }),
  defineRoute({
    id: 'listUnclaimed',
    method: 'GET',
    path: '/executor/unclaimed',
    access: 'group:edit',
    budget: 'read',
    tag,
    summary: 'XXL-JOB executors of the last three minutes whose app name no group has; empty for who may not make groups',
    status: 200,
    answer: strict({ items: Type.Array(UnclaimedApp), total: Type.Integer() }),
  }),
  defineRoute({
    id: 'getExecutor',
    method: 'GET',
    path: '/executor/:id',
    access: 'executor:view',
    budget: 'read',
    tag,
    summary: 'One executor',
    params: IdParams,
    status: 200,
    answer: Executor,
  }),
  defineRoute({
    id: 'drainExecutor',
    method: 'POST',
    path: '/executor/:id/drain',
    access: 'executor:operate',
    budget: 'write',
    tag,
    summary: 'Give it nothing new',
    params: IdParams,
    status: 200,
    answer: Executor,
  }),
  defineRoute({
    id: 'resumeExecutor',
    method: 'POST',
    path: '/executor/:id/resume',
    access: 'executor:operate',
    budget: 'write',
    tag,
    summary: 'Give it work again',
    params: IdParams,
    status: 200,
    answer: Executor,
  }),
  defineRoute({
    id: 'deleteExecutor',
    method: 'DELETE',
    path: '/executor/:id',
    access: 'executor:operate',
    budget: 'write',
    tag,
    summary: 'Forget an executor that is offline',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
] as const
