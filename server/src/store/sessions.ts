import { countAccessChange } from './access.ts'
import { query, type ReadTx, type Tx } from './database.ts'
import type { SessionRow } from './schema.ts'

/** What must be known of a session and its user to let a call pass. */
export interface SessionFacts {
  readonly sessionId: string
  readonly userId: number
  readonly username: string
  readonly displayName: string
  readonly isAdmin: boolean
  readonly mustChange: boolean
  /** the user still has the password of the first start */
  readonly firstPassword: boolean
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
    query
      .selectFrom('session')
      .innerJoin('user', 'user.id', 'session.user_id')
      .select([
        'session.id',
        'session.user_id',
        'session.limited',
        'session.expires_at',
        'session.ended_at',
        'user.username',
        'user.display_name',
        'user.is_admin',
        'user.must_change',
        'user.first_password',
        'user.disabled',
      ])
      .where('session.id', '=', sessionId),
  )
  if (row === null) return null
  return {
    sessionId: row.id,
    userId: row.user_id,
    username: row.username,
    displayName: row.display_name,
    isAdmin: row.is_admin === 1,
    mustChange: row.must_change === 1,
    firstPassword: row.first_password === 1,
    limited: row.limited === 1,
    expiresAt: row.expires_at,
    isLive: row.ended_at === null && row.disabled === 0,
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
