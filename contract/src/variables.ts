import { REFERENCE_KINDS, REFERENCE_NAME } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { VARIABLE_LIMITS } from './constants.ts'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'

/*
 * Values that tasks refer to. A variable is plain; a secret is sealed, given to runs and to nobody else. Both belong to a group, or to all groups
 * (`groupId` null); that of a group is taken before one of all groups with the same name.
 */

/** 1–64 letters, digits and underscores, no digit first: what an environment variable may be called. */
const VariableName = Type.String({ pattern: REFERENCE_NAME })
const GroupId = nullable(Id)
const Description = Type.Optional(Type.String({ maxLength: 1000 }))
const Value = Type.String({ maxLength: VARIABLE_LIMITS.valueBytes, description: 'at most 8 KiB' })
const SecretValue = Type.String({
  minLength: 4,
  maxLength: VARIABLE_LIMITS.secretBytes,
  description: 'at most 64 KiB, and at least one line of 4 characters: a shorter one could not be hidden in logs. Never given back.',
})

export const VariableCreate = strict({ groupId: GroupId, name: VariableName, value: Value, description: Description })
export type VariableCreate = Static<typeof VariableCreate>
export const VariableUpdate = strict({ value: Value, description: Description, version: Type.Integer({ minimum: 1 }) })
export type VariableUpdate = Static<typeof VariableUpdate>

const known = {
  id: Id,
  groupId: GroupId,
  groupName: nullable(Type.String()),
  name: Type.String(),
  description: Type.String(),
  version: Type.Integer(),
  createdAt: Instant,
  updatedAt: Instant,
}
export const Variable = strict({ ...known, value: Type.String() })
export type Variable = Static<typeof Variable>

export const SecretCreate = strict({ groupId: GroupId, name: VariableName, value: SecretValue, description: Description })
export type SecretCreate = Static<typeof SecretCreate>
export const SecretUpdate = strict({
  value: Type.Optional(SecretValue),
  description: Description,
  version: Type.Integer({ minimum: 1 }),
})
export type SecretUpdate = Static<typeof SecretUpdate>

export const Secret = strict({
  ...known,
  lastUsedAt: nullable(Instant),
  isSealed: Type.Boolean({ description: 'true: it was sealed with a key that this server was not given, and no run can have it' }),
})
export type Secret = Static<typeof Secret>

/** `scope`: `all`: only what belongs to all groups; `group`: only what belongs to one. */
const ListQuery = strict({
  ...PageQuery,
  groupId: Type.Optional(Id),
  scope: Type.Optional(oneOf(['all', 'group'])),
  keyword: Type.Optional(Type.String({ maxLength: 64 })),
})
export type VariableListQuery = Static<typeof ListQuery>

/** A task or a workflow whose present version refers to it. At most 200 are listed; `total` counts them up to 1,000. */
export const VariableUse = strict({ kind: oneOf(['task', 'workflow']), id: Id, groupId: Id, groupName: Type.String(), name: Type.String() })
export type VariableUse = Static<typeof VariableUse>
export const VariableUses = strict({ items: Type.Array(VariableUse), total: Type.Integer() })
export type VariableUses = Static<typeof VariableUses>

/** What tasks of a group may refer to: of each name the one that they get. Secrets: those that the caller may see. */
export const ReferenceChoice = strict({ kind: oneOf(REFERENCE_KINDS), name: Type.String(), description: Type.String(), groupId: GroupId })
export type ReferenceChoice = Static<typeof ReferenceChoice>
export const ReferenceChoices = strict({ items: Type.Array(ReferenceChoice), total: Type.Integer() })
export type ReferenceChoices = Static<typeof ReferenceChoices>

/** The keys that secrets are sealed with. `id` is a fingerprint: it says nothing of the key. */
export const SecretKeys = strict({
  current: Type.String(),
  keys: Type.Array(
    strict({
      id: Type.String(),
      secrets: Type.Integer(),
      isKnown: Type.Boolean({ description: 'false: this server was not given the key' }),
    }),
  ),
})
export type SecretKeys = Static<typeof SecretKeys>
/** `left`: still sealed with an older key; call again. `unknown`: sealed with a key that this server was not given. */
export const SecretRotation = strict({ resealed: Type.Integer(), left: Type.Integer(), unknown: Type.Integer() })
export type SecretRotation = Static<typeof SecretRotation>

const tag = 'variable'
export const variableRoutes = [
  defineRoute({
    id: 'listVariables',
    method: 'GET',
    path: '/variable',
    access: 'variable:view',
    budget: 'read',
    tag,
    summary: 'List variables',
    query: ListQuery,
    status: 200,
    answer: listOf(Variable),
  }),
  defineRoute({
    id: 'listReferences',
    method: 'GET',
    path: '/variable/reference',
    access: 'variable:view',
    budget: 'read',
    tag,
    summary: 'What tasks of a group may refer to',
    query: strict({ groupId: Type.Optional(Id) }),
    status: 200,
    answer: ReferenceChoices,
  }),
  defineRoute({
    id: 'createVariable',
    method: 'POST',
    path: '/variable',
    access: 'variable:edit',
    budget: 'write',
    tag,
    summary: 'Create a variable',
    body: VariableCreate,
    status: 201,
    answer: Variable,
  }),
  defineRoute({
    id: 'getVariable',
    method: 'GET',
    path: '/variable/:id',
    access: 'variable:view',
    budget: 'read',
    tag,
    summary: 'One variable',
    params: IdParams,
    status: 200,
    answer: Variable,
  }),
  defineRoute({
    id: 'updateVariable',
    method: 'PUT',
    path: '/variable/:id',
    access: 'variable:edit',
    budget: 'write',
    tag,
    summary: 'Change a variable',
    params: IdParams,
    body: VariableUpdate,
    status: 200,
    answer: Variable,
  }),
  defineRoute({
    id: 'deleteVariable',
    method: 'DELETE',
    path: '/variable/:id',
    access: 'variable:delete',
    budget: 'write',
    tag,
    summary: 'Delete a variable; runs that refer to it fail from then on',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'listVariableUses',
    method: 'GET',
    path: '/variable/:id/use',
    access: 'variable:view',
    budget: 'read',
    tag,
    summary: 'Tasks and workflows that refer to a variable',
    params: IdParams,
    status: 200,
    answer: VariableUses,
  }),
  defineRoute({
    id: 'listSecrets',
    method: 'GET',
    path: '/secret',
    access: 'secret:view',
    budget: 'read',
    tag: 'secret',
    summary: 'List secrets, without their values',
    query: ListQuery,
    status: 200,
    answer: listOf(Secret),
  }),
  defineRoute({
    id: 'createSecret',
    method: 'POST',
    path: '/secret',
    access: 'secret:edit',
    budget: 'write',
    tag: 'secret',
    summary: 'Create a secret',
    body: SecretCreate,
    status: 201,
    answer: Secret,
  }),
  defineRoute({
    id: 'getSecretKeys',
    method: 'GET',
    path: '/secret/key',
    access: 'system:view',
    budget: 'read',
    tag: 'secret',
    summary: 'The keys that secrets are sealed with',
    status: 200,
    answer: SecretKeys,
  }),
  defineRoute({
    id: 'rotateSecrets',
    method: 'POST',
    path: '/secret/rotate',
    access: 'system:edit',
    budget: 'write',
    tag: 'secret',
    summary: 'Seal up to 200 secrets with the present key that are sealed with an older one',
    status: 200,
    answer: SecretRotation,
  }),
  defineRoute({
    id: 'getSecret',
    method: 'GET',
    path: '/secret/:id',
    access: 'secret:view',
    budget: 'read',
    tag: 'secret',
    summary: 'One secret, without its value',
    params: IdParams,
    status: 200,
    answer: Secret,
  }),
  defineRoute({
    id: 'updateSecret',
    method: 'PUT',
    path: '/secret/:id',
    access: 'secret:edit',
    budget: 'write',
    tag: 'secret',
    summary: 'Replace the value of a secret, or describe it',
    params: IdParams,
    body: SecretUpdate,
    status: 200,
    answer: Secret,
  }),
  defineRoute({
    id: 'deleteSecret',
    method: 'DELETE',
    path: '/secret/:id',
    access: 'secret:delete',
    budget: 'write',
    tag: 'secret',
    summary: 'Delete a secret; runs that refer to it fail from then on',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'listSecretUses',
    method: 'GET',
    path: '/secret/:id/use',
    access: 'secret:view',
    budget: 'read',
    tag: 'secret',
    summary: 'Tasks and workflows that refer to a secret',
    params: IdParams,
    status: 200,
    answer: VariableUses,
  }),
] as const
