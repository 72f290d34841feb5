import { Type, type Static } from 'typebox'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'

/** 1–128 characters after trimming, no `/` (it separates group and task in a natural key). */
export const Name = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[^/\\u0000-\\u001f]*[^/\\s\\u0000-\\u001f][^/\\u0000-\\u001f]*$',
})

/** What an executor names when it registers. */
export const AppName = Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$' })

const editable = {
  name: Name,
  appName: AppName,
  description: Type.Optional(Type.String({ maxLength: 2000, default: '' })),
  concurrency: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100_000, description: 'runs of the group at executors at once, over all nodes; 0: no limit' }),
  ),
  xxlToken: Type.Optional(
    nullable(
      Type.String({
        maxLength: 255,
        pattern: '^[\\x21-\\x7e]*$',
        description:
          'access token of its XXL-JOB executors, never given back; null: the one of the settings (xxl.accessToken); empty: none is asked for and none is sent; absent: as it is',
      }),
    ),
  ),
}

/** Which access token XXL-JOB executors of a group send and are sent: the one of the settings, one of the group's own, or none. */
export const XXL_ACCESSES = ['shared', 'own', 'none'] as const

/**
 * What an XXL-JOB app name is as the appName of a group: lower case, and a hyphen for whatever a group's appName cannot hold. null: nothing is left.
 */
export function appNameOf(registryKey: string): string | null {
  const text = registryKey
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z\d-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 64)
  return text.length < 2 ? null : text
}

export const GroupCreate = strict(editable)
export type GroupCreate = Static<typeof GroupCreate>
export const GroupUpdate = strict({ ...editable, version: Type.Integer({ minimum: 1 }) })
export type GroupUpdate = Static<typeof GroupUpdate>

export const Group = strict({
  id: Id,
  name: Type.String(),
  appName: Type.String(),
  description: Type.String(),
  concurrency: Type.Integer(),
  xxlAccess: oneOf(XXL_ACCESSES),
  version: Type.Integer(),
  taskCount: Type.Integer(),
  executorCount: Type.Integer({ description: 'live executors' }),
  createdAt: Instant,
  updatedAt: Instant,
})
export type Group = Static<typeof Group>

const tag = 'group'
export const groupRoutes = [
  defineRoute({
    id: 'listGroups',
    method: 'GET',
    path: '/group',
    access: 'group:view',
    budget: 'read',
    tag,
    summary: 'List groups',
    query: strict({ ...PageQuery, keyword: Type.Optional(Type.String({ maxLength: 128 })) }),
    status: 200,
    answer: listOf(Group),
  }),
  defineRoute({
    id: 'getGroup',
    method: 'GET',
    path: '/group/:id',
    access: 'group:view',
    budget: 'read',
    tag,
    summary: 'One group',
    params: IdParams,
    status: 200,
    answer: Group,
  }),
  defineRoute({
    id: 'createGroup',
    method: 'POST',
    path: '/group',
    access: 'group:edit',
    budget: 'write',
    tag,
    summary: 'Create a group',
    body: GroupCreate,
    status: 201,
    answer: Group,
  }),
  defineRoute({
    id: 'updateGroup',
    method: 'PUT',
    path: '/group/:id',
    access: 'group:edit',
    budget: 'write',
    tag,
    summary: 'Change a group',
    params: IdParams,
    body: GroupUpdate,
    status: 200,
    answer: Group,
  }),
  defineRoute({
    id: 'deleteGroup',
    method: 'DELETE',
    path: '/group/:id',
    access: 'group:edit',
    budget: 'write',
    tag,
    summary: 'Delete a group without tasks',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
] as const
