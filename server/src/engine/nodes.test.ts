import { SLOT_COUNT } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import { Nodes, TestNode } from './nodes.fixture.ts'
import { ALICE, ALL } from './world.fixture.ts'

const EVERY_SECOND = { schedule: { kind: 'fixedRate', everyMs: 1000 }, overlap: { policy: 'parallel', max: 1000 } } as const

function runOf(node: TestNode): number {
  return node.engine.status().runId
}

describe('slots', () => {
  it('are all one node has, are shared when another joins, and each has one owner', async () => {
    const world = await Nodes.create(1)
    expect([...(await world.owners())]).toEqual([[runOf(world.node(0)), SLOT_COUNT]])
    const second = await world.add()
    await world.pass(2000)
    const owners = await world.owners()
    expect([...owners.keys()].sort()).toEqual([runOf(world.node(0)), runOf(second)].sort())
    for (const node of world.nodes) {
      expect(node.engine.status().slotsOwned).toBe(owners.get(runOf(node)))
      expect(owners.get(runOf(node))).toBeGreaterThan(60)
    }
  })

  it('of a node that leaves in order are the others’ at once, and no instant is late', async () => {
    const world = await Nodes.create(2)
    const [leaving, staying] = [world.node(0), world.node(1)]
    await world.taskOf(leaving, leaving, EVERY_SECOND)
    await world.pass(3000)
    await leaving.engine.stop()
    leaving.isDead = true
    await world.settled()
    expect([...(await world.owners())]).toEqual([[runOf(staying), SLOT_COUNT]])
    await world.pass(3000)
    const firings = await world.firings()
    expect(firings.map((row) => row.due_at - (firings[0]?.due_at ?? 0))).toEqual([0, 1, 2, 3, 4, 5].map((n) => n * 1000))
    const opened = await world.open()
    for (const run of opened) expect(run.created_at - (run.due_at ?? 0)).toBeLessThan(1000)
  })

  it('of a node that was killed are taken within five seconds, and every instant is covered once', async () => {
    const world = await Nodes.create(3)
    const victim = world.node(1)
    await world.taskOf(victim, world.node(0), EVERY_SECOND)
    await world.pass(2500)
    const before = await world.firings()
    victim.isDead = true
    await world.pass(5000)
    expect((await world.owners()).has(runOf(victim))).toBe(false)
    const firings = await world.firings()
    expect(firings.length).toBe(before.length + 5)
    expect(firings.map((row) => row.due_at - (firings[0]?.due_at ?? 0))).toEqual(firings.map((_, n) => n * 1000))
    expect(world.nodes.map((node) => (node.isDead ? 0 : node.engine.status().contended))).toEqual([0, 0, 0])
  })

  it('stay with nobody who cannot reach the store, and come back to it', async () => {
    const world = await Nodes.create(2)
    const cut = world.node(0)
    cut.isCutOff = true
    await world.pass(6000)
    expect([...(await world.owners())]).toEqual([[runOf(world.node(1)), SLOT_COUNT]])
    expect(cut.engine.status().isFiring).toBe(false)
    cut.isCutOff = false
    await world.pass(3000)
    expect((await world.owners()).get(runOf(cut))).toBeGreaterThan(60)
    expect(cut.engine.status().isFiring).toBe(true)
  })

  it('are not owned by a node of the role api', async () => {
    const world = await Nodes.create(1)
    const api = await world.add(['api'])
    await world.pass(2000)
    expect([...(await world.owners())]).toEqual([[runOf(world.node(0)), SLOT_COUNT]])
    const { taskId } = await world.taskOf(world.node(0), api)
    await api.engine.trigger(taskId, {}, null, ALL, ALICE)
    expect(await world.open()).toHaveLength(1)
  })
})

describe.each([
  ['with messages', true],
  ['without any message', false],
])('across nodes, %s', (_name, isBusUp) => {
  async function make(): Promise<{ world: Nodes; owner: TestNode; other: TestNode }> {
    const world = await Nodes.create(2)
    for (const node of world.nodes) node.isBusUp = isBusUp
    return { world, owner: world.node(0), other: world.node(1) }
  }

  it('a firing reaches an executor of another node, and its end lets the next one go', async () => {
    const { world, owner, other } = await make()
    const session = await other.executor()
    await world.taskOf(owner, other, { schedule: { kind: 'fixedRate', everyMs: 5000 }, overlap: { policy: 'queue', max: 10 } })
    await world.pass(7000)
    expect(other.link.dispatches()).toHaveLength(1)
    await world.pass(5000)
    expect(other.link.dispatches()).toHaveLength(1)
    await other.work(session, world.clock.now())
    await world.pass(3000)
    expect(other.link.dispatches()).toHaveLength(2)
    expect(await world.ended()).toHaveLength(1)
  })

  it('a run that is triggered at one node is dispatched by the other, and a cancel at either reaches its executor', async () => {
    const { world, owner, other } = await make()
    const session = await owner.executor()
    const { taskId } = await world.taskOf(owner, other)
    const { instanceId } = await other.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(1500)
    expect(owner.link.dispatches().map((one) => one.instanceId)).toEqual([instanceId])
    await owner.engine.report(session, { type: 'accepted', n: 1, instanceId, attempt: 1, at: world.clock.now() })
    await other.engine.cancelInstance(instanceId, ALL, ALICE)
    await world.pass(1500)
    expect(owner.link.sent.some(({ order }) => order.type === 'cancel' && order.instanceId === instanceId)).toBe(true)
  })

  it('an edit, a stop and a start at one node reach the wheel of the other', async () => {
    const { world, owner, other } = await make()
    const { taskId } = await world.taskOf(owner, other, EVERY_SECOND)
    await world.pass(3500)
    const fired = (await world.firings()).length
    expect(fired).toBe(3)
    await other.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    await world.pass(5000)
    expect((await world.firings()).length).toBe(fired)
    await other.engine.startTask(taskId, ALL, ALICE)
    await world.pass(3500)
    expect((await world.firings()).length).toBeGreaterThanOrEqual(fired + 2)
  })

  it('an executor that goes to another node keeps what it runs, and is not lost', async () => {
    const { world, owner, other } = await make()
    const session = await owner.executor()
    const { taskId } = await world.taskOf(owner, owner)
    const { instanceId } = await owner.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(1000)
    await owner.engine.report(session, { type: 'accepted', n: 1, instanceId, attempt: 1, at: world.clock.now() })
    owner.engine.left(session)
    await other.join(session)
    await world.pass(2000)
    for (let beat = 0; beat < 5; beat += 1) {
      await other.engine.beat(session, {
        running: [{ instanceId, attempt: 1 }],
        load: { cpu: 0, memory: 0, running: 1, queued: 0 },
      })
      await world.pass(5000)
    }
    await other.finish(session, { instanceId, attempt: 1 }, world.clock.now())
    expect((await world.ended()).map((row) => [row.id, row.outcome, row.attempt])).toEqual([[instanceId, 1, 1]])
    await world.pass(2000)
    expect(owner.engine.status().openRuns).toBe(0)
  })

  it('an executor that is lost is told once, and each owner ends its runs there', async () => {
    const { world, owner, other } = await make()
    await other.executor()
    const mine = await world.taskOf(owner, owner, { retry: { max: 0 } })
    const theirs = await world.taskOf(other, owner, { retry: { max: 0 } })
    const ids: number[] = []
    for (const { taskId } of [mine, theirs]) ids.push((await owner.engine.trigger(taskId, {}, null, ALL, ALICE)).instanceId)
    await world.pass(2000)
    for (const { instanceId, attempt } of other.link.dispatches())
      await other.engine.report(
        { executorId: other.link.sent[0]?.session.executorId ?? 0, bootId: other.link.sent[0]?.session.bootId ?? 0 },
        { type: 'accepted', n: 5, instanceId, attempt, at: world.clock.now() },
      )
    await world.pass(20_000)
    expect((await world.ended()).map((row) => [row.id, row.error_code])).toEqual(ids.map((id) => [id, 'EXECUTOR_LOST']))
    expect([owner, other].map((node) => node.engine.status().openRuns)).toEqual([0, 0])
    expect(world.nodes.flatMap((node) => node.warnings).filter((text) => text.startsWith('an executor is lost'))).toHaveLength(1)
  })

  it('a run that is replaced is canceled at the executor of the other node, and the newer one goes after its end', async () => {
    const { world, owner, other } = await make()
    const session = await other.executor()
    const { taskId } = await world.taskOf(owner, other, { overlap: { policy: 'replace' } })
    const older = await other.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(3000)
    expect(other.link.dispatches().map((one) => one.instanceId)).toEqual([older.instanceId])
    await other.engine.report(session, { type: 'accepted', n: 1, instanceId: older.instanceId, attempt: 1, at: world.clock.now() })
    const newer = await other.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(3000)
    expect(other.link.sent.some(({ order }) => order.type === 'cancel' && order.instanceId === older.instanceId)).toBe(true)
    expect(other.link.dispatches()).toHaveLength(1)
    await other.engine.report(session, {
      type: 'finished',
      n: 2,
      instanceId: older.instanceId,
      attempt: 1,
      at: world.clock.now(),
      startedAt: null,
      bootId: session.bootId,
      outcome: 'canceled',
    })
    await world.pass(3000)
    expect(other.link.dispatches().map((one) => one.instanceId)).toEqual([older.instanceId, newer.instanceId])
    expect((await world.ended()).map((row) => [row.id, row.outcome])).toEqual([[older.instanceId, 4]])
  })

  it('a group has no more attempts in flight than its limit, whoever dispatches, and nobody starves', async () => {
    const { world, owner, other } = await make()
    await world.db.write('rest', (tx) => tx.run('UPDATE task_group SET concurrency = 3 WHERE id = 1'))
    const sessions = [
      { node: owner, session: await owner.executor({ name: 'x1', capacity: 10 }) },
      { node: other, session: await other.executor({ name: 'x2', capacity: 10 }) },
    ]
    const tasks = [
      await world.taskOf(owner, owner, { overlap: { policy: 'parallel', max: 100 } }),
      await world.taskOf(other, owner, { overlap: { policy: 'parallel', max: 100 } }),
    ]
    await world.pass(1000)
    for (let n = 0; n < 12; n += 1) for (const { taskId } of tasks) await owner.engine.trigger(taskId, {}, null, ALL, ALICE)
    const ended = async (): Promise<number[]> => tasks.map(({ taskId }) => all.filter((row) => row.task_id === taskId).length)
    let [most, all] = [0, await world.ended()]
    let apart = 0
    for (let round = 0; round < 120 && all.length < 24; round += 1) {
      await world.pass(500)
      most = Math.max(most, (await world.open()).filter((row) => row.phase >= 3).length)
      for (const { node, session } of sessions) await node.work(session, world.clock.now())
      all = await world.ended()
      const [first = 0, second = 0] = await ended()
      apart = Math.max(apart, Math.abs(first - second))
    }
    expect(most).toBe(3)
    expect(all).toHaveLength(24)
    // neither node takes every place that becomes free
    expect(apart).toBeLessThan(10)
  })

  it('a task whose runs fail at both nodes at once is stopped once', async () => {
    const { world, owner, other } = await make()
    const sessions = [await owner.executor({ name: 'x1' }), await other.executor({ name: 'x2' })]
    const { taskId } = await world.taskOf(owner, other, {
      schedule: { kind: 'fixedRate', everyMs: 3_600_000 },
      overlap: { policy: 'parallel', max: 100 },
      pauseAfterFailures: 2,
    })
    for (let n = 0; n < 4; n += 1) await other.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(8000)
    const at = world.clock.now()
    await Promise.all(
      [owner, other].flatMap((node, place) =>
        node.link.dispatches().map(({ instanceId, attempt }) =>
          node.engine.report(sessions[place] ?? { executorId: 0, bootId: 0 }, {
            type: 'finished',
            n: instanceId,
            instanceId,
            attempt,
            at,
            startedAt: at,
            bootId: sessions[place]?.bootId ?? 0,
            outcome: 'failed',
          }),
        ),
      ),
    )
    await world.pass(3000)
    expect(await world.ended()).toHaveLength(4)
    const read = await world.db.read(async (tx) => ({
      enabled: await tx.all('SELECT enabled FROM task WHERE id = ?', [taskId]),
      audits: await tx.all("SELECT resource_id FROM audit WHERE action = 'task:pause'"),
      signals: await tx.all('SELECT id FROM `signal`'),
    }))
    expect(read).toEqual({ enabled: [{ enabled: 0 }], audits: [{ resource_id: taskId }], signals: [] })
  })

  it.each([1, 3])('an executor of capacity %i gets no more than that, whoever dispatches, and nobody starves', async (capacity) => {
    const { world, owner, other } = await make()
    const session = await other.executor({ capacity })
    const tasks = [
      await world.taskOf(owner, owner, { overlap: { policy: 'parallel', max: 100 } }),
      await world.taskOf(other, owner, { overlap: { policy: 'parallel', max: 100 } }),
    ]
    for (let n = 0; n < 12; n += 1) for (const { taskId } of tasks) await owner.engine.trigger(taskId, {}, null, ALL, ALICE)
    let most = 0
    for (let round = 0; round < 80 && (await world.ended()).length < 24; round += 1) {
      await world.pass(1000)
      most = Math.max(most, (await world.open()).filter((row) => row.phase >= 3).length)
      await other.work(session, world.clock.now())
    }
    expect(most).toBeLessThanOrEqual(capacity)
    expect((await world.ended()).length).toBe(24)
  })
})

it('an end that is told at another node than the one that sends to the executor frees its place there', async () => {
  const world = await Nodes.create(2)
  const [owner, other] = [world.node(0), world.node(1)]
  const session = await other.executor({ capacity: 1 })
  const { taskId } = await world.taskOf(owner, owner, { overlap: { policy: 'parallel', max: 10 } })
  for (let n = 0; n < 2; n += 1) await owner.engine.trigger(taskId, {}, null, ALL, ALICE)
  await world.pass(2000)
  const [first, second] = other.link.dispatches()
  if (first === undefined) throw new Error('nothing was sent')
  expect(second).toBeUndefined()
  await owner.finish(session, first, world.clock.now())
  await world.pass(2000)
  expect(new Set(other.link.dispatches().map((one) => one.instanceId)).size).toBe(2)
})

it('a node that was killed is shown as gone for a day, or until one of its name has come back', async () => {
  const world = await Nodes.create(2)
  const victim = world.node(1)
  const gone = runOf(victim)
  victim.isDead = true
  await world.pass(300_000)
  const seen = async (): Promise<number[]> => (await world.node(0).engine.cluster()).nodes.map((node) => node.runId)
  expect(await seen()).toContain(gone)
  const back = new TestNode()
  world.nodes.push(back)
  await back.start(world, 'node-2', ['api', 'scheduler'])
  await world.pass(120_000)
  expect(await seen()).toEqual([runOf(world.node(0)), runOf(back)])
})
