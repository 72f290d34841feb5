import type { Permission, Budget } from '@tickwheel/core'
import type { TSchema } from 'typebox'

/**
 * Who may call: nobody needs to sign in; anyone signed in (`person`: with a password; `self`: or by an API token); an executor's token or session; or a
 * permission of core's table.
 */
export type Access = 'public' | 'person' | 'self' | 'executorToken' | 'executorSession' | Permission

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/**
 * One call of the API. Permission and rate-limit budget are required: a route without them does not compile.
 * `path` is relative to `/api/v1` unless it starts with a tilde (`~/healthz`: at the root). `status` is the status of success.
 */
export interface RouteDescriptor {
  readonly id: string
  readonly method: Method
  readonly path: string
  readonly access: Access
  readonly budget: Budget | 'none'
  readonly tag: string
  readonly summary: string
  readonly params?: TSchema
  readonly query?: TSchema
  readonly body?: TSchema
  readonly status: number
  readonly answer: TSchema
  /** takes the header `Idempotency-Key` (kept 24 h) */
  readonly idempotent?: true
  /** takes its body, or gives its answer, as YAML too (`application/yaml`): in this form */
  readonly yaml?: TSchema
}

/** Keeps the literal types of a descriptor, so that handlers are typed by it. */
export function defineRoute<const R extends RouteDescriptor>(route: R): R {
  return route
}
