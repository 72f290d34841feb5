import { ACCESS_LIMITS, AppError, type Role, type RoleCreate, type RoleUpdate } from '@tickwheel/contract'
import { ALL_PERMISSIONS, BUILT_IN_ROLES, type Grant, type Permission } from '@tickwheel/core'
import { countAccessChange, lockAccess } from './access.ts'
import { changedFields, writeAudit } from './audit.ts'
import { isBuiltIn, permissionsOf, requireToGive, roleKeyOf } from './bindings.ts'
import type { Change } from './caller.ts'
import { query, type Database, type ReadTx, type Tx } from './database.ts'
import { nameKey } from './definition.ts'
import { takeEntityId } from './ids.ts'
import { ACCESS_LEVEL, requireLevel } from './levels.ts'
import { instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import type { AccessRoleRow } from './schema.ts'

/** names that the refusal to delete a role tells */
const NAMED = 5

/** The built-in roles, then those that people have made, by name; 204 at most. */
export async function listRoles(
  db: Database,
  { keyword, ...page }: PageRequest & { readonly keyword?: string | undefined },
): Promise<Page<Role>> {
  const offset = offsetOf(page)
  const roles = await db.read(async (tx) => {
    const made = await tx.rows(query.selectFrom('access_role').selectAll().orderBy('name_key').limit(ACCESS_LIMITS.roles))
    const uses = await usesOf(tx)
    return [...builtInRoles(uses), ...made.map((row) => roleOf(row, uses))]
  })
  const wanted = nameKey(keyword ?? '')
  const matching = roles.filter(({ name }) => nameKey(name).includes(wanted))
  return { items: matching.slice(offset, offset + page.pageSize), total: matching.length, ...page }
}

/** A role that people have made. 404 `ROLE_NOT_FOUND`. */
export async function getRole(db: Database, roleId: number): Promise<Role> {
  return db.read(async (tx) => {
    const row = await tx.first(query.selectFrom('access_role').selectAll().where('id', '=', roleId))
    if (row === null) throw roleNotFound(roleId)
    return roleOf(row, await usesOf(tx))
  })
}

/** The names of the roles that have a permission. */
export async function rolesWith(db: Database, permission: Permission): Promise<string[]> {
  const { items } = await listRoles(db, { page: 1, pageSize: ACCESS_LIMITS.roles + Object.keys(BUILT_IN_ROLES).length })
  return items.filter(({ permissions }) => permissions.includes(permission)).map(({ name }) => name)
}

/** Makes a role of permissions that its maker has in all groups; its id. */
export async function createRole(
  db: Database,
  { input, grants }: { readonly input: RoleCreate; readonly grants: readonly Grant[] },
  change: Change,
): Promise<number> {
  return db.write('rest', async (tx) => {
    await lockAccess(tx)
    await requireRoom(tx)
    await refuseTaken(tx, input.name, null)
    requireAll(grants, input.name, input.permissions)
    await requireLevel(tx, ACCESS_LEVEL, await tx.now(), { what: 'keep to roles', remedy: 'use the role admin in all groups' })
    const id = await takeEntityId(tx)
    const times = { created_at: change.now, updated_at: change.now }
    const row: AccessRoleRow = { id, ...columnsOf(input), version: 1, ...times }
    await tx.insert('access_role', [row])
    await auditRole(tx, { action: 'role:create', row, ...changedFields(null, fieldsOf(row)) }, change)
    return id
  })
}

/** Changes a role for all who have it. Who does needs every permission that it had and gets, in all groups. 409 `STALE_VERSION`. */
export async function updateRole(
  db: Database,
  { roleId, input, grants }: { readonly roleId: number; readonly input: RoleUpdate; readonly grants: readonly Grant[] },
  change: Change,
): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockRole(tx, roleId)
    if (row.version !== input.version)
      throw new AppError(
        'STALE_VERSION',
        `the role is at version ${row.version}, not ${input.version}: read it again and repeat the change`,
        {
          params: { version: row.version },
        },
      )
    await refuseTaken(tx, input.name, roleId)
    requireAll(grants, row.name, permissionsOf(row))
    requireAll(grants, input.name, input.permissions)
    const after: AccessRoleRow = { ...row, ...columnsOf(input), version: row.version + 1, updated_at: change.now }
    const { id: _, created_at: __, ...set } = after
    await tx.execute(query.updateTable('access_role').set(set).where('id', '=', roleId))
    await auditRole(tx, { action: 'role:edit', row: after, ...changedFields(fieldsOf(row), fieldsOf(after)) }, change)
    await countAccessChange(tx)
  })
}

/** Deletes a role that nobody has: 409 `ROLE_IN_USE` says who has it. */
export async function deleteRole(db: Database, { roleId }: { readonly roleId: number }, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockRole(tx, roleId)
    await refuseUsed(tx, row)
    await tx.run('DELETE FROM access_role WHERE id = ?', [roleId])
    // what is left of it belongs to tokens that are revoked
    await tx.run('DELETE FROM access_binding WHERE role_key = ?', [roleKeyOf(roleId)])
    await auditRole(tx, { action: 'role:delete', row, ...changedFields(fieldsOf(row), null) }, change)
  })
}

async function lockRole(tx: Tx, roleId: number): Promise<AccessRoleRow> {
  await lockAccess(tx)
  const [row] = await tx.lock(query.selectFrom('access_role').selectAll().where('id', '=', roleId))
  if (row === undefined) throw roleNotFound(roleId)
  return row
}

async function refuseUsed(tx: ReadTx, { id, name }: AccessRoleRow): Promise<void> {
  const [users, tokens] = [await holdersOf(tx, 'user', roleKeyOf(id)), await holdersOf(tx, 'token', roleKeyOf(id))]
  const holders = [...users, ...tokens]
  if (holders.length === 0) return
  const more = holders.length > NAMED ? ` and ${holders.length - NAMED} more` : ''
  const names = holders.slice(0, NAMED).join(', ') + more
  throw new AppError('ROLE_IN_USE', `The role "${name}" is given to ${names}: take it from them first.`, {
    params: { users: users.length, tokens: tokens.length, names },
  })
}

/** The names of those who have a role; of tokens, those that are not revoked. */
async function holdersOf(tx: ReadTx, kind: 'user' | 'token', roleKey: string): Promise<string[]> {
  const sql =
    kind === 'user'
      ? "SELECT DISTINCT u.username AS name FROM access_binding b JOIN user u ON u.id = b.holder_id WHERE b.role_key = ? AND b.holder_kind = 'user' ORDER BY u.username"
      : "SELECT DISTINCT t.id, t.name AS name FROM access_binding b JOIN token t ON t.id = b.holder_id WHERE b.role_key = ? AND b.holder_kind = 'token' AND t.revoked_at IS NULL ORDER BY t.name"
  return (await tx.all<{ name: string }>(sql, [roleKey])).map(({ name }) => name)
}

interface Uses {
  readonly user: ReadonlyMap<string, number>
  readonly token: ReadonlyMap<string, number>
}

async function usesOf(tx: ReadTx): Promise<Uses> {
  const users =
    "SELECT role_key AS roleKey, COUNT(DISTINCT holder_id) AS n FROM access_binding WHERE holder_kind = 'user' GROUP BY role_key"
  const tokens =
    "SELECT b.role_key AS roleKey, COUNT(DISTINCT b.holder_id) AS n FROM access_binding b JOIN token t ON t.id = b.holder_id WHERE b.holder_kind = 'token' AND t.revoked_at IS NULL GROUP BY b.role_key"
  const count = async (sql: string): Promise<Map<string, number>> =>
    new Map((await tx.all<{ roleKey: string; n: number }>(sql)).map(({ roleKey, n }) => [roleKey, n]))
  return { user: await count(users), token: await count(tokens) }
}

function builtInRoles(uses: Uses): Role[] {
  return Object.entries(BUILT_IN_ROLES).map(([name, permissions]) => ({
    id: null,
    name,
    description: '',
    builtIn: true,
    permissions: ALL_PERMISSIONS.filter((permission) => permissions.has(permission)),
    ...countsOf(name, uses),
    version: null,
    createdAt: null,
    updatedAt: null,
  }))
}

function roleOf(row: AccessRoleRow, uses: Uses): Role {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    builtIn: false,
    permissions: permissionsOf(row),
    ...countsOf(roleKeyOf(row.id), uses),
    version: row.version,
    createdAt: instantText(row.created_at),
    updatedAt: instantText(row.updated_at),
  }
}

function countsOf(roleKey: string, { user, token }: Uses): { userCount: number; tokenCount: number } {
  return { userCount: user.get(roleKey) ?? 0, tokenCount: token.get(roleKey) ?? 0 }
}

function requireAll(grants: readonly Grant[], role: string, permissions: readonly Permission[]): void {
  requireToGive(grants, [{ role, permissions, groupIds: null }])
}

async function requireRoom(tx: ReadTx): Promise<void> {
  const { roles: max } = ACCESS_LIMITS
  const count = await tx.first(query.selectFrom('access_role').select((of) => of.fn.countAll<number>().as('n')))
  if ((count?.n ?? 0) < max) return
  throw new AppError('LIMIT_REACHED', `There are ${max} roles, and there may be no more: delete some first.`, { params: { max } })
}

async function refuseTaken(tx: ReadTx, name: string, exceptId: number | null): Promise<void> {
  const other = await tx.first(query.selectFrom('access_role').select('id').where('name_key', '=', nameKey(name)))
  if (!isBuiltIn(nameKey(name)) && (other === null || other.id === exceptId)) return
  const message = `another role has the name "${name.trim()}"`
  throw new AppError('UNPROCESSABLE', message, { errors: [{ path: 'name', code: 'NAME_TAKEN', message, params: { value: name.trim() } }] })
}

function columnsOf({ name, description, permissions }: RoleCreate) {
  const sorted = ALL_PERMISSIONS.filter((permission) => permissions.includes(permission))
  return { name: name.trim(), name_key: nameKey(name), description: description ?? '', permissions: JSON.stringify(sorted) }
}

function fieldsOf(row: AccessRoleRow): Readonly<Record<string, unknown>> {
  return { name: row.name, description: row.description, permissions: permissionsOf(row) }
}

function roleNotFound(roleId: number): AppError {
  return new AppError('ROLE_NOT_FOUND', `There is no role ${roleId} that you may see.`)
}

async function auditRole(
  tx: Tx,
  { action, row, ...fields }: { action: string; row: AccessRoleRow; before?: unknown; after?: unknown },
  { now, auditId, caller }: Change,
): Promise<void> {
  await writeAudit(tx, now, auditId, caller, { action, resource: { kind: 'role', id: row.id, key: row.name }, groupId: null, ...fields })
}
