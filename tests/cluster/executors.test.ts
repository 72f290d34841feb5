/* Executors hold one link to one node, and run the work of every node. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startExecutor, type ExecutorProcess } from '../kit/executor-process.ts'
import type { MariaDb } from '../kit/mariadb.ts'
import { ended, executorToken, inState, printed, shellTask, trigger, wholeLog } from '../kit/runs.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { waitFor } from '../kit/wait-for.ts'
import { clusterMissing, Scene, startMariaDb } from './scene.fixture.ts'

let mariaDb: MariaDb | null = null
beforeAll(async () => {
  mariaDb = await startMariaDb()
})
afterAll(async () => mariaDb?.stop())

async function linkTo(scene: Scene, serverUrl: string): Promise<ExecutorProcess> {
  const executor = await startExecutor({ serverUrl, token: await executorToken(scene.admin), name: 'mover' })
  onTestFinished(async () => void (await executor.program.kill()))
  return executor
}

/** A script that says so when it has begun, and ends when a file is there. */
function until(folder: string, name: string): string {
  return `touch '${join(folder, `${name}-began`)}'; while [ ! -e '${join(folder, name)}' ]; do sleep 0.05; done; echo ${name} is there`
}

async function began(folder: string, name: string): Promise<void> {
  await waitFor(() => existsSync(join(folder, `${name}-began`)), { what: `${name} to begin`, timeoutMs: 60_000 })
}

describe.skipIf(clusterMissing !== null)('an executor of two nodes', { timeout: 240_000 }, () => {
  it('that is linked to one runs what the slots of the other fire, and what is triggered at either', async () => {
    const scene = await Scene.begin({ mariaDb, executors: [] })
    await linkTo(scene, scene.node('a').url)
    const owned = await scene.owned()
    expect(Math.min(owned['a'] ?? 0, owned['b'] ?? 0)).toBeGreaterThan(0)
    const shell = { kind: 'shell', script: 'echo done' } as const
    const schedule = { kind: 'fixedRate', everyMs: 500 } as const
    const task = await scene.taskOwnedBy('b', { handler: shell, schedule, enabled: true })
    const succeeded = `SELECT id FROM instance WHERE task_id = ${String(task.id)} AND outcome = 1`
    await waitFor(async () => (await scene.world.reader.rows(succeeded)).length >= 5, {
      what: 'five runs of the other node',
      timeoutMs: 60_000,
    })
    expect(await scene.linkOf('mover')).toBe('a')
    const manual = await scene.taskOwnedBy('b', { handler: shell })
    for (const name of ['a', 'b']) expect((await ended(scene.at(name), await trigger(scene.at(name), manual.id))).state).toBe('succeeded')
    expect(await scene.world.reader.rows('SELECT DISTINCT outcome FROM instance')).toEqual([{ outcome: 1 }])
  })

  it('moves to the other when its node is killed, with the run that goes on and the result that nobody has heard', async () => {
    const scene = await Scene.begin({ mariaDb, executors: [] })
    const executor = await linkTo(scene, scene.world.cluster.urls)
    const folder = tempDir()
    const first = await scene.linkOf('mover')
    const other = first === 'a' ? 'b' : 'a'
    const slow = await shellTask(scene.admin, 'slow', until(folder, 'slow'))
    const quick = await shellTask(scene.admin, 'quick', until(folder, 'quick'))
    const slowRun = await trigger(scene.at(other), slow.id)
    const quickRun = await trigger(scene.at(other), quick.id)
    await Promise.all(['slow', 'quick'].map(async (name) => began(folder, name)))
    await Promise.all([slowRun, quickRun].map(async (id) => inState(scene.at(other), id, 'running')))

    scene.world.expectEnd(scene.node(first).program)
    // the result of the quick one is made while its node hangs, so that no node can have heard it
    scene.node(first).program.freeze()
    writeFileSync(join(folder, 'quick'), '')
    await scene.node(first).kill()
    await waitFor(async () => (await scene.linkOf('mover')) === other, { what: `a link to node ${other}`, timeoutMs: 60_000 })
    expect(await ended(scene.at(other), quickRun)).toMatchObject({ state: 'succeeded', attempt: 1 })
    expect(await scene.at(other).get(`/instance/${String(slowRun)}`)).toMatchObject({ state: 'running', attempt: 1 })
    writeFileSync(join(folder, 'slow'), '')
    expect(await ended(scene.at(other), slowRun)).toMatchObject({ state: 'succeeded', attempt: 1 })
    expect(printed(await wholeLog(scene.at(other), slowRun))).toEqual(['slow is there'])
    expect(executor.program.isRunning).toBe(true)
  })
})
