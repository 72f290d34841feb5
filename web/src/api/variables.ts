import type { ReferenceChoices, Secret, SecretCreate, SecretKeys, SecretRotation, SecretUpdate, Variable, VariableCreate, VariableListQuery, VariableUpdate, VariableUses } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

export type VariableKind = 'variable' | 'secret'

export const listVariables = (query: VariableListQuery) => call<List<Variable>>({ url: '/variable', params: query })
export const createVariable = (body: VariableCreate) => call<Variable>({ method: 'POST', url: '/variable', data: body })
export const updateVariable = (id: number, body: VariableUpdate) => call<Variable>({ method: 'PUT', url: `/variable/${id}`, data: body })
export const listSecrets = (query: VariableListQuery) => call<List<Secret>>({ url: '/secret', params: query })
export const createSecret = (body: SecretCreate) => call<Secret>({ method: 'POST', url: '/secret', data: body })
export const updateSecret = (id: number, body: SecretUpdate) => call<Secret>({ method: 'PUT', url: `/secret/${id}`, data: body })
export const readNamed = (kind: VariableKind, id: number) => call<Variable | Secret>({ url: `/${kind}/${id}` })
export const deleteNamed = (kind: VariableKind, id: number) => call<null>({ method: 'DELETE', url: `/${kind}/${id}` })
export const listUses = (kind: VariableKind, id: number) => call<VariableUses>({ url: `/${kind}/${id}/use` })
export const listReferences = (groupId: number) => call<ReferenceChoices>({ url: '/variable/reference', params: { groupId } })
export const readSecretKeys = () => call<SecretKeys>({ url: '/secret/key' })
export const rotateSecrets = () => call<SecretRotation>({ method: 'POST', url: '/secret/rotate', data: {} })
