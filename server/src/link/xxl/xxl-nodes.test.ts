import { OUTCOME } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Nodes, type TestNode } from '../../engine/nodes.fixture.ts'
import { ALICE, ALL } from '../../engine/world.fixture.ts'
import { SYSTEM } from '../../store/caller.ts'
import { RunIds } from '../../store/ids.ts'
import type { ExecutorRow } from '../../store/schema.ts'
import { logsOf } from '../../store/store.fixture.ts'
import { Links } from '../links.ts'
import { Networks } from '../networks.ts'
import { Access } from './access.ts'
import { StubExecutor } from './stub-executor.fixture.ts'
import { XxlLink } from './xxl-link.ts'

const QUICK = { tickMs: 5, pollMinMs: 10, pollMaxMs: 30, lastPageMs: 20, lookMs: 20, probeMs: 20 }

let world: Nodes
let links: XxlLink[]
let executor: StubExecutor
/** the node that a load balancer sends the executor's calls to */
let to: number

beforeEach(async () => {
  world = await Nodes.create(2)
  links = world.nodes.map(linkOf)
  to = 0
  executor = await new StubExecutor('2.3', async (path, body) => {
    const link = links[to]
    if (link === undefined) throw new Error('no such node')
    if (path === 'registry') return link.registry(body, { token: 'secret', isNewDialect: false })
    return path === 'registryRemove' ? link.registryRemove(body, 'secret') : link.callback(body, 'secret')
  }).listen()
})
afterEach(async () => {
  for (const link of links) await link.close()
  await executor.die()
  for (const node of world.nodes) if (!node.isDead) await node.engine.stop()
})

function linkOf(node: TestNode): XxlLink {
  const hub = new Links(node.engine)
  const ids = new RunIds(world.db, () => world.clock.now())
  Object.assign(node.link, { send: hub.send.bind(hub), end: hub.end.bind(hub), drain: hub.drain.bind(hub) })
  return hub.add(
    (host) =>
      new XxlLink({
        host,
        db: world.db,
        logs: logsOf(world.db),
        takeIds: (count) => ids.take(count),
        register: (groupId, register, reach) => node.engine.registerExecutor(groupId, register, SYSTEM, reach),
        issueToken: ({ executorId, bootId }) => `${String(executorId)}.${String(bootId)}`,
        onExecutors: () => undefined,
        access: new Access({
          db: world.db,
          sharedToken: 'secret',
          openToken: () => null,
          isSame: (a, b) => a === b,
          log: { warn: () => undefined },
        }),
        networks: Networks.everywhere,
        capacity: 100,
        logLimitBytes: 1_000_000,
        log: { warn: () => undefined },
        timing: QUICK,
      }),
  )
}

async function until(condition: () => boolean | Promise<boolean>, turnMs = 0): Promise<void> {
  for (let looks = 0; looks < 1000; looks += 1) {
    if (turnMs > 0) await world.pass(turnMs)
    else await world.settled()
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('it did not come to that')
}

const here = (place: number): number => world.node(place).engine.status().liveExecutors

async function executors(): Promise<ExecutorRow[]> {
  return world.db.read((tx) => tx.all<ExecutorRow>('SELECT * FROM executor'))
}

async function triggered(owner: number, at: number): Promise<number> {
  const { taskId } = await world.taskOf(world.node(owner), world.node(at), { handler: { kind: 'named', name: 'demo' } })
  return (await world.node(at).engine.trigger(taskId, {}, null, ALL, ALICE)).instanceId
}

describe('two nodes', () => {
  it('share an XXL-JOB executor: one sends, both hear it and take its results', async () => {
    await executor.register('app-1')
    await until(() => here(0) === 1)
    await world.pass(1000)
    const instanceId = await triggered(1, 1)
    await until(() => executor.runs.length === 1, 500)
    to = 1
    for (let seconds = 0; seconds < 120; seconds += 30) {
      await world.pass(30_000)
      await executor.register('app-1')
    }
    expect([here(0), here(1)]).toEqual([1, 0])
    expect((await world.open()).map((row) => row.id)).toEqual([instanceId])
    const [run] = executor.runs
    expect(await executor.finish(run?.logId ?? 0, 200, 'done')).toMatchObject({ code: 200 })
    expect(await world.ended()).toMatchObject([{ id: instanceId, outcome: OUTCOME.succeeded, attempt: 1 }])
    expect(await executors()).toHaveLength(1)
  })

  it('hand it over when the one that sends is killed: what runs there goes on, and is not sent again', async () => {
    await executor.register('app-1')
    await until(() => here(0) === 1)
    await world.pass(1000)
    const instanceId = await triggered(1, 1)
    await until(() => executor.runs.length === 1, 500)
    world.node(0).isDead = true
    await world.pass(12_000)
    to = 1
    await executor.register('app-1')
    await until(() => here(1) === 1)
    await world.pass(5000)
    expect(executor.runs).toHaveLength(1)
    const next = await triggered(1, 1)
    await until(() => executor.runs.length === 2, 500)
    for (const run of executor.runs) await executor.finish(run.logId, 200, null)
    await until(async () => (await world.ended()).length === 2)
    expect((await world.ended()).map(({ id, outcome }) => [id, outcome])).toEqual([
      [instanceId, OUTCOME.succeeded],
      [next, OUTCOME.succeeded],
    ])
  })
})
