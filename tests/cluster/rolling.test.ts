/* Every node is restarted in turn while tasks fire: nothing is lost, and how late firings were is printed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MariaDb } from '../kit/mariadb.ts'
import { spread } from '../torture/figures.ts'
import { clusterMissing, Scene, startMariaDb } from './scene.fixture.ts'

let mariaDb: MariaDb | null = null
beforeAll(async () => {
  mariaDb = await startMariaDb()
})
afterAll(async () => mariaDb?.stop())

describe.skipIf(clusterMissing !== null)('a rolling restart under load', { timeout: 300_000 }, () => {
  it('of three nodes loses no firing and doubles none', async () => {
    const names = ['a', 'b', 'c']
    const scene = await Scene.begin({ mariaDb, nodes: names, executors: ['x', 'y'] })
    const tasks = await scene.ticking(120)
    await scene.fireAgain(tasks, Date.now() + 1000)
    const from = Date.now()
    for (const name of names) {
      const node = scene.node(name)
      scene.world.expectEnd(node.program)
      expect((await node.program.stop()).code).toBe(0)
      scene.world.startNode(node)
      await node.ready()
      await scene.shared(names)
    }
    await scene.fireAgain(tasks, Date.now())
    const figures = await scene.expectExact('c')
    const rows = await scene.world.reader.rows<{ lateMs: number }>(
      `SELECT created_at - due_at AS lateMs FROM instance WHERE due_at > ${String(from)}`,
    )
    const late = rows.map(({ lateMs }) => lateMs)
    console.info(
      `rolling restart of ${names.join(', ')}: ${String(late.length)} firings, created after they were due: ${spread(late, [50, 99, 99.9])};`,
      `${String(late.filter((ms) => ms > 1000).length)} later than a second; skips ${String(figures.get('skipRows'))}`,
    )
    expect(figures.get('lost')).toBe(0)
  })
})
