import { ALL_PERMISSIONS } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { ACCESS_LIMITS } from './constants.ts'
import { Name } from './groups.ts'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'

export const PermissionName = oneOf([...ALL_PERMISSIONS])

/**
 * A role, in some groups: what gives rights. `role` is its name: `viewer`, `operator`, `developer`, `admin`, or that of a role made by people.
 * `groupIds` null: in all groups, those of later too.
 */
export const Binding = strict({
  role: Type.String({ minLength: 1, maxLength: 128 }),
  groupIds: nullable(Type.Array(Id, { minItems: 1, maxItems: ACCESS_LIMITS.groupsOfBinding, uniqueItems: true })),
})
export type Binding = Static<typeof Binding>

export const Bindings = Type.Array(Binding, { maxItems: ACCESS_LIMITS.bindings })

const editable = {
  name: Name,
  description: Type.Optional(Type.String({ maxLength: 2000, default: '' })),
  permissions: Type.Array(PermissionName, { uniqueItems: true, maxItems: ALL_PERMISSIONS.length }),
}
export const RoleCreate = strict(editable)
export type RoleCreate = Static<typeof RoleCreate>
export const RoleUpdate = strict({ ...editable, version: Type.Integer({ minimum: 1 }) })
export type RoleUpdate = Static<typeof RoleUpdate>

/** `id`, `version` and both instants are null for a role that is built in: it cannot be changed. */
export const Role = strict({
  id: nullable(Id),
  name: Type.String(),
  description: Type.String(),
  builtIn: Type.Boolean(),
  permissions: Type.Array(PermissionName),
  userCount: Type.Integer({ description: 'users that it is given to' }),
  tokenCount: Type.Integer({ description: 'API tokens that it is given to and that are not revoked' }),
  version: nullable(Type.Integer()),
  createdAt: nullable(Instant),
  updatedAt: nullable(Instant),
})
export type Role = Static<typeof Role>

const tag = 'role'
export const roleRoutes = [
  defineRoute({
    id: 'listRoles',
    method: 'GET',
    path: '/role',
    access: 'role:view',
    budget: 'read',
    tag,
    summary: 'List roles: the built-in ones first, then those made by people, by name',
    query: strict({ ...PageQuery, keyword: Type.Optional(Type.String({ maxLength: 128 })) }),
    status: 200,
    answer: listOf(Role),
  }),
  defineRoute({
    id: 'getRole',
    method: 'GET',
    path: '/role/:id',
    access: 'role:view',
    budget: 'read',
    tag,
    summary: 'One role',
    params: IdParams,
    status: 200,
    answer: Role,
  }),
  defineRoute({
    id: 'createRole',
    method: 'POST',
    path: '/role',
    access: 'role:edit',
    budget: 'write',
    tag,
    summary: 'Make a role of permissions that the caller has in all groups',
    body: RoleCreate,
    status: 201,
    answer: Role,
  }),
  defineRoute({
    id: 'updateRole',
    method: 'PUT',
    path: '/role/:id',
    access: 'role:edit',
    budget: 'write',
    tag,
    summary: 'Change a role, for everyone who has it, at once',
    params: IdParams,
    body: RoleUpdate,
    status: 200,
    answer: Role,
  }),
  defineRoute({
    id: 'deleteRole',
    method: 'DELETE',
    path: '/role/:id',
    access: 'role:edit',
    budget: 'write',
    tag,
    summary: 'Delete a role that nobody has',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
] as const
