import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cache } from '../cluster/cache.ts'
import { MemoryBus } from '../cluster/memory/bus.ts'
import { MemoryCache } from '../cluster/memory/cache.ts'
import { EventRelay } from '../engine/event-relay.ts'
import { Events } from '../engine/events.ts'
import { ManualClock } from '../engine/manual-clock.fixture.ts'
import { CountingDatabase } from '../store/counting-database.fixture.ts'
import { endSession, insertSession } from '../store/sessions.ts'
import { addGroup, changeAt, memoryStore, T0 } from '../store/store.fixture.ts'
import { ALL_TOKENS, createToken, listTokens, revokeToken } from '../store/tokens.ts'
import { insertUser } from '../store/users.ts'
import { AccessFacts } from './access-facts.ts'
import { SignedCache } from './signed-cache.ts'

const SECRET = 's'.repeat(32)

/** A cache that can be emptied as `FLUSHALL` does, go away, and be written to by others. */
class SharedCache implements Cache {
  #real = new MemoryCache(() => clock.monotonic())
  isAway = false
  readonly entries = new Map<string, string>()

  async get(key: string): Promise<string | null> {
    return this.isAway ? null : this.#real.get(key)
  }

  async put(key: string, value: string, ttlMs: number): Promise<void> {
    if (this.isAway) return
    this.entries.set(key, value)
    await this.#real.put(key, value, ttlMs)
  }

  async drop(keys: readonly string[]): Promise<void> {
    if (!this.isAway) await this.#real.drop(keys)
  }

  flush(): void {
    this.#real = new MemoryCache(() => clock.monotonic())
    this.entries.clear()
  }
}

class Node {
  readonly db: CountingDatabase
  readonly access: AccessFacts
  readonly events = new Events()
  readonly relay: EventRelay

  constructor(runId: number, store: CountingDatabase) {
    this.db = new CountingDatabase(store)
    this.relay = new EventRelay({ runId, clock, events: this.events, cluster: { bus, state: 'ok' } })
    this.access = new AccessFacts({
      db: this.db,
      cache: new SignedCache(cache, SECRET),
      events: this.events,
      monotonic: () => clock.monotonic(),
    })
  }

  async isLive(id: string): Promise<boolean> {
    return (await this.access.session(id))?.isLive === true
  }
}

let clock: ManualClock
let bus: MemoryBus
let cache: SharedCache
let store: CountingDatabase
let a: Node
let b: Node

const pass = async (ms: number): Promise<void> => clock.advance(ms, async () => undefined)
const end = async (id: string): Promise<void> => {
  await store.write('rest', (tx) => endSession(tx, id, T0))
}
const arrived = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

beforeEach(async () => {
  clock = new ManualClock(T0)
  bus = new MemoryBus()
  cache = new SharedCache()
  store = new CountingDatabase(await memoryStore())
  a = new Node(1, store)
  b = new Node(2, store)
  await store.write('rest', async (tx) => {
    const user = { id: 1, username: 'ann', display_name: 'Ann', password_hash: '', must_change: 0, first_password: 0, disabled: 0 }
    await insertUser(tx, { ...user, is_admin: 1, created_at: T0, password_at: T0 })
    for (let n = 0; n < 20; n++) await insertSession(tx, sessionRow(`s${n}`))
  })
})
afterEach(async () => {
  for (const node of [a, b]) {
    node.access.stop()
    node.relay.stop()
  }
  await store.close()
})

function sessionRow(id: string) {
  const times = { created_at: T0, rotated_at: T0, expires_at: T0 + 86_400_000, ended_at: null }
  return { id, user_id: 1, refresh_hash: '', previous_hash: null, ...times, limited: 0, ip: '' }
}

describe('what is known of sessions', () => {
  it('is read once for all nodes, and once a second whether anything was taken', async () => {
    const seconds = 10
    for (let second = 0; second < seconds; second++) {
      for (const node of [a, b]) for (let n = 0; n < 20; n++) expect(await node.isLive(`s${n}`)).toBe(true)
      await pass(1000)
    }
    expect(a.db.reads).toBe(20 + seconds)
    expect(b.db.reads).toBe(seconds)
  })

  it('is asked of the store once by many calls at the same time', async () => {
    await a.isLive('s1')
    await pass(1000)
    await Promise.all(Array.from({ length: 50 }, () => a.isLive('s1')))
    expect(a.db.reads).toBe(3)
  })

  it('is the same after the cache was emptied, and while it is away', async () => {
    await end('s1')
    const answers = async (): Promise<boolean[]> => [await a.isLive('s0'), await b.isLive('s0'), await a.isLive('s1'), await b.isLive('s1')]
    const before = await answers()
    expect(before).toEqual([true, true, false, false])
    cache.flush()
    await pass(1000)
    expect(await answers()).toEqual(before)
    cache.flush()
    cache.isAway = true
    await pass(60_000)
    expect(await answers()).toEqual(before)
    await end('s0')
    await pass(1000)
    expect(await answers()).toEqual([false, false, false, false])
  })

  it('is read again after twenty seconds at the latest, whatever anybody changed by hand', async () => {
    await a.isLive('s1')
    await pass(9_000)
    await b.isLive('s1')
    await store.write('rest', (tx) => tx.run("UPDATE session SET ended_at = 1 WHERE id = 's1'"))
    await pass(11_000)
    expect([await a.isLive('s1'), await b.isLive('s1')]).toEqual([false, false])
  })

  it('is not believed when somebody else wrote it into the cache', async () => {
    await end('s1')
    await a.isLive('s0')
    await a.isLive('s1')
    const [own, other] = [...cache.entries]
    if (own === undefined || other === undefined) throw new Error('the facts of two sessions are in the cache')
    for (const forged of [own[1], other[1].replace('"isLive":false', '"isLive":true'), '{"isLive":true}', '']) {
      await cache.put(other[0], forged, 30_000)
      expect(await new Node(3, store).isLive('s1'), forged).toBe(false)
    }
  })
})

describe('a session that was ended on another node', () => {
  it('is refused at once when the bus says so', async () => {
    expect(await b.isLive('s1')).toBe(true)
    await end('s1')
    a.access.changed()
    await arrived()
    expect(await b.isLive('s1')).toBe(false)
    expect(await a.isLive('s1')).toBe(false)
  })

  it('is refused within a second without the bus and with an old value in the cache', async () => {
    expect(await b.isLive('s1')).toBe(true)
    expect(await a.isLive('s1')).toBe(true)
    await end('s1')
    await pass(1000)
    expect(await b.isLive('s1')).toBe(false)
    expect(await a.isLive('s1')).toBe(false)
  })

  it('is refused though a node read it before its end and puts it away after', async () => {
    await a.access.session('s0')
    const { promise: wasEnded, resolve: goOn } = Promise.withResolvers<boolean>()
    const { promise: wasRead, resolve: read } = Promise.withResolvers<boolean>()
    a.db.afterRead = async () => {
      read(true)
      await wasEnded
    }
    const slow = a.isLive('s1')
    await wasRead
    await end('s1')
    b.access.changed()
    await arrived()
    goOn(true)
    a.db.afterRead = async () => undefined
    // It was asked before the end, and may be answered as of then: but nobody is who asks later.
    await slow
    expect([await a.isLive('s1'), await b.isLive('s1')]).toEqual([false, false])
  })

  it('is refused though the generation of before its end arrives after the news of it', async () => {
    const { promise: wasEnded, resolve: goOn } = Promise.withResolvers<boolean>()
    const { promise: wasRead, resolve: read } = Promise.withResolvers<boolean>()
    await a.isLive('s1')
    await pass(1000)
    a.db.afterRead = async () => {
      read(true)
      await wasEnded
    }
    const slow = a.isLive('s1')
    await wasRead
    a.db.afterRead = async () => undefined
    await end('s1')
    b.access.changed()
    await arrived()
    const later = a.isLive('s1')
    goOn(true)
    await slow
    expect(await later).toBe(false)
    expect(await a.isLive('s1')).toBe(false)
  })
})

describe('an executor token', () => {
  const make = async (): Promise<{ id: number; token: string }> => {
    await addGroup(store, 1)
    return createToken(store, { input: { kind: 'executor', groupIds: [1], expiresAt: '2026-11-22T09:00:00Z' } }, changeAt(T0))
  }

  it('is read once, its use noted once a minute, and it ends when it expires', async () => {
    const { token } = await make()
    await a.access.executorToken(token, T0)
    const before = a.db.reads
    for (let n = 1; n < 20; n++) expect(await a.access.executorToken(token, T0 + n)).toMatchObject({ groupIds: [1] })
    expect(a.db.reads).toBe(before + 1)
    await pass(60_000)
    await a.access.executorToken(token, clock.now())
    const { items } = await listTokens(store, ALL_TOKENS, { page: 1, pageSize: 10 }, T0)
    expect(items[0]?.lastUsedAt).toBe('2026-11-22T08:01:00.000Z')
    expect(await a.access.executorToken(token, T0 + 3_600_000)).toBeNull()
  })

  it('with another secret is refused, though the right one is known', async () => {
    const { token } = await make()
    await a.access.executorToken(token, T0)
    expect(
      await a.access.executorToken(
        token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
        T0,
      ),
    ).toBeNull()
    expect(await a.access.executorToken('twe_1_x', T0)).toBeNull()
  })

  it('that was revoked on another node is refused at once with the bus, and within a second without', async () => {
    const first = await make()
    const second = await createToken(store, { input: { kind: 'executor', groupIds: [1] } }, changeAt(T0))
    for (const { token } of [first, second]) expect(await b.access.executorToken(token, T0)).not.toBeNull()
    await revokeToken(store, { tokenId: first.id, view: ALL_TOKENS, edit: ALL_TOKENS }, changeAt(T0))
    a.access.changed()
    await arrived()
    expect(await b.access.executorToken(first.token, T0)).toBeNull()
    expect(await b.access.executorToken(second.token, T0)).not.toBeNull()
    await revokeToken(store, { tokenId: second.id, view: ALL_TOKENS, edit: ALL_TOKENS }, changeAt(T0))
    await pass(1000)
    expect(await b.access.executorToken(second.token, T0)).toBeNull()
  })
})
