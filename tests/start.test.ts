import { once } from 'node:events'
import { createServer } from 'node:net'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Group, Instance, Task } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { freePort } from './kit/free-port.ts'
import { Program } from './kit/program.ts'
import { startServer } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

/** Runs `tickwheel` until it ends by itself; its exit code and what it printed. */
async function fails(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const dataDir = env['TICKWHEEL_DATA_DIR'] ?? tempDir()
  const program = new Program({
    args,
    cwd: tempDir(),
    env: { TICKWHEEL_PORT: String(await freePort()), TICKWHEEL_DATA_DIR: dataDir, ...env },
  })
  const { code } = await program.exited
  return { code, output: program.output }
}

const ONE_LINE = /^[^\n]+\n$/

describe('a start that cannot succeed ends with one clear line and a code other than 0', () => {
  it('because the port is taken: by whom, and how to choose another', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const { code, output } = await fails(['start'], { TICKWHEEL_PORT: String(port) })
    other.close()
    expect(code).toBe(1)
    expect(output).toMatch(ONE_LINE)
    expect(output).toMatch(new RegExp(`^Port ${String(port)} is taken.*TICKWHEEL_PORT=8090 npm start`))
    if (process.platform === 'linux') expect(output).toContain(`(process ${process.pid})`)
  })

  it('because another process uses the data folder', async () => {
    await using server = await startServer({ command: 'server' })
    const { code, output } = await fails(['server'], { TICKWHEEL_DATA_DIR: server.dataDir })
    expect(code).toBe(1)
    expect(output).toMatch(ONE_LINE)
    expect(output).toContain(`Another Tickwheel process uses the data folder ${server.dataDir}`)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  })

  it('because the data folder cannot be written to', async () => {
    const file = join(tempDir(), 'file')
    writeFileSync(file, '')
    const { code, output } = await fails(['start'], { TICKWHEEL_DATA_DIR: join(file, 'data') })
    expect(code).toBe(1)
    expect(output).toMatch(ONE_LINE)
    expect(output).toContain('cannot be written to')
  })

  it('because the configuration is wrong', async () => {
    const folder = tempDir()
    writeFileSync(join(folder, 'config.yaml'), 'host: 127.0.0.1\nprot: 8080\n')
    const program = new Program({ args: ['start'], cwd: folder })
    expect((await program.exited).code).toBe(1)
    expect(program.output).toMatch(ONE_LINE)
    expect(program.output).toMatch(/config\.yaml:2:1: prot is not a setting \(did you mean port\?\)/)
    expect((await fails(['start', '--log-level', 'loud'])).output).toBe(
      '--log-level must be one of trace, debug, info, warn, error, fatal, silent, not "loud".\n',
    )
    expect((await fails(['start', '--colour', 'red'])).code).not.toBe(0)
  })

  it('because a newer program has written the store, or something else has', async () => {
    const dataDir = tempDir()
    await (await startServer({ command: 'server', dataDir })).close()
    const db = new Sqlite(join(dataDir, 'tickwheel.db'))
    db.prepare("UPDATE meta SET value = '99' WHERE key IN ('schema_level', 'oldest_reader')").run()
    db.close()
    const newer = await fails(['server'], { TICKWHEEL_DATA_DIR: dataDir })
    expect(newer.code).toBe(1)
    expect(newer.output).toMatch(/has schema level 99, this program knows \d+: start the newer version/)
    const other = tempDir()
    writeFileSync(join(other, 'tickwheel.db'), 'this is no database, but it is long enough to look at'.repeat(20))
    const broken = await fails(['server'], { TICKWHEEL_DATA_DIR: other })
    expect(broken.code).toBe(1)
    expect(broken.output).toMatch(ONE_LINE)
    expect(broken.output).toContain('cannot be opened')
  })

  it('because its database cannot be reached', async () => {
    const { code, output } = await fails(['start'], {
      TICKWHEEL_DATABASE_URL: `mysql://root:secret@127.0.0.1:${String(await freePort())}/tickwheel`,
    })
    expect(output).toContain('ECONNREFUSED')
    expect(code).toBe(1)
    expect(output).toMatch(ONE_LINE)
    expect(output).not.toContain('secret@')
  })
})

describe('a start', () => {
  it('ends with where to go, who to be, and how to let others in', async () => {
    await using server = await startServer()
    const { output } = server.program
    expect(output).toContain(`Console   http://localhost:${server.port}`)
    expect(output).toContain('Account   admin / admin123')
    expect(output).toContain('TICKWHEEL_HOST=0.0.0.0 opens it')
    for (const file of ['secret.key', 'embedded-executor.token']) expect(statSync(join(server.dataDir, file)).mode & 0o777).toBe(0o600)
  })

  it('of the server alone prints JSON lines and nothing else', async () => {
    await using server = await startServer({ command: 'server' })
    await server.program.printed(/tickwheel is ready/)
    for (const line of server.program.output.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level')
  })

  it('does not print the first password once it was changed', async () => {
    const dataDir = tempDir()
    const first = await startServer({ dataDir })
    await (await first.signIn()).put('/auth/password', { current: 'admin123', next: 'a longer one' })
    await first.close()
    const second = await startServer({ dataDir })
    await second.program.printed(/Account {3}admin\n/)
    await second.signIn('admin', 'a longer one')
    await second.close()
  })

  it('keeps what was there before', async () => {
    const dataDir = tempDir()
    const first = await startServer({ dataDir })
    const admin = await first.signIn()
    const home = (await admin.get<{ items: Group[] }>('/group')).items[0]?.id
    const task = await admin.post<Task>('/task', {
      groupId: home,
      name: 'kept',
      schedule: { kind: 'manual' },
      handler: { kind: 'shell', script: 'echo kept' },
    })
    const { instanceId } = await admin.post<{ instanceId: number }>(`/task/${task.id}/trigger`, {})
    await waitFor(async () => (await admin.get<Instance>(`/instance/${instanceId}`)).state === 'succeeded')
    expect(await first.program.stop()).toEqual({ code: 0, signal: null })
    const second = await startServer({ dataDir })
    const again = await second.signIn()
    expect(await again.get(`/instance/${instanceId}`)).toMatchObject({ state: 'succeeded', taskName: 'kept' })
    expect(await again.get(`/instance/${instanceId}/logs`)).toMatchObject({
      lines: expect.arrayContaining([expect.objectContaining({ text: 'kept' })]),
      end: true,
    })
    await second.close()
  })
})

describe('a stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s lets a run end, keeps its result, and exits with 0', async (signal) => {
    const dataDir = tempDir()
    const gate = join(dataDir, 'gate')
    mkdirSync(gate)
    const server = await startServer({ dataDir })
    const admin = await server.signIn()
    const home = (await admin.get<{ items: Group[] }>('/group')).items[0]?.id
    const script = `touch ${gate}/running; while [ ! -e ${gate}/open ]; do sleep 0.05; done; echo done`
    const task = await admin.post<Task>('/task', {
      groupId: home,
      name: 'waits',
      schedule: { kind: 'manual' },
      handler: { kind: 'shell', script },
    })
    const { instanceId } = await admin.post<{ instanceId: number }>(`/task/${task.id}/trigger`, {})
    await waitFor(() => statSync(`${gate}/running`))
    const stopped = server.program.stop(signal)
    await server.program.printed(/"msg":"stopping"/)
    writeFileSync(`${gate}/open`, '')
    expect(await stopped).toEqual({ code: 0, signal: null })
    const next = await startServer({ dataDir })
    expect(await (await next.signIn()).get(`/instance/${instanceId}`)).toMatchObject({ state: 'succeeded', attempt: 1 })
    await next.close()
  })

  it('asked for twice ends at once, and the run is accounted for after the next start', async () => {
    const dataDir = tempDir()
    const server = await startServer({ dataDir })
    const admin = await server.signIn()
    const home = (await admin.get<{ items: Group[] }>('/group')).items[0]?.id
    const task = await admin.post<Task>('/task', {
      groupId: home,
      name: 'endless',
      schedule: { kind: 'manual' },
      handler: { kind: 'shell', script: 'sleep 600' },
    })
    const { instanceId } = await admin.post<{ instanceId: number }>(`/task/${task.id}/trigger`, {})
    await waitFor(async () => (await admin.get<Instance>(`/instance/${instanceId}`)).state === 'running')
    const first = server.program.stop()
    await server.program.printed(/"msg":"stopping"/)
    await server.program.stop()
    expect(await first).toEqual({ code: 1, signal: null })
    const next = await startServer({ dataDir })
    const again = await next.signIn()
    const ended = await waitFor(
      async () => {
        const instance = await again.get<Instance>(`/instance/${instanceId}`)
        return instance.endedAt === null ? undefined : instance
      },
      { timeoutMs: 60_000 },
    )
    expect(['lost', 'failed', 'canceled']).toContain(ended.state)
    await next.close()
  })
})
