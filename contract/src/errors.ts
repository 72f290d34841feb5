import { Type, type Static } from 'typebox'
import { ERROR_STATUS, type ErrorCode } from './constants.ts'
import { strict } from './shape.ts'

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
