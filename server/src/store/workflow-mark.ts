import type { ReadTx, Tx } from './database.ts'

/** Remembers that there may be runs of workflows, when the first workflow is saved. */
export async function noteWorkflows(tx: Tx): Promise<void> {
  await tx.insertNew('meta', [{ key: 'workflows', value: '1' }])
}

/** Whether there can be runs of workflows among the runs: where none ever were, lists of instances need not pass over them. */
export async function mayHaveWorkflows(tx: ReadTx): Promise<boolean> {
  const [row] = await tx.all<{ value: string }>("SELECT value FROM meta WHERE `key` = 'workflows'")
  return row !== undefined
}
