import { SEGMENTS } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { CAUSES, INSTANCE_STATES, REDUCE_STAGES } from './constants.ts'
import { defineRoute } from './route.ts'
import { CursorQuery, Id, IdParams, Instant, listOf, nullable, oneOf, PageQuery, strict } from './shape.ts'
import { TaskDefinition } from './tasks.ts'

export const Actor = strict({ kind: oneOf(['user', 'token', 'executor', 'system']), id: nullable(Id), name: Type.String() })

export const RunError = strict({ code: Type.String(), message: Type.String() })

/** Which part of a sharded run a run is. `key`: the text of its items, `from..to`, the name of its executor, or its index. */
export const Shard = strict({ index: Type.Integer(), total: Type.Integer(), key: Type.String() })
/**
 * What has become of the shards of a run. `made`: fewer than `total` while they are being made, or when it was canceled first. `reduce`: whether one more
 * attempt combines their results: `none`; `later`, when all have ended; `begun`, it is queued for that, or further.
 */
export const ShardSums = strict({
  total: Type.Integer(),
  made: Type.Integer(),
  ended: Type.Record(Type.String(), Type.Integer(), { description: 'how many ended in each state; 0 is left out' }),
  mapped: Type.Boolean({ description: 'its handler split it while it ran' }),
  reduce: oneOf(REDUCE_STAGES),
})

/** The step of a run of a workflow that a run is done for. */
export const StepOf = strict({ workflowRunId: Id, workflowId: Id, workflowName: Type.String(), stepKey: Type.String() })

const facts = {
  id: Id,
  taskId: Id,
  taskName: Type.String(),
  groupId: Id,
  groupName: Type.String(),
  taskVersion: Type.Integer(),
  cause: oneOf(CAUSES),
  actor: nullable(Actor),
  state: oneOf(INSTANCE_STATES),
  attempt: Type.Integer(),
  priority: Type.Integer(),
  scheduledAt: nullable(Instant),
  firedAt: Instant,
  queuedAt: nullable(Instant),
  dispatchedAt: nullable(Instant),
  acceptedAt: nullable(Instant),
  startedAt: nullable(Instant),
  endedAt: nullable(Instant),
  executorId: nullable(Id),
  executorName: nullable(Type.String()),
  cancelRequestedAt: nullable(Instant),
  parentId: nullable(Id),
  shard: nullable(Shard),
  shards: nullable(ShardSums),
  retryOf: nullable(Id),
  retriedBy: nullable(Id),
  error: nullable(RunError),
  waitingFor: nullable(strict({ reason: Type.String(), facts: Type.Record(Type.String(), Type.Unknown()) })),
  step: nullable(StepOf),
}

/** A row of the list of runs. */
export const InstanceListItem = strict(facts)
export type InstanceListItem = Static<typeof InstanceListItem>

export const Attempt = strict({
  attempt: Type.Integer(),
  executorId: nullable(Id),
  executorName: nullable(Type.String()),
  dispatchedAt: nullable(Instant),
  acceptedAt: nullable(Instant),
  startedAt: nullable(Instant),
  endedAt: nullable(Instant),
  outcome: nullable(Type.String()),
  error: nullable(RunError),
  late: Type.Boolean(),
})

export const Instance = strict({
  ...facts,
  params: nullable(Type.String()),
  result: Type.Unknown({ description: 'what the handler returned, at most 64 KiB of JSON' }),
  progress: nullable(strict({ value: Type.Number(), text: Type.String() })),
  attempts: Type.Array(Attempt),
  hidden: Type.Optional(Type.Array(Type.String())),
})
export type Instance = Static<typeof Instance>

export const TraceEntry = strict({ at: Instant, reason: Type.String(), facts: Type.Record(Type.String(), Type.Unknown()) })
export type TraceEntry = Static<typeof TraceEntry>

/** A line of a run's log. `seq` = attempt × 2^32 + its number in the attempt. `stream` `system`: written by Tickwheel itself. */
export const LogLine = strict({
  seq: Type.Integer(),
  at: Instant,
  attempt: Type.Integer(),
  stream: oneOf(['stdout', 'stderr', 'log', 'system']),
  level: oneOf(['debug', 'info', 'warn', 'error']),
  text: Type.String(),
})
export type LogLine = Static<typeof LogLine>

export const LogPage = strict({
  lines: Type.Array(LogLine),
  next: Type.Integer({ description: 'give it as `after` to read on' }),
  end: Type.Boolean({ description: 'the run has ended and its log is complete up to here' }),
})
export type LogPage = Static<typeof LogPage>

const States = Type.Optional(Type.String({ maxLength: 120, description: 'one state, or several joined by commas' }))
export const InstanceListQuery = strict({
  ...CursorQuery,
  taskId: Type.Optional(Id),
  groupId: Type.Optional(Id),
  state: States,
  cause: Type.Optional(oneOf(CAUSES)),
  executorId: Type.Optional(Id),
  shards: Type.Optional(Type.Boolean({ description: 'true: also the shards of runs; else only with `cause=shard` or `shardKey`' })),
  shardKey: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'shards with exactly this key' })),
  workflowRunId: Type.Optional(
    Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'what the steps of this run of a workflow do' }),
  ),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
})
export type InstanceListQuery = Static<typeof InstanceListQuery>

/** The shards of a run: those that failed first, then what was canceled, runs, waits, and succeeded; by index among themselves. */
export const ShardPage = strict({
  items: Type.Array(InstanceListItem),
  total: Type.Integer({ minimum: 0 }),
  page: Type.Integer({ minimum: 1 }),
  pageSize: Type.Integer({ minimum: 1 }),
  counts: Type.Record(Type.String(), Type.Integer(), { description: 'how many there are in each state, whatever the filter' }),
  sums: ShardSums,
})
export type ShardPage = Static<typeof ShardPage>
export const ShardQuery = strict({ ...PageQuery, state: States })
export type ShardQuery = Static<typeof ShardQuery>

/** One side of a comparison. */
export const ComparedRun = strict({
  id: Id,
  state: oneOf(INSTANCE_STATES),
  cause: oneOf(CAUSES),
  actor: nullable(Actor),
  taskVersion: Type.Integer(),
  attempt: Type.Integer(),
  scheduledAt: nullable(Instant),
  firedAt: Instant,
  startedAt: nullable(Instant),
  endedAt: nullable(Instant),
  executorId: nullable(Id),
  executorName: nullable(Type.String()),
  totalMs: Type.Integer({ minimum: 0, description: 'from the instant it was due, or asked for, to its end; of an open run until now' }),
  segments: Type.Array(strict({ name: oneOf(SEGMENTS), ms: Type.Integer({ minimum: 0 }) }), {
    description: 'where that time went, in order; they add up to `totalMs`',
  }),
  params: nullable(Type.String()),
  /** what its version says; null where both sides have the same, or it may not be seen */
  definition: nullable(TaskDefinition),
})
export type ComparedRun = Static<typeof ComparedRun>

/** What may differ between two runs of a task. `definition`: what the versions say, not their numbers alone. */
export const RUN_DIFFERENCES = ['params', 'version', 'definition', 'executor', 'attempts'] as const
/** Why a run has no success to be compared with: none is kept, or none is among the newest 20,000 before it. */
export const NO_SUCCESS = ['none', 'notAmongNewest'] as const

/**
 * A run beside the newest run of the same task before it that succeeded; of a step that its workflow defines in place, of the same step; of a shard,
 * the shard with the same key.
 */
export const InstanceComparison = strict({
  run: ComparedRun,
  success: nullable(ComparedRun),
  noSuccess: nullable(oneOf(NO_SUCCESS)),
  differences: Type.Array(oneOf(RUN_DIFFERENCES), { description: 'what differs, as far as it may be seen' }),
  hidden: Type.Optional(Type.Array(Type.String())),
})
export type InstanceComparison = Static<typeof InstanceComparison>

const tag = 'instance'
export const instanceRoutes = [
  defineRoute({
    id: 'listInstances',
    method: 'GET',
    path: '/instance',
    access: 'instance:view',
    budget: 'read',
    tag,
    summary: 'List runs, newest first',
    query: InstanceListQuery,
    status: 200,
    answer: listOf(InstanceListItem),
  }),
  defineRoute({
    id: 'getInstance',
    method: 'GET',
    path: '/instance/:id',
    access: 'instance:view',
    budget: 'read',
    tag,
    summary: 'One run',
    params: IdParams,
    status: 200,
    answer: Instance,
  }),
  defineRoute({
    id: 'compareInstance',
    method: 'GET',
    path: '/instance/:id/compare',
    access: 'instance:view',
    budget: 'read',
    tag,
    summary: 'A run beside the last success before it',
    params: IdParams,
    status: 200,
    answer: InstanceComparison,
  }),
  defineRoute({
    id: 'cancelInstance',
    method: 'POST',
    path: '/instance/:id/cancel',
    access: 'instance:cancel',
    budget: 'write',
    tag,
    summary: 'Cancel a run',
    params: IdParams,
    status: 200,
    answer: Instance,
  }),
  defineRoute({
    id: 'retryInstance',
    method: 'POST',
    path: '/instance/:id/retry',
    access: 'instance:retry',
    budget: 'trigger',
    tag,
    summary: 'Run an ended run again, as a new run',
    params: IdParams,
    status: 202,
    answer: strict({ instanceId: Id }),
    idempotent: true,
  }),
  defineRoute({
    id: 'listShards',
    method: 'GET',
    path: '/instance/:id/shards',
    access: 'instance:view',
    budget: 'read',
    tag,
    summary: 'The shards of a run, failed ones first',
    params: IdParams,
    query: ShardQuery,
    status: 200,
    answer: ShardPage,
  }),
  defineRoute({
    id: 'readLogs',
    method: 'GET',
    path: '/instance/:id/logs',
    access: 'instance:viewLogs',
    budget: 'read',
    tag,
    summary: 'Lines of the log',
    params: IdParams,
    query: strict({
      after: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000, default: 1000 })),
    }),
    status: 200,
    answer: LogPage,
  }),
  defineRoute({
    id: 'rawLogs',
    method: 'GET',
    path: '/instance/:id/logs/raw',
    access: 'instance:viewLogs',
    budget: 'heavy',
    tag,
    summary: 'Download the log as text',
    params: IdParams,
    status: 200,
    answer: Type.String(),
  }),
  defineRoute({
    id: 'listEvents',
    method: 'GET',
    path: '/instance/:id/events',
    access: 'instance:view',
    budget: 'read',
    tag,
    summary: 'The decision trace',
    params: IdParams,
    status: 200,
    answer: strict({ items: Type.Array(TraceEntry) }),
  }),
] as const
