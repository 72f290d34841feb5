import { ACCESS_LIMITS, AppError, type Account, type Binding, type UserCreate, type UserUpdate } from '@tickwheel/contract'
import { countAccessChange, lockAccess } from './access.ts'
import { changedFields, writeAudit } from './audit.ts'
import {
  bindingOf,
  dropBindings,
  findRoleKey,
  hasOtherAdmin,
  isFullAdmin,
  knownBindings,
  readBindings,
  requireToGive,
  writeBindings,
  type BindingFacts,
  type Giver,
  type KnownBinding,
} from './bindings.ts'
import type { Change } from './caller.ts'
import { query, type Database, type ReadTx, type Tx } from './database.ts'
import { nameKey } from './definition.ts'
import { takeEntityId } from './ids.ts'
import { contains, instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import type { UserRow } from './schema.ts'
import { endSessionsOf } from './sessions.ts'
import { revokeTokensOf } from './api-tokens.ts'
import { findUserByName, readUser } from './users.ts'

export interface AccountQuery extends PageRequest {
  readonly keyword?: string | undefined
  readonly disabled?: boolean | undefined
  /** the name of a role: who has it, wherever */
  readonly role?: string | undefined
}

/** Accounts by name. */
export async function listAccounts(db: Database, { keyword, disabled, role, ...page }: AccountQuery): Promise<Page<Account>> {
  const offset = offsetOf(page)
  return db.read(async (tx) => {
    let found = query.selectFrom('user')
    if (keyword !== undefined && keyword !== '')
      found = found.where((is) => is.or([contains('name_key', nameKey(keyword)), contains('display_name', keyword)]))
    if (disabled !== undefined) found = found.where('disabled', '=', disabled ? 1 : 0)
    if (role !== undefined) {
      const roleKey = await findRoleKey(tx, role)
      if (roleKey === null) return { items: [], total: 0, ...page }
      const having = query
        .selectFrom('access_binding')
        .select('holder_id')
        .where('holder_kind', '=', 'user')
        .where('role_key', '=', roleKey)
      found = found.where('id', 'in', having)
    }
    const count = await tx.first(found.select((of) => of.fn.countAll<number>().as('total')))
    const rows = await tx.rows(found.selectAll().orderBy('name_key').limit(page.pageSize).offset(offset))
    return { items: await accountsOf(tx, rows), total: count?.total ?? 0, ...page }
  })
}

/** 404 `USER_NOT_FOUND`. */
export async function getAccount(db: Database, userId: number): Promise<Account> {
  return db.read(async (tx) => {
    const [account] = await accountsOf(tx, [await found(tx, userId)])
    if (account === undefined) throw userNotFound(userId)
    return account
  })
}

export interface NewAccount {
  readonly input: UserCreate
  readonly passwordHash: string
  readonly giver: Giver
}

/** Makes an account whose password has to be changed at the first sign-in; its id. */
export async function createAccount(db: Database, { input, passwordHash, giver }: NewAccount, change: Change): Promise<number> {
  return db.write('rest', async (tx) => {
    await lockAccess(tx)
    if ((await findUserByName(tx, input.username)) !== null) throw nameTaken(input.username)
    await requireRoom(tx)
    const bindings = await knownBindings(tx, input.bindings ?? [], { groups: giver.groups })
    requireToGive(giver.grants, bindings)
    const id = await takeEntityId(tx)
    const row: UserRow = {
      id,
      username: input.username,
      name_key: nameKey(input.username),
      display_name: (input.displayName ?? '').trim(),
      password_hash: passwordHash,
      must_change: 1,
      first_password: 0,
      disabled: 0,
      is_admin: bindings.some(isFullAdmin) ? 1 : 0,
      created_at: change.now,
      password_at: change.now,
      version: 1,
      last_login_at: null,
    }
    await tx.insert('user', [row])
    await writeBindings(tx, { kind: 'user', id }, bindings)
    await auditAccount(tx, { action: 'user:create', row, ...changedFields(null, fieldsOf(row, bindings)) }, change)
    return id
  })
}

export interface AccountUpdate {
  readonly userId: number
  readonly input: UserUpdate
  readonly giver: Giver
}

/** Changes an account and its bindings. 409 `STALE_VERSION`, `LAST_ADMIN`. Disabling it ends its sessions. */
export async function updateAccount(db: Database, { userId, input, giver }: AccountUpdate, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const { row, bindings: before } = await lockAccount(tx, userId, giver)
    const version = row.version ?? 1
    if (version !== input.version)
      throw new AppError(
        'STALE_VERSION',
        `the account is at version ${version}, not ${input.version}: read it again and repeat the change`,
        {
          params: { version },
        },
      )
    const bindings = await knownBindings(tx, input.bindings, { groups: giver.groups })
    requireToGive(giver.grants, bindings)
    const isAdmin = bindings.some(isFullAdmin)
    if (isLive(row) && row.is_admin === 1 && (!isAdmin || input.disabled)) await requireOtherAdmin(tx, row)
    const after: UserRow = {
      ...row,
      display_name: input.displayName.trim(),
      disabled: input.disabled ? 1 : 0,
      is_admin: isAdmin ? 1 : 0,
      version: version + 1,
    }
    const { display_name, disabled, is_admin } = after
    await tx.execute(query.updateTable('user').set({ display_name, disabled, is_admin, version: after.version }).where('id', '=', userId))
    await writeBindings(tx, { kind: 'user', id: userId }, bindings)
    await auditAccount(tx, { action: 'user:edit', row: after, ...changedFields(fieldsOf(row, before), fieldsOf(after, bindings)) }, change)
    if (input.disabled) await endSessionsOf(tx, userId, change.now)
    else await countAccessChange(tx)
  })
}

/** Gives an account a password that it has to change, and ends its sessions. */
export async function resetPassword(
  db: Database,
  { userId, passwordHash, giver }: { userId: number; passwordHash: string; giver: Giver },
  change: Change,
): Promise<void> {
  await db.write('rest', async (tx) => {
    const { row } = await lockAccount(tx, userId, giver)
    const set = { password_hash: passwordHash, password_at: change.now, first_password: 0, must_change: 1 }
    await tx.execute(query.updateTable('user').set(set).where('id', '=', userId))
    await auditAccount(tx, { action: 'user:password', row, after: { password: '***', mustChangePassword: true } }, change)
    await endSessionsOf(tx, userId, change.now)
  })
}

/** Deletes an account with its bindings; its sessions end and its API tokens are revoked. 409 `LAST_ADMIN`. */
export async function deleteAccount(db: Database, { userId, giver }: { userId: number; giver: Giver }, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const { row, bindings } = await lockAccount(tx, userId, giver)
    if (isLive(row) && row.is_admin === 1) await requireOtherAdmin(tx, row)
    await dropBindings(tx, { kind: 'user', id: userId })
    await tx.run('DELETE FROM user WHERE id = ?', [userId])
    await revokeTokensOf(tx, userId, change.now)
    await auditAccount(tx, { action: 'user:delete', row, ...changedFields(fieldsOf(row, bindings), null) }, change)
    await endSessionsOf(tx, userId, change.now)
  })
}

interface LockedAccount {
  readonly row: UserRow
  readonly bindings: readonly BindingFacts[]
}

/** The account that is going to be changed, by somebody who has every right that it has. */
async function lockAccount(tx: Tx, userId: number, { grants }: Giver): Promise<LockedAccount> {
  await lockAccess(tx)
  const [row] = await tx.lock(query.selectFrom('user').selectAll().where('id', '=', userId))
  if (row === undefined) throw userNotFound(userId)
  const bindings = (await readBindings(tx, 'user', [userId])).get(userId) ?? []
  requireToGive(grants, bindings)
  return { row, bindings }
}

async function requireOtherAdmin(tx: ReadTx, { id, username }: UserRow): Promise<void> {
  if (await hasOtherAdmin(tx, id)) return
  throw new AppError('LAST_ADMIN', `"${username}" is the last enabled account that is admin of all groups: make another one first.`)
}

async function requireRoom(tx: ReadTx): Promise<void> {
  const { users: max } = ACCESS_LIMITS
  const count = await tx.first(query.selectFrom('user').select((of) => of.fn.countAll<number>().as('n')))
  if ((count?.n ?? 0) < max) return
  throw new AppError('LIMIT_REACHED', `There are ${max} accounts, and there may be no more: delete some first.`, { params: { max } })
}

function isLive({ disabled }: UserRow): boolean {
  return disabled === 0
}

async function found(tx: ReadTx, userId: number): Promise<UserRow> {
  const row = await readUser(tx, userId)
  if (row === null) throw userNotFound(userId)
  return row
}

function userNotFound(userId: number): AppError {
  return new AppError('USER_NOT_FOUND', `There is no user ${userId} that you may see.`)
}

function nameTaken(username: string): AppError {
  const message = `another account has the name "${username}"`
  return new AppError('UNPROCESSABLE', message, {
    errors: [{ path: 'username', code: 'NAME_TAKEN', message, params: { value: username } }],
  })
}

async function accountsOf(tx: ReadTx, rows: readonly UserRow[]): Promise<Account[]> {
  const bindings = await readBindings(
    tx,
    'user',
    rows.map(({ id }) => id),
  )
  return rows.map((row) => ({
    id: row.id,
    username: row.username,
    displayName: row.display_name,
    disabled: row.disabled === 1,
    mustChangePassword: row.must_change === 1,
    bindings: (bindings.get(row.id) ?? []).map(bindingOf),
    version: row.version ?? 1,
    createdAt: instantText(row.created_at),
    passwordAt: instantText(row.password_at),
    lastLoginAt: instantText(row.last_login_at),
  }))
}

/** What the audit log says of an account. */
function fieldsOf(row: UserRow, bindings: readonly (BindingFacts | KnownBinding)[]): Readonly<Record<string, unknown>> {
  const shown: readonly Binding[] = bindings.map(bindingOf)
  return { username: row.username, displayName: row.display_name, disabled: row.disabled === 1, bindings: shown }
}

async function auditAccount(
  tx: Tx,
  { action, row, ...fields }: { action: string; row: UserRow; before?: unknown; after?: unknown },
  { now, auditId, caller }: Change,
): Promise<void> {
  await writeAudit(tx, now, auditId, caller, {
    action,
    resource: { kind: 'user', id: row.id, key: row.username },
    groupId: null,
    ...fields,
  })
}
