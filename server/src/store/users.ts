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

export async function insertUser(tx: Tx, user: Omit<UserRow, 'name_key'>): Promise<void> {
  await tx.insert('user', [{ ...user, name_key: nameKey(user.username) }])
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
