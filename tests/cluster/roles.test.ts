/* What a node needs to be one of several, and what its role lets it do. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ApiClient } from '../kit/api-client.ts'
import { freePort } from '../kit/free-port.ts'
import type { MariaDb } from '../kit/mariadb.ts'
import { Program } from '../kit/program.ts'
import { startServer } from '../kit/server-process.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { clusterMissing, Scene, startMariaDb } from './scene.fixture.ts'

let mariaDb: MariaDb | null = null
beforeAll(async () => {
  mariaDb = await startMariaDb()
})
afterAll(async () => mariaDb?.stop())

describe.skipIf(clusterMissing !== null)('a node', { timeout: 240_000 }, () => {
  it('beside another on one database does not start without Redis, and says in one line what to do', async () => {
    mariaDb?.sql('CREATE DATABASE single')
    const env = { TICKWHEEL_DATABASE_URL: mariaDb?.url('single') ?? '' }
    await using first = await startServer({ command: 'server', env })
    expect(first.program.isRunning).toBe(true)
    const dataDir = tempDir()
    const second = new Program({
      args: ['server'],
      cwd: dataDir,
      env: { ...env, TICKWHEEL_PORT: String(await freePort()), TICKWHEEL_DATA_DIR: dataDir },
    })
    onTestFinished(async () => void (await second.kill()))
    expect((await second.exited).code).toBe(1)
    expect(second.output).toMatch(/^[^\n]*Another Tickwheel server[^\n]*Redis[^\n]*\n$/)
  })

  it('with the role api owns no slot and serves people; with the role scheduler it owns all, fires, and sends people elsewhere', async () => {
    const envOf = { api: { TICKWHEEL_ROLE: 'api' }, fires: { TICKWHEEL_ROLE: 'scheduler' } }
    const scene = await Scene.begin({ mariaDb, nodes: ['api', 'fires'], envOf, owners: ['fires'] })
    const tasks = await scene.ticking(4)
    await scene.fireAgain(tasks, Date.now())
    expect(await scene.owned()).toEqual({ fires: 256 })
    const view = await scene.view('api')
    expect(view.nodes.map(({ name, roles, slots }) => [name, roles, slots]).sort()).toEqual([
      ['api', ['api'], 0],
      ['fires', ['scheduler'], 256],
    ])
    const refused = await scene.at('fires').call('GET', '/task')
    expect(refused).toMatchObject({ status: 421, body: { code: 'ASK_API_NODE' } })
    expect(
      (await new ApiClient(scene.node('fires').url).call('POST', '/auth/login', { username: 'admin', password: 'admin123' })).status,
    ).toBe(421)
    // executors may hang on either
    expect(['api', 'fires']).toContain(await scene.linkOf('x'))
    await scene.expectExact('api')
  })
})
