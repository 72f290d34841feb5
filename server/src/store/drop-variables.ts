import type { Tx } from './database.ts'
import { countVariableChange } from './variable-revision.ts'

/** Forgets what a group has, with the group. */
export async function dropVariablesOf(tx: Tx, groupId: number): Promise<void> {
  const dropped = await tx.run('DELETE FROM variable WHERE group_id = ?', [groupId])
  const secrets = await tx.run('DELETE FROM secret WHERE group_id = ?', [groupId])
  await tx.run('DELETE FROM secret_past WHERE group_id = ?', [groupId])
  if (dropped + secrets > 0) await countVariableChange(tx)
}
