import { createHash, randomBytes } from 'node:crypto'
import { AppError, type Session, type User } from '@tickwheel/contract'
import { writeAudit } from '../store/audit.ts'
import type { BindingFacts } from '../store/bindings.ts'
import type { Caller } from '../store/caller.ts'
import type { Database, Tx } from '../store/database.ts'
import { nameKey } from '../store/definition.ts'
import type { RunIds } from '../store/ids.ts'
import type { UserRow } from '../store/schema.ts'
import { endSession, endSessionsOf, insertSession, readSession, rotateSession, type SessionFacts } from '../store/sessions.ts'
import { findUserByName, hasFirstPassword, hasStill, noteLogin, readUser, setPassword } from '../store/users.ts'
import type { AccessFacts } from './access-facts.ts'
import { AccessTokens } from './access-tokens.ts'
import { Lockout } from './lockout.ts'
import { hashPassword, isPassword, requireStrongPassword } from './passwords.ts'
import type { Refusals } from './refusals.ts'
import { deriveKey, sameText, sign } from './secret.ts'

const REFRESH_MS = 7 * 86_400_000

/** Where a call comes from. `isExposed`: the server listens beyond loopback, or the call came through a proxy. */
export interface Origin {
  readonly ip: string
  readonly requestId: string
  readonly isExposed: boolean
}

/** A signed-in person. `isLimited`: only changing the password and signing out are allowed. */
export interface SignedIn {
  readonly sessionId: string
  readonly userId: number
  readonly username: string
  readonly displayName: string
  readonly bindings: readonly BindingFacts[]
  readonly isLimited: boolean
  /** of the token, epoch ms */
  readonly expiresAt: number
}

export interface SessionsParts {
  readonly db: Database
  readonly ids: RunIds
  readonly facts: AccessFacts
  readonly refusals: Refusals
  readonly secret: string
  /** cluster time, epoch ms */
  readonly now: () => number
  readonly monotonic: () => number
}

/**
 * Signing in, staying signed in, signing out. A session is one sign-in and the family of its refresh tokens. Each call is checked against what
 * the store says of the session (`AccessFacts`).
 */
export class Sessions {
  readonly #parts: SessionsParts
  readonly #tokens: AccessTokens
  readonly #refreshKey: Buffer
  readonly #lockout = new Lockout()

  constructor(parts: SessionsParts) {
    this.#parts = parts
    this.#tokens = new AccessTokens(deriveKey(parts.secret, 'access token'))
    this.#refreshKey = deriveKey(parts.secret, 'refresh token')
  }

  /** Throws `INVALID_CREDENTIALS` for an unknown user and a wrong password alike, `LOCKED_OUT` while the pair waits. */
  async signIn(username: string, password: string, origin: Origin): Promise<Session> {
    const account = nameKey(username).slice(0, 128)
    const waitMs = this.#lockout.waitMs(account, origin.ip, this.#parts.monotonic())
    if (waitMs > 0) throw lockedOut(waitMs)
    const user = await this.#parts.db.read((tx) => findUserByName(tx, username))
    const matches = await isPassword(password, user?.password_hash ?? null)
    if (user === null || !matches || user.disabled === 1) {
      this.#lockout.failed(account, origin.ip, this.#parts.monotonic())
      this.#parts.refusals.note(
        { actor: { kind: 'user', id: user?.id ?? null, name: account }, ip: origin.ip, requestId: origin.requestId },
        { action: 'auth:login', code: 'INVALID_CREDENTIALS' },
      )
      throw new AppError('INVALID_CREDENTIALS', 'User name or password is wrong.')
    }
    this.#lockout.succeeded(account, origin.ip)
    return this.#open(user, origin, 'auth:login')
  }

  /** A new pair of tokens for a refresh token, once. A replayed one ends the family. */
  async refresh(refreshToken: string, origin: Origin): Promise<Session> {
    const sessionId = this.#sessionOfRefresh(refreshToken)
    const facts = sessionId === null ? null : await this.#parts.db.read((tx) => readSession(tx, sessionId))
    const now = this.#parts.now()
    if (sessionId === null || facts === null || !facts.isLive || facts.expiresAt <= now) throw refreshInvalid()
    const next = this.#newRefresh(sessionId)
    const change = { before: hashOf(refreshToken), after: hashOf(next), at: now, expiresAt: now + REFRESH_MS }
    const isRotated = await this.#parts.db.write('rest', (tx) => rotateSession(tx, sessionId, change))
    if (isRotated) return this.#answer(facts, next, origin)
    await this.#endFamily(facts, origin)
    throw refreshInvalid()
  }

  /** Who a token belongs to, or null when it is not one of ours, has expired, or its session has ended. */
  async authenticate(token: string, isExposed: boolean): Promise<SignedIn | null> {
    const claims = this.#tokens.verify(token, this.#parts.now())
    if (claims === null) return null
    const facts = await this.#parts.facts.session(claims.sessionId)
    if (facts === null || !facts.isLive || facts.userId !== claims.userId) return null
    const { sessionId, userId, username, displayName, bindings } = facts
    return { sessionId, userId, username, displayName, bindings, isLimited: isLimited(facts, isExposed), expiresAt: claims.expiresAt }
  }

  async signOut(signedIn: SignedIn, caller: Caller): Promise<void> {
    const id = await this.#parts.ids.take(1)
    const at = this.#parts.now()
    await this.#parts.db.write('rest', async (tx) => {
      if (await endSession(tx, signedIn.sessionId, at)) await auditUser(tx, { at, id, caller, action: 'auth:logout', user: signedIn })
    })
    this.#parts.facts.changed()
  }

  /** Sets a new password, ends every session of the user, and opens a new one. */
  async changePassword(
    signedIn: SignedIn,
    passwords: { current: string; next: string },
    request: { caller: Caller; origin: Origin },
  ): Promise<Session> {
    const { caller, origin } = request
    const account = nameKey(signedIn.username)
    const waitMs = this.#lockout.waitMs(account, origin.ip, this.#parts.monotonic())
    if (waitMs > 0) throw lockedOut(waitMs)
    const user = await this.#parts.db.read((tx) => readUser(tx, signedIn.userId))
    if (user === null || !(await isPassword(passwords.current, user.password_hash))) {
      this.#lockout.failed(account, origin.ip, this.#parts.monotonic())
      throw wrongCurrent()
    }
    this.#lockout.succeeded(account, origin.ip)
    requireStrongPassword(passwords.next, { username: user.username, current: passwords.current, path: 'next' })
    const passwordHash = await hashPassword(passwords.next)
    const id = await this.#parts.ids.take(1)
    const at = this.#parts.now()
    await this.#parts.db.write('rest', async (tx) => {
      if (!(await hasStill(tx, user.id, user.password_hash))) throw wrongCurrent()
      await setPassword(tx, user.id, passwordHash, at)
      await endSessionsOf(tx, user.id, at)
      await auditUser(tx, { at, id, caller, action: 'auth:password', user: signedIn })
    })
    this.#parts.facts.changed()
    return this.#open({ ...user, password_hash: passwordHash, first_password: 0, must_change: 0 }, origin, null)
  }

  /** Whether the sign-in page may show the first account: it still has its first password, and only this machine can ask. */
  async showsFirstAccount(isExposed: boolean): Promise<boolean> {
    return !isExposed && (await this.#parts.db.read(hasFirstPassword))
  }

  async #open(user: UserRow, origin: Origin, action: string | null): Promise<Session> {
    const sessionId = randomBytes(16).toString('base64url')
    const refreshToken = this.#newRefresh(sessionId)
    const id = await this.#parts.ids.take(1)
    const at = this.#parts.now()
    const isLimitedNow = user.must_change === 1 || (user.first_password === 1 && origin.isExposed)
    await this.#parts.db.write('rest', async (tx) => {
      // The password was checked before this transaction: who changed it meanwhile, or disabled the account, has ended the sessions that were there then.
      if (!(await hasStill(tx, user.id, user.password_hash))) throw new AppError('INVALID_CREDENTIALS', 'User name or password is wrong.')
      await insertSession(tx, {
        id: sessionId,
        user_id: user.id,
        refresh_hash: hashOf(refreshToken),
        previous_hash: null,
        created_at: at,
        rotated_at: at,
        expires_at: at + REFRESH_MS,
        ended_at: null,
        limited: isLimitedNow ? 1 : 0,
        ip: origin.ip,
      })
      const caller: Caller = { actor: { kind: 'user', id: user.id, name: user.username }, ip: origin.ip, requestId: origin.requestId }
      if (action === null) return
      await noteLogin(tx, user.id, at)
      await auditUser(tx, { at, id, caller, action, user: { userId: user.id, username: user.username } })
    })
    const facts: AnsweredFacts = {
      sessionId,
      userId: user.id,
      username: user.username,
      displayName: user.display_name,
      mustChange: user.must_change === 1,
      firstPassword: user.first_password === 1,
      limited: isLimitedNow,
    }
    return this.#answer(facts, refreshToken, origin)
  }

  #answer(facts: AnsweredFacts, refreshToken: string, origin: Origin): Session {
    const { token, expiresAt } = this.#tokens.issue(facts.userId, facts.sessionId, this.#parts.now())
    const user: User = {
      id: facts.userId,
      username: facts.username,
      displayName: facts.displayName,
      mustChangePassword: isLimited(facts, origin.isExposed),
    }
    return { token, refreshToken, expiresAt: new Date(expiresAt).toISOString(), user }
  }

  // A refresh token is `twr_<session>.<random>.<mac>`: the mac tells a token that was once ours from an invention, so that only a true replay ends a family.
  #newRefresh(sessionId: string): string {
    const body = `${sessionId}.${randomBytes(24).toString('base64url')}`
    return `twr_${body}.${sign(this.#refreshKey, body)}`
  }

  #sessionOfRefresh(refreshToken: string): string | null {
    const parts = refreshToken.startsWith('twr_') ? refreshToken.slice(4).split('.') : []
    const [sessionId, random, mac] = parts
    if (parts.length !== 3 || sessionId === undefined || random === undefined || mac === undefined) return null
    return sameText(mac, sign(this.#refreshKey, `${sessionId}.${random}`)) ? sessionId : null
  }

  async #endFamily(facts: SessionFacts, origin: Origin): Promise<void> {
    const id = await this.#parts.ids.take(1)
    const at = this.#parts.now()
    const caller: Caller = { actor: { kind: 'user', id: facts.userId, name: facts.username }, ip: origin.ip, requestId: origin.requestId }
    await this.#parts.db.write('rest', async (tx) => {
      if (await endSession(tx, facts.sessionId, at)) await auditUser(tx, { at, id, caller, action: 'auth:refreshReplayed', user: facts })
    })
    this.#parts.facts.changed()
  }
}

type AnsweredFacts = Omit<SessionFacts, 'bindings' | 'expiresAt' | 'isLive'>

async function auditUser(
  tx: Tx,
  entry: { at: number; id: number; caller: Caller; action: string; user: { userId: number; username: string } },
): Promise<void> {
  await writeAudit(tx, entry.at, entry.id, entry.caller, {
    action: entry.action,
    resource: { kind: 'user', id: entry.user.userId, key: entry.user.username },
    groupId: null,
  })
}

function isLimited(facts: AnsweredFacts, isExposed: boolean): boolean {
  return facts.limited || facts.mustChange || (facts.firstPassword && isExposed)
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

function wrongCurrent(): AppError {
  return new AppError('VALIDATION_FAILED', 'The current password is wrong.', {
    errors: [{ path: 'current', code: 'INVALID_CREDENTIALS', message: 'This is not the current password.' }],
  })
}

function lockedOut(waitMs: number): AppError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000)
  return new AppError('LOCKED_OUT', `Too many wrong passwords from this address: try again in ${retryAfterSeconds} s.`, {
    params: { retryAfterSeconds },
  })
}

function refreshInvalid(): AppError {
  return new AppError('REFRESH_TOKEN_INVALID', 'This refresh token is unknown, used before, or its session has ended: sign in again.')
}
