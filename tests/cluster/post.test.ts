/* An executor with an HTTP endpoint, beside two nodes: the one at which it registered sends to it, for the slots of both. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { MariaDb } from '../kit/mariadb.ts'
import { Program } from '../kit/program.ts'
import { ended, executorToken, homeGroup, inState, trigger } from '../kit/runs.ts'
import { waitFor } from '../kit/wait-for.ts'
import { clusterMissing, Scene, startMariaDb } from './scene.fixture.ts'

let mariaDb: MariaDb | null = null
beforeAll(async () => {
  mariaDb = await startMariaDb()
})
afterAll(async () => mariaDb?.stop())

async function start(scene: Scene, servers: readonly string[]): Promise<Program> {
  const env = {
    TICKWHEEL_SERVER: servers.join(','),
    EXECUTOR_TOKEN: await executorToken(scene.admin),
    EXECUTOR_NAME: 'poster',
    EXECUTOR_CAPACITY: '3',
  }
  const program = new Program({ command: 'python3', args: ['examples/http-python/executor.py'], env })
  onTestFinished(async () => void (await program.kill()))
  await program.printed(/has joined/)
  return program
}

const counts = { kind: 'named', name: 'countTo' } as const

describe.skipIf(clusterMissing !== null)('an executor with an address, of two nodes', { timeout: 240_000 }, () => {
  it('that registered at one runs what the slots of the other fire, and never more at once than it has slots', async () => {
    const scene = await Scene.begin({ mariaDb, executors: [] })
    await start(scene, [scene.node('a').url])
    const overlap = { policy: 'parallel', max: 100 } as const
    const work = { handler: counts, params: '3', overlap } as const
    const tasks = [await scene.taskOwnedBy('a', work), await scene.taskOwnedBy('b', work)]
    const runs = await Promise.all(
      tasks.flatMap((task) => ['a', 'b'].flatMap((name) => [1, 2, 3].map(async () => trigger(scene.at(name), task.id)))),
    )
    for (const run of runs) expect(await ended(scene.admin, run)).toMatchObject({ state: 'succeeded' })
    expect(await scene.linkOf('poster')).toBe('a')
    const rejected = 'SELECT COUNT(*) AS n FROM attempt WHERE outcome NOT IN (1)'
    expect(await scene.world.reader.rows(rejected)).toEqual([{ n: 0 }])
  })

  it('goes on with the other when its node is killed, with the run that it has', async () => {
    const scene = await Scene.begin({ mariaDb, executors: [] })
    await start(scene, [scene.node('a').url, scene.node('b').url])
    const task = await scene.admin.post<{ id: number }>('/task', {
      groupId: await homeGroup(scene.admin),
      name: 'long',
      schedule: { kind: 'manual' },
      handler: counts,
      params: '100',
    })
    const quick = await scene.taskOwnedBy('b', { handler: counts, params: '1' })
    const before = await trigger(scene.at('b'), task.id)
    await inState(scene.at('b'), before, 'running')
    expect(await scene.linkOf('poster')).toBe('a')
    scene.world.expectEnd(scene.node('a').program)
    await scene.node('a').kill()
    await waitFor(async () => (await scene.linkOf('poster')) === 'b', { what: 'node b to send to it', timeoutMs: 60_000 })
    expect(await ended(scene.at('b'), before)).toMatchObject({ state: 'succeeded', attempt: 1 })
    expect(await ended(scene.at('b'), await trigger(scene.at('b'), quick.id))).toMatchObject({ state: 'succeeded', attempt: 1 })
  })
})
