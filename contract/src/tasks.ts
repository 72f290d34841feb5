import { DAY_OFF_RULES, EXCLUSIONS, OBSTACLES } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import {
  SCHEDULE_KINDS,
  SCRIPT_LANGUAGES,
  HTTP_METHODS,
  HANDLER_KINDS,
  MAX_SHARDS,
  ROUTING_STRATEGIES,
  OVERLAP_POLICIES,
  MISFIRE_POLICIES,
  BACKOFFS,
  ON_LOST,
} from './constants.ts'
import { Name } from './groups.ts'
import { defineRoute } from './route.ts'
import { CursorQuery, DurationMs, Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'

const CalendarId = Type.Optional(nullable(Id))
const validity = { validFrom: Type.Optional(nullable(Instant)), validUntil: Type.Optional(nullable(Instant)) }

/** At least 100 ms, at most 10 years. */
const IntervalMs = Type.Integer({ minimum: 100, maximum: 315_360_000_000 })

export const ScheduleInput = Type.Union([
  strict({
    kind: Type.Literal('cron'),
    expression: Type.String({ minLength: 1, maxLength: 512 }),
    timezone: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: "IANA zone; absent: the server's zone is written into the task" }),
    ),
    dialect: Type.Optional(oneOf(['quartz', 'unix'])),
    calendarId: CalendarId,
    onDayOff: Type.Optional(oneOf(DAY_OFF_RULES)),
    ...validity,
  }),
  strict({ kind: Type.Literal('fixedRate'), everyMs: IntervalMs, calendarId: CalendarId, ...validity }),
  strict({ kind: Type.Literal('fixedDelay'), delayMs: IntervalMs, calendarId: CalendarId, ...validity }),
  strict({ kind: Type.Literal('once'), at: Instant }),
  strict({ kind: Type.Literal('manual') }),
])
export type ScheduleInput = Static<typeof ScheduleInput>

const Source = Type.String({ minLength: 1, maxLength: 262_144 })
const Env = Type.Optional(
  Type.Record(Type.String({ pattern: '^(?!TICKWHEEL_)[A-Za-z_][A-Za-z0-9_]{0,127}$' }), Type.String({ maxLength: 32_768 }), {
    maxProperties: 100,
    additionalProperties: false,
    description: 'environment variables of the child, which may refer to variables and secrets; none that begins with TICKWHEEL_',
  }),
)
export const Handler = Type.Union([
  strict({ kind: Type.Literal('shell'), script: Source, env: Env }),
  strict({ kind: Type.Literal('script'), language: oneOf(SCRIPT_LANGUAGES), source: Source, env: Env }),
  strict({
    kind: Type.Literal('http'),
    method: Type.Optional(oneOf(HTTP_METHODS)),
    url: Type.String({ minLength: 1, maxLength: 4096, pattern: '^(https?://|\\$\\{\\{ *(vars|secrets)\\.)' }),
    headers: Type.Optional(Type.Record(Type.String({ maxLength: 256 }), Type.String({ maxLength: 4096 }), { maxProperties: 64 })),
    body: Type.Optional(Type.String({ maxLength: 262_144 })),
    expectStatus: Type.Optional(
      Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), { maxItems: 50, description: 'empty or absent: 200–299' }),
    ),
  }),
  strict({ kind: Type.Literal('named'), name: Type.String({ minLength: 1, maxLength: 128 }) }),
])
export type Handler = Static<typeof Handler>

export const Overlap = strict({
  policy: oneOf(OVERLAP_POLICIES),
  max: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'waiting runs under `queue`; default 1,000' })),
})
export const Misfire = strict({
  policy: oneOf(MISFIRE_POLICIES),
  graceMs: Type.Optional(DurationMs),
  max: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'for `fireAll`; default 100' })),
})
export const Retry = strict({
  max: Type.Integer({ minimum: 0, maximum: 100 }),
  delayMs: Type.Optional(DurationMs),
  backoff: Type.Optional(oneOf(BACKOFFS)),
  maxDelayMs: Type.Optional(DurationMs),
  jitter: Type.Optional(
    Type.Number({ minimum: 0, maximum: 1, description: 'the share of each delay by which chance may shorten it; default 0' }),
  ),
})

const RangeEnd = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
const ChunkSize = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
/** How a run is split into shards, which run beside each other; at most 10,000. */
export const Sharding = Type.Union([
  strict({ kind: Type.Literal('none') }),
  strict({ kind: Type.Literal('broadcast') }),
  strict({ kind: Type.Literal('fixed'), total: Type.Integer({ minimum: 1, maximum: MAX_SHARDS }) }),
  strict({ kind: Type.Literal('range'), from: RangeEnd, to: RangeEnd, size: ChunkSize }),
  strict({ kind: Type.Literal('list'), itemsFrom: Type.Literal('params'), size: ChunkSize }),
])
export type Sharding = Static<typeof Sharding>

const Params = Type.String({ maxLength: 65_536 })

export const Labels = Type.Record(Type.String(), Type.String({ maxLength: 256 }), {
  maxProperties: 32,
  description: 'only executors that carry all of them get its runs',
})
const RoutingKey = Type.String({
  maxLength: 530,
  description:
    'for `consistentHash`: `params.<path>`, so that each value in the JSON params is a key of its own; empty: the task is the key',
})

const editable = {
  groupId: Id,
  name: Name,
  description: Type.Optional(Type.String({ maxLength: 2000 })),
  notes: Type.Optional(Type.String({ maxLength: 20_000 })),
  owner: Type.Optional(Type.String({ maxLength: 128 })),
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 20, uniqueItems: true })),
  schedule: ScheduleInput,
  handler: Handler,
  params: Type.Optional(Params),
  routing: Type.Optional(oneOf(ROUTING_STRATEGIES)),
  labels: Type.Optional(Labels),
  routingKey: Type.Optional(RoutingKey),
  sharding: Type.Optional(Sharding),
  overlap: Type.Optional(Overlap),
  misfire: Type.Optional(Misfire),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: '0: none' })),
  killGraceMs: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 300_000, description: 'between the request to stop and the kill; default 5,000' }),
  ),
  retry: Type.Optional(Retry),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 10, description: 'higher first; default 5' })),
  concurrency: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100_000, description: 'runs at executors at once, under overlap `parallel`; 0: no limit' }),
  ),
  queueTimeoutMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2_147_483_647,
      description: 'a run that no executor was given so long after it was made fails with QUEUE_TIMEOUT; 0: it waits',
    }),
  ),
  onLost: Type.Optional(oneOf(ON_LOST)),
  pauseAfterFailures: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100, description: 'so many failed runs in a row stop the schedule; 0: never' }),
  ),
  enabled: Type.Optional(Type.Boolean({ description: 'default false' })),
}

export const TaskCreate = strict(editable)
export type TaskCreate = Static<typeof TaskCreate>
export const TaskUpdate = strict({ ...editable, version: Type.Integer({ minimum: 1 }) })
export type TaskUpdate = Static<typeof TaskUpdate>

/** A task's definition with every default filled in: what a task version stores and a run uses. Times as in the API. */
export const TaskDefinition = strict({
  name: Type.String(),
  description: Type.String(),
  notes: Type.String(),
  owner: Type.String(),
  tags: Type.Array(Type.String()),
  schedule: ScheduleInput,
  handler: Handler,
  params: Type.String(),
  routing: oneOf(ROUTING_STRATEGIES),
  labels: Labels,
  routingKey: RoutingKey,
  sharding: Type.Optional(Sharding),
  overlap: strict({ policy: oneOf(OVERLAP_POLICIES), max: Type.Integer() }),
  misfire: strict({ policy: oneOf(MISFIRE_POLICIES), graceMs: Type.Integer(), max: Type.Integer() }),
  timeoutMs: Type.Integer(),
  killGraceMs: Type.Integer(),
  retry: strict({
    max: Type.Integer(),
    delayMs: Type.Integer(),
    backoff: oneOf(BACKOFFS),
    maxDelayMs: Type.Integer(),
    jitter: Type.Number(),
  }),
  priority: Type.Integer(),
  concurrency: Type.Integer(),
  queueTimeoutMs: Type.Integer(),
  onLost: oneOf(ON_LOST),
  pauseAfterFailures: Type.Integer(),
})
export type TaskDefinition = Static<typeof TaskDefinition>

/** Why a task stopped by itself: so many runs in a row had failed, `instanceId` the last of them. */
export const PausedByFailures = strict({ at: Instant, failures: Type.Integer(), instanceId: Id })

const RunDot = strict({ id: Id, state: Type.String(), scheduledAt: nullable(Instant), durationMs: nullable(Type.Integer()) })

export const Words = strict({ en: Type.String(), zh: Type.String() })

export const Task = strict({
  id: Id,
  groupId: Id,
  groupName: Type.String(),
  ...TaskDefinition.properties,
  params: nullable(Type.String()),
  enabled: Type.Boolean(),
  version: Type.Integer(),
  nextFireAt: nullable(Instant),
  lastFiredAt: nullable(Instant),
  held: nullable(strict({ reason: Type.String(), at: Instant })),
  paused: nullable(PausedByFailures),
  createdAt: Instant,
  updatedAt: Instant,
  hidden: Type.Optional(Type.Array(Type.String())),
})
export type Task = Static<typeof Task>

/** A row of the list: without script, params and notes; with the last 20 runs, newest first. */
export const TaskListItem = strict({
  id: Id,
  groupId: Id,
  groupName: Type.String(),
  name: Type.String(),
  description: Type.String(),
  owner: Type.String(),
  tags: Type.Array(Type.String()),
  schedule: ScheduleInput,
  handlerKind: oneOf(HANDLER_KINDS),
  enabled: Type.Boolean(),
  version: Type.Integer(),
  nextFireAt: nullable(Instant),
  held: nullable(strict({ reason: Type.String(), at: Instant })),
  openRuns: Type.Integer(),
  recent: Type.Array(RunDot),
})
export type TaskListItem = Static<typeof TaskListItem>

export const TaskListQuery = strict({
  ...PageQuery,
  groupId: Type.Optional(Id),
  keyword: Type.Optional(Type.String({ maxLength: 128 })),
  enabled: Type.Optional(Type.Boolean()),
  scheduleKind: Type.Optional(oneOf(SCHEDULE_KINDS)),
  handlerKind: Type.Optional(oneOf(HANDLER_KINDS)),
  tag: Type.Optional(Type.String({ maxLength: 64 })),
})

export const TriggerBody = strict({
  params: Type.Optional(Params),
  executorId: Type.Optional(Id),
  scheduledAt: Type.Optional(Instant),
})
export type TriggerBody = Static<typeof TriggerBody>
export const TriggerAnswer = strict({ instanceId: Id })

export const PreviewFiring = strict({
  at: Instant,
  local: Type.String(),
  offset: Type.String(),
  mark: Type.Optional(oneOf(['gap', 'overlap'])),
  movedFrom: Type.Optional(Instant),
})
export type PreviewFiring = Static<typeof PreviewFiring>
/** An instant that the schedule names and its calendar leaves out. `name`: of the day or the blackout; null: it has none. */
export const PreviewLeftOut = strict({
  at: Instant,
  local: Type.String(),
  offset: Type.String(),
  why: oneOf(EXCLUSIONS),
  name: nullable(Type.String()),
})
export type PreviewLeftOut = Static<typeof PreviewLeftOut>
/** `leftOut`: up to the last of `firings`, at most 100. */
export const PreviewAnswer = strict({ firings: Type.Array(PreviewFiring), leftOut: Type.Array(PreviewLeftOut), words: Words })
export type PreviewAnswer = Static<typeof PreviewAnswer>

export const TaskVersion = strict({
  version: Type.Integer(),
  savedAt: Instant,
  savedBy: nullable(strict({ id: Id, name: Type.String() })),
  definition: TaskDefinition,
})
export type TaskVersion = Static<typeof TaskVersion>

/** One entry of the firing ledger. `movedFrom`: the instant on a day off that it stands for. `count` of a range: null until the reckoner has counted it. */
export const LedgerEntry = Type.Union([
  strict({
    kind: Type.Literal('fired'),
    dueAt: Instant,
    instanceId: Id,
    taskVersion: Type.Integer(),
    movedFrom: Type.Optional(Instant),
  }),
  strict({
    kind: Type.Literal('skipped'),
    fromAt: Instant,
    toAt: Instant,
    count: nullable(Type.Integer()),
    reason: Type.String(),
    facts: Type.Record(Type.String(), Type.Unknown()),
    instanceId: nullable(Id),
    decidedAt: Instant,
  }),
  strict({ kind: Type.Literal('folded'), fromAt: Instant, toAt: Instant, count: Type.Integer() }),
])
export type LedgerEntry = Static<typeof LedgerEntry>

/**
 * What a calendar did to an instant. `calendarExcluded`: it left it out, or moved it to `movedTo`; `calendarMoved`: the firing stands for the one at
 * `movedFrom`. `why` and `day`: of the day, or the blackout, that the schedule named.
 */
export const WhyCalendar = strict({
  reason: oneOf(['calendarExcluded', 'calendarMoved']),
  calendarId: Id,
  name: Type.String(),
  version: Type.Integer(),
  why: oneOf(EXCLUSIONS),
  day: nullable(Type.String()),
  movedFrom: nullable(Instant),
  movedTo: nullable(Instant),
})
export type WhyCalendar = Static<typeof WhyCalendar>

/** Why the task did, or did not, run at an instant. `verdict` is worded by the console from its locales with `facts`. */
export const WhyAnswer = strict({
  at: Instant,
  verdict: oneOf(['fired', 'skipped', 'folded', 'notDue', 'paused', 'beforeTask', 'overdue', 'held', 'notYet', 'deleted', 'unknown']),
  entry: nullable(LedgerEntry),
  run: nullable(
    strict({
      firedAt: Instant,
      lateMs: Type.Integer({ minimum: 0, description: 'between the instant and when it fired' }),
      attempts: Type.Integer({ minimum: 0, description: 'how often it went to an executor so far' }),
    }),
  ),
  taskVersion: nullable(Type.Integer()),
  schedule: nullable(ScheduleInput),
  previousDueAt: nullable(Instant),
  nextDueAt: nullable(Instant),
  calendar: Type.Optional(WhyCalendar),
  facts: Type.Record(Type.String(), Type.Unknown()),
})
export type WhyAnswer = Static<typeof WhyAnswer>

/**
 * Who would get the next run of a task if it came now. `place`: its turn, from 1; null: it is not asked, or chance decides. `obstacle`: why it would not
 * get the run; null: it could. `facts`: what the strategy looked at, or what is missing.
 */
export const RoutePlace = strict({
  executorId: Id,
  name: Type.String(),
  place: nullable(Type.Integer()),
  obstacle: nullable(oneOf(OBSTACLES)),
  inFlight: Type.Integer(),
  capacity: Type.Integer(),
  labels: Type.Record(Type.String(), Type.String()),
  facts: Type.Record(Type.String(), Type.Unknown()),
})
export type RoutePlace = Static<typeof RoutePlace>
export const RouteAnswer = strict({
  strategy: oneOf(ROUTING_STRATEGIES),
  executorId: nullable(Id),
  waitingFor: nullable(strict({ reason: Type.String(), facts: Type.Record(Type.String(), Type.Unknown()) })),
  isDecidedHere: Type.Boolean({
    description: 'false: another node decides for this task, and what it remembers of turns and uses is not known here',
  }),
  executors: Type.Array(RoutePlace),
})
export type RouteAnswer = Static<typeof RouteAnswer>

const tag = 'task'
const CancelRunning = Type.Optional(Type.Boolean({ description: 'cancel runs that have not ended' }))
export const taskRoutes = [
  defineRoute({
    id: 'listTasks',
    method: 'GET',
    path: '/task',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'List tasks',
    query: TaskListQuery,
    status: 200,
    answer: listOf(TaskListItem),
  }),
  defineRoute({
    id: 'createTask',
    method: 'POST',
    path: '/task',
    access: 'task:edit',
    budget: 'write',
    tag,
    summary: 'Create a task',
    body: TaskCreate,
    status: 201,
    answer: Task,
  }),
  defineRoute({
    id: 'getTask',
    method: 'GET',
    path: '/task/:id',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'One task',
    params: IdParams,
    status: 200,
    answer: Task,
  }),
  defineRoute({
    id: 'updateTask',
    method: 'PUT',
    path: '/task/:id',
    access: 'task:edit',
    budget: 'write',
    tag,
    summary: 'Change a task',
    params: IdParams,
    body: TaskUpdate,
    status: 200,
    answer: Task,
  }),
  defineRoute({
    id: 'deleteTask',
    method: 'DELETE',
    path: '/task/:id',
    access: 'task:delete',
    budget: 'write',
    tag,
    summary: 'Delete a task; its history stays',
    params: IdParams,
    query: strict({ cancelRunning: CancelRunning }),
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'startTask',
    method: 'POST',
    path: '/task/:id/start',
    access: 'task:toggle',
    budget: 'write',
    tag,
    summary: 'Enable the schedule',
    params: IdParams,
    status: 200,
    answer: Task,
  }),
  defineRoute({
    id: 'stopTask',
    method: 'POST',
    path: '/task/:id/stop',
    access: 'task:toggle',
    budget: 'write',
    tag,
    summary: 'Disable the schedule',
    params: IdParams,
    query: strict({ cancelRunning: CancelRunning }),
    status: 200,
    answer: Task,
  }),
  defineRoute({
    id: 'triggerTask',
    method: 'POST',
    path: '/task/:id/trigger',
    access: 'task:run',
    budget: 'trigger',
    tag,
    summary: 'Run now',
    params: IdParams,
    body: TriggerBody,
    status: 202,
    answer: TriggerAnswer,
    idempotent: true,
  }),
  defineRoute({
    id: 'nextFirings',
    method: 'GET',
    path: '/task/:id/next',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'The next firings',
    params: IdParams,
    query: strict({ count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 10 })) }),
    status: 200,
    answer: PreviewAnswer,
  }),
  defineRoute({
    id: 'previewRoute',
    method: 'GET',
    path: '/task/:id/route',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'Who would get it now, and why',
    params: IdParams,
    status: 200,
    answer: RouteAnswer,
  }),
  defineRoute({
    id: 'listTaskVersions',
    method: 'GET',
    path: '/task/:id/version',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'Saved versions, newest first',
    params: IdParams,
    query: strict(PageQuery),
    status: 200,
    answer: listOf(TaskVersion),
  }),
  defineRoute({
    id: 'restoreTaskVersion',
    method: 'POST',
    path: '/task/:id/version/:version/restore',
    access: 'task:edit',
    budget: 'write',
    tag,
    summary: 'A new version equal to an old one',
    params: strict({ id: Id, version: Id }),
    status: 200,
    answer: Task,
  }),
  defineRoute({
    id: 'listFirings',
    method: 'GET',
    path: '/task/:id/firing',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'The firing ledger between two instants, newest first',
    params: IdParams,
    query: strict({ from: Type.Optional(Instant), to: Type.Optional(Instant), ...CursorQuery }),
    status: 200,
    answer: listOf(LedgerEntry),
  }),
  defineRoute({
    id: 'why',
    method: 'GET',
    path: '/task/:id/decisions',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'Why did it (not) run at an instant?',
    params: IdParams,
    query: strict({ at: Instant }),
    status: 200,
    answer: WhyAnswer,
  }),
  defineRoute({
    id: 'previewSchedule',
    method: 'POST',
    path: '/schedule/preview',
    access: 'self',
    budget: 'read',
    tag,
    summary: 'The next firings of an unsaved schedule',
    body: strict({
      schedule: ScheduleInput,
      from: Type.Optional(Instant),
      count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 10 })),
    }),
    status: 200,
    answer: PreviewAnswer,
  }),
] as const
