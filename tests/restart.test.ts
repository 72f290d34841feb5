/* What is found again after a restart, orderly or by kill -9: what was defined and what ran, what was due meanwhile, and what executors kept. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance, LedgerEntry, Task, TaskCreate, WhyAnswer } from '@tickwheel/contract'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ApiClient } from './kit/api-client.ts'
import { startExecutor, type ExecutorProcess, type ExecutorProcessOptions } from './kit/executor-process.ts'
import { ended, executorToken, GENEROUS_BUDGETS, homeGroup, inState, printed, shellTask, trigger, wholeLog } from './kit/runs.ts'
import { startServer, type ServerOptions, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

/** However slow this machine is, an executor that starts again is not given up meanwhile. */
const PATIENT = { TICKWHEEL_EXECUTOR_DEAD_MS: '120000' }
const QUICK_LOSS = { TICKWHEEL_EXECUTOR_HEARTBEAT_MS: '500', TICKWHEEL_EXECUTOR_DEAD_MS: '3000' }

async function serve(options: ServerOptions): Promise<ServerProcess> {
  const server = await startServer({ ...options, env: { ...GENEROUS_BUDGETS, ...options.env } })
  onTestFinished(async () => void (await server.program.kill()))
  return server
}

async function joinExecutor(options: ExecutorProcessOptions): Promise<ExecutorProcess> {
  const executor = await startExecutor(options)
  onTestFinished(async () => void (await executor.program.kill()))
  return executor
}

const ENDS = [
  ['an orderly stop', 'SIGTERM'],
  ['kill -9', 'SIGKILL'],
] as const

describe.each(ENDS)('after %s', (_how, signal) => {
  it(
    'definitions, versions, past runs, logs, traces and the ledger are as they were, and the session goes on',
    { timeout: 120_000 },
    async () => {
      const dataDir = tempDir()
      const server = await serve({ dataDir })
      const admin = await server.signIn()
      const groupId = await homeGroup(admin)
      const failing = await shellTask(admin, 'fails', 'echo out; echo err >&2; exit 3', {
        retry: { max: 1, delayMs: 10 },
        description: 'twice',
      })
      const body = {
        groupId,
        name: 'fires',
        schedule: { kind: 'fixedRate', everyMs: 200 },
        handler: { kind: 'shell', script: 'seq 1 300' },
        enabled: true,
      } as const
      const firing = await admin.post<Task>('/task', body)
      await admin.put(`/task/${String(firing.id)}`, { ...body, description: 'second version', version: firing.version })
      await ended(admin, await trigger(admin, failing.id))
      await waitFor(
        async () => (await admin.get<{ items: unknown[] }>(`/instance?taskId=${String(firing.id)}&state=succeeded`)).items.length > 3,
      )
      await admin.post(`/task/${String(firing.id)}/stop`)
      await waitFor(async () => (await admin.get<{ items: Instance[] }>('/instance')).items.every(({ endedAt }) => endedAt !== null))

      const before = await everything(admin, [failing.id, firing.id])
      await server.program.stop(signal)
      const next = await serve({ dataDir })
      const again = new ApiClient(next.url, admin.token)
      expect(await everything(again, [failing.id, firing.id])).toEqual(before)
      expect((await ended(again, await trigger(again, failing.id))).attempt).toBe(2)
    },
  )

  it('what was due meanwhile has its ledger row by the misfire policy of its task', { timeout: 120_000 }, async () => {
    const dataDir = tempDir()
    const first = await serve({ dataDir })
    const admin = await first.signIn()
    const make = async (name: string, more: Partial<TaskCreate>): Promise<number> =>
      (
        await shellTask(admin, name, 'exit 0', {
          schedule: { kind: 'fixedRate', everyMs: 500 },
          overlap: { policy: 'parallel' },
          enabled: true,
          ...more,
        })
      ).id
    const tasks = {
      skip: await make('skip', { misfire: { policy: 'skip', graceMs: 0 } }),
      fireOnce: await make('fire once', { misfire: { policy: 'fireOnce', graceMs: 0 } }),
      fireTwo: await make('fire two', { misfire: { policy: 'fireAll', graceMs: 0, max: 2 } }),
      within: await make('within its grace', { misfire: { policy: 'skip', graceMs: 60_000 } }),
    }
    const onceAt = Date.now() + 2_500
    const once = await make('once', {
      schedule: { kind: 'once', at: new Date(onceAt).toISOString() },
      misfire: { policy: 'fireOnce', graceMs: 0 },
    })
    await first.program.stop(signal)
    const downFrom = Date.now()
    await waitFor(() => Date.now() > Math.max(downFrom + 3_000, onceAt + 100))
    const downTo = Date.now()
    const next = await serve({ dataDir })
    const again = new ApiClient(next.url, admin.token)

    const down = async (id: number): Promise<LedgerEntry[]> => {
      // once something due after the start has fired, what was due before is settled
      await waitFor(async () =>
        (await ledger(again, id)).some((entry) => entry.kind === 'fired' && Date.parse(entry.dueAt) > downTo + 1_500),
      )
      return (await ledger(again, id)).filter((entry) => overlaps(entry, downFrom, downTo))
    }
    const fired = (entries: readonly LedgerEntry[]): number => entries.filter(({ kind }) => kind === 'fired').length
    const skip = await down(tasks.skip)
    expect({ fired: fired(skip), skips: skip.length }).toEqual({ fired: 0, skips: 1 })
    expect(fired(await down(tasks.fireOnce))).toBeLessThanOrEqual(1)
    expect(fired(await down(tasks.fireTwo))).toBeLessThanOrEqual(2)
    expect(fired(await down(tasks.within))).toBeGreaterThanOrEqual(Math.floor((downTo - downFrom) / 500))

    const [range] = skip
    if (range?.kind !== 'skipped') throw new Error('the skip is not there')
    expect(range).toMatchObject({ reason: 'misfire', facts: { policy: 'skip' } })
    expect(Date.parse(range.toAt) - Date.parse(range.fromAt)).toBe(((range.count ?? 0) - 1) * 500)
    const middle = new Date(Date.parse(range.fromAt) + 500).toISOString()
    expect(await again.get<WhyAnswer>(`/task/${String(tasks.skip)}/decisions?at=${middle}`)).toMatchObject({
      verdict: 'skipped',
      entry: { reason: 'misfire' },
    })

    const [only, ...others] = await waitFor(async () => {
      const entries = await ledger(again, once)
      return entries.length > 0 ? entries : null
    })
    expect(others).toEqual([])
    expect(only).toMatchObject({ kind: 'fired', dueAt: new Date(onceAt).toISOString() })
    await waitFor(async () => !(await again.get<Task>(`/task/${String(once)}`)).enabled, { what: 'the end of the task that is due once' })
  })
})

describe('results that an executor kept because the server was away', () => {
  interface Away {
    readonly executor: ExecutorProcess
    readonly start: () => Promise<ExecutorProcess>
    readonly serveAgain: () => Promise<ApiClient>
    readonly instanceId: number
    readonly spoolDir: string
  }

  /** A run of 5,000 lines that began while the server was there, and ended while it was not. */
  async function endWhileAway(): Promise<Away> {
    const dataDir = tempDir()
    const spoolDir = tempDir()
    const gate = join(tempDir(), 'gate')
    const server = await serve({ command: 'server', dataDir, env: PATIENT })
    const admin = await server.signIn()
    const options = { serverUrl: server.url, token: await executorToken(admin), spoolDir }
    const executor = await joinExecutor(options)
    const script = `seq 1 2500; while [ ! -e '${gate}' ]; do sleep 0.05; done; seq 2501 5000; echo '{"kept":true}' > "$TICKWHEEL_RESULT"`
    const instanceId = await trigger(admin, (await shellTask(admin, 'kept', script)).id)
    await inState(admin, instanceId, 'running')
    await server.program.kill()
    writeFileSync(gate, '')
    await executor.program.printed(/"msg":"a run has ended"/)
    const serveAgain = async (): Promise<ApiClient> => {
      const next = await serve({ command: 'server', dataDir, port: server.port, env: PATIENT })
      return new ApiClient(next.url, admin.token)
    }
    return { executor, start: async () => joinExecutor(options), serveAgain, instanceId, spoolDir }
  }

  async function isWhole(admin: ApiClient, instanceId: number): Promise<void> {
    expect(await ended(admin, instanceId)).toMatchObject({ state: 'succeeded', attempt: 1, result: { kept: true } })
    expect(printed(await wholeLog(admin, instanceId))).toEqual(Array.from({ length: 5_000 }, (_, index) => String(index + 1)))
  }

  it('are delivered when the server is back', { timeout: 120_000 }, async () => {
    const { serveAgain, instanceId } = await endWhileAway()
    await isWhole(await serveAgain(), instanceId)
  })

  it('are delivered by the next executor process when the one that had them was killed', { timeout: 120_000 }, async () => {
    const { executor, start, serveAgain, instanceId, spoolDir } = await endWhileAway()
    await executor.program.kill()
    const admin = await serveAgain()
    await start()
    await isWhole(admin, instanceId)
    await waitFor(() => spools(spoolDir).length === 1, { what: 'the end of the old spool' })
  })

  it(
    'are delivered by the next process when the one that had them was stopped in order, and waited in vain',
    { timeout: 120_000 },
    async () => {
      const { executor, start, serveAgain, instanceId } = await endWhileAway()
      expect(await executor.program.stop()).toEqual({ code: 0, signal: null })
      const admin = await serveAgain()
      await start()
      await isWhole(admin, instanceId)
    },
  )
})

describe('a run whose executor was killed', () => {
  it('is lost, or tried again where the task allows it, and what it left running is ended', { timeout: 120_000 }, async () => {
    const server = await serve({ command: 'server', dataDir: tempDir(), env: QUICK_LOSS })
    const admin = await server.signIn()
    const options = { serverUrl: server.url, token: await executorToken(admin), spoolDir: tempDir() }
    const executor = await joinExecutor(options)
    const ghost = join(tempDir(), 'ghost')
    const script = `[ "$TICKWHEEL_ATTEMPT" = 2 ] && exit 0; echo begun; sleep 8; touch '${ghost}'`
    const lost = await trigger(admin, (await shellTask(admin, 'once only', script)).id)
    const retried = await trigger(admin, (await shellTask(admin, 'again', script, { retry: { max: 1, delayMs: 10 } })).id)
    for (const id of [lost, retried]) await inState(admin, id, 'running')
    await executor.program.kill()
    await joinExecutor(options)
    expect(await ended(admin, lost)).toMatchObject({ state: 'lost', attempt: 1, error: { code: 'EXECUTOR_LOST' } })
    expect(await ended(admin, retried)).toMatchObject({ state: 'succeeded', attempt: 2 })
    expect(existsSync(ghost)).toBe(false)
  })
})

function spools(spoolDir: string): string[] {
  return readdirSync(spoolDir).flatMap((home) => readdirSync(join(spoolDir, home)))
}

/** All that the API tells of tasks that are not enabled, and of their runs. */
async function everything(admin: ApiClient, taskIds: readonly number[]): Promise<unknown> {
  const runs = (await admin.get<{ items: Instance[] }>('/instance?pageSize=100')).items
  const ofTasks = taskIds.flatMap((id) => [`/task/${String(id)}`, `/task/${String(id)}/version`, `/task/${String(id)}/firing`])
  const ofRuns = runs.flatMap(({ id }) => [`/instance/${String(id)}`, `/instance/${String(id)}/logs`, `/instance/${String(id)}/events`])
  const answers: unknown[] = [runs]
  for (const path of ['/task', '/group', '/token', ...ofTasks, ...ofRuns]) answers.push(await admin.get(path))
  return answers
}

async function ledger(admin: ApiClient, taskId: number): Promise<LedgerEntry[]> {
  return (await admin.get<{ items: LedgerEntry[] }>(`/task/${String(taskId)}/firing?pageSize=100`)).items
}

function overlaps(entry: LedgerEntry, from: number, to: number): boolean {
  if (entry.kind === 'fired') return Date.parse(entry.dueAt) > from && Date.parse(entry.dueAt) < to
  return Date.parse(entry.fromAt) < to && Date.parse(entry.toAt) > from
}
