import type { ReadTx, Tx } from './database.ts'

/** Remembers that there may be shards, when a task that has some is saved. */
export async function noteShards(tx: Tx): Promise<void> {
  await tx.insertNew('meta', [{ key: 'sharded', value: '1' }])
}

/** Whether there can be shards among the runs: where none ever were, lists need not pass over them. */
export async function mayHaveShards(tx: ReadTx): Promise<boolean> {
  const [row] = await tx.all<{ value: string }>("SELECT value FROM meta WHERE `key` = 'sharded'")
  return row !== undefined
}
