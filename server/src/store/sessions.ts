import { countAccessChange } from './access.ts'
import { query, type ReadTx, type Tx } from './database.ts'
import type { SessionRow } from './schema.ts'
import { readUserFacts, type UserFacts } from './users.ts'

/** What must be known of a session and its user to let a call pass. */
export interface SessionFacts extends Omit<UserFacts, 'disabled'> {
  readonly sessionId: string
  readonly limited: boolean
  readonly expiresAt: number
  /** not ended, and the user is not disabled; expiry is judged by the caller */
  readonly isLive: boolean
}

export async function insertSession(tx: Tx, session: SessionRow): Promise<void> {
  await tx.insert('session', [session])
}

export async function readSession(tx: ReadTx, sessionId: string): Promise<SessionFacts | null> {
  const row = await tx.first(
    query.selectFrom('session').select(['id', 'user_id', 'limited', 'expires_at', 'ended_at']).where('id', '=', sessionId),
  )
  const user = row === null ? null : await readUserFacts(tx, row.user_id)
  if (row === null || user === null) return null
  const { disabled, ...facts } = user
  return {
    ...facts,
    sessionId: row.id,
    limited: row.limited === 1,
    expiresAt: row.expires_at,
    isLive: row.ended_at === null && !disabled,
  }
}

/** Puts the next refresh token in the place of `before`; false when `before` is no longer the current one. */
export async function rotateSession(
  tx: Tx,
  sessionId: string,
  change: { before: string; after: string; at: number; expiresAt: number },
): Promise<boolean> {
  const matched = await tx.execute(
    query
      .updateTable('session')
      .set({ refresh_hash: change.after, previous_hash: change.before, rotated_at: change.at, expires_at: change.expiresAt })
      .where('id', '=', sessionId)
      .where('refresh_hash', '=', change.before)
      .where('ended_at', 'is', null),
  )
  return matched === 1
}

/** Ends a session; false when it had ended before. */
export async function endSession(tx: Tx, sessionId: string, at: number): Promise<boolean> {
  const ended = await tx.execute(
    query.updateTable('session').set({ ended_at: at }).where('id', '=', sessionId).where('ended_at', 'is', null),
  )
  if (ended === 1) await countAccessChange(tx)
  return ended === 1
}

/** Ends every session of a user, whose password or rights may have changed in this transaction. */
export async function endSessionsOf(tx: Tx, userId: number, at: number): Promise<number> {
  const ended = await tx.execute(
    query.updateTable('session').set({ ended_at: at }).where('user_id', '=', userId).where('ended_at', 'is', null),
  )
  await countAccessChange(tx)
  return ended
}
