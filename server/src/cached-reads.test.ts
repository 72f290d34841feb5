import type { Register } from '@tickwheel/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SignedCache } from './auth/signed-cache.ts'
import { CachedReads } from './cached-reads.ts'
import type { Cache } from './cluster/cache.ts'
import { MemoryBus } from './cluster/memory/bus.ts'
import { MemoryCache } from './cluster/memory/cache.ts'
import { Events } from './engine/events.ts'
import { ManualClock } from './engine/manual-clock.fixture.ts'
import { CountingDatabase } from './store/counting-database.fixture.ts'
import { registerExecutor } from './store/executors.ts'
import { addGroup, changeAt, memoryStore, T0, taskInput } from './store/store.fixture.ts'
import { createTask } from './store/tasks.ts'

const page = { page: 1, pageSize: 50 }

class Node {
  readonly db: CountingDatabase
  readonly events = new Events()
  readonly reads: CachedReads

  constructor(store: CountingDatabase, shared: Cache) {
    this.db = new CountingDatabase(store)
    const cache = new SignedCache(shared, 'secret')
    this.reads = new CachedReads({ db: this.db, cache, events: this.events, bus, monotonic: () => clock.monotonic() })
  }

  async names(): Promise<string[]> {
    const { items } = await this.reads.executorList('all', page)
    return items.map(({ name }) => name)
  }

  async tasks(): Promise<number> {
    return (await this.reads.groupSums([1])).tasks[1] ?? 0
  }
}

let clock: ManualClock
let bus: MemoryBus
let store: CountingDatabase
let a: Node
let b: Node
let cache: MemoryCache

const pass = async (ms: number): Promise<void> => clock.advance(ms, async () => undefined)
const arrived = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function join(name: string): Promise<void> {
  const process = { appName: 'app-1', protocol: { min: 1, max: 1 }, version: '0', capacity: 1, host: 'here', pid: 1, handlers: [] }
  const register: Register = { ...process, name }
  await registerExecutor(store, { at: T0, bootId: 1, groupId: 1, register })
}

async function addTask(name: string): Promise<void> {
  await createTask(store, { input: taskInput({ name }), serverZone: 'UTC' }, changeAt(T0))
}

beforeEach(async () => {
  clock = new ManualClock(T0)
  bus = new MemoryBus()
  cache = new MemoryCache(() => clock.monotonic())
  store = new CountingDatabase(await memoryStore())
  await addGroup(store, 1)
  await join('one')
  a = new Node(store, cache)
  b = new Node(store, cache)
})
afterEach(async () => {
  for (const node of [a, b]) node.reads.stop()
  await store.close()
})

it('reads once a second for all nodes, and the same as without the cache', async () => {
  const reader = new CachedReads({
    db: store,
    cache: new SignedCache({ get: async () => null, put: async () => undefined, drop: async () => undefined }, 'secret'),
    events: new Events(),
    bus,
    monotonic: () => clock.monotonic(),
  })
  for (let second = 0; second < 5; second++) {
    for (let n = 0; n < 10; n++)
      for (const node of [a, b]) expect(await node.reads.executorList('all', page)).toEqual(await reader.executorList('all', page))
    await pass(1000)
  }
  expect(a.db.reads + b.db.reads).toBe(5)
  expect(store.reads).toBe(105)
})

it('asks once for many who ask at the same time', async () => {
  await Promise.all(Array.from({ length: 50 }, () => a.names()))
  expect(a.db.reads).toBe(1)
})

it.each<[string, (nodes: { a: Node; b: Node }) => void]>([
  ['this node made it', ({ a: here }) => here.reads.changed()],
  ['a task changed', ({ a: here }) => here.events.emit([{ kind: 'taskChanged', taskId: 1, groupId: 1 }])],
  ['another node tells of executors', () => bus.publish('all', { kind: 'executors', from: 9, ids: [1] })],
])('shows a change at once when %s', async (_, tell) => {
  expect([await a.names(), await a.tasks()]).toEqual([['one'], 0])
  await join('two')
  await addTask('first')
  tell({ a, b })
  await arrived()
  expect([await a.names(), await a.tasks()]).toEqual([['one', 'two'], 1])
})

it('shows the change of another node within a second, whatever is in the cache', async () => {
  await b.tasks()
  await addTask('first')
  a.events.emit([{ kind: 'taskChanged', taskId: 1, groupId: 1 }])
  expect(await a.tasks()).toBe(1)
  await pass(1000)
  expect(await b.tasks()).toBe(1)
})

it('does not show what another node read before the change and put away after it', async () => {
  const { promise: goesOn, resolve: goOn } = Promise.withResolvers<boolean>()
  const { promise: wasRead, resolve: read } = Promise.withResolvers<boolean>()
  b.db.afterRead = async () => {
    read(true)
    await goesOn
  }
  const slow = b.tasks()
  await wasRead
  await addTask('first')
  a.events.emit([{ kind: 'taskChanged', taskId: 1, groupId: 1 }])
  await pass(500)
  goOn(true)
  expect(await slow).toBe(0)
  expect(await a.tasks()).toBe(1)
  await pass(500)
  expect(await a.tasks()).toBe(1)
})

it('gives what is true after the cache was emptied', async () => {
  await a.names()
  await join('two')
  const empty = new Node(store, new MemoryCache(() => clock.monotonic()))
  expect(await empty.names()).toEqual(['one', 'two'])
  empty.reads.stop()
})

it('keeps readers of different groups apart', async () => {
  await addGroup(store, 2)
  expect((await a.reads.executorList([], page)).total).toBe(0)
  expect((await a.reads.executorList('all', page)).total).toBe(1)
  expect((await a.reads.executorList('all', { ...page, groupId: 2 })).total).toBe(0)
  expect((await a.reads.executorList('all', { ...page, state: 'offline' })).total).toBe(0)
})
