import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '@tickwheel/server'
import { describe, expect, it } from 'vitest'
import { ApiClient } from '../kit/api-client.ts'
import { startExecutor } from '../kit/executor-process.ts'
import { mariaDbMissing } from '../kit/mariadb.ts'
import { redisMissing } from '../kit/redis.ts'
import { ended, shellTask, trigger } from '../kit/runs.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { waitFor } from '../kit/wait-for.ts'
import { composeText, deployFolder, durationMs, makeEnv, readCompose, readEnvFile, type Service } from './compose.fixture.ts'
import { LocalCluster } from './local-cluster.fixture.ts'

const dockerfile = readFileSync(join(deployFolder, 'Dockerfile'), 'utf8')
const haproxy = readFileSync(join(deployFolder, 'haproxy.cfg'), 'utf8')
const FAREWELL_MS = 10_000

const example = readEnvFile(join(deployFolder, '.env.example'))
const filled = Object.fromEntries(Object.entries(example).map(([name, value]) => [name, value === '' ? 'f'.repeat(40) : value]))
const { services, volumes } = readCompose({ ...filled, TICKWHEEL_EXECUTOR_TOKEN: `twe_1_${'k'.repeat(43)}` })

/** By which nodes know the proxy. */
const proxyAddress = /front: \{ ipv4_address: ([\d.]+) \}/.exec(composeText)?.[1]

function named(prefix: string): [string, Service][] {
  return Object.entries(services).filter(([name]) => name.startsWith(prefix))
}

describe('deploy/compose.yaml', () => {
  it('has the services of a cluster, each started again when it ends', () => {
    expect(Object.keys(services)).toEqual(['mysql', 'redis', 'node-1', 'node-2', 'executor-1', 'executor-2', 'proxy'])
    for (const [name, service] of Object.entries(services)) expect([name, service.restart]).toEqual([name, 'unless-stopped'])
    expect([services['mysql']?.image, services['redis']?.image]).toEqual([
      expect.stringMatching(/^mysql:8/),
      expect.stringMatching(/^redis:7/),
    ])
  })

  it('takes its variables from .env.example, which holds no secret', () => {
    const asked = new Set([...composeText.matchAll(/\$\{(\w+)/g)].map(([, name]) => name))
    expect([...asked].sort()).toEqual(Object.keys(example).sort())
    const must = new Set([...composeText.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name))
    expect(Object.keys(example).filter((name) => example[name] === '')).toEqual([...must].sort((a, b) => order(a) - order(b)))
    expect(() => readCompose(example)).toThrow(/is empty: run deploy\/make-env\.sh/)
  })

  it('waits for and mounts only what there is', () => {
    for (const [name, { depends_on: needs = {}, volumes: mounts = [] }] of Object.entries(services)) {
      for (const [other, { condition }] of Object.entries(needs)) {
        expect(services, `${name} waits for ${other}`).toHaveProperty(other)
        if (condition === 'service_healthy') expect(services[other]?.healthcheck.test, `${other} has a health check`).toBeDefined()
      }
      for (const mount of mounts) {
        const source = mount.split(':')[0] ?? ''
        if (source.startsWith('.')) expect(existsSync(join(deployFolder, source)), source).toBe(true)
        else expect(volumes).toHaveProperty(source)
      }
    }
  })

  it.each(named('node'))(
    'gives %s settings that the program takes, and more time to stop than it needs',
    (name, { command, environment, ...node }) => {
      expect(command).toEqual(['server'])
      const config = loadConfig({ env: environment, cwd: tempDir() })
      expect(config).toMatchObject({ role: 'all', node: { name, url: `http://${name}:8080` }, secret: filled['TICKWHEEL_SECRET'] })
      expect(config.http.trustedProxies).toBe(proxyAddress)
      expect(config.database.url).toMatch(/@mysql:3306\/tickwheel$/)
      expect(config.redis.url).toMatch(/@redis:6379\/0$/)
      expect(durationMs(node.stop_grace_period)).toBeGreaterThan(config.shutdown.graceMs)
      expect(haproxy).toMatch(new RegExp(`^\\s*server ${name} ${name}:8080$`, 'm'))
      expect(existsSync(join(deployFolder, '..', node.healthcheck.test?.[2]?.replace('/app/', '') ?? 'none'))).toBe(true)
    },
  )

  it.each(named('executor'))('gives %s a place for its spool, all nodes, and more time to stop than it needs', (name, executor) => {
    expect(executor.command).toEqual(['executor', '--name', name, '--spool', '/data/spool'])
    expect(executor.environment['TICKWHEEL_SERVER']?.split(',')).toEqual(named('node').map(([node]) => `http://${node}:8080`))
    expect(durationMs(executor.stop_grace_period)).toBeGreaterThan(30_000 + FAREWELL_MS)
    expect(executor.volumes).toEqual([`${name}:/data`])
    const [, node] = named('node')[0] ?? []
    expect(node?.environment['TICKWHEEL_FIRST_EXECUTOR_TOKEN']).toBe(executor.environment['TICKWHEEL_EXECUTOR_TOKEN'])
  })

  it('sets MySQL so that an acknowledged commit is on disk and texts compare by their bytes', () => {
    expect(services['mysql']?.command).toEqual(
      expect.arrayContaining([
        '--innodb-flush-log-at-trx-commit=1',
        '--sync-binlog=1',
        '--binlog-format=ROW',
        '--character-set-server=utf8mb4',
        '--collation-server=utf8mb4_bin',
      ]),
    )
  })

  it('opens one port, to this machine unless told otherwise, and the proxy asks whether nodes are ready', () => {
    expect(Object.entries(services).flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]))).toEqual([
      ['proxy', '127.0.0.1:8080:8080'],
    ])
    expect(haproxy).toMatch(/bind :8080\n/)
    expect(haproxy).toMatch(/http-check send meth GET uri \/readyz/)
  })

  it('is built from an image that pins Node.js 24, is no root, and has a health check', () => {
    expect([...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)).toEqual(['node:24-bookworm-slim', 'node:24-bookworm-slim'])
    expect(dockerfile).toMatch(/^USER node$/m)
    expect(dockerfile).toMatch(/^HEALTHCHECK .*"\/app\/deploy\/health\.mjs"\]$/m)
    expect(dockerfile).toMatch(/^ENTRYPOINT \[.*"cli\/dist\/main\.js"\]$/m)
    expect(readFileSync(join(deployFolder, '../.dockerignore'), 'utf8')).toMatch(/^\*\*\/\.env$/m)
  })
})

describe('deploy/make-env.sh', () => {
  it('fills in every secret, each another one, and overwrites nothing', () => {
    const folder = tempDir()
    const env = makeEnv(folder)
    const secrets = Object.keys(example).filter((name) => example[name] === '')
    expect(new Set(secrets.map((name) => env[name])).size).toBe(secrets.length)
    for (const name of secrets) expect(env[name], name).toMatch(/^\w{20,}$/)
    expect(env['TICKWHEEL_EXECUTOR_TOKEN']).toMatch(/^twe_1_\w{43}$/)
    expect(() => makeEnv(folder)).toThrow(/exists already/)
  })
})

const missing = mariaDbMissing() ?? redisMissing()
if (missing !== null) process.stderr.write(`${missing}\n`)

describe.skipIf(missing !== null)('the services of deploy/compose.yaml as processes', () => {
  it(
    'sign in, run tasks on executors, and go on through the proxy when a node is killed, comes back, and the other one leaves',
    { timeout: 300_000 },
    async () => {
      await using cluster = await LocalCluster.start()
      const admin = await signIn(cluster)
      const task = await shellTask(admin, 'greets', 'echo hello')
      expect(await ended(admin, await trigger(admin, task.id))).toMatchObject({ state: 'succeeded' })
      const ticking = await shellTask(admin, 'ticks', 'true', { schedule: { kind: 'fixedRate', everyMs: 1000 }, enabled: true })
      const goesOn = await watch(cluster, ticking.id)
      await goesOn()
      const token = cluster.env['TICKWHEEL_EXECUTOR_TOKEN'] ?? ''
      await using behindProxy = await startExecutor({ serverUrl: cluster.url, token, name: 'behind-the-proxy' })

      await cluster.program('node-1').kill()
      expect(cluster.isHealthy('node-1')).toBe(false)
      await goesOn()
      await works(cluster, task.id)

      cluster.run('node-1')
      await cluster.ready('node-1')
      expect(await cluster.program('node-2').stop()).toEqual({ code: 0, signal: null })
      await goesOn()
      await works(cluster, task.id)
      // whichever node it had, that one went
      await behindProxy.program.printed(/("msg":"linked"[^]*){2}/)
    },
  )
})

function order(name: string | undefined): number {
  return Object.keys(example).indexOf(name ?? '')
}

function signIn({ url, env }: LocalCluster): Promise<ApiClient> {
  return waitFor(() => ApiClient.signIn(url, 'admin', env['TICKWHEEL_ADMIN_PASSWORD'] ?? ''), { what: 'a sign-in through the proxy' })
}

/** A task runs through the proxy, with a new sign-in. */
async function works(cluster: LocalCluster, taskId: number): Promise<void> {
  const admin = await signIn(cluster)
  const run = await waitFor(() => trigger(admin, taskId), { what: 'a trigger through the proxy' })
  const look = async (): Promise<string | null> => {
    const instance = await admin.get<{ state: string; endedAt: string | null }>(`/instance/${String(run)}`)
    return instance.endedAt === null ? null : instance.state
  }
  expect(await waitFor(look, { what: `the end of run ${String(run)}`, timeoutMs: 60_000 })).toBe('succeeded')
}

/** Resolves, each time it is called, when the task has succeeded twice more. */
async function watch(cluster: LocalCluster, taskId: number): Promise<() => Promise<void>> {
  const admin = await signIn(cluster)
  const path = `/instance?taskId=${String(taskId)}&state=succeeded&pageSize=1`
  const newest = async (): Promise<number> => (await admin.get<{ items: { id: number }[] }>(path)).items[0]?.id ?? 0
  return async () => {
    let seen = await waitFor(async () => ({ id: await newest() }), { what: 'the list of runs' })
    for (let each = 0; each < 2; each += 1)
      seen = await waitFor(
        async () => {
          const id = await newest()
          return id > seen.id && { id }
        },
        { what: 'the next run', timeoutMs: 60_000, everyMs: 100 },
      )
  }
}
