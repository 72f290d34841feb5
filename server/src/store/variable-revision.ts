import type { Database, Tx } from './database.ts'

/**
 * How often variables and secrets have been changed. Whoever keeps what it read of them must read this number before: while it is the same, nothing has
 * changed. 0: never.
 */
export async function readVariableRevision(db: Database): Promise<number> {
  const [row] = await db.read((tx) => tx.all<{ next_id: number }>("SELECT next_id FROM id_block WHERE name = 'variables'"))
  return row?.next_id ?? 0
}

/** Counts one. The last lock that a transaction takes, so that it is held briefly and no two wait for each other. */
export async function countVariableChange(tx: Tx): Promise<void> {
  const count = "UPDATE id_block SET next_id = next_id + 1 WHERE name = 'variables'"
  if ((await tx.run(count)) > 0) return
  await tx.insertNew('id_block', [{ name: 'variables', next_id: 0 }])
  await tx.run(count)
}
