import { AppError, type Binding, type Session } from '@tickwheel/contract'
import { BUILT_IN_ROLES, visibleScope, type Permission } from '@tickwheel/core'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MemoryBus } from '../cluster/memory/bus.ts'
import { MemoryCache } from '../cluster/memory/cache.ts'
import { EventRelay } from '../engine/event-relay.ts'
import { Events } from '../engine/events.ts'
import { ManualClock } from '../engine/manual-clock.fixture.ts'
import { createAccount, getAccount, resetPassword, updateAccount } from '../store/accounts.ts'
import { createApiToken } from '../store/api-tokens.ts'
import type { Giver } from '../store/bindings.ts'
import type { Database } from '../store/database.ts'
import { RunIds, takeEntityId } from '../store/ids.ts'
import { createRole, updateRole } from '../store/roles.ts'
import { addGroup, changeAt, memoryStore, T0 } from '../store/store.fixture.ts'
import { ALL_TOKENS, revokeToken } from '../store/tokens.ts'
import { insertUser } from '../store/users.ts'
import { AccessFacts } from './access-facts.ts'
import { editorRights } from './editor-rights.ts'
import { hashPassword } from './passwords.ts'
import { Refusals } from './refusals.ts'
import { Sessions, type Origin } from './sessions.ts'
import { Identities, type SignedUser } from './signed-user.ts'
import { SignedCache } from './signed-cache.ts'

/* What is done about access at the same time, on two nodes that share a store, a cache and a bus. */
const SECRET = 's'.repeat(32)
const HERE: Origin = { ip: '127.0.0.1', requestId: 'r', isExposed: false }
const CALLER = { actor: { kind: 'user', id: 1, name: 'ann' }, ip: '', requestId: '' } as const
const GIVER: Giver = { grants: [{ role: 'admin', permissions: BUILT_IN_ROLES.admin, groups: 'all', binding: '' }], groups: 'all' }
const OLD = 'the old password'
const NEW = 'another password'

let oldHash: string
let newHash: string
beforeAll(async () => {
  oldHash = await hashPassword(OLD)
  newHash = await hashPassword(NEW)
})

class Node {
  readonly access: AccessFacts
  readonly sessions: Sessions
  readonly identities: Identities
  readonly relay: EventRelay

  constructor(runId: number) {
    const events = new Events()
    const now = (): number => clock.now()
    const monotonic = (): number => clock.monotonic()
    const ids = new RunIds(db, now)
    this.relay = new EventRelay({ runId, clock, events, cluster: { bus, state: 'ok' } })
    this.access = new AccessFacts({ db, cache: new SignedCache(cache, SECRET), events, monotonic })
    const refusals = new Refusals({ db, ids, now })
    this.sessions = new Sessions({ db, ids, facts: this.access, refusals, secret: SECRET, now, monotonic })
    this.identities = new Identities({ sessions: this.sessions, facts: this.access, ids, now })
  }

  async who(credential: string): Promise<SignedUser | null> {
    return this.identities.find(credential, HERE)
  }

  async may(credential: string, permission: Permission): Promise<ReturnType<typeof visibleScope> | null> {
    const who = await this.who(credential)
    return who === null ? null : visibleScope(who.grants, permission)
  }
}

let clock: ManualClock
let bus: MemoryBus
let cache: MemoryCache
let db: Database
let a: Node
let b: Node

const arrived = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const pass = async (ms: number): Promise<void> => clock.advance(ms, async () => undefined)

beforeEach(async () => {
  clock = new ManualClock(T0)
  bus = new MemoryBus()
  cache = new MemoryCache(() => clock.monotonic())
  db = await memoryStore(() => clock.now())
  a = new Node(1)
  b = new Node(2)
  await addGroup(db, 1)
  await db.write('rest', async (tx) => {
    const user = { id: await takeEntityId(tx), username: 'ann', display_name: 'Ann', must_change: 0, first_password: 0, disabled: 0 }
    await insertUser(tx, { ...user, password_hash: oldHash, is_admin: 1, created_at: T0, password_at: T0 })
  })
})
afterEach(async () => {
  for (const node of [a, b]) {
    node.access.stop()
    node.relay.stop()
  }
  await db.close()
})

const signIn = async (node = a, password = OLD): Promise<Session> => node.sessions.signIn('ann', password, HERE)
const kept = <Value>(results: readonly PromiseSettledResult<Value>[]): Value[] =>
  results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
/** The codes of what was refused; anything else that went wrong fails the test. */
const refused = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
  results.flatMap((result) => {
    if (result.status === 'fulfilled') return []
    if (!(result.reason instanceof AppError)) throw result.reason
    return [result.reason.code]
  })
async function editAnn(change: { bindings?: Binding[]; disabled?: boolean }): Promise<void> {
  const { displayName, disabled, bindings, version } = await getAccount(db, 1)
  await updateAccount(db, { userId: 1, input: { displayName, disabled, bindings, version, ...change }, giver: GIVER }, changeAt(T0))
}
async function otherAdmin(): Promise<void> {
  const input = { username: 'bob', password: '', bindings: [{ role: 'admin', groupIds: null }] }
  await createAccount(db, { input, passwordHash: '', giver: GIVER }, changeAt(T0))
}

describe('a refresh token', () => {
  it('that many use at once, on both nodes, works for one of them, and its family ends', async () => {
    const session = await signIn()
    const tries = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? a : b).sessions.refresh(session.refreshToken, HERE))
    const results = await Promise.allSettled(tries)
    const won = kept(results)
    expect(won.length).toBeLessThanOrEqual(1)
    expect(new Set(refused(results))).toEqual(new Set(['REFRESH_TOKEN_INVALID']))
    await arrived()
    for (const node of [a, b])
      for (const { token, refreshToken } of [session, ...won]) {
        expect(await node.who(token)).toBeNull()
        await expect(node.sessions.refresh(refreshToken, HERE)).rejects.toMatchObject({ code: 'REFRESH_TOKEN_INVALID' })
      }
  })

  it('that is used one after the other goes on, and the replay of an old one ends all of it', async () => {
    let last = await signIn()
    const used = [last]
    for (let turn = 0; turn < 5; turn++) used.push((last = await (turn % 2 === 0 ? a : b).sessions.refresh(last.refreshToken, HERE)))
    expect(await a.who(last.token)).not.toBeNull()
    await expect(b.sessions.refresh(used[2]?.refreshToken ?? '', HERE)).rejects.toMatchObject({ code: 'REFRESH_TOKEN_INVALID' })
    await arrived()
    for (const { token } of used) expect(await a.who(token)).toBeNull()
  })

  it('gives nothing that outlives a logout, whichever comes first', async () => {
    for (let round = 0; round < 10; round++) {
      const session = await signIn()
      const who = (await a.who(session.token))?.session
      if (who === null || who === undefined) throw new Error('the session is good')
      const refreshing = b.sessions.refresh(session.refreshToken, HERE)
      for (let turns = 0; turns < round; turns++) await Promise.resolve()
      const leaving = a.sessions.signOut(who, CALLER)
      const results = await Promise.allSettled([refreshing])
      await leaving
      await arrived()
      for (const { token, refreshToken } of [session, ...kept(results)]) {
        expect(await a.who(token)).toBeNull()
        expect(await b.who(token)).toBeNull()
        await expect(a.sessions.refresh(refreshToken, HERE)).rejects.toMatchObject({ code: 'REFRESH_TOKEN_INVALID' })
      }
    }
  })
})

describe('a change of the password', () => {
  it('leaves no session of the old one, also of those that are opening at that moment', async () => {
    const before = await signIn()
    const opening = Array.from({ length: 6 }, (_, n) => signIn(n % 2 === 0 ? a : b))
    const refreshing = b.sessions.refresh(before.refreshToken, HERE)
    await resetPassword(db, { userId: 1, passwordHash: newHash, giver: GIVER }, changeAt(T0))
    a.access.changed()
    const results = await Promise.allSettled([...opening, refreshing])
    for (const code of refused(results)) expect(['INVALID_CREDENTIALS', 'REFRESH_TOKEN_INVALID']).toContain(code)
    await arrived()
    for (const { token } of [before, ...kept(results)]) for (const node of [a, b]) expect(await node.who(token)).toBeNull()
    expect(await a.who((await signIn(b, NEW)).token)).toMatchObject({ isLimited: true })
  })

  it('is done once by two that know the same old one', async () => {
    const [one, two] = [await signIn(a), await signIn(b)]
    const change = async (node: Node, { token }: Session, next: string): Promise<Session> => {
      const session = (await node.who(token))?.session
      if (session === null || session === undefined) throw new Error('the session is good')
      return node.sessions.changePassword(session, { current: OLD, next }, { caller: CALLER, origin: HERE })
    }
    const results = await Promise.allSettled([change(a, one, NEW), change(b, two, `${NEW} too`)])
    expect(refused(results)).toEqual(['VALIDATION_FAILED'])
    await arrived()
    const [won] = kept(results)
    expect(await b.who(won?.token ?? '')).not.toBeNull()
    for (const { token } of [one, two]) expect(await b.who(token)).toBeNull()
  })
})

describe('rights that change on one node', () => {
  it('are known on the other at once with the bus, and within a second without', async () => {
    await otherAdmin()
    const { token } = await signIn()
    expect(await b.may(token, 'system:edit')).toBe('all')
    await editAnn({ bindings: [{ role: 'operator', groupIds: [1] }] })
    a.access.changed()
    await arrived()
    expect([await b.may(token, 'system:edit'), await b.may(token, 'task:run')]).toEqual([[], [1]])
    await editAnn({ bindings: [] })
    await pass(1000)
    expect(await b.may(token, 'task:run')).toEqual([])
    await editAnn({ disabled: true })
    await pass(1000)
    expect(await b.who(token)).toBeNull()
  })

  it('are those of a role that everybody has who has it', async () => {
    await otherAdmin()
    const roleId = await createRole(
      db,
      { input: { name: 'r', permissions: ['task:view', 'task:run'] }, grants: GIVER.grants },
      changeAt(T0),
    )
    await editAnn({ bindings: [{ role: 'r', groupIds: null }] })
    const { token } = await signIn()
    expect(await b.may(token, 'task:run')).toBe('all')
    const input = { name: 'r', permissions: ['task:view' as const], version: 1 }
    await updateRole(db, { roleId, input, grants: GIVER.grants }, changeAt(T0))
    await pass(1000)
    expect([await b.may(token, 'task:run'), await b.may(token, 'task:view')]).toEqual([[], 'all'])
    expect(await editorRights(db, 1)).toEqual({ tasks: [], workflows: [], secrets: [] })
  })

  it('are those of the tokens of the account, which end with it', async () => {
    await otherAdmin()
    const input = { kind: 'api' as const, name: 'x', bindings: [{ role: 'developer', groupIds: null }] }
    const made = await createApiToken(db, { input, ownerId: 1, giver: GIVER }, changeAt(T0))
    expect(await b.may(made.token, 'task:edit')).toBe('all')
    await editAnn({ bindings: [{ role: 'viewer', groupIds: [1] }] })
    await pass(1000)
    expect([await b.may(made.token, 'task:edit'), await b.may(made.token, 'task:view')]).toEqual([[], [1]])
    await resetPassword(db, { userId: 1, passwordHash: newHash, giver: GIVER }, changeAt(T0))
    await pass(1000)
    expect(await b.who(made.token)).toMatchObject({ isLimited: true })
    await editAnn({ disabled: true })
    await pass(1000)
    expect(await b.who(made.token)).toBeNull()
  })

  it('end with a token that is revoked or expires, and not with another secret', async () => {
    const input = { kind: 'api' as const, name: 'x', bindings: [{ role: 'admin', groupIds: null }] }
    const made = await createApiToken(db, { input, ownerId: 1, giver: GIVER }, changeAt(T0))
    const other = await createApiToken(db, { input, ownerId: 1, giver: GIVER }, changeAt(T0))
    expect(await b.who(made.token)).not.toBeNull()
    expect(await b.who(`${made.token.slice(0, -1)}${made.token.endsWith('A') ? 'B' : 'A'}`)).toBeNull()
    expect(await b.who(made.token.replace('twk_', 'twe_'))).toBeNull()
    await revokeToken(db, { tokenId: made.id, view: ALL_TOKENS, edit: ALL_TOKENS }, changeAt(T0))
    a.access.changed()
    await arrived()
    expect([await b.who(made.token), await a.who(made.token)]).toEqual([null, null])
    expect(await b.who(other.token)).not.toBeNull()
    await pass(90 * 86_400_000)
    expect(await b.who(other.token)).toBeNull()
  })

  it('are noted as used once a minute, and in the audit log for each new address', async () => {
    const input = { kind: 'api' as const, name: 'x', bindings: [{ role: 'admin', groupIds: null }] }
    const { id, token } = await createApiToken(db, { input, ownerId: 1, giver: GIVER }, changeAt(T0))
    const use = async (ip: string): Promise<unknown> => a.identities.find(token, { ...HERE, ip })
    await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? a : b).identities.find(token, { ...HERE, ip: '10.0.0.1' })))
    for (const ip of ['10.0.0.1', '10.0.0.2', '10.0.0.1', '10.0.0.2']) await use(ip)
    const uses = async () => db.read((tx) => tx.all("SELECT `after` FROM audit WHERE action = 'token:use' ORDER BY id"))
    expect(await uses()).toEqual([{ after: '{"ip":"10.0.0.1"}' }, { after: '{"ip":"10.0.0.2"}' }])
    const usedAt = async () =>
      (await db.read((tx) => tx.all<{ at: number }>('SELECT last_used_at AS at FROM token WHERE id = ?', [id])))[0]?.at
    await pass(59_999)
    await use('10.0.0.1')
    expect(await usedAt()).toBe(T0)
    await pass(1)
    await use('10.0.0.1')
    expect(await usedAt()).toBe(T0 + 60_000)
    expect(await uses()).toHaveLength(2)
  })
})
