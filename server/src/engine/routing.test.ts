import type { RouteAnswer, TaskCreate } from '@tickwheel/contract'
import { readTrace, REASON, ROUTING_STRATEGIES } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import type { Session } from '../link/link.ts'
import { Nodes } from './nodes.fixture.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

const MANUAL = { schedule: { kind: 'manual' }, overlap: { policy: 'parallel' } } as const

async function three(world: World, capacity = 10): Promise<Record<'a' | 'b' | 'c', Session>> {
  return {
    a: await world.executor({ name: 'a', capacity, labels: { zone: 'north' } }),
    b: await world.executor({ name: 'b', capacity, labels: { zone: 'south', disk: 'ssd' } }),
    c: await world.executor({ name: 'c', capacity, labels: { zone: 'south' } }),
  }
}

async function run(world: World, taskId: number, params?: unknown): Promise<number> {
  const { instanceId } = await world.engine.trigger(
    taskId,
    params === undefined ? {} : { params: JSON.stringify(params) },
    null,
    ALL,
    ALICE,
  )
  await world.settled()
  return instanceId
}

/** The name of the executor that a run was sent to last; null: none. */
function sentTo(world: World, sessions: Record<string, Session>, instanceId: number): string | null {
  const last = world.link.dispatches().findLast((dispatch) => dispatch.instanceId === instanceId)
  return Object.entries(sessions).find(([, session]) => session.bootId === last?.bootId)?.[0] ?? null
}

describe('the strategy of a task', () => {
  it.each([
    ['roundRobin', { a: 2, b: 2, c: 2 }],
    ['leastRecentlyUsed', { a: 2, b: 2, c: 2 }],
    ['leastUsed', { a: 2, b: 2, c: 2 }],
    ['leastLoaded', { a: 2, b: 2, c: 2 }],
    ['first', { a: 6 }],
    ['last', { c: 6 }],
    ['failover', { a: 6 }],
  ] as const)('%s divides six runs that do not end as it says', async (routing, expected) => {
    const world = await World.create()
    const sessions = await three(world)
    const taskId = await world.task({ ...MANUAL, routing })
    const names: (string | null)[] = []
    for (let n = 0; n < 6; n += 1) names.push(sentTo(world, sessions, await run(world, taskId)))
    expect(Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, list]) => [name, list.length]))).toEqual(expected)
  })

  it('is told in the trace, with whom it chose among and what it looked at', async () => {
    for (const routing of ROUTING_STRATEGIES) {
      const world = await World.create()
      await three(world)
      await run(world, await world.task({ ...MANUAL, routing }))
      const [row] = await world.open()
      const chosen = readTrace(row?.trace ?? '', row?.created_at ?? 0).find(({ reason }) => reason === 'chosen')
      expect(chosen?.facts).toMatchObject({ strategy: routing, among: 3, executorId: row?.executor_id })
      expect(String(chosen?.facts['whom']).split(', ').sort()).toEqual(['a', 'b', 'c'])
    }
  })

  it('passes on what the first has no room for, and says how many it passed', async () => {
    const world = await World.create()
    const sessions = await three(world, 1)
    const taskId = await world.task({ ...MANUAL, routing: 'first' })
    const ids = [await run(world, taskId), await run(world, taskId), await run(world, taskId), await run(world, taskId)]
    expect(ids.map((one) => sentTo(world, sessions, one))).toEqual(['a', 'b', 'c', null])
    const third = (await world.open())[2]
    expect(third?.trace).toContain('"passed":2')
    await world.pass(2000)
    expect((await world.open())[3]).toMatchObject({
      phase: 2,
      wait_code: REASON.waitsForSlot,
      wait_facts: '{"groupId":1,"used":3,"capacity":3,"executors":3}',
    })
  })
})

describe('failover', () => {
  const retry = { max: 5, delayMs: 0, backoff: 'fixed' } as const

  it('begins each try behind the executor of the one before, also when that one is gone and the server has restarted since', async () => {
    const world = await World.create()
    const sessions = await three(world)
    const id = await run(world, await world.task({ ...MANUAL, routing: 'failover', retry }))
    const tries: (string | null)[] = []
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      const name = sentTo(world, sessions, id)
      tries.push(name)
      await world.finish(sessions[name as 'a' | 'b' | 'c'], { instanceId: id, attempt }, { outcome: 'failed' })
      await world.pass(1000)
    }
    expect(tries).toEqual(['a', 'b', 'c', 'a'])
    expect(sentTo(world, sessions, id)).toBe('b')
    // a new process knows only what is in the store; b is lost: whoever else is alive keeps in touch
    await world.crash()
    for (const one of ['a', 'c'] as const) await world.join(sessions[one])
    for (let second = 0; second < 18; second += 3) {
      await world.pass(3000)
      for (const one of ['a', 'c'] as const) await world.beat(sessions[one])
    }
    expect((await world.open())[0]).toMatchObject({
      attempt: 6,
      tried_executor_id: sessions.b.executorId,
      executor_id: sessions.c.executorId,
    })
  })

  it('goes on to the next when one refuses, without spending a try', async () => {
    const world = await World.create()
    const sessions = await three(world)
    const id = await run(world, await world.task({ ...MANUAL, routing: 'failover' }))
    await world.say(sessions.a, { type: 'rejected', instanceId: id, attempt: 1, code: 'capacity', detail: '', at: world.clock.now() })
    await world.pass(100)
    expect(sentTo(world, sessions, id)).toBe('b')
    expect((await world.open())[0]).toMatchObject({ tries: 0, attempt: 2 })
  })
})

describe('labels', () => {
  it('keep a run to the executors that carry all of them', async () => {
    const world = await World.create()
    const sessions = await three(world)
    const taskId = await world.task({ ...MANUAL, labels: { zone: 'south', disk: 'ssd' } })
    expect([await run(world, taskId), await run(world, taskId)].map((one) => sentTo(world, sessions, one))).toEqual(['b', 'b'])
  })

  it('that nobody carries set the run aside with that reason: the others go on, and it goes when one joins', async () => {
    const world = await World.create()
    await three(world)
    const stuck = await run(world, await world.task({ ...MANUAL, labels: { zone: 'moon' }, priority: 10 }))
    const other = await world.task(MANUAL)
    for (let n = 0; n < 5; n += 1) await run(world, other)
    await world.pass(1000)
    const rows = await world.open()
    expect(rows.filter(({ phase }) => phase === 3)).toHaveLength(5)
    expect(rows.find(({ id }) => id === stuck)).toMatchObject({
      phase: 1,
      wait_code: REASON.waitsForLabels,
      wait_facts: '{"labels":"zone=moon","executors":3}',
    })
    const moon = await world.executor({ name: 'moon', labels: { zone: 'moon' } })
    expect((await world.open()).find(({ id }) => id === stuck)).toMatchObject({ phase: 3, executor_id: moon.executorId })
  })

  it('whose executors are full do not hold up the rest of the group', async () => {
    const world = await World.create()
    await three(world, 1)
    const picky = await world.task({ ...MANUAL, labels: { disk: 'ssd' }, priority: 10 })
    for (let n = 0; n < 3; n += 1) await run(world, picky)
    await run(world, await world.task(MANUAL))
    const rows = await world.open()
    expect(rows.filter(({ phase }) => phase === 3)).toHaveLength(2)
    expect(rows.filter(({ phase, wait_code }) => phase === 1 && wait_code === REASON.waitsForSlot)).toHaveLength(2)
  })
})

describe('a routing key', () => {
  const hashed: Partial<TaskCreate> = { ...MANUAL, routing: 'consistentHash' }

  it('brings runs with one value to one executor, also of another task, and spreads the values', async () => {
    const world = await World.create()
    const sessions = await three(world, 100)
    const tasks = [
      await world.task({ ...hashed, routingKey: 'params.customer.id' }),
      await world.task({ ...hashed, routingKey: 'params.customer.id' }),
    ]
    const homes = new Map<number, Set<string | null>>()
    for (let n = 0; n < 24; n += 1) {
      const id = await run(world, tasks[n % 2] ?? 0, { customer: { id: n % 8 } })
      homes.set(n % 8, (homes.get(n % 8) ?? new Set()).add(sentTo(world, sessions, id)))
    }
    expect([...homes.values()].map((names) => names.size)).toEqual(Array.from({ length: 8 }, () => 1))
    expect(new Set([...homes.values()].flatMap((names) => [...names])).size).toBeGreaterThan(1)
    expect((await world.open())[0]?.trace).toContain('"key":"params.customer.id"')
  })

  it('that is not in the params leaves the task as the key', async () => {
    const world = await World.create()
    const sessions = await three(world, 100)
    const taskId = await world.task({ ...hashed, routingKey: 'params.customer' })
    const names = [await run(world, taskId), await run(world, taskId, { other: 1 }), await run(world, taskId, [])]
    expect(new Set(names.map((one) => sentTo(world, sessions, one))).size).toBe(1)
    expect((await world.open())[0]?.trace).toContain('"key":"task"')
  })
})

describe('the preview', () => {
  it('names who gets the next run, for every strategy, and is right', async () => {
    for (const routing of ROUTING_STRATEGIES.filter((one) => one !== 'random')) {
      const world = await World.create()
      const sessions = await three(world)
      const taskId = await world.task({ ...MANUAL, routing })
      for (let n = 0; n < 5; n += 1) {
        const preview = await world.engine.previewRoute(taskId, ALL)
        expect(preview).toMatchObject({ strategy: routing, isDecidedHere: true, waitingFor: null })
        const name = sentTo(world, sessions, await run(world, taskId))
        expect(preview.executors.find(({ executorId }) => executorId === preview.executorId)?.name).toBe(name)
        expect(preview.executors[0]?.place).toBe(1)
      }
    }
  })

  it('says of each executor why it would not get it, and why the run would wait', async () => {
    const world = await World.create()
    const { b, c } = await three(world, 1)
    const taskId = await world.task({ ...MANUAL, labels: { zone: 'south' } })
    await world.engine.drainExecutor(b.executorId, true, ALL, ALICE)
    const seen = async (): Promise<[RouteAnswer['executorId'], Record<string, string | null>]> => {
      const { executorId, executors } = await world.engine.previewRoute(taskId, ALL)
      return [executorId, Object.fromEntries(executors.map(({ name, obstacle }) => [name, obstacle]))]
    }
    expect(await seen()).toEqual([c.executorId, { c: null, a: 'labelsMissing', b: 'draining' }])
    await run(world, taskId)
    expect(await seen()).toEqual([null, { c: 'full', a: 'labelsMissing', b: 'draining' }])
    expect((await world.engine.previewRoute(taskId, ALL)).waitingFor).toEqual({
      reason: 'waitsForSlot',
      facts: { groupId: 1, used: 1, capacity: 2, executors: 2 },
    })
    await world.pass(30_000)
    expect((await seen())[1]).toEqual({ a: 'offline', b: 'offline', c: 'offline' })
    await expect(world.engine.previewRoute(taskId, [])).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
  })
})

describe('executors at other nodes', () => {
  it('are asked in the order of the strategy: the first gets all, wherever its link is and whoever decides', async () => {
    const world = await Nodes.create(2)
    const sessions = [await world.node(1).executor({ name: 'a' }), await world.node(0).executor({ name: 'b' })]
    await world.pass(2000)
    for (const owner of world.nodes) {
      const { taskId } = await world.taskOf(owner, world.node(0), { overlap: { policy: 'parallel' }, routing: 'first' })
      for (let n = 0; n < 3; n += 1) {
        await world.node(0).engine.trigger(taskId, {}, null, ALL, ALICE)
        await world.pass(1000)
      }
    }
    expect((await world.open()).map((row) => row.executor_id)).toEqual(Array.from({ length: 6 }, () => sessions[0]?.executorId))
  })

  it('give one value one home, on every node', async () => {
    const world = await Nodes.create(2)
    for (const [n, name] of ['a', 'b', 'c', 'd'].entries()) await world.node(n % 2).executor({ name, capacity: 100 })
    await world.pass(2000)
    const options = { overlap: { policy: 'parallel' }, routing: 'consistentHash', routingKey: 'params.x' } as const
    const tasks = [await world.taskOf(world.node(0), world.node(0), options), await world.taskOf(world.node(1), world.node(0), options)]
    for (let value = 0; value < 6; value += 1)
      for (const { taskId } of tasks) {
        await world.node(0).engine.trigger(taskId, { params: JSON.stringify({ x: value }) }, null, ALL, ALICE)
        await world.pass(500)
      }
    const homes = (await world.open()).map((row) => row.executor_id)
    expect(homes).toHaveLength(12)
    expect(homes).not.toContain(null)
    for (let value = 0; value < 6; value += 1) expect(homes[2 * value]).toBe(homes[2 * value + 1])
    expect(new Set(homes).size).toBeGreaterThan(1)
  })

  it('that lend no place are passed over before long', async () => {
    const world = await Nodes.create(2)
    await world.node(1).executor({ name: 'a' })
    const near = await world.node(0).executor({ name: 'b' })
    await world.pass(2000)
    const { taskId } = await world.taskOf(world.node(0), world.node(0), { overlap: { policy: 'parallel' }, routing: 'first' })
    // its messages are lost, and the store does not know it yet
    world.node(1).isBusUp = false
    await world.node(0).engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(2500)
    expect((await world.open())[0]).toMatchObject({ phase: 3, executor_id: near.executorId })
  })
})
