import { visibleScope, type Grant, type Permission, type Scope } from '@tickwheel/core'
import { readApiToken } from '../store/api-tokens.ts'
import type { Caller } from '../store/caller.ts'
import type { Database, ReadTx } from '../store/database.ts'
import { readUserFacts, type UserFacts } from '../store/users.ts'
import { grantsOf, grantsOfToken } from './grants.ts'

/**
 * What somebody may do now who has asked for something that is done later. Nothing, once the account is gone or disabled or has to change its password; by a
 * token that was revoked or has expired, too. `now`: cluster time.
 */
export async function askerRights(db: Database, { actor }: Caller, now: number): Promise<(permission: Permission) => Scope> {
  const grants = await db.read((tx) => (actor.kind === 'token' ? grantsByToken(tx, actor.id, now) : grantsOfPerson(tx, actor.id)))
  return (permission) => visibleScope(grants, permission)
}

async function grantsOfPerson(tx: ReadTx, userId: number | null): Promise<readonly Grant[]> {
  const user = userId === null ? null : await readUserFacts(tx, userId)
  return user === null || isBarred(user) ? [] : grantsOf(user)
}

async function grantsByToken(tx: ReadTx, tokenId: number | null, now: number): Promise<readonly Grant[]> {
  const found = tokenId === null ? null : await readApiToken(tx, tokenId)
  if (found === null || isBarred(found.owner)) return []
  const { revoked_at: revokedAt, expires_at: expiresAt } = found.row
  return revokedAt !== null || (expiresAt !== null && expiresAt <= now) ? [] : grantsOfToken(found)
}

function isBarred({ disabled, mustChange }: UserFacts): boolean {
  return disabled || mustChange
}
