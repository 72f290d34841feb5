import { VARIABLE_LIMITS, type Secret } from '@tickwheel/contract'
import { canBeMasked, visibleScope, type Scope } from '@tickwheel/core'
import type { SignedUser } from '../../auth/signed-user.ts'
import { rotateSecrets, secretKeys } from '../../secret/keys.ts'
import type { Vault } from '../../secret/vault.ts'
import type { Database } from '../../store/database.ts'
import { createSecret, deleteSecret, getSecret, listSecrets, updateSecret, type SealFor } from '../../store/secrets.ts'
import { refusedField, requireBytes } from '../../store/variable-place.ts'
import { referenceChoices, usesOf } from '../../store/variable-uses.ts'
import { createVariable, deleteVariable, getVariable, listVariables, updateVariable } from '../../store/variables.ts'
import type { MakeChange } from '../change.ts'
import type { HandlersOf } from '../handlers.ts'
import { requireWhereSeen } from '../may-also.ts'

type VariableCalls =
  | 'listVariables'
  | 'listReferences'
  | 'createVariable'
  | 'getVariable'
  | 'updateVariable'
  | 'deleteVariable'
  | 'listVariableUses'
  | 'listSecrets'
  | 'createSecret'
  | 'getSecretKeys'
  | 'rotateSecrets'
  | 'getSecret'
  | 'updateSecret'
  | 'deleteSecret'
  | 'listSecretUses'

export interface VariableParts {
  readonly db: Database
  readonly change: MakeChange
  readonly vault: Vault
  /** variables or secrets have changed: this node knows it at once */
  readonly changed: () => void
}

export function variableHandlers({ db, change, vault, changed }: VariableParts): HandlersOf<VariableCalls> {
  const isKnownKey = (keyId: string): boolean => vault.isKnown(keyId)
  const secret = async (scope: Scope, secretId: number): Promise<Secret> => getSecret(db, scope, secretId, isKnownKey)
  return {
    listVariables: async ({ query, scope }) => listVariables(db, scope, query),
    listReferences: async ({ query, scope, who }) =>
      referenceChoices(db, query.groupId ?? null, { variables: scope, secrets: visibleScope(who.grants, 'secret:view') }),
    createVariable: async (asked) => {
      requireWhereSeen(asked.who, 'variable:edit', asked.body.groupId)
      const variableId = await createVariable(db, asked.body, await change(asked))
      changed()
      return getVariable(db, asked.scope, variableId)
    },
    getVariable: async ({ params, scope }) => getVariable(db, scope, params.id),
    updateVariable: async (asked) => {
      await updateVariable(db, asked.params.id, asked.body, await change(asked))
      changed()
      return getVariable(db, asked.scope, asked.params.id)
    },
    deleteVariable: async (asked) => {
      await deleteVariable(db, asked.params.id, await change(asked))
      changed()
      return null
    },
    listVariableUses: async ({ params, scope, who }) => usesOf(db, 'variable', params.id, { own: scope, ...seenBy(who) }),
    listSecrets: async ({ query, scope }) => listSecrets(db, scope, query, isKnownKey),
    createSecret: async (asked) => {
      requireWhereSeen(asked.who, 'secret:edit', asked.body.groupId)
      const { value, ...input } = asked.body
      const secretId = await createSecret(db, input, sealOf(vault, value), await change(asked))
      changed()
      return secret(asked.scope, secretId)
    },
    getSecretKeys: async () => secretKeys(db, vault),
    rotateSecrets: async (asked) => {
      const rotated = await rotateSecrets(db, vault, await change(asked))
      changed()
      return rotated
    },
    getSecret: async ({ params, scope }) => secret(scope, params.id),
    updateSecret: async (asked) => {
      const { value, ...input } = asked.body
      const seal = value === undefined ? null : sealOf(vault, value)
      await updateSecret(db, { secretId: asked.params.id, input, seal }, await change(asked))
      changed()
      return secret(asked.scope, asked.params.id)
    },
    deleteSecret: async (asked) => {
      await deleteSecret(db, asked.params.id, await change(asked))
      changed()
      return null
    },
    listSecretUses: async ({ params, scope, who }) => usesOf(db, 'secret', params.id, { own: scope, ...seenBy(who) }),
  }
}

function seenBy({ grants }: SignedUser): { tasks: Scope; workflows: Scope } {
  return { tasks: visibleScope(grants, 'task:view'), workflows: visibleScope(grants, 'workflow:view') }
}

/** A value that could not be hidden is refused: a secret that shows in every log is none. */
function sealOf(vault: Vault, value: string): SealFor {
  requireBytes(value, VARIABLE_LIMITS.secretBytes)
  if (!canBeMasked(value))
    throw refusedField({
      path: 'value',
      code: 'TOO_SHORT',
      message: 'must have a line of at least 4 characters beside blanks: a shorter one could not be hidden in logs; keep it in a variable',
      params: { min: 4 },
    })
  return (secretId) => vault.seal(secretId, value)
}
