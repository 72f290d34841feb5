import { Type, type Static } from 'typebox'
import { strict } from './shape.ts'

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
  EXECUTOR_NOT_FOUND: 404,
  TOKEN_NOT_FOUND: 404,
  STALE_VERSION: 409,
  GROUP_NOT_EMPTY: 409,
  TASK_HAS_OPEN_RUNS: 409,
  INSTANCE_ENDED: 409,
  INSTANCE_NOT_ENDED: 409,
  INSTANCE_ALREADY_RETRIED: 409,
  EXECUTOR_ONLINE: 409,
  EXECUTOR_SUPERSEDED: 409,
  IDEMPOTENCY_KEY_REUSED: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UNPROCESSABLE: 422,
  PAGE_TOO_DEEP: 422,
  PASSWORD_TOO_WEAK: 422,
  QUEUE_FULL: 429,
  RATE_LIMITED: 429,
  LOCKED_OUT: 429,
  INTERNAL: 500,
  STORE_AWAY: 503,
  STOPPING: 503,
  NOT_READY: 503,
} as const

export type ErrorCode = keyof typeof ERROR_STATUS

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
  'ONCE_IN_PAST',
  'PARAMS_TOO_LARGE',
  'ENABLED_WITHOUT_SCHEDULE',
] as const
export type FieldCode = (typeof FIELD_CODES)[number]

export type ProblemParams = Readonly<Record<string, string | number | boolean | null>>

export const FieldProblem = strict({
  path: Type.String(),
  code: Type.String(),
  message: Type.String(),
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
export type FieldProblem = Static<typeof FieldProblem>

/** RFC 9457 problem details; the body of every answer from 400 up, as `application/problem+json`. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  errors: Type.Optional(Type.Array(FieldProblem)),
})
export type Problem = Static<typeof Problem>

/** A caller's mistake, thrown anywhere and turned into an HTTP answer in one place. `detail` says what was expected, what came, what to do. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly params: ProblemParams
  readonly errors: readonly FieldProblem[]

  constructor(code: ErrorCode, detail: string, more: { params?: ProblemParams; errors?: readonly FieldProblem[] } = {}) {
    super(detail)
    this.name = 'AppError'
    this.code = code
    this.params = more.params ?? {}
    this.errors = more.errors ?? []
  }

  get status(): number {
    return ERROR_STATUS[this.code]
  }
}
