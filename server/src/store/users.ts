import { FULL_ADMIN, readBindings, writeBindings, type BindingFacts } from './bindings.ts'
import { nameKey } from './definition.ts'
import { query, type ReadTx, type Tx } from './database.ts'
import type { UserRow } from './schema.ts'

/** A user by the name that a person types: case and surrounding spaces do not matter. */
export async function findUserByName(tx: ReadTx, username: string): Promise<UserRow | null> {
  return tx.first(query.selectFrom('user').selectAll().where('name_key', '=', nameKey(username)))
}

export async function readUser(tx: ReadTx, userId: number): Promise<UserRow | null> {
  return tx.first(query.selectFrom('user').selectAll().where('id', '=', userId))
}

/** Whether there is any user: false only before the first start has finished. */
export async function hasUsers(tx: ReadTx): Promise<boolean> {
  return (await tx.first(query.selectFrom('user').select('id').limit(1))) !== null
}

/** Whether a user still has the password that the first start gave, and which is printed in the documentation. */
export async function hasFirstPassword(tx: ReadTx): Promise<boolean> {
  return (await tx.first(query.selectFrom('user').select('id').where('first_password', '=', 1).where('disabled', '=', 0).limit(1))) !== null
}

/** What must be known of an account to judge what it may do; plain data. */
export interface UserFacts {
  readonly userId: number
  readonly username: string
  readonly displayName: string
  readonly bindings: readonly BindingFacts[]
  readonly disabled: boolean
  /** somebody else has set the password */
  readonly mustChange: boolean
  /** the user still has the password of the first start */
  readonly firstPassword: boolean
}

/** Null: there is no such account. */
export async function readUserFacts(tx: ReadTx, userId: number): Promise<UserFacts | null> {
  const row = await readUser(tx, userId)
  if (row === null) return null
  return {
    userId,
    username: row.username,
    displayName: row.display_name,
    bindings: (await readBindings(tx, 'user', [userId])).get(userId) ?? [],
    disabled: row.disabled === 1,
    mustChange: row.must_change === 1,
    firstPassword: row.first_password === 1,
  }
}

/** Names by id; who was deleted is not in the map. */
export async function namesOfUsers(tx: ReadTx, userIds: readonly number[]): Promise<Map<number, string>> {
  if (userIds.length === 0) return new Map()
  const rows = await tx.rows(
    query
      .selectFrom('user')
      .select(['id', 'username'])
      .where('id', 'in', [...new Set(userIds)]),
  )
  return new Map(rows.map(({ id, username }) => [id, username]))
}

/** Writes an account as the first start does: an administrator of everything where `is_admin` says so, of nothing else. */
export async function insertUser(tx: Tx, user: Omit<UserRow, 'name_key' | 'version' | 'last_login_at'>): Promise<void> {
  await tx.insert('user', [{ ...user, name_key: nameKey(user.username), version: 1, last_login_at: null }])
  if (user.is_admin === 1) await writeBindings(tx, { kind: 'user', id: user.id }, [FULL_ADMIN])
}

/** Whether an account is enabled and has this password still, and keeps it until the transaction ends. */
export async function hasStill(tx: Tx, userId: number, passwordHash: string): Promise<boolean> {
  const [row] = await tx.lock(query.selectFrom('user').select(['password_hash', 'disabled']).where('id', '=', userId))
  return row !== undefined && row.disabled === 0 && row.password_hash === passwordHash
}

export async function noteLogin(tx: Tx, userId: number, at: number): Promise<void> {
  await tx.execute(query.updateTable('user').set({ last_login_at: at }).where('id', '=', userId))
}

/** The caller ends the user's sessions after it, which makes known that what was read of the user is old. */
export async function setPassword(tx: Tx, userId: number, passwordHash: string, at: number): Promise<void> {
  await tx.execute(
    query
      .updateTable('user')
      .set({ password_hash: passwordHash, password_at: at, first_password: 0, must_change: 0 })
      .where('id', '=', userId),
  )
}
