import { Type, type Static } from 'typebox'
import { Binding, Bindings, PermissionName } from './roles.ts'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, NoContent, nullable, PageQuery, strict } from './shape.ts'

/** What a person types to sign in: letters, digits and `. _ @ + -`; unique, upper and lower case alike. */
export const Username = Type.String({ minLength: 1, maxLength: 64, pattern: '^[\\p{L}\\p{N}][\\p{L}\\p{N}._@+-]*$' })
const DisplayName = Type.String({ maxLength: 128, pattern: '^[^\\u0000-\\u001f]*$' })
/** The rules of passwords are judged by the server: 422 `PASSWORD_TOO_WEAK` with `params: { rule }`. */
const GivenPassword = Type.String({ minLength: 1, maxLength: 128 })

export const UserCreate = strict({
  username: Username,
  displayName: Type.Optional(DisplayName),
  /** has to be changed at the first sign-in */
  password: GivenPassword,
  bindings: Type.Optional(Bindings),
})
export type UserCreate = Static<typeof UserCreate>

export const UserUpdate = strict({
  displayName: DisplayName,
  disabled: Type.Boolean(),
  bindings: Bindings,
  version: Type.Integer({ minimum: 1 }),
})
export type UserUpdate = Static<typeof UserUpdate>

/** An account as it is managed. `User` is what a signed-in person is told of herself. */
export const Account = strict({
  id: Id,
  username: Type.String(),
  displayName: Type.String(),
  disabled: Type.Boolean(),
  mustChangePassword: Type.Boolean({ description: 'the password is one that somebody else has set' }),
  bindings: Type.Array(Binding),
  version: Type.Integer(),
  createdAt: Instant,
  passwordAt: Instant,
  lastLoginAt: nullable(Instant),
})
export type Account = Static<typeof Account>

/** `groupId` absent: for what belongs to no group, and for permissions that need all groups. */
export const WhyQuery = strict({ permission: PermissionName, groupId: Type.Optional(Id) })

/**
 * Why somebody may do something, or may not. `by`: every binding that allows it, none when nothing does. `roles`: the roles that would give it.
 * `disabled`: the account is disabled, so that nothing counts.
 */
export const RightsWhy = strict({
  permission: PermissionName,
  groupId: nullable(Id),
  allowed: Type.Boolean(),
  by: Type.Array(Binding),
  disabled: Type.Boolean(),
  roles: Type.Array(Type.String()),
})
export type RightsWhy = Static<typeof RightsWhy>

const tag = 'user'
export const userRoutes = [
  defineRoute({
    id: 'listUsers',
    method: 'GET',
    path: '/user',
    access: 'user:view',
    budget: 'read',
    tag,
    summary: 'List accounts, by name',
    query: strict({
      ...PageQuery,
      keyword: Type.Optional(Type.String({ maxLength: 128 })),
      disabled: Type.Optional(Type.Boolean()),
      role: Type.Optional(Type.String({ maxLength: 128 })),
    }),
    status: 200,
    answer: listOf(Account),
  }),
  defineRoute({
    id: 'getUser',
    method: 'GET',
    path: '/user/:id',
    access: 'user:view',
    budget: 'read',
    tag,
    summary: 'One account',
    params: IdParams,
    status: 200,
    answer: Account,
  }),
  defineRoute({
    id: 'createUser',
    method: 'POST',
    path: '/user',
    access: 'user:edit',
    budget: 'write',
    tag,
    summary: 'Make an account, with a password that has to be changed at the first sign-in',
    body: UserCreate,
    status: 201,
    answer: Account,
  }),
  defineRoute({
    id: 'updateUser',
    method: 'PUT',
    path: '/user/:id',
    access: 'user:edit',
    budget: 'write',
    tag,
    summary: 'Change an account and what it may do, at once. Needs every right that the account has and gets',
    params: IdParams,
    body: UserUpdate,
    status: 200,
    answer: Account,
  }),
  defineRoute({
    id: 'resetPassword',
    method: 'PUT',
    path: '/user/:id/password',
    access: 'user:edit',
    budget: 'write',
    tag,
    summary:
      'Give an account another password, to be changed at the next sign-in; its sessions end. Needs every right that the account has',
    params: IdParams,
    body: strict({ password: GivenPassword }),
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'deleteUser',
    method: 'DELETE',
    path: '/user/:id',
    access: 'user:edit',
    budget: 'write',
    tag,
    summary: 'Delete an account; its sessions end and its tokens are revoked. Needs every right that the account has',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'whyUser',
    method: 'GET',
    path: '/user/:id/why',
    access: 'user:view',
    budget: 'read',
    tag,
    summary: 'Why an account may do something, or may not: the bindings and roles',
    params: IdParams,
    query: WhyQuery,
    status: 200,
    answer: RightsWhy,
  }),
] as const
