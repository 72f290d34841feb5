/* Orderly stops of real processes with runs of every length in their hands. The exit code tells of the grace: after it a server ends with 1. */
import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor as ExecutorView, Instance } from '@tickwheel/contract'
import { describe, expect, it, onTestFinished } from 'vitest'
import { audit } from './fixtures/kill-audit.ts'
import { killedTasks, scriptOf, type KilledTask } from './fixtures/kill-tasks.ts'
import type { ApiClient } from './kit/api-client.ts'
import { startExecutor, type ExecutorProcess, type ExecutorProcessOptions } from './kit/executor-process.ts'
import { processesWith } from './kit/processes.ts'
import { ended, executorToken, GENEROUS_BUDGETS, homeGroup, inState, printed, shellTask, trigger, wholeLog } from './kit/runs.ts'
import { startServer, type ServerOptions, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

async function serve(options: ServerOptions): Promise<ServerProcess> {
  const server = await startServer({ ...options, env: { ...GENEROUS_BUDGETS, ...options.env } })
  onTestFinished(async () => void (await server.program.kill()))
  return server
}

async function join_(options: ExecutorProcessOptions): Promise<ExecutorProcess> {
  const executor = await startExecutor(options)
  onTestFinished(async () => void (await executor.program.kill()))
  return executor
}

/** Tasks that fire all the time, and note each run in a file. */
class Firing {
  readonly notes = join(tempDir(), 'notes')
  readonly tasks = new Map<number, KilledTask>()

  async start(admin: ApiClient): Promise<void> {
    appendFileSync(this.notes, '')
    const groupId = await homeGroup(admin)
    for (const task of killedTasks(Date.now()).filter(({ name }) => /^every-(200|300|1000)|^cron-each/.test(name))) {
      const handler = { kind: 'shell', script: scriptOf(task, this.notes) }
      this.tasks.set(
        (await admin.post<{ id: number }>('/task', { groupId, name: task.name, enabled: true, ...task.body, handler })).id,
        task,
      )
    }
    await waitFor(async () => (await admin.get<{ items: unknown[] }>('/instance?state=succeeded')).items.length > 5, { what: 'runs' })
  }

  /** Stops them, waits until no run is open, stops the server, and tells every fault of its store. */
  async faults(server: ServerProcess, admin: ApiClient): Promise<readonly string[]> {
    for (const id of this.tasks.keys()) await admin.post(`/task/${String(id)}/stop`)
    const open = async (): Promise<unknown[]> =>
      (await admin.get<{ items: unknown[] }>('/instance?state=waiting,queued,dispatched,running&pageSize=1')).items
    await waitFor(async () => (await open()).length === 0, { what: 'the end of every run', timeoutMs: 60_000, everyMs: 100 })
    expect(await server.program.stop()).toEqual({ code: 0, signal: null })
    return audit({ dataDir: server.dataDir, notes: this.notes, tasks: this.tasks }).faults
  }
}

/** Runs of every kind on a server: which end by themselves when the gate is opened, and which never do. */
async function mixedRuns(admin: ApiClient, gate: string): Promise<{ short: number; long: number; stubborn: number }> {
  const make = async (name: string, script: string): Promise<number> => {
    const id = await trigger(admin, (await shellTask(admin, name, script, { killGraceMs: 500 })).id)
    await inState(admin, id, 'running')
    return id
  }
  return {
    short: await make('short', `echo begun; while [ ! -e '${gate}' ]; do sleep 0.05; done; echo done`),
    long: await make('long', 'echo begun; sleep 600'),
    stubborn: await make('stubborn', `trap '' TERM; echo begun; while :; do sleep 0.2; done`),
  }
}

describe('a server with its executor', () => {
  it.each(SIGNALS)(
    'asked by %s lets short runs end, stops long ones at the end of the grace, keeps every result, and exits with 0',
    { timeout: 120_000 },
    async (signal) => {
      const dataDir = tempDir()
      const gate = join(tempDir(), 'gate')
      const server = await serve({ dataDir, env: { TICKWHEEL_SHUTDOWN_GRACE_MS: '12000' } })
      const admin = await server.signIn()
      const firing = new Firing()
      await firing.start(admin)
      const runs = await mixedRuns(admin, gate)
      const stopped = server.program.stop(signal)
      await server.program.printed(/"msg":"stopping"/)
      writeFileSync(gate, '')
      expect(await stopped).toEqual({ code: 0, signal: null })
      expect(processesWith(`${dataDir}/spool`)).toEqual([])

      const next = await serve({ dataDir })
      const again = await next.signIn()
      const { short, long, stubborn } = runs
      expect(await again.get(`/instance/${String(short)}`)).toMatchObject({ state: 'succeeded', attempt: 1 })
      for (const id of [long, stubborn])
        expect(await again.get(`/instance/${String(id)}`)).toMatchObject({
          state: 'failed',
          attempt: 1,
          error: { code: 'EXECUTOR_STOPPED' },
        })
      expect(printed(await wholeLog(again, short))).toEqual(['begun', 'done'])
      expect(printed(await wholeLog(again, long))).toEqual(['begun'])
      expect(await firing.faults(next, again)).toEqual([])
    },
  )

  it('asked twice exits at once, and nothing is lost, doubled or left behind after the next start', { timeout: 120_000 }, async () => {
    const dataDir = tempDir()
    const server = await serve({ dataDir })
    const admin = await server.signIn()
    const firing = new Firing()
    await firing.start(admin)
    const runs = await mixedRuns(admin, join(tempDir(), 'gate'))
    const first = server.program.stop()
    await server.program.printed(/"msg":"stopping"/)
    await server.program.stop('SIGINT')
    expect((await first).code).toBe(1)

    const next = await serve({ dataDir, env: { TICKWHEEL_EXECUTOR_HEARTBEAT_MS: '500', TICKWHEEL_EXECUTOR_DEAD_MS: '3000' } })
    const again = await next.signIn()
    for (const id of Object.values(runs)) {
      expect(await ended(again, id)).toMatchObject({ state: 'lost', attempt: 1 })
      await waitFor(() => processesWith(`TICKWHEEL_INSTANCE_ID=${String(id)}\0`).length === 0, {
        what: `the end of what run ${String(id)} left`,
      })
    }
    expect(await firing.faults(next, again)).toEqual([])
  })

  it('with little grace still gives short runs their share of it', { timeout: 120_000 }, async () => {
    const dataDir = tempDir()
    const server = await serve({ dataDir, env: { TICKWHEEL_SHUTDOWN_GRACE_MS: '8000' } })
    const admin = await server.signIn()
    const id = await trigger(admin, (await shellTask(admin, 'short', 'sleep 1; echo done')).id)
    await inState(admin, id, 'running')
    expect(await server.program.stop()).toEqual({ code: 0, signal: null })
    const next = await serve({ dataDir })
    expect(await (await next.signIn()).get(`/instance/${String(id)}`)).toMatchObject({ state: 'succeeded' })
  })
})

describe('an executor of its own', () => {
  it.each(SIGNALS)(
    'asked by %s takes nothing new, lets runs end, delivers every result, and exits with 0',
    { timeout: 120_000 },
    async (signal) => {
      const server = await serve({ command: 'server', dataDir: tempDir() })
      const admin = await server.signIn()
      const token = await executorToken(admin)
      const spoolDir = tempDir()
      const gate = join(tempDir(), 'gate')
      const executor = await join_({ serverUrl: server.url, token, spoolDir, args: ['--grace', '4000'] })
      const { short, long, stubborn } = await mixedRuns(admin, gate)
      const stopped = executor.program.stop(signal)
      await executor.program.printed(/"msg":"stopping"/)
      await waitFor(async () => (await admin.get<{ items: ExecutorView[] }>('/executor')).items[0]?.state === 'draining', {
        what: 'the news that it drains',
      })
      const late = await trigger(admin, (await shellTask(admin, 'late', 'echo late')).id)
      writeFileSync(gate, '')
      expect(await stopped).toEqual({ code: 0, signal: null })
      expect(await admin.get(`/instance/${String(short)}`)).toMatchObject({ state: 'succeeded' })
      for (const id of [long, stubborn])
        expect(await admin.get(`/instance/${String(id)}`)).toMatchObject({ state: 'failed', error: { code: 'EXECUTOR_STOPPED' } })
      expect(printed(await wholeLog(admin, short))).toEqual(['begun', 'done'])
      expect((await admin.get<Instance>(`/instance/${String(late)}`)).endedAt).toBeNull()
      expect(processesWith(spoolDir)).toEqual([])
      expect(readdirSync(spoolDir).flatMap((home) => readdirSync(join(spoolDir, home)))).toEqual([])

      await join_({ serverUrl: server.url, token, spoolDir })
      expect(await ended(admin, late)).toMatchObject({ state: 'succeeded', attempt: 1 })
    },
  )

  it(
    'goes on with its runs while the server stops and starts again, and they end under their first attempt',
    { timeout: 120_000 },
    async () => {
      const dataDir = tempDir()
      const gate = join(tempDir(), 'gate')
      const server = await serve({ command: 'server', dataDir })
      const admin = await server.signIn()
      const executor = await join_({ serverUrl: server.url, token: await executorToken(admin), spoolDir: tempDir() })
      const id = await trigger(
        admin,
        (await shellTask(admin, 'through', `echo one; while [ ! -e '${gate}' ]; do sleep 0.05; done; echo two`)).id,
      )
      await inState(admin, id, 'running')
      expect(await server.program.stop()).toEqual({ code: 0, signal: null })
      const next = await serve({ command: 'server', dataDir, port: server.port })
      const again = await next.signIn()
      expect(existsSync(gate)).toBe(false)
      writeFileSync(gate, '')
      expect(await ended(again, id)).toMatchObject({ state: 'succeeded', attempt: 1 })
      expect(printed(await wholeLog(again, id))).toEqual(['one', 'two'])
      expect(await executor.program.stop()).toEqual({ code: 0, signal: null })
    },
  )
})
