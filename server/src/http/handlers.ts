import type { Readable } from 'node:stream'
import type { Access, Route, RouteId, Static } from '@tickwheel/contract'
import type { Permission, Scope } from '@tickwheel/core'
import type { TSchema } from 'typebox'
import type { ExecutorSession } from '../auth/executor-tokens.ts'
import type { Origin, SignedIn } from '../auth/sessions.ts'
import type { SignedUser } from '../auth/signed-user.ts'
import type { Caller } from '../store/caller.ts'
import type { YamlBody } from './yaml-body.ts'

/** A token that lets executors of some groups join. */
export interface ExecutorToken {
  readonly tokenId: number
  readonly name: string
  readonly groupIds: readonly number[]
}

type StaticOf<R, Key extends string> = R extends Readonly<Record<Key, infer S>> ? (S extends TSchema ? Static<S> : undefined) : undefined

type WhoOf<A extends Access> = A extends 'public'
  ? null
  : A extends 'executorToken'
    ? ExecutorToken
    : A extends 'executorSession'
      ? ExecutorSession
      : A extends 'person'
        ? SignedIn
        : A extends 'self' | Permission
          ? SignedUser
          : never

/** A call that was authenticated, limited, authorized and validated. */
export interface Asked<R extends Route> {
  readonly params: StaticOf<R, 'params'>
  readonly query: StaticOf<R, 'query'>
  readonly body: StaticOf<R, 'body'>
  readonly who: WhoOf<R['access']>
  /** the groups in which the caller has the permission of the route; empty where the route has none */
  readonly scope: Scope
  readonly caller: Caller
  readonly origin: Origin
  /** bound to the caller and the path; null without the header */
  readonly idempotencyKey: string | null
  /** where the fields of a body stand that came as YAML; null: it came as JSON */
  readonly yaml: YamlBody | null
  /** the caller would rather have YAML, of a call that gives it */
  readonly wantsYaml: boolean
}

/** An answer that is not JSON. */
export class Streamed {
  readonly contentType: string
  readonly body: Readable | string
  readonly fileName: string | null

  constructor(contentType: string, body: Readable | string, fileName: string | null = null) {
    this.contentType = contentType
    this.body = body
    this.fileName = fileName
  }
}

export type Handler<R extends Route> = (asked: Asked<R>) => Promise<Static<R['answer']> | Streamed>

/** One handler for each call of the contract: a call without one does not compile. */
export type Handlers = { readonly [Id in RouteId]: Handler<Extract<Route, { id: Id }>> }

/** The handlers of the calls with one tag: what a file of `routes/` gives. */
export type HandlersOf<Ids extends RouteId> = Pick<Handlers, Ids>
