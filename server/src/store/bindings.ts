import { AppError, type Binding, type FieldProblem } from '@tickwheel/contract'
import {
  BUILT_IN_ROLES,
  id as brand,
  isPermission,
  lacking,
  type BuiltInRole,
  type Grant,
  type Permission,
  type Scope,
} from '@tickwheel/core'
import { query, type ReadTx, type Tx } from './database.ts'
import { nameKey, parseJson } from './definition.ts'
import { ACCESS_LEVEL, requireLevel } from './levels.ts'
import { partsOf } from './list.ts'
import type { AccessBindingRow, AccessRoleRow } from './schema.ts'
import { isVisible } from './scope.ts'

/** Who has bindings: an account, or an API token. */
export interface Holder {
  readonly kind: 'user' | 'token'
  readonly id: number
}

/** One binding with its role looked up; plain data. `permissions` null: those of the built-in role of this name. `groupIds` null: all groups. */
export interface BindingFacts {
  readonly role: string
  readonly permissions: readonly Permission[] | null
  readonly groupIds: readonly number[] | null
}

/** A binding that was found to be good: its role exists, and so do its groups. */
export interface KnownBinding extends BindingFacts {
  readonly roleKey: string
}

/** What a change of accounts, roles and tokens needs to know of who asks. */
export interface Giver {
  readonly grants: readonly Grant[]
  /** the groups that may be named */
  readonly groups: Scope
}

/** holders asked for at once */
const PART = 500
const ADMIN_KEY = 'admin'

export function isBuiltIn(name: string): name is BuiltInRole {
  return Object.hasOwn(BUILT_IN_ROLES, name)
}

export function roleKeyOf(roleId: number): string {
  return `#${roleId}`
}

/** The key of a role by its name; null: there is no such role. */
export async function findRoleKey(tx: ReadTx, name: string): Promise<string | null> {
  const key = nameKey(name)
  if (isBuiltIn(key)) return key
  const row = await tx.first(query.selectFrom('access_role').select('id').where('name_key', '=', key))
  return row === null ? null : roleKeyOf(row.id)
}

export function permissionsOf({ permissions }: Pick<AccessRoleRow, 'permissions'>): Permission[] {
  const names = parseJson(permissions)
  return Array.isArray(names) ? names.filter((name): name is Permission => typeof name === 'string' && isPermission(name)) : []
}

/** What a binding gives, as `may` reads it. `binding` says whose it is. */
export function grantOf({ role, permissions, groupIds }: BindingFacts, holder: Holder): Grant {
  const groups = groupIds === null ? 'all' : groupIds.map((groupId) => brand<'group'>(groupId))
  const where = groupIds === null ? 'all groups' : `groups ${groupIds.join(', ')}`
  const known = permissions === null ? (isBuiltIn(role) ? BUILT_IN_ROLES[role] : new Set<Permission>()) : new Set(permissions)
  return { role, permissions: known, groups, binding: `${holder.kind} ${holder.id} in ${where}` }
}

export function bindingOf({ role, groupIds }: BindingFacts): Binding {
  return { role, groupIds: groupIds === null ? null : [...groupIds] }
}

/** The bindings of holders of one kind, in their order; who has none is not in the map. */
export async function readBindings(tx: ReadTx, kind: Holder['kind'], ids: readonly number[]): Promise<Map<number, BindingFacts[]>> {
  const rows: AccessBindingRow[] = []
  for (const part of partsOf(ids, PART))
    rows.push(
      ...(await tx.rows(
        query
          .selectFrom('access_binding')
          .selectAll()
          .where('holder_kind', '=', kind)
          .where('holder_id', 'in', part)
          .orderBy('holder_id')
          .orderBy('no'),
      )),
    )
  const roles = await rolesOf(tx, rows)
  const found = new Map<number, BindingFacts[]>()
  for (const row of rows) {
    const facts = factsOf(row, roles)
    if (facts !== null) found.set(row.holder_id, [...(found.get(row.holder_id) ?? []), facts])
  }
  return found
}

async function rolesOf(tx: ReadTx, rows: readonly AccessBindingRow[]): Promise<Map<string, AccessRoleRow>> {
  const ids = [...new Set(rows.flatMap(({ role_key: key }) => (key.startsWith('#') ? [Number(key.slice(1))] : [])))]
  if (ids.length === 0) return new Map()
  const roles = await tx.rows(query.selectFrom('access_role').selectAll().where('id', 'in', ids))
  return new Map(roles.map((role) => [roleKeyOf(role.id), role]))
}

function factsOf({ role_key: key, group_ids: groups }: AccessBindingRow, roles: ReadonlyMap<string, AccessRoleRow>): BindingFacts | null {
  const groupIds = groups === null ? null : numbersIn(groups)
  if (isBuiltIn(key)) return { role: key, permissions: null, groupIds }
  const role = roles.get(key)
  return role === undefined ? null : { role: role.name, permissions: permissionsOf(role), groupIds }
}

/** What a person wants to give, looked up: 422 naming each role and group that is not there, or that `groups` does not show. */
export async function knownBindings(
  tx: ReadTx,
  asked: readonly Binding[],
  { groups }: { readonly groups: Scope },
): Promise<readonly KnownBinding[]> {
  const there = await groupsThere(tx, asked)
  const known: KnownBinding[] = []
  const problems: FieldProblem[] = []
  for (const [index, { role, groupIds }] of asked.entries()) {
    for (const [place, groupId] of (groupIds ?? []).entries())
      if (!there.has(groupId) || !isVisible(groups, groupId))
        problems.push(unknown(`bindings.${index}.groupIds.${place}`, `there is no group ${groupId}`, groupId))
    const found = await findRole(tx, role)
    if (found === null) problems.push(unknown(`bindings.${index}.role`, `there is no role "${role}"`, role))
    else known.push({ ...found, groupIds })
  }
  if (problems.length > 0)
    throw new AppError('UNPROCESSABLE', problems.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors: problems })
  return known
}

async function groupsThere(tx: ReadTx, asked: readonly Binding[]): Promise<Set<number>> {
  const found = new Set<number>()
  const wanted = [...new Set(asked.flatMap(({ groupIds }) => groupIds ?? []))]
  for (const part of partsOf(wanted, PART))
    for (const { id } of await tx.rows(query.selectFrom('task_group').select('id').where('id', 'in', part))) found.add(id)
  return found
}

async function findRole(tx: ReadTx, name: string): Promise<Pick<KnownBinding, 'role' | 'roleKey' | 'permissions'> | null> {
  const key = nameKey(name)
  if (isBuiltIn(key)) return { role: key, roleKey: key, permissions: null }
  const row = await tx.first(query.selectFrom('access_role').selectAll().where('name_key', '=', key))
  return row === null ? null : { role: row.name, roleKey: roleKeyOf(row.id), permissions: permissionsOf(row) }
}

function unknown(path: string, message: string, value: string | number): FieldProblem {
  return { path, code: 'UNKNOWN_REFERENCE', message, params: { value } }
}

/** Nobody hands out, or takes away, more than they have: 403 naming the permission and the group. */
export function requireToGive(giver: readonly Grant[], bindings: readonly BindingFacts[]): void {
  for (const binding of bindings) {
    const missing = lacking(giver, grantOf(binding, { kind: 'user', id: 0 }))
    if (missing === null) continue
    const { permission, groupId } = missing
    const where = groupId === null ? 'all groups' : `group ${groupId}`
    throw new AppError(
      'FORBIDDEN',
      `The role "${binding.role}" has the permission ${permission}, which you do not have in ${where}: nobody gives or takes more than they have.`,
      { params: { permission, role: binding.role, groupId } },
    )
  }
}

/** Puts bindings in the place of those that a holder has. */
export async function writeBindings(tx: Tx, holder: Holder, bindings: readonly KnownBinding[]): Promise<void> {
  await requireKnownRoles(tx, bindings)
  await dropBindings(tx, holder)
  if (bindings.length === 0) return
  await tx.insert(
    'access_binding',
    bindings.map(({ roleKey, groupIds }, no) => ({
      holder_kind: holder.kind,
      holder_id: holder.id,
      no,
      role_key: roleKey,
      group_ids: groupIds === null ? null : JSON.stringify(groupIds),
    })),
  )
}

/** A node of an older release knows administrators of everything, and nobody else: it would not run what a developer has saved. */
async function requireKnownRoles(tx: Tx, bindings: readonly KnownBinding[]): Promise<void> {
  if (bindings.every(isFullAdmin)) return
  await requireLevel(tx, ACCESS_LEVEL, await tx.now(), { what: 'keep to roles', remedy: 'give only the role admin in all groups' })
}

export async function dropBindings(tx: Tx, { kind, id }: Holder): Promise<void> {
  await tx.execute(query.deleteFrom('access_binding').where('holder_kind', '=', kind).where('holder_id', '=', id))
}

export const FULL_ADMIN: KnownBinding = { role: ADMIN_KEY, roleKey: ADMIN_KEY, permissions: null, groupIds: null }

/** A binding that makes an administrator of everything. */
export function isFullAdmin({ roleKey, groupIds }: Pick<KnownBinding, 'roleKey' | 'groupIds'>): boolean {
  return roleKey === ADMIN_KEY && groupIds === null
}

/** Whether an enabled account beside this one is admin of all groups. Under `lockAccess`, so that it stays one. */
export async function hasOtherAdmin(tx: ReadTx, userId: number): Promise<boolean> {
  const found = await tx.first(
    query
      .selectFrom('access_binding')
      .innerJoin('user', 'user.id', 'access_binding.holder_id')
      .select('user.id')
      .where('access_binding.holder_kind', '=', 'user')
      .where('access_binding.role_key', '=', ADMIN_KEY)
      .where('access_binding.group_ids', 'is', null)
      .where('user.disabled', '=', 0)
      .where('user.id', '<>', userId)
      .limit(1),
  )
  return found !== null
}

/** Takes a group that is being deleted out of all bindings; a binding that had no other goes. */
export async function forgetGroup(tx: Tx, groupId: number): Promise<void> {
  const naming = await tx.rows(query.selectFrom('access_binding').selectAll().where('group_ids', 'like', `%${groupId}%`))
  for (const row of naming) {
    const groupIds = numbersIn(row.group_ids ?? '[]')
    if (!groupIds.includes(groupId)) continue
    const left = groupIds.filter((other) => other !== groupId)
    const key = [row.holder_kind, row.holder_id, row.no]
    const one = 'WHERE holder_kind = ? AND holder_id = ? AND no = ?'
    if (left.length === 0) await tx.run(`DELETE FROM access_binding ${one}`, key)
    else await tx.run(`UPDATE access_binding SET group_ids = ? ${one}`, [JSON.stringify(left), ...key])
  }
}

function numbersIn(text: string): number[] {
  const value = parseJson(text)
  return Array.isArray(value) ? value.filter((each) => typeof each === 'number') : []
}
