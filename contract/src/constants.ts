/**
 * The words and numbers of the wire that need no schema. They stand apart, and the package says that it has no side effects, so that a page of the
 * console that needs only these does not carry every schema along.
 */

/**
 * Every `code` a caller can meet, with the HTTP status that carries it. Stable: a code is never renamed or given a new
 * meaning. The console words each from its locales; a test fails when one has no text in a language.
 */
export const ERROR_STATUS = {
  MALFORMED: 400,
  VALIDATION_FAILED: 400,
  UNAUTHENTICATED: 401,
  INVALID_CREDENTIALS: 401,
  REFRESH_TOKEN_INVALID: 401,
  FORBIDDEN: 403,
  PASSWORD_CHANGE_REQUIRED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  GROUP_NOT_FOUND: 404,
  TASK_NOT_FOUND: 404,
  TASK_VERSION_NOT_FOUND: 404,
  INSTANCE_NOT_FOUND: 404,
  WORKFLOW_NOT_FOUND: 404,
  WORKFLOW_VERSION_NOT_FOUND: 404,
  WORKFLOW_RUN_NOT_FOUND: 404,
  STEP_NOT_FOUND: 404,
  BACKFILL_NOT_FOUND: 404,
  BULK_NOT_FOUND: 404,
  EXECUTOR_NOT_FOUND: 404,
  TOKEN_NOT_FOUND: 404,
  AUDIT_ENTRY_NOT_FOUND: 404,
  USER_NOT_FOUND: 404,
  ROLE_NOT_FOUND: 404,
  ALARM_RULE_NOT_FOUND: 404,
  ALARM_CHANNEL_NOT_FOUND: 404,
  ALARM_DELIVERY_NOT_FOUND: 404,
  INCIDENT_NOT_FOUND: 404,
  REQUEST_TIMEOUT: 408,
  VARIABLE_NOT_FOUND: 404,
  SECRET_NOT_FOUND: 404,
  CALENDAR_NOT_FOUND: 404,
  STALE_VERSION: 409,
  GROUP_NOT_EMPTY: 409,
  TASK_HAS_OPEN_RUNS: 409,
  WORKFLOW_HAS_OPEN_RUNS: 409,
  RUN_NOT_PAUSED: 409,
  STEP_ALREADY_DECIDED: 409,
  STEP_NOT_WAITING: 409,
  STEPS_DO_NOT_FIT: 409,
  BACKFILL_ENDED: 409,
  BULK_ENDED: 409,
  INSTANCE_ENDED: 409,
  INSTANCE_NOT_ENDED: 409,
  INSTANCE_ALREADY_RETRIED: 409,
  EXECUTOR_ONLINE: 409,
  EXECUTOR_SUPERSEDED: 409,
  IDEMPOTENCY_KEY_REUSED: 409,
  FIRING_NOT_HELD: 409,
  LAST_ADMIN: 409,
  ROLE_IN_USE: 409,
  LIMIT_REACHED: 409,
  INCIDENT_OVER: 409,
  ALARM_CHANNEL_USED: 409,
  CALENDAR_IN_USE: 409,
  ALARM_DELIVERY_SENT: 409,
  NODE_TOO_OLD: 409,
  PLAN_STALE: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UNPROCESSABLE: 422,
  PAGE_TOO_DEEP: 422,
  TOO_MANY_ALARM_RULES: 422,
  TOO_MANY_ALARM_CHANNELS: 422,
  EXPORT_TOO_LARGE: 422,
  DOCUMENT_TOO_LARGE: 422,
  PASSWORD_TOO_WEAK: 422,
  ASK_API_NODE: 421,
  HEADERS_TOO_LARGE: 431,
  QUEUE_FULL: 429,
  RATE_LIMITED: 429,
  LOCKED_OUT: 429,
  INTERNAL: 500,
  STORE_AWAY: 503,
  STOPPING: 503,
  NOT_READY: 503,
} as const
export type ErrorCode = keyof typeof ERROR_STATUS

/** Stands for a secret in every answer; sent back in its place, the secret stays. */
export const SECRET_MASK = '***'

/**
 * What is wrong with one field. `path` is dotted (`schedule.expression`, `tags.0`, `header.authorization`); codes of schedule problems are
 * core's `ScheduleProblemCode`.
 */
export const FIELD_CODES = [
  'REQUIRED',
  'UNKNOWN_FIELD',
  'WRONG_TYPE',
  'NOT_ALLOWED_VALUE',
  'TOO_SHORT',
  'TOO_LONG',
  'TOO_SMALL',
  'TOO_LARGE',
  'BAD_FORMAT',
  'NAME_TAKEN',
  'UNKNOWN_REFERENCE',
  'BAD_REFERENCE',
  'TOO_MANY',
  'ONCE_IN_PAST',
  'PARAMS_TOO_LARGE',
  'ENABLED_WITHOUT_SCHEDULE',
  'RANGE_EMPTY',
  'TOO_MANY_SHARDS',
  'PARAMS_NOT_A_LIST',
  'ROUTING_KEY_FORMAT',
  'ROUTING_KEY_WITHOUT_HASH',
  'WORKFLOW_HAS_CYCLE',
  'WORKFLOW_STEP_UNREACHABLE',
  'WORKFLOW_JOIN_IMPOSSIBLE',
  'WORKFLOW_BAD_REFERENCE',
  'WORKFLOW_UNKNOWN_TASK',
  'WORKFLOW_UNKNOWN_BRANCH',
  'WORKFLOW_RECURSION',
  'WORKFLOW_TOO_LARGE',
  'EXPRESSION_INVALID',
  'BACKFILL_NOTHING_DUE',
  'BACKFILL_TOO_MANY',
  'NOT_PERMITTED',
  'NAMED_TWICE',
  'BULK_NOTHING',
  'BULK_TOO_MANY',
  'BULK_TOO_WIDE',
  'BULK_IDS_OR_FILTER',
  'IN_FUTURE',
  'CALENDAR_LEAVES_NOTHING',
  'CALENDAR_DAY_INVALID',
  'CALENDAR_RANGE_REVERSED',
] as const
export type FieldCode = (typeof FIELD_CODES)[number]

/** Bounds of access, each refused with 409 `LIMIT_REACHED` above it. `bindings`: of one user or token. */
export const ACCESS_LIMITS = { users: 10_000, roles: 200, bindings: 50, groupsOfBinding: 200, tokensOfUser: 50 } as const

/**
 * `executor`: lets executors of some groups register, and nothing else. `api`: may do, wherever a user may, what its bindings say and its owner may do now.
 */
export const TOKEN_KINDS = ['executor', 'api'] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]
/** How long an API token lives when nothing is said, and at most. */
export const API_TOKEN_DAYS = { default: 90, max: 365 } as const

export const SCHEDULE_KINDS = ['cron', 'fixedRate', 'fixedDelay', 'once', 'manual'] as const
export const SCRIPT_LANGUAGES = ['node', 'python', 'bash'] as const
export const HTTP_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const
export const HANDLER_KINDS = ['shell', 'script', 'http', 'named'] as const
export const ROUTING_STRATEGIES = [
  'roundRobin',
  'random',
  'consistentHash',
  'leastUsed',
  'leastRecentlyUsed',
  'failover',
  'first',
  'last',
  'leastLoaded',
] as const
export const OVERLAP_POLICIES = ['queue', 'skip', 'replace', 'parallel'] as const
export const MISFIRE_POLICIES = ['skip', 'fireOnce', 'fireAll'] as const
export const SHARDING_KINDS = ['none', 'broadcast', 'fixed', 'range', 'list'] as const
/** shards of one run */
export const MAX_SHARDS = 10_000
/**
 * What a handler splits off while it runs. `shardBytes`: the items of one shard together, as JSON; `frameBytes`: what is sent of them at once, about;
 * `shardsPerFrame` likewise.
 */
export const MAP_LIMITS = { shardBytes: 65_536, frameBytes: 262_144, shardsPerFrame: 1_000, keyLength: 200 } as const
export const BACKOFFS = ['fixed', 'linear', 'exponential'] as const
/** What becomes of a run whose executor is lost. */
export const ON_LOST = ['retry', 'fail'] as const
export const TASK_DEFAULTS = {
  description: '',
  notes: '',
  owner: '',
  params: '',
  routing: 'roundRobin',
  labels: {},
  routingKey: '',
  overlap: { policy: 'queue', max: 1000 },
  misfire: { policy: 'fireOnce', graceMs: 60_000, max: 100 },
  timeoutMs: 0,
  killGraceMs: 5_000,
  retry: { max: 0, delayMs: 1_000, backoff: 'exponential', maxDelayMs: 60_000, jitter: 0 },
  priority: 5,
  concurrency: 0,
  queueTimeoutMs: 0,
  onLost: 'retry',
  pauseAfterFailures: 0,
} as const

export const INSTANCE_STATES = [
  'waiting',
  'queued',
  'dispatched',
  'running',
  'succeeded',
  'failed',
  'timedOut',
  'canceled',
  'lost',
  'skipped',
] as const
export const REDUCE_STAGES = ['none', 'later', 'begun'] as const
export type ReduceStage = (typeof REDUCE_STAGES)[number]
export const CAUSES = ['schedule', 'manual', 'api', 'retry', 'workflow', 'backfill', 'shard'] as const

/** Codes with which a step, or a run of a workflow, fails for a reason of its own. */
export const STEP_ERRORS = [
  'EXPRESSION_FAILED',
  'FANOUT_TOO_LARGE',
  'RESULT_TOO_LARGE',
  'WORKFLOW_UNKNOWN_TASK',
  'WORKFLOW_TOO_DEEP',
  'APPROVAL_EXPIRED',
  'WAIT_EXPIRED',
  'STEP_FAILED',
  'ITEMS_FAILED',
  'PARAMS_INVALID',
  'NOT_ALLOWED',
] as const

export const BACKFILL_ONLY = ['missing', 'failed', 'all'] as const
export const BACKFILL_ORDERS = ['oldestFirst', 'newestFirst'] as const
export const BACKFILL_STATES = ['running', 'done', 'canceled'] as const
/** Why an attempt was not sent to its executor: a variable or secret that it refers to is not there, cannot be opened, or is too much text. */
export const REFERENCE_ERRORS = ['REFERENCE_UNKNOWN', 'SECRET_SEALED', 'REFERENCES_TOO_LARGE'] as const
export type ReferenceError = (typeof REFERENCE_ERRORS)[number]

/** `perGroup`: each of variables and secrets, in a group and in none. `perTask`: different names that a task or a workflow refers to. `filledBytes`: what values add to one dispatch. */
export const VARIABLE_LIMITS = {
  valueBytes: 8_192,
  secretBytes: 65_536,
  perGroup: 500,
  perTask: 100,
  filledBytes: 262_144,
} as const

/** The form of documents that `GET /export` gives and `POST /apply` takes. */
export const DOCUMENT_FORM = 1
/** What a document may name, and how much of it is told. `items`: groups, calendars, tasks and workflows together; `bytes`: of its text. */
export const DOCUMENT_LIMITS = {
  items: 2_000,
  bytes: 1_048_576,
  problems: 100,
  fieldsOfItem: 100,
  valueCharacters: 16_384,
  untouched: 200,
} as const
export const DOCUMENT_KINDS = ['group', 'calendar', 'task', 'workflow'] as const
export type DocumentKind = (typeof DOCUMENT_KINDS)[number]

/** What tables of the store hold, as people think of it. */
export const STORAGE_KINDS = ['runs', 'logs', 'ledger', 'definitions', 'audit', 'alarms', 'other'] as const
export type StorageKind = (typeof STORAGE_KINDS)[number]
/** calendars of a group, and of all groups */
export const MAX_CALENDARS = 200

/** instants of one backfill */
export const MAX_BACKFILL = 10_000

export const BULK_KINDS = ['task', 'workflow', 'instance'] as const
export const BULK_SCHEDULE_ACTIONS = ['start', 'stop', 'trigger', 'delete'] as const
export const BULK_RUN_ACTIONS = ['cancel', 'retry'] as const
export const BULK_STATES = ['running', 'done', 'canceled'] as const
export const BULK_ITEM_STATES = ['failed', 'waiting', 'done', 'canceled'] as const
/** What each needs, of each of its items. */
export const BULK_PERMISSIONS = {
  task: { start: 'task:toggle', stop: 'task:toggle', trigger: 'task:run', delete: 'task:delete' },
  workflow: { start: 'workflow:toggle', stop: 'workflow:toggle', trigger: 'workflow:run', delete: 'workflow:delete' },
  instance: { cancel: 'instance:cancel', retry: 'instance:retry' },
} as const
/** How many items a bulk operation has, at most. */
export const MAX_BULK = 10_000
/** How many bulk operations of one account run at once, at most. */
export const MAX_BULKS_RUNNING = 20

export const EXECUTOR_STATES = ['online', 'draining', 'offline'] as const
/** stream: it opens a connection to the server; http: the server posts to its address; xxl: the server speaks XXL-JOB's protocol to its address */
export const EXECUTOR_TRANSPORTS = ['stream', 'http', 'xxl'] as const
export type ExecutorTransport = (typeof EXECUTOR_TRANSPORTS)[number]

/** from this version on executors and servers know runs that are split by their handler */
export const MAP_PROTOCOL = 2
export const STREAM_PROTOCOL = 'tickwheel.1'
export const STREAM_PATH = '/api/v1/executor/stream'
export const REPORT_PATH = '/api/v1/executor/report'
/** where an attempt that combines the results of shards reads them, below the API's prefix */
export const SHARD_RESULT_ROUTE = '/executor/shard'
export const SHARD_RESULT_PATH = '/api/v1/executor/shard'
export const FRAME_LIMITS = {
  messageBytes: 1_048_576,
  framesPerMessage: 1_000,
  unacknowledgedFrames: 1_000,
  unacknowledgedBytes: 8_388_608,
  dispatchMaxAgeMs: 10_000,
  resultBytes: 65_536,
  logLineBytes: 65_536,
  logChunkBytes: 262_144,
} as const
/** the longest schema of a handler's parameters, as JSON */
export const PARAMS_SCHEMA_BYTES = 16_384
/** how a run fails whose parameters do not fit its handler; the same parameters would fail again, so it is not retried */
export const PARAMS_INVALID = 'PARAMS_INVALID'
export const REJECT_CODES = [
  'capacity',
  'unknownHandler',
  'handlerNotAllowed',
  'draining',
  'otherBoot',
  'tooOld',
  'canceledFirst',
  'badDispatch',
  'unreachable',
] as const
export type RejectCode = (typeof REJECT_CODES)[number]
export const LOG_STREAMS = ['stdout', 'stderr', 'log', 'system'] as const
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogStream = (typeof LOG_STREAMS)[number]
export type LogLevel = (typeof LOG_LEVELS)[number]
export const FINISH_OUTCOMES = ['succeeded', 'failed', 'timedOut', 'canceled'] as const
/** done: written; already: known before; stale: not the current attempt; unknown: no such run; bad: the frame is not valid and never will be */
export const VERDICTS = ['done', 'already', 'stale', 'unknown', 'bad'] as const
export type Verdict = (typeof VERDICTS)[number]

export const LIVE_PATH = '/api/v1/ws'
export const LIVE_PROTOCOL = 'tickwheel.live.1'
export const LIVE_CLOSE = { protocolError: 4400, sessionEnded: 4401, leaving: 1012 } as const

/** What the search of the console finds, in the order in which it is shown. */
export const SEARCH_KINDS = ['task', 'workflow', 'run', 'workflowRun', 'executor', 'calendar', 'group', 'user'] as const
export type SearchKind = (typeof SEARCH_KINDS)[number]

/** Hits of one kind, and characters of what is searched for. */
export const SEARCH_LIMITS = { perKind: 8, queryLength: 200 } as const
