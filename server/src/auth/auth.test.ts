import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryCache } from '../cluster/memory/cache.ts'
import { Events } from '../engine/events.ts'
import { openSqlite } from '../store/dialect/sqlite.ts'
import { query, type Database } from '../store/database.ts'
import { RunIds, takeEntityId } from '../store/ids.ts'
import { migrate } from '../store/migrate.ts'
import { endSession } from '../store/sessions.ts'
import { insertUser } from '../store/users.ts'
import { AccessFacts } from './access-facts.ts'
import { AccessTokens } from './access-tokens.ts'
import { ExecutorSessionTokens } from './executor-tokens.ts'
import { describeGrants, grantsOf } from './grants.ts'
import { Lockout } from './lockout.ts'
import { hashPassword, isPassword, requireStrongPassword } from './passwords.ts'
import { Refusals } from './refusals.ts'
import { loadSecret } from './secret.ts'
import { SignedCache } from './signed-cache.ts'
import { Sessions, type Origin, type SignedIn } from './sessions.ts'

const NOW = Date.UTC(2026, 10, 22, 8)
const here: Origin = { ip: '127.0.0.1', requestId: 'r', isExposed: false }
const outside: Origin = { ip: '10.1.2.3', requestId: 'r', isExposed: true }
const caller = { actor: { kind: 'user', id: 1, name: 'admin' }, ip: '', requestId: '' } as const

describe('sessions', () => {
  let db: Database
  let time = NOW
  let sessions: Sessions
  let facts: AccessFacts
  let refusals: Refusals
  let passwordHash: string | null = null

  beforeEach(async () => {
    time = NOW
    db = openSqlite({ path: ':memory:', now: () => time })
    await migrate(db)
    const known = (passwordHash ??= await hashPassword('admin123'))
    await db.write('rest', async (tx) =>
      insertUser(tx, {
        id: await takeEntityId(tx),
        username: 'admin',
        display_name: 'Administrator',
        password_hash: known,
        must_change: 0,
        first_password: 1,
        disabled: 0,
        is_admin: 1,
        created_at: NOW,
        password_at: NOW,
      }),
    )
    sessions = make()
  })
  afterEach(async () => {
    facts.stop()
    await db.close()
  })

  function make(): Sessions {
    const ids = new RunIds(db, () => time)
    refusals = new Refusals({ db, ids, now: () => time })
    const secret = 's'.repeat(32)
    const monotonic = (): number => time
    facts = new AccessFacts({ db, cache: new SignedCache(new MemoryCache(monotonic), secret), events: new Events(), monotonic })
    return new Sessions({ db, ids, facts, refusals, secret, monotonic, now: () => time })
  }

  async function signedIn(origin: Origin = here): Promise<{ token: string; refreshToken: string; who: SignedIn }> {
    const session = await sessions.signIn(' Admin', 'admin123', origin)
    const who = await sessions.authenticate(session.token, origin.isExposed)
    if (who === null) throw new Error('the token of a sign-in is good')
    return { ...session, who }
  }

  it('signs in with the right password and gives a token for 15 minutes', async () => {
    const session = await sessions.signIn('admin', 'admin123', here)
    expect(session).toMatchObject({ expiresAt: '2026-11-22T08:15:00.000Z', user: { username: 'admin', mustChangePassword: false } })
    expect(await sessions.authenticate(session.token, false)).toMatchObject({
      username: 'admin',
      bindings: [{ role: 'admin', groupIds: null }],
      isLimited: false,
    })
    time += 900_000
    expect(await sessions.authenticate(session.token, false)).toBeNull()
  })

  it.each([
    ['admin', 'wrong'],
    ['nobody', 'admin123'],
  ])('answers the same to a wrong password and an unknown user: %s', async (username, password) => {
    await expect(sessions.signIn(username, password, here)).rejects.toMatchObject({
      code: 'INVALID_CREDENTIALS',
      message: 'User name or password is wrong.',
    })
  })

  it('makes a pair of account and address wait after five failures, and nobody else', async () => {
    for (let tries = 0; tries < 5; tries++)
      await expect(sessions.signIn('admin', 'wrong', here)).rejects.toMatchObject({ code: 'INVALID_CREDENTIALS' })
    await expect(sessions.signIn('admin', 'admin123', here)).rejects.toMatchObject({ code: 'LOCKED_OUT', params: { retryAfterSeconds: 1 } })
    await expect(sessions.signIn('admin', 'admin123', { ...here, ip: '127.0.0.2' })).resolves.toBeDefined()
    time += 1000
    await expect(sessions.signIn('admin', 'admin123', here)).resolves.toBeDefined()
  })

  it('limits the first password to changing it where others can reach the server', async () => {
    const { who, token } = await signedIn(outside)
    expect(who.isLimited).toBe(true)
    expect(await sessions.authenticate(token, false)).toMatchObject({ isLimited: true })
    const local = await signedIn(here)
    expect(local.who.isLimited).toBe(false)
    expect(await sessions.authenticate(local.token, true)).toMatchObject({ isLimited: true })
    expect(await sessions.showsFirstAccount(false)).toBe(true)
    expect(await sessions.showsFirstAccount(true)).toBe(false)
  })

  it('ends every session when the password changes, and opens a new one without limits', async () => {
    const other = await signedIn()
    const { who, token } = await signedIn(outside)
    const request = { caller, origin: outside }
    await expect(sessions.changePassword(who, { current: 'wrong', next: 'a better one' }, request)).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [{ path: 'current' }],
    })
    await expect(sessions.changePassword(who, { current: 'admin123', next: 'password1' }, request)).rejects.toMatchObject({
      code: 'PASSWORD_TOO_WEAK',
    })
    const session = await sessions.changePassword(who, { current: 'admin123', next: 'a better one' }, request)
    expect(await sessions.authenticate(token, true)).toBeNull()
    expect(await sessions.authenticate(other.token, false)).toBeNull()
    expect(await sessions.authenticate(session.token, true)).toMatchObject({ isLimited: false })
    await expect(sessions.signIn('admin', 'admin123', here)).rejects.toMatchObject({ code: 'INVALID_CREDENTIALS' })
    expect(await sessions.showsFirstAccount(false)).toBe(false)
  })

  it('ends a session at once when it signs out, with its refresh token', async () => {
    const { who, token, refreshToken } = await signedIn()
    await sessions.signOut(who, caller)
    expect(await sessions.authenticate(token, false)).toBeNull()
    await expect(sessions.refresh(refreshToken, here)).rejects.toMatchObject({ code: 'REFRESH_TOKEN_INVALID' })
  })

  it('rotates refresh tokens, and a replayed one of any age ends the family', async () => {
    const first = await signedIn()
    const second = await sessions.refresh(first.refreshToken, here)
    const third = await sessions.refresh(second.refreshToken, here)
    expect(await sessions.authenticate(third.token, false)).not.toBeNull()
    await expect(sessions.refresh(first.refreshToken, here)).rejects.toMatchObject({ code: 'REFRESH_TOKEN_INVALID' })
    expect(await sessions.authenticate(third.token, false)).toBeNull()
    await expect(sessions.refresh(third.refreshToken, here)).rejects.toMatchObject({ code: 'REFRESH_TOKEN_INVALID' })
  })

  it('does not end a family for an invented refresh token', async () => {
    const { refreshToken, token } = await signedIn()
    const [head, random] = refreshToken.split('.')
    for (const invented of ['twr_x', `${head}.${random}.${'A'.repeat(43)}`, 'nonsense'])
      await expect(sessions.refresh(invented, here)).rejects.toMatchObject({ code: 'REFRESH_TOKEN_INVALID' })
    expect(await sessions.authenticate(token, false)).not.toBeNull()
    time += 8 * 86_400_000
    await expect(sessions.refresh(refreshToken, here)).rejects.toMatchObject({ code: 'REFRESH_TOKEN_INVALID' })
  })

  it('notices within a second that another process ended the session', async () => {
    const { who, token } = await signedIn()
    await db.write('rest', (tx) => endSession(tx, who.sessionId, time))
    time += 1000
    expect(await sessions.authenticate(token, false)).toBeNull()
  })

  it('writes sign-ins, and gathers refused ones into one row', async () => {
    await signedIn()
    for (let tries = 0; tries < 3; tries++) await sessions.signIn('admin', 'wrong', here).catch(() => undefined)
    await refusals.flush()
    const rows = await db.read((tx) =>
      tx.rows(query.selectFrom('audit').select(['action', 'outcome', 'code', 'count', 'actor_name']).orderBy('id')),
    )
    expect(rows).toEqual([
      { action: 'auth:login', outcome: 'done', code: null, count: 1, actor_name: 'admin' },
      { action: 'auth:login', outcome: 'refused', code: 'INVALID_CREDENTIALS', count: 3, actor_name: 'admin' },
    ])
  })
})

describe('passwords', () => {
  it('are hashed with argon2id, 19 MiB, two passes', async () => {
    const hash = await hashPassword('some password')
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(await isPassword('some password', hash)).toBe(true)
    expect(await isPassword('other password', hash)).toBe(false)
    expect(await isPassword('some password', null)).toBe(false)
  })

  it.each([
    ['short7c', 'length'],
    ['x'.repeat(129), 'length'],
    ['Carpenter', 'username'],
    ['Password123', 'common'],
    ['admin123', 'common'],
    ['the old bridge', 'same'],
  ])('refuses %s', (password, rule) => {
    expect(() => requireStrongPassword(password, { username: 'carpenter', current: 'the old bridge', path: 'next' })).toThrow(
      expect.objectContaining({ code: 'PASSWORD_TOO_WEAK', params: { rule } }),
    )
  })

  it('asks for no character classes', () => {
    expect(() => requireStrongPassword('wooden bridge at dawn', { username: 'carpenter', current: null, path: 'next' })).not.toThrow()
  })
})

describe('lockout', () => {
  it('waits 1, 2, 4 … 300 s, and forgets on success', () => {
    const lockout = new Lockout()
    const waits = Array.from({ length: 15 }, () => {
      lockout.failed('a', 'ip', 0)
      return lockout.waitMs('a', 'ip', 0) / 1000
    })
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
    lockout.succeeded('a', 'ip')
    expect(lockout.waitMs('a', 'ip', 0)).toBe(0)
  })
})

describe('tokens', () => {
  const key = Buffer.alloc(32, 1)

  it('of access carry user, session and expiry, and nothing else', () => {
    const { token } = new AccessTokens(key).issue(7, 'sid', NOW)
    expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).toEqual({
      sub: '7',
      sid: 'sid',
      exp: (NOW + 900_000) / 1000,
    })
  })

  it('of another key, or of no algorithm, are refused', () => {
    const tokens = new AccessTokens(key)
    const { token } = new AccessTokens(Buffer.alloc(32, 2)).issue(7, 'sid', NOW)
    const [, payload] = token.split('.')
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
    for (const bad of [token, unsigned, 'x', '']) expect(tokens.verify(bad, NOW)).toBeNull()
  })

  it('of executors name executor and boot and cannot be changed', () => {
    const tokens = new ExecutorSessionTokens('s'.repeat(32))
    const token = tokens.issue({ executorId: 5, bootId: 9 })
    expect(tokens.verify(token)).toEqual({ executorId: 5, bootId: 9 })
    expect(tokens.verify(token.replace('5.9', '6.9'))).toBeNull()
    expect(new ExecutorSessionTokens('t'.repeat(32)).verify(token)).toBeNull()
  })
})

describe('the secret', () => {
  it('is made once, for its owner only, unless it is given', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tickwheel-secret-'))
    const secret = loadSecret(folder, '')
    expect(secret.length).toBeGreaterThanOrEqual(32)
    expect(loadSecret(folder, '')).toBe(secret)
    expect(statSync(join(folder, 'secret.key')).mode & 0o777).toBe(0o600)
    expect(loadSecret(folder, 'given')).toBe('given')
    rmSync(folder, { recursive: true })
  })
})

describe('grants', () => {
  it('of an administrator are everything, of somebody without a binding nothing', () => {
    const admin = { role: 'admin', permissions: null, groupIds: null }
    expect(describeGrants(grantsOf({ userId: 1, bindings: [admin] })).all).toContain('system:edit')
    expect(describeGrants(grantsOf({ userId: 1, bindings: [] }))).toEqual({ all: [], groups: {} })
  })
})
