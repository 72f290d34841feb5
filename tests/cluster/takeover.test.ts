/* Two nodes on one database: who fires when one of them dies, hangs or leaves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MariaDb } from '../kit/mariadb.ts'
import { waitFor } from '../kit/wait-for.ts'
import { clusterMissing, Scene, startMariaDb } from './scene.fixture.ts'

let mariaDb: MariaDb | null = null
beforeAll(async () => {
  mariaDb = await startMariaDb()
})
afterAll(async () => mariaDb?.stop())

describe.skipIf(clusterMissing !== null)('two nodes', { timeout: 240_000 }, () => {
  it('share the slots, fire what is theirs, never try for the same slot, and tell the same of each other', async () => {
    const scene = await Scene.begin({ mariaDb })
    const tasks = await scene.ticking(24)
    await scene.fireAgain(tasks, Date.now() + 1000)
    const owned = await scene.owned()
    for (const name of ['a', 'b']) {
      const view = await scene.view(name)
      expect(Object.fromEntries(view.nodes.map((node) => [node.name, node.slots]))).toEqual(owned)
      expect(view).toMatchObject({ store: 'mysql', redis: 'ok', held: null, contended: 0 })
      expect(view.nodes.map((node) => [node.name, node.isAlive, node.isThis]).sort()).toEqual([
        ['a', true, name === 'a'],
        ['b', true, name === 'b'],
      ])
      // the lock in Redis has the owner that the database names
      expect(view.slots.filter(({ owner, lease }) => owner === null || lease?.owner !== owner)).toEqual([])
    }
    const figures = await scene.expectExact('b')
    expect(figures.get('fired')).toBeGreaterThan(tasks.length)
  })

  it('when one is killed the other fires its tasks, and the one that comes back takes a share again', async () => {
    const scene = await Scene.begin({ mariaDb })
    const tasks = await scene.ticking(24)
    await scene.fireAgain(tasks, Date.now() + 1000)
    scene.world.expectEnd(scene.node('a').program)
    await scene.node('a').kill()
    await scene.fireAgain(tasks, Date.now())
    expect(await scene.owned()).toEqual({ b: 256 })
    scene.world.startNode(scene.node('a'))
    await scene.shared(['a', 'b'])
    await scene.fireAgain(tasks, Date.now())
    await scene.expectExact('a')
  })

  it('when one hangs the other fires its tasks, and the one that wakes up does no harm', async () => {
    const scene = await Scene.begin({ mariaDb })
    const tasks = await scene.ticking(24, 500)
    await scene.fireAgain(tasks, Date.now() + 1000)
    const fences = new Map((await scene.world.reader.slots()).map(({ id, fence }) => [id, fence]))
    scene.node('a').program.freeze()
    await waitFor(async () => (await scene.owned())['b'] === 256, { what: 'node b to own all', timeoutMs: 60_000, everyMs: 100 })
    await scene.fireAgain(tasks, Date.now())
    scene.node('a').program.thaw()
    await scene.shared(['a', 'b'])
    await scene.fireAgain(tasks, Date.now())
    const slots = await scene.world.reader.slots()
    expect(slots.filter(({ id, fence }) => fence < (fences.get(id) ?? 0))).toEqual([])
    await scene.expectExact('b')
  })

  it('when one leaves in order it has given up every slot before it is gone, and nothing is missed', async () => {
    const scene = await Scene.begin({ mariaDb })
    const tasks = await scene.ticking(24)
    await scene.fireAgain(tasks, Date.now() + 1000)
    const [{ runId } = { runId: 0 }] = (await scene.world.reader.nodes()).filter(({ name }) => name === 'a')
    scene.world.expectEnd(scene.node('a').program)
    const { code } = await scene.node('a').program.stop()
    expect(code).toBe(0)
    expect((await scene.world.reader.slots()).filter(({ ownerRun }) => ownerRun === runId)).toEqual([])
    expect((await scene.world.reader.nodes()).map(({ name }) => name)).toEqual(['b'])
    await waitFor(async () => (await scene.owned())['b'] === 256, { what: 'node b to own all', timeoutMs: 60_000 })
    await scene.fireAgain(tasks, Date.now())
    const figures = await scene.expectExact('b')
    expect(figures.get('lost')).toBe(0)
  })
})
