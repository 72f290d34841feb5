import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { AccessFacts } from '../../server/src/auth/access-facts.ts'
import { SignedCache } from '../../server/src/auth/signed-cache.ts'
import { CachedReads } from '../../server/src/cached-reads.ts'
import type { Cluster } from '../../server/src/cluster/cluster.ts'
import { MemoryBuckets } from '../../server/src/cluster/memory/bucket.ts'
import { openRedisCluster } from '../../server/src/cluster/redis/cluster.ts'
import { EventRelay } from '../../server/src/engine/event-relay.ts'
import { Events } from '../../server/src/engine/events.ts'
import { ManualClock } from '../../server/src/engine/manual-clock.fixture.ts'
import { CountingDatabase } from '../../server/src/store/counting-database.fixture.ts'
import { endSession, insertSession } from '../../server/src/store/sessions.ts'
import { addGroup, changeAt, memoryStore, T0, taskInput } from '../../server/src/store/store.fixture.ts'
import { createTask } from '../../server/src/store/tasks.ts'
import { insertUser } from '../../server/src/store/users.ts'
import { PrivateRedis } from '../kit/redis.ts'
import { waitFor } from '../kit/wait-for.ts'

/** What one node keeps, in a Redis that it shares with others. Its clock is turned by hand, that of Redis is not. */
class Node {
  readonly db: CountingDatabase
  readonly access: AccessFacts
  readonly reads: CachedReads
  readonly relay: EventRelay
  readonly cluster: Cluster

  private constructor(runId: number, store: CountingDatabase, cluster: Cluster) {
    this.cluster = cluster
    this.db = new CountingDatabase(store)
    const events = new Events()
    const parts = { db: this.db, cache: new SignedCache(cluster.cache, 'secret'), events, monotonic: () => clock.monotonic() }
    this.relay = new EventRelay({ runId, events, clock, cluster })
    this.access = new AccessFacts(parts)
    this.reads = new CachedReads({ ...parts, bus: cluster.bus })
  }

  static async start(runId: number, url: string): Promise<Node> {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const localBuckets = new MemoryBuckets(() => performance.now())
    return new Node(runId, store, await openRedisCluster({ url, prefix, log, localBuckets }))
  }

  async isLive(id: string): Promise<boolean> {
    return (await this.access.session(id))?.isLive === true
  }

  async tasks(): Promise<number | undefined> {
    return (await this.reads.groupSums([1])).tasks[1]
  }

  async stop(): Promise<void> {
    this.relay.stop()
    this.access.stop()
    this.reads.stop()
    await this.cluster.close()
  }
}

let redis: PrivateRedis | null = null
let prefix = ''
let clock: ManualClock
let store: CountingDatabase
let nodes: Node[] = []

beforeEach(async () => {
  if (inject('redisUrl') === null) return
  prefix = `t-${randomUUID()}`
  redis = await PrivateRedis.start()
  clock = new ManualClock(T0)
  store = new CountingDatabase(await memoryStore())
  await addGroup(store, 1)
  await store.write('rest', async (tx) => {
    const user = { id: 1, username: 'ann', display_name: 'Ann', password_hash: '', must_change: 0, first_password: 0, disabled: 0 }
    await insertUser(tx, { ...user, is_admin: 1, created_at: T0, password_at: T0 })
    const times = { created_at: T0, rotated_at: T0, expires_at: T0 + 86_400_000, ended_at: null }
    for (const id of ['s1', 's2'])
      await insertSession(tx, { id, user_id: 1, refresh_hash: '', previous_hash: null, ...times, limited: 0, ip: '' })
  })
  await createTask(store, { input: taskInput(), serverZone: 'UTC' }, changeAt(T0))
  const { url } = redis
  nodes = await Promise.all([1, 2].map(async (runId) => Node.start(runId, url)))
})
afterEach(async () => {
  for (const node of nodes) await node.stop()
  nodes = []
  await redis?.stop()
})

function both(): [Node, Node] {
  const [a, b] = nodes
  if (a === undefined || b === undefined) throw new Error('two nodes were started')
  return [a, b]
}

it('gives one node what another has read', async () => {
  const [a, b] = both()
  expect([await a.isLive('s1'), await a.isLive('s2'), await a.tasks()]).toEqual([true, true, 1])
  expect([await b.isLive('s1'), await b.isLive('s2'), await b.tasks()]).toEqual([true, true, 1])
  // what was taken from anybody is asked of the store by each; sums may have lived their second on a slow machine
  expect(a.db.reads).toBe(4)
  expect(b.db.reads).toBeLessThanOrEqual(2)
})

it('gives the same answers after FLUSHALL, and while Redis is away', async () => {
  const [a, b] = both()
  await store.write('rest', (tx) => endSession(tx, 's2', T0))
  const answers = async (): Promise<unknown> =>
    Promise.all([a, b].map(async (node) => [await node.isLive('s1'), await node.isLive('s2'), await node.tasks()]))
  const before = await answers()
  expect(before).toEqual([
    [true, false, 1],
    [true, false, 1],
  ])
  await redis?.flushAll()
  expect(await answers()).toEqual(before)
  await clock.advance(60_000, async () => undefined)
  expect(await answers()).toEqual(before)
  await redis?.kill()
  await clock.advance(60_000, async () => undefined)
  expect(await answers()).toEqual(before)
  await store.write('rest', (tx) => endSession(tx, 's1', T0))
  await clock.advance(1000, async () => undefined)
  expect([await a.isLive('s1'), await b.isLive('s1')]).toEqual([false, false])
})

it('takes a session away on every node at once', async () => {
  const [a, b] = both()
  expect([await a.isLive('s1'), await b.isLive('s1')]).toEqual([true, true])
  await store.write('rest', (tx) => endSession(tx, 's1', T0))
  await waitFor(() => b.cluster.bus.isUp && a.cluster.bus.isUp, { what: 'the bus' })
  a.access.changed()
  expect(await a.isLive('s1')).toBe(false)
  // the clock stands still: nothing but the message can have told it
  await waitFor(async () => !(await b.isLive('s1')), { what: 'the news on the other node' })
})
