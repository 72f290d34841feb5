import type { TaskCreate } from '@tickwheel/contract'
import { REASON } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import type { Session } from '../link/link.ts'
import { getInstance, listInstances, listShards, listTrace } from '../store/instances.ts'
import type { InstanceRow } from '../store/schema.ts'
import { Nodes, type TestNode } from './nodes.fixture.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

const SIXTEEN = { sharding: { kind: 'fixed', total: 16 } } as const

async function parentOf(world: World, more: Partial<TaskCreate>): Promise<number> {
  const taskId = await world.task({ schedule: { kind: 'manual' }, ...more })
  const { instanceId } = await world.engine.trigger(taskId, {}, null, ALL, ALICE)
  await world.settled()
  return instanceId
}

async function endedById(world: World): Promise<Map<number, InstanceRow>> {
  return new Map((await world.ended()).map((row) => [row.id, row]))
}

/** Ends all that is with an executor, and what follows it, until nothing new is sent. */
async function workOff(world: World, session: Session, fails: (index: number) => boolean = () => false): Promise<void> {
  const done = new Set<string>()
  for (;;) {
    const fresh = world.link.dispatches().filter((one) => one.bootId === session.bootId && !done.has(`${one.instanceId}:${one.attempt}`))
    if (fresh.length === 0) return
    for (const dispatch of fresh) {
      done.add(`${dispatch.instanceId}:${dispatch.attempt}`)
      await world.accept(session, dispatch)
      await world.finish(
        session,
        dispatch,
        fails(dispatch.shard?.index ?? 0) ? { outcome: 'failed', error: { code: 'E', message: 'm' } } : {},
      )
    }
  }
}

/** The node dies behind the commit with which more than 3,000 runs are open, before it hears of it. */
async function killedInMaking(world: Nodes, victim: TestNode): Promise<void> {
  return new Promise((resolve) => {
    victim.afterWrite = async () => {
      const [row] = await world.db.read((tx) => tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM open_instance'))
      if ((row?.n ?? 0) <= 3000) return
      victim.isDead = true
      resolve()
    }
  })
}

describe('a task of fixed shards', () => {
  it('makes a run for each under a parent that is never sent, and the parent succeeds when all did', async () => {
    const world = await World.create()
    const executor = await world.executor({ capacity: 5 })
    const parentId = await parentOf(world, SIXTEEN)
    const [parent, ...shards] = await world.open()
    expect(parent).toMatchObject({ id: parentId, phase: 4, executor_id: null, shard_total: 16, children_made: 16, children_open: 16 })
    expect(shards.map((row) => row.id)).toEqual(shards.map((_, index) => (parent?.first_child_id ?? 0) + index))
    expect(shards.map((row) => [row.parent_id, row.shard_index, row.shard_key])).toEqual(shards.map((_, i) => [parentId, i, String(i)]))
    await workOff(world, executor)
    expect(world.link.dispatches().map((one) => one.shard)).toEqual(shards.map((_, index) => ({ index, total: 16, key: String(index) })))
    expect(await world.open()).toEqual([])
    expect((await endedById(world)).get(parentId)).toMatchObject({ outcome: 1, result: '{"shards":16,"succeeded":16}', attempt: 0 })
    const trace = await listTrace(world.db, ALL, parentId)
    expect(trace.map((entry) => entry.reason)).toEqual(['triggered', 'split', 'shardsEnded'])
    expect(await world.db.read((tx) => tx.all('SELECT * FROM `signal`'))).toEqual([])
  })

  it('fails when a shard did, after its retries, and says how many', async () => {
    const world = await World.create()
    const executor = await world.executor({ capacity: 20 })
    const parentId = await parentOf(world, { ...SIXTEEN, retry: { max: 1, delayMs: 100 } })
    await workOff(world, executor, (index) => index === 3)
    expect((await endedById(world)).has(parentId)).toBe(false)
    await world.pass(1000)
    await workOff(world, executor, (index) => index === 3)
    const ended = await endedById(world)
    expect(ended.get(parentId)).toMatchObject({
      outcome: 2,
      error_code: 'SHARDS_FAILED',
      result: '{"shards":16,"succeeded":15,"failed":1}',
    })
    expect(world.link.dispatches().filter((one) => one.shard?.index === 3).length).toBe(2)
  })

  it('fires by its schedule, and a run waits for the parent before it and not for its shards', async () => {
    const world = await World.create()
    const executor = await world.executor({ capacity: 20 })
    await world.task({ sharding: { kind: 'fixed', total: 2 } })
    await world.pass(2000)
    const parents = (await world.open()).filter((row) => row.parent_id === null)
    expect(parents.map((row) => [row.phase, row.wait_code])).toEqual([
      [4, null],
      [1, REASON.waitsForEarlierRun],
    ])
    await workOff(world, executor)
    await world.pass(1)
    await workOff(world, executor)
    expect((await world.ended()).filter((row) => row.parent_id === null).map((row) => row.outcome)).toEqual([1, 1])
  })

  it('ends as succeeded at once where the list is empty, and fails with the reason where the params are none', async () => {
    const world = await World.create()
    await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' }, sharding: { kind: 'list', itemsFrom: 'params', size: 1 } })
    const empty = await world.engine.trigger(taskId, { params: '[]' }, null, ALL, ALICE)
    const wrong = await world.engine.trigger(taskId, { params: 'a,b' }, null, ALL, ALICE)
    await world.pass(1000)
    const ended = await endedById(world)
    expect(ended.get(empty.instanceId)).toMatchObject({ outcome: 1, result: '{"shards":0}' })
    expect(ended.get(wrong.instanceId)).toMatchObject({ outcome: 2, error_code: 'SHARDS_REFUSED' })
    expect((await listTrace(world.db, ALL, wrong.instanceId)).at(-1)).toMatchObject({
      reason: 'shardsRefused',
      facts: { problem: 'paramsNotAList' },
    })
    expect(world.link.dispatches()).toEqual([])
  })
})

describe('the parts of a run', () => {
  it('are ranges, or items that are also the params of their shard', async () => {
    const world = await World.create()
    await world.executor({ capacity: 20 })
    await parentOf(world, { sharding: { kind: 'range', from: 0, to: 25, size: 10 }, params: 'all' })
    expect(world.link.dispatches().map((one) => [one.params, one.shard])).toEqual([
      ['all', { index: 0, total: 3, key: '0..10', range: { from: 0, to: 10 } }],
      ['all', { index: 1, total: 3, key: '10..20', range: { from: 10, to: 20 } }],
      ['all', { index: 2, total: 3, key: '20..25', range: { from: 20, to: 25 } }],
    ])
    const listed = await parentOf(world, { sharding: { kind: 'list', itemsFrom: 'params', size: 2 }, params: '["a","b",{"c":1}]' })
    const sent = world.link.dispatches().slice(3)
    expect(sent.map((one) => [one.params, one.shard?.key, one.shard?.items])).toEqual([
      ['["a","b"]', 'a..b', ['a', 'b']],
      ['[{"c":1}]', '{"c":1}', [{ c: 1 }]],
    ])
    const shard = await getInstance(world.db, ALL, sent[1]?.instanceId ?? 0, () => true)
    expect(shard).toMatchObject({ parentId: listed, params: '[{"c":1}]', shard: { index: 1, total: 2, key: '{"c":1}' }, cause: 'shard' })
  })

  it('get the params that the run was triggered with', async () => {
    const world = await World.create()
    await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' }, sharding: { kind: 'fixed', total: 2 }, params: 'old' })
    await world.engine.trigger(taskId, { params: 'new' }, null, ALL, ALICE)
    await world.settled()
    expect(world.link.dispatches().map((one) => one.params)).toEqual(['new', 'new'])
  })

  it('of a broadcast are one for each executor that is online, and tied to it', async () => {
    const world = await World.create()
    const a = await world.executor({ name: 'a' })
    const b = await world.executor({ name: 'b' })
    await world.executor({ name: 'other', handlers: [] })
    const parentId = await parentOf(world, { sharding: { kind: 'broadcast' } })
    expect(world.link.sent.map(({ session, order }) => [session.executorId, order.type === 'dispatch' && order.shard?.key])).toEqual([
      [a.executorId, 'a'],
      [b.executorId, 'b'],
    ])
    await workOff(world, a)
    await workOff(world, b)
    expect((await endedById(world)).get(parentId)?.outcome).toBe(1)
  })

  it('of a broadcast end as lost with their executor, sent or not', async () => {
    const world = await World.create()
    const a = await world.executor({ name: 'a' })
    await world.executor({ name: 'b', capacity: 1 })
    await parentOf(world, { sharding: { kind: 'broadcast' } })
    const second = await parentOf(world, { sharding: { kind: 'broadcast' } })
    expect((await world.open()).filter((row) => row.parent_id === second).map((row) => row.phase)).toContain(1)
    for (let beats = 0; beats < 8; beats += 1) {
      await workOff(world, a)
      await world.beat(a)
      await world.pass(5000)
    }
    const ended = await world.ended()
    expect(ended.filter((row) => row.cause === 7 && row.shard_key === 'b').map((row) => row.outcome)).toEqual([5, 5])
    expect(ended.filter((row) => row.cause !== 7).map((row) => row.result)).toEqual([
      '{"shards":2,"succeeded":1,"lost":1}',
      '{"shards":2,"succeeded":1,"lost":1}',
    ])
  })

  it('of a broadcast reach executors whose links are at other nodes', async () => {
    const world = await Nodes.create(3)
    const sessions = [await world.node(0).executor({ name: 'a' }), await world.node(1).executor({ name: 'b' })]
    await world.pass(2000)
    const { taskId } = await world.taskOf(world.node(2), world.node(0), { sharding: { kind: 'broadcast' } })
    await world.node(1).engine.trigger(taskId, {}, null, ALL, ALICE)
    for (let second = 0; second < 6; second += 1) {
      await world.pass(1000)
      for (const [place, session] of sessions.entries()) await world.node(place).work(session, world.clock.now())
    }
    await world.pass(1000)
    expect(await world.open()).toEqual([])
    expect((await world.ended()).map((row) => row.shard_key ?? row.result)).toEqual(['{"shards":2,"succeeded":2}', 'a', 'b'])
  })

  it('wait for an executor when there is none to broadcast to', async () => {
    const world = await World.create()
    const parentId = await parentOf(world, { sharding: { kind: 'broadcast' } })
    await world.pass(2000)
    expect(await world.open()).toMatchObject([{ id: parentId, phase: 2, wait_code: REASON.waitsForExecutor }])
    await world.executor()
    expect((await world.open()).map((row) => row.phase)).toEqual([4, 3])
  })
})

describe('a parent that is canceled', () => {
  it('takes its shards along: those that wait at once, those that run when their executor says so', async () => {
    const world = await World.create()
    const executor = await world.executor({ capacity: 2 })
    const parentId = await parentOf(world, SIXTEEN)
    const [first, second] = world.link.dispatches()
    if (first === undefined || second === undefined) throw new Error('nothing sent')
    await world.accept(executor, first)
    await world.accept(executor, second)
    await world.engine.cancelInstance(parentId, ALL, ALICE)
    await world.settled()
    expect((await world.open()).map((row) => row.phase)).toEqual([4, 4, 4])
    expect(world.link.sent.filter(({ order }) => order.type === 'cancel').length).toBe(2)
    await world.finish(executor, first)
    await world.finish(executor, second, { outcome: 'canceled' })
    const ended = await endedById(world)
    expect(await world.open()).toEqual([])
    expect(ended.get(parentId)).toMatchObject({ outcome: 4, result: '{"shards":16,"canceled":15,"succeeded":1}', cancel_by: 'alice' })
    expect(ended.get(first.instanceId)?.outcome).toBe(1)
    expect(JSON.stringify(await listTrace(world.db, ALL, second.instanceId))).toContain('alice')
  })

  it('by overlap replace, gives way with all its shards', async () => {
    const world = await World.create()
    const executor = await world.executor({ capacity: 20 })
    const taskId = await world.task({ schedule: { kind: 'manual' }, overlap: { policy: 'replace' }, sharding: { kind: 'fixed', total: 3 } })
    const old = await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const next = await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    for (const one of world.link.dispatches().slice(0, 3)) await world.finish(executor, one, { outcome: 'canceled' })
    expect((await endedById(world)).get(old.instanceId)?.outcome).toBe(4)
    expect((await world.open()).map((row) => [row.id === next.instanceId, row.parent_id === next.instanceId])).toEqual([
      [true, false],
      [false, true],
      [false, true],
      [false, true],
    ])
  })

  it('ends with its task when that is deleted', async () => {
    const world = await World.create()
    const parentId = await parentOf(world, SIXTEEN)
    const [row] = await world.open()
    await world.engine.deleteTask(row?.task_id ?? 0, { cancelRunning: true }, ALL, ALICE)
    await world.settled()
    expect(await world.open()).toEqual([])
    expect((await endedById(world)).get(parentId)).toMatchObject({ outcome: 4, result: '{"shards":16,"canceled":16}' })
  })
})

describe('one shard', () => {
  it('is run again by itself, as the same part, and its parent stays as it ended', async () => {
    const world = await World.create()
    const executor = await world.executor({ capacity: 20 })
    const parentId = await parentOf(world, { sharding: { kind: 'range', from: 0, to: 30, size: 10 }, params: 'p' })
    await workOff(world, executor, (index) => index === 1)
    const before = (await endedById(world)).get(parentId)
    const failed = (await world.ended()).find((row) => row.outcome === 2 && row.shard_index === 1)
    const { instanceId } = await world.engine.retryInstance(failed?.id ?? 0, null, ALL, ALICE)
    await world.settled()
    const again = world.link.dispatches().at(-1)
    expect(again).toMatchObject({ instanceId, params: 'p', shard: { index: 1, total: 3, key: '10..20', range: { from: 10, to: 20 } } })
    if (again !== undefined) await world.finish(executor, again)
    const ended = await endedById(world)
    expect(ended.get(instanceId)).toMatchObject({ outcome: 1, retry_of: failed?.id, parent_id: parentId })
    expect(ended.get(parentId)).toEqual(before)
    const page = await listShards(world.db, ALL, parentId, {})
    expect(page.items.map((item) => [item.state, item.shard?.index, item.retriedBy])).toEqual([
      ['failed', 1, instanceId],
      ['succeeded', 0, null],
      ['succeeded', 2, null],
    ])
  })

  it('is sent to another executor when its own is lost', async () => {
    const world = await World.create()
    const a = await world.executor({ name: 'a', capacity: 2 })
    const parentId = await parentOf(world, { sharding: { kind: 'fixed', total: 2 }, retry: { max: 1, delayMs: 10 } })
    for (const one of world.link.dispatches()) await world.accept(a, one)
    await world.pass(10_000)
    const b = await world.executor({ name: 'b', capacity: 2 })
    for (let beats = 0; beats < 4; beats += 1) {
      await world.pass(4000)
      await world.beat(b)
      await workOff(world, b)
    }
    expect((await endedById(world)).get(parentId)).toMatchObject({ outcome: 1, result: '{"shards":2,"succeeded":2}' })
  })
})

describe('ten thousand shards', () => {
  const many = { sharding: { kind: 'range', from: 0, to: 10_000, size: 1 } } as const

  it('are made in several commits, are a page that shows failed ones first, and are passed over by lists of runs', async () => {
    const world = await World.create()
    const executor = await world.executor({ capacity: 3 })
    const plain = await parentOf(world, {})
    await workOff(world, executor)
    const parentId = await parentOf(world, many)
    expect((await world.open()).length).toBe(10_001)
    const sent = world.link.dispatches().at(-1)
    if (sent !== undefined) await world.finish(executor, sent, { outcome: 'failed', error: { code: 'E', message: 'm' } })
    const page = await listShards(world.db, ALL, parentId, { pageSize: 3 })
    expect(page).toMatchObject({ total: 10_000, sums: { total: 10_000, made: 10_000, ended: { failed: 1 } } })
    expect(page.items[0]).toMatchObject({ id: sent?.instanceId, state: 'failed' })
    expect((await listShards(world.db, ALL, parentId, { state: 'failed' })).total).toBe(1)
    const listed = await listInstances(world.db, ALL, {})
    expect(listed.items.map((item) => item.id)).toEqual([parentId, plain])
    expect((await listInstances(world.db, ALL, { shardKey: '7..8' })).items).toMatchObject([{ parentId, shard: { index: 7, key: '7..8' } }])
    expect((await listInstances(world.db, ALL, { shards: true })).items.length).toBe(20)
  }, 60_000)

  it('are all made when the node that made them is killed between two commits', async () => {
    const world = await Nodes.create(2)
    const [victim, other] = [world.node(0), world.node(1)]
    const { taskId } = await world.taskOf(victim, other, many)
    const died = killedInMaking(world, victim)
    const { instanceId } = await other.engine.trigger(taskId, {}, null, ALL, ALICE)
    await died
    const half = await world.open()
    expect(half.find((row) => row.id === instanceId)).toMatchObject({ children_made: half.length - 1 })
    expect(half.length).toBeLessThan(10_001)
    await world.pass(8000)
    const open = await world.open()
    const shards = open.filter((row) => row.parent_id === instanceId)
    expect(shards.map((row) => row.shard_index)).toEqual(Array.from({ length: 10_000 }, (_, index) => index))
    await other.engine.cancelInstance(instanceId, ALL, ALICE)
    await world.pass(2000)
    expect(await world.open()).toEqual([])
    expect((await world.ended()).filter((row) => row.parent_id === null)).toMatchObject([
      { outcome: 4, result: '{"shards":10000,"canceled":10000}' },
    ])
  }, 60_000)

  it('are not made any more when their parent is canceled, and the result says how many never were', async () => {
    const world = await Nodes.create(2)
    const [victim, other] = [world.node(0), world.node(1)]
    const { taskId } = await world.taskOf(victim, other, many)
    const died = killedInMaking(world, victim)
    const { instanceId } = await other.engine.trigger(taskId, {}, null, ALL, ALICE)
    await died
    const made = (await world.open()).length - 1
    await other.engine.cancelInstance(instanceId, ALL, ALICE)
    await world.pass(8000)
    expect(await world.open()).toEqual([])
    const parent = (await world.ended()).find((row) => row.id === instanceId)
    expect(parent).toMatchObject({ outcome: 4, result: `{"shards":10000,"canceled":${made}}` })
    const trace = await listTrace(world.db, ALL, instanceId)
    expect(trace.find((entry) => entry.reason === 'shardsNeverMade')?.facts).toEqual({ missing: 10_000 - made })
  }, 60_000)
})
