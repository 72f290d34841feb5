import type { TokenRateLimit } from '@tickwheel/contract'
import type { Grant } from '@tickwheel/core'
import type { RunIds } from '../store/ids.ts'
import { rateLimitOf } from '../store/token-limit.ts'
import type { AccessFacts } from './access-facts.ts'
import { grantsOf, grantsOfToken } from './grants.ts'
import type { Origin, Sessions, SignedIn } from './sessions.ts'

/** An API token that calls in the place of its owner. */
export interface ApiToken {
  readonly tokenId: number
  readonly name: string
  readonly expiresAt: number
  /** null: the configured budgets */
  readonly rateLimit: TokenRateLimit | null
}

/** Who calls: a person who signed in, or an API token. */
export interface SignedUser {
  /** the account; of an API token its owner */
  readonly user: { readonly userId: number; readonly username: string; readonly displayName: string }
  readonly grants: readonly Grant[]
  /** the password has to be changed first: nothing else is allowed */
  readonly isLimited: boolean
  /** null: an API token */
  readonly session: SignedIn | null
  /** null: a person */
  readonly token: ApiToken | null
}

/** Whose rate-limit bucket calls take from: one for each account, and one for each API token. */
export function bucketOf({ user, token }: Pick<SignedUser, 'token'> & { readonly user: { readonly userId: number } }): string {
  return token === null ? `user ${user.userId}` : `token ${token.tokenId}`
}

export interface IdentityParts {
  readonly sessions: Sessions
  readonly facts: AccessFacts
  readonly ids: RunIds
  /** cluster time, epoch ms */
  readonly now: () => number
}

/** Finds out who calls, by a credential that a person or a program of theirs sends: an access token, or an API token. */
export class Identities {
  readonly #parts: IdentityParts

  constructor(parts: IdentityParts) {
    this.#parts = parts
  }

  /** Null: the credential is wrong, expired or revoked, or its account is disabled. */
  async find(credential: string, origin: Origin): Promise<SignedUser | null> {
    return credential.startsWith('twk_') ? this.#token(credential, origin) : this.#person(credential, origin)
  }

  async #person(credential: string, { isExposed }: Origin): Promise<SignedUser | null> {
    const session = await this.#parts.sessions.authenticate(credential, isExposed)
    if (session === null) return null
    return { user: session, grants: grantsOf(session), isLimited: session.isLimited, session, token: null }
  }

  async #token(credential: string, origin: Origin): Promise<SignedUser | null> {
    const { facts, ids, now } = this.#parts
    const found = await facts.apiToken(credential, { now: now(), origin, takeId: async () => ids.take(1) })
    if (found === null) return null
    const { row, owner } = found
    const token = { tokenId: row.id, name: row.name, expiresAt: row.expires_at ?? Infinity, rateLimit: rateLimitOf(row) }
    // What an owner may not do now, its token may not: while the password has to be changed, nothing.
    const isLimited = owner.mustChange || (owner.firstPassword && origin.isExposed)
    return { user: owner, grants: grantsOfToken(found), isLimited, session: null, token }
  }
}
