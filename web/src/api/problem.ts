import type { FieldProblem, Problem } from '@tickwheel/contract'
import { isAxiosError } from 'axios'

/** The console's own codes for what never reached the server. */
export const CLIENT_CODES = ['NETWORK', 'TIMEOUT', 'UNKNOWN'] as const

/** A refused call, as the server's problem document says it. Worded for people by `locales/problem-words.ts`. */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly params: Readonly<Record<string, unknown>>
  readonly errors: readonly FieldProblem[]

  constructor(problem: Pick<Problem, 'status' | 'code' | 'detail'> & Pick<Partial<Problem>, 'params' | 'errors'>) {
    super(problem.detail)
    this.name = 'ApiProblem'
    this.status = problem.status
    this.code = problem.code
    this.params = problem.params ?? {}
    this.errors = problem.errors ?? []
  }
}

/** Any failure of a call as an `ApiProblem`; status 0 when there was no answer. */
export function toProblem(failure: unknown): ApiProblem {
  if (failure instanceof ApiProblem) return failure
  if (!isAxiosError(failure)) return new ApiProblem({ status: 0, code: 'UNKNOWN', detail: failure instanceof Error ? failure.message : String(failure) })
  const body: unknown = failure.response?.data
  if (isProblem(body)) return new ApiProblem(body)
  const status = failure.response?.status ?? 0
  if (status === 0) return new ApiProblem({ status, code: failure.code === 'ECONNABORTED' ? 'TIMEOUT' : 'NETWORK', detail: failure.message })
  // a proxy in front of the server answers without a problem document
  return new ApiProblem({ status, code: status === 502 || status === 503 || status === 504 ? 'NETWORK' : 'UNKNOWN', detail: failure.message })
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string' && 'status' in value && typeof value.status === 'number' && 'detail' in value
}
