import type { Database, Tx } from './database.ts'

/**
 * How often access has been taken from somebody: sessions ended, passwords changed, tokens revoked. Whoever keeps what it read of them must read this
 * number before, and again each second: while it is the same, nothing was taken. 0: never.
 */
export async function readAccessGeneration(db: Database): Promise<number> {
  const [row] = await db.read((tx) => tx.all<{ next_id: number }>("SELECT next_id FROM id_block WHERE name = 'access'"))
  return row?.next_id ?? 0
}

/** Counts one. The last lock that a transaction takes, so that it is held briefly and no two wait for each other. */
export async function countAccessChange(tx: Tx): Promise<void> {
  const count = "UPDATE id_block SET next_id = next_id + 1 WHERE name = 'access'"
  if ((await tx.run(count)) > 0) return
  await tx.insertNew('id_block', [{ name: 'access', next_id: 0 }])
  await tx.run(count)
}

/**
 * Taken first by every change of accounts, roles, bindings and API tokens, which are rare: one after the other, so that what such a change relies on (that somebody
 * else is an admin, that nobody has a role) still holds when it commits.
 */
export async function lockAccess(tx: Tx): Promise<void> {
  const take = "UPDATE id_block SET next_id = next_id + 1 WHERE name = 'access change'"
  if ((await tx.run(take)) > 0) return
  await tx.insertNew('id_block', [{ name: 'access change', next_id: 0 }])
  await tx.run(take)
}
