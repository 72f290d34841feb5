import { INCIDENT_STATE, slotOf } from '@tickwheel/core'
import { expect, it } from 'vitest'
import { deleteRule } from '../store/alarm-rules.ts'
import { changeAt } from '../store/store.fixture.ts'
import { addChannel, addRule, incidentsOf, outbox } from './alarms.fixture.ts'
import { Nodes, TestNode } from './nodes.fixture.ts'
import { ALICE, ALL } from './world.fixture.ts'

/** A rule whose consumer is a given node. */
async function ruleOf(world: Nodes, owner: TestNode): Promise<number> {
  const { runId } = owner.engine.status()
  for (;;) {
    const ruleId = await addRule(world.db, world.clock.now(), [{ event: 'failed' }])
    if ((await world.slots())[slotOf('alarm', ruleId)]?.owner_run === runId) return ruleId
    await deleteRule(world.db, { ruleId }, changeAt(world.clock.now()))
  }
}

it.each([
  ['before it has applied what happened', 'SELECT COUNT(*) AS n FROM alarm_signal'],
  ['behind the commit that opens the incident, before it hears of it', 'SELECT COUNT(*) AS n FROM incident'],
])('a node that is killed %s loses nothing, and nothing counts twice', async (_when, isTime) => {
  const world = await Nodes.create(2)
  const [survivor, victim] = [world.node(0), world.node(1)]
  await addChannel(world.db)
  await ruleOf(world, victim)
  await world.pass(2000)
  const session = await survivor.executor()
  const { taskId } = await world.taskOf(survivor, survivor)
  const died = killedWhen(world, victim, isTime)
  // whoever waits for the dead one waits for ever
  const settle = async (): Promise<unknown> => (victim.isDead ? world.settled() : Promise.race([world.settled(), died]))
  const pass = async (ms: number): Promise<void> => world.clock.advance(ms, async () => void (await settle()))
  for (let n = 0; n < 7; n += 1) {
    await survivor.engine.trigger(taskId, {}, null, ALL, ALICE)
    await settle()
    await fail(survivor, session, world)
    await pass(1000)
  }
  expect(victim.isDead).toBe(true)
  await pass(6000)
  expect(await incidentsOf(world.db)).toMatchObject([{ count: 7, state: INCIDENT_STATE.open }])
  expect((await outbox(world.db)).map(({ message }) => message.kind)).toEqual(['opened'])
})

/** The node dies behind the first of its commits after which a count in the store is not 0 any more. */
async function killedWhen(world: Nodes, victim: TestNode, sql: string): Promise<void> {
  return new Promise((resolve) => {
    victim.afterWrite = async () => {
      const [row] = await world.db.read((tx) => tx.all<{ n: number }>(sql))
      if ((row?.n ?? 0) === 0) return
      victim.isDead = true
      resolve()
    }
  })
}

async function fail(node: TestNode, session: Awaited<ReturnType<TestNode['executor']>>, world: Nodes): Promise<void> {
  const open = new Set((await world.open()).map((row) => row.id))
  for (const { instanceId, attempt } of node.link.dispatches().filter((one) => open.has(one.instanceId)))
    await node.engine.report(session, {
      type: 'finished',
      n: instanceId,
      instanceId,
      attempt,
      at: world.clock.now(),
      startedAt: world.clock.now(),
      bootId: session.bootId,
      outcome: 'failed',
    })
  await node.engine.beat(session, { running: [], load: { cpu: 0, memory: 0, running: 0, queued: 0 } })
}

it('a node that is killed is told once, and its incident is over when one of its name has come back', async () => {
  const world = await Nodes.create(2)
  await addRule(world.db, world.clock.now(), [{ event: 'nodeDown' }], { groupId: null, channelIds: [] })
  await world.pass(2000)
  world.node(1).isDead = true
  await world.pass(9000)
  expect(await incidentsOf(world.db)).toEqual([])
  await world.pass(90_000)
  expect(await incidentsOf(world.db)).toMatchObject([{ target_name: 'node-2', group_id: null, count: 1, state: INCIDENT_STATE.open }])
  const back = new TestNode()
  world.nodes.push(back)
  await back.start(world, 'node-2', ['api', 'scheduler'])
  await world.pass(90_000)
  expect(await incidentsOf(world.db)).toMatchObject([{ recovered_by: 'gone' }])
})
