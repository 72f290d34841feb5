import { Type, type Static } from 'typebox'
import { Binding, PermissionName } from './roles.ts'
import { defineRoute } from './route.ts'
import { Id, Instant, NoContent, nullable, strict } from './shape.ts'
import { RightsWhy, WhyQuery } from './users.ts'

export const User = strict({ id: Id, username: Type.String(), displayName: Type.String(), mustChangePassword: Type.Boolean() })
export type User = Static<typeof User>

/** Every answer that signs in. `token` is a JWT for the `Authorization: Bearer` header, good until `expiresAt`; `refreshToken` works once. */
export const Session = strict({ token: Type.String(), refreshToken: Type.String(), expiresAt: Instant, user: User })
export type Session = Static<typeof Session>

/**
 * What the caller may do: permissions on all groups, and on single groups by id. `token`: the API token that asks, for `user`; null: a person.
 * `bindings`: what gives these rights, with the permissions of each role.
 */
export const Me = strict({
  user: User,
  token: nullable(strict({ id: Id, name: Type.String() })),
  grants: strict({ all: Type.Array(Type.String()), groups: Type.Record(Type.String(), Type.Array(Type.String())) }),
  bindings: Type.Array(strict({ ...Binding.properties, permissions: Type.Array(PermissionName) })),
})
export type Me = Static<typeof Me>

const Password = Type.String({ minLength: 1, maxLength: 128 })
const tag = 'auth'
export const authRoutes = [
  defineRoute({
    id: 'login',
    method: 'POST',
    path: '/auth/login',
    access: 'public',
    budget: 'login',
    tag,
    summary: 'Sign in',
    body: strict({ username: Type.String({ minLength: 1, maxLength: 128 }), password: Password }),
    status: 200,
    answer: Session,
  }),
  defineRoute({
    id: 'logout',
    method: 'POST',
    path: '/auth/logout',
    access: 'person',
    budget: 'write',
    tag,
    summary: 'Sign out: the token and its refresh family stop working at once',
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'refresh',
    method: 'POST',
    path: '/auth/refresh',
    access: 'public',
    budget: 'login',
    tag,
    summary: 'A new token; a refresh token replayed ends its family',
    body: strict({ refreshToken: Type.String({ minLength: 1, maxLength: 256 }) }),
    status: 200,
    answer: Session,
  }),
  defineRoute({
    id: 'me',
    method: 'GET',
    path: '/auth/me',
    access: 'self',
    budget: 'read',
    tag,
    summary: 'Who am I, and what may I do',
    status: 200,
    answer: Me,
  }),
  defineRoute({
    id: 'whyMe',
    method: 'GET',
    path: '/auth/why',
    access: 'self',
    budget: 'read',
    tag,
    summary: 'Why I may do something, or may not: the bindings and roles',
    query: WhyQuery,
    status: 200,
    answer: RightsWhy,
  }),
  defineRoute({
    id: 'changePassword',
    method: 'PUT',
    path: '/auth/password',
    access: 'person',
    budget: 'write',
    tag,
    summary: 'Change the own password; every other session ends',
    body: strict({ current: Password, next: Password }),
    status: 200,
    answer: Session,
  }),
  defineRoute({
    id: 'loginHint',
    method: 'GET',
    path: '/auth/hint',
    access: 'public',
    budget: 'read',
    tag,
    summary: 'Whether the first account still has its first password and may be shown on the sign-in page',
    status: 200,
    answer: strict({ firstAccount: Type.Boolean() }),
  }),
] as const
