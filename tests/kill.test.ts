/*
 * Real processes are killed at random instants while a dozen tasks fire. Afterwards the store, and a file to which each run appended a line,
 * must agree on every due instant, which are found by a walk of the test's own.
 *
 *   TICKWHEEL_TEST_KILLS=200 TICKWHEEL_TEST_SEED=7 npx vitest run tests/kill.test.ts --project killing
 */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Task } from '@tickwheel/contract'
import Sqlite from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { audit, type Audit } from './fixtures/kill-audit.ts'
import { killedTasks, linesOf, scriptOf, type KilledTask } from './fixtures/kill-tasks.ts'
import { type ApiClient } from './kit/api-client.ts'
import { Chance } from './kit/chance.ts'
import { ExecutorProcess } from './kit/executor-process.ts'
import { freePort } from './kit/free-port.ts'
import { processesWith } from './kit/processes.ts'
import { ended, executorToken, GENEROUS_BUDGETS, homeGroup, printed, shellTask, trigger, wholeLog } from './kit/runs.ts'
import { ServerProcess, startServer } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const kills = Number(process.env['TICKWHEEL_TEST_KILLS'] ?? 14)
const seed = Number(process.env['TICKWHEEL_TEST_SEED'] ?? Date.now() % 1_000_000)
const LIMIT_MS = 180_000 + kills * 6_000
const MANUAL: Pick<KilledTask, 'lastsMs' | 'failsOneIn'> = { lastsMs: 100, failsOneIn: 0 }

interface SceneOptions {
  readonly command: 'server' | 'start'
  readonly seed: number
}

/** The processes that are killed, what they are asked to do meanwhile, and what is known about it outside of them. */
class Scene {
  readonly chance: Chance
  readonly dataDir = tempDir()
  readonly spoolDir: string
  readonly notes: string
  readonly tasks = new Map<number, KilledTask>()
  readonly killed = { server: 0, executor: 0, whileStarting: 0 }
  toggled = 0
  /** the run that each trigger was answered with, by its Idempotency-Key */
  readonly triggered = new Map<string, number>()
  /** how processes ended that nobody killed, and what they printed that is an error */
  readonly surprises: string[] = []
  readonly #command: SceneOptions['command']
  #port = 0
  #server: ServerProcess | null = null
  #executor: ExecutorProcess | null = null
  #token = ''
  #admin: ApiClient | null = null
  #manualId = 0

  constructor({ command, seed: chosen }: SceneOptions) {
    this.#command = command
    this.chance = new Chance(chosen)
    this.spoolDir = command === 'start' ? join(this.dataDir, 'spool') : tempDir()
    this.notes = join(tempDir(), 'notes')
    appendFileSync(this.notes, '')
  }

  get hasExecutor(): boolean {
    return this.#command === 'server'
  }

  get admin(): ApiClient {
    if (this.#admin === null) throw new Error('nobody has signed in')
    return this.#admin
  }

  async begin(): Promise<void> {
    this.#port = await freePort()
    this.startServer()
    await this.ready()
    this.#admin = (await this.#server?.signIn()) ?? null
    if (this.hasExecutor) {
      this.#token = await executorToken(this.admin)
      this.startExecutor()
    }
    const groupId = await homeGroup(this.admin)
    const make = async (task: Pick<KilledTask, 'name' | 'body' | 'lastsMs' | 'failsOneIn'>, enabled: boolean): Promise<Task> =>
      this.admin.post<Task>('/task', {
        groupId,
        name: task.name,
        enabled,
        ...task.body,
        handler: { kind: 'shell', script: scriptOf(task, this.notes) },
      })
    for (const task of killedTasks(Date.now() + 8_000)) this.tasks.set((await make(task, true)).id, task)
    const manual = { name: 'manual', body: { schedule: { kind: 'manual' } }, ...MANUAL, isDue: () => false } as const
    this.#manualId = (await make(manual, false)).id
    this.tasks.set(this.#manualId, manual)
  }

  startServer(): void {
    const server = new ServerProcess({
      command: this.#command,
      dataDir: this.dataDir,
      port: this.#port,
      env: { ...GENEROUS_BUDGETS, TICKWHEEL_EXECUTOR_HEARTBEAT_MS: '500', TICKWHEEL_EXECUTOR_DEAD_MS: '3000', TICKWHEEL_LOG_LEVEL: 'warn' },
    })
    this.#server = server
    void this.#listen('server', server.program)
  }

  startExecutor(): void {
    const executor = new ExecutorProcess({
      serverUrl: `http://127.0.0.1:${String(this.#port)}`,
      token: this.#token,
      name: 'victim',
      spoolDir: this.spoolDir,
      args: ['--capacity', '40'],
      env: { TICKWHEEL_LOG_LEVEL: 'warn' },
    })
    this.#executor = executor
    void this.#listen('executor', executor.program)
  }

  async killServer(): Promise<void> {
    await this.#server?.program.kill()
    this.killed.server += 1
  }

  async killExecutor(): Promise<void> {
    await this.#executor?.program.kill()
    this.killed.executor += 1
  }

  async ready(): Promise<void> {
    await this.#server?.ready()
  }

  /** Triggers the manual task once, however often the server dies meanwhile: the key makes it one. */
  async triggerOnce(key: string): Promise<void> {
    const answer = await waitFor(
      async () => {
        const { status, body } = await this.admin.call<{ instanceId: number }>(
          'POST',
          `/task/${String(this.#manualId)}/trigger`,
          {},
          { 'idempotency-key': key },
        )
        return status === 202 ? body : null
      },
      { what: `an answer to the trigger ${key}`, timeoutMs: 120_000, everyMs: 100 },
    )
    this.triggered.set(key, answer.instanceId)
  }

  /** Stops or starts one of the tasks, however often the server dies meanwhile. */
  async toggleOnce(): Promise<void> {
    const ids = [...this.tasks.keys()].filter((id) => id !== this.#manualId)
    const id = ids[this.chance.between(0, ids.length - 1)] ?? 0
    const verb = this.chance.next() < 0.5 ? 'stop' : 'start'
    // a task that was due once cannot be started again
    const isDone = async (): Promise<boolean> =>
      [200, 409, 422].includes((await this.admin.call('POST', `/task/${String(id)}/${verb}`)).status)
    await waitFor(isDone, { what: `the ${verb} of task ${String(id)}`, timeoutMs: 120_000, everyMs: 100 })
    this.toggled += 1
  }

  /** Stops every task and waits until no run is open and the executor has delivered what its earlier lives left. */
  async calm(): Promise<void> {
    await this.ready()
    for (const id of this.tasks.keys()) await this.admin.post(`/task/${String(id)}/stop`)
    const open = async (): Promise<number> =>
      (await this.admin.get<{ items: unknown[] }>('/instance?state=waiting,queued,dispatched,running&pageSize=1')).items.length
    await waitFor(async () => (await open()) === 0, { what: 'the end of every run', timeoutMs: 90_000, everyMs: 200 })
    await waitFor(() => this.#spools().length === 1, { what: 'the delivery of every old spool', timeoutMs: 60_000, everyMs: 100 })
    await waitFor(
      () => processesWith(this.spoolDir).filter((pid) => pid !== this.#executor?.program.pid).length === 0 || !this.hasExecutor,
      {
        what: 'the end of every process of a run',
      },
    )
  }

  async end(): Promise<void> {
    await this.#executor?.program.stop()
    await this.#server?.program.stop()
  }

  async cleanUp(): Promise<void> {
    await this.#executor?.program.kill()
    await this.#server?.program.kill()
  }

  #spools(): string[] {
    return readdirSync(this.spoolDir).flatMap((home) => readdirSync(join(this.spoolDir, home)))
  }

  async #listen(name: string, program: ServerProcess['program']): Promise<void> {
    const { code, signal } = await program.exited
    if (signal !== 'SIGKILL' && code !== 0)
      this.surprises.push(`${name} ended with ${String(code ?? signal)}: ${program.output.slice(-2000)}`)
    for (const line of program.output.split('\n')) if (/"level":"?(50|60|error|fatal)/.test(line)) this.surprises.push(`${name}: ${line}`)
  }
}

/** How long a start takes on this machine just now. */
async function measureStart(): Promise<number> {
  const from = performance.now()
  await using server = await startServer()
  return server.program.isRunning ? performance.now() - from : 0
}

type Blow = 'server' | 'executor' | 'both' | 'serverStarting' | 'executorStarting'

/** One kill at a random instant, a random time of being down, and the start after it. */
async function strike(scene: Scene, blow: Blow): Promise<void> {
  const { chance } = scene
  const hitsServer = blow !== 'executor' && blow !== 'executorStarting'
  const hitsExecutor = scene.hasExecutor && blow !== 'server' && blow !== 'serverStarting'
  await pause(chance.between(50, 2500))
  await Promise.all([hitsServer ? scene.killServer() : null, hitsExecutor ? scene.killExecutor() : null])
  await pause(chance.next() < 0.2 ? chance.between(1000, 2500) : chance.between(0, 500))
  if (hitsExecutor) scene.startExecutor()
  if (hitsServer) scene.startServer()
  if (blow === 'serverStarting' || blow === 'executorStarting') {
    await pause(chance.between(50, 1300))
    scene.killed.whileStarting += 1
    if (hitsServer) {
      await scene.killServer()
      scene.startServer()
    } else {
      await scene.killExecutor()
      scene.startExecutor()
    }
  }
  if (chance.next() < 0.8) await scene.ready()
}

async function play(options: SceneOptions & { readonly kills: number; readonly blows: readonly [Blow, ...Blow[]] }): Promise<void> {
  const scene = new Scene(options)
  try {
    await scene.begin()
    const triggers: Promise<void>[] = []
    const toggles: Promise<void>[] = []
    for (let blow = 0; scene.killed.server + scene.killed.executor < options.kills; blow += 1) {
      triggers.push(scene.triggerOnce(`blow-${String(blow)}`))
      if (blow % 2 === 1) toggles.push(scene.toggleOnce())
      // in turn at first, so that every kind of blow is struck
      await strike(scene, options.blows[blow] ?? scene.chance.pick(options.blows))
    }
    await scene.ready()
    await Promise.all([...triggers, ...toggles])
    await scene.calm()
    const logs = await auditLogs(scene)
    await scene.end()
    const result = audit(scene)
    console.info(
      `kill test (${options.command}), seed ${String(options.seed)}:`,
      JSON.stringify({ ...scene.killed, triggers: triggers.length, toggles: scene.toggled, ...result.figures, ...logs.figures }),
    )
    expect([...result.faults, ...logs.faults, ...auditTriggers(scene, result)]).toEqual([])
    expect(scene.surprises).toEqual([])
    expect(result.figures['fired']).toBeGreaterThan(options.kills)
    for (const { what, sql, note } of PLANTED) {
      if (sql !== undefined) change(scene.dataDir, sql)
      if (note !== undefined) appendFileSync(scene.notes, note(readFileSync(scene.notes, 'utf8')))
      expect(audit(scene).faults.join('\n')).toMatch(what)
    }
  } finally {
    await scene.cleanUp()
  }
}

interface Planted {
  /** the fault that must be found */
  readonly what: RegExp
  readonly sql?: string
  readonly note?: (notes: string) => string
}

/** What must never be, put into the store that has just been found sound: so the audit itself is known to see it. */
const PLANTED: readonly Planted[] = [
  { what: /the counter of outcome 1 says/, sql: 'UPDATE counter SET n = n + 1 WHERE metric = 1' },
  { what: /starts, and \d+ runs started/, sql: 'UPDATE counter SET n = n + 1 WHERE metric >= 20' },
  {
    what: /is due, and covered 0 times/,
    sql: 'DELETE FROM firing WHERE due_at = (SELECT MAX(due_at) FROM firing WHERE series_id = (SELECT MIN(series_id) FROM firing))',
  },
  { what: /stands in no firing/ },
  {
    what: /covered 2 times/,
    sql: `UPDATE skip SET from_at = (SELECT MAX(f.due_at) FROM firing f WHERE f.series_id = skip.series_id AND f.due_at < skip.from_at)
          WHERE series_id = (SELECT MIN(series_id) FROM firing) AND from_at = (SELECT MAX(from_at) FROM skip WHERE series_id = (SELECT MIN(series_id) FROM firing))`,
  },
  { what: /the chain breaks/, sql: 'UPDATE firing SET prev_due_at = prev_due_at - 1' },
  { what: /which is not due/, sql: 'UPDATE firing SET due_at = due_at + 1 WHERE due_at = (SELECT MIN(due_at) FROM firing)' },
  { what: /has not ended, or is not there/, sql: 'DELETE FROM instance WHERE id = (SELECT MAX(instance_id) FROM firing)' },
  { what: /ran twice/, note: (notes) => notes.slice(0, notes.indexOf('\n') + 1) },
  { what: /and did not run/, sql: 'UPDATE instance SET attempt = attempt + 7 WHERE id = (SELECT MIN(id) FROM instance WHERE outcome = 1)' },
]

function change(dataDir: string, sql: string): void {
  const db = new Sqlite(join(dataDir, 'tickwheel.db'))
  db.exec(sql)
  db.close()
}

/** Lines of an attempt are numbered from 1: what is there has no hole, and a run that succeeded has them all. */
async function auditLogs(scene: Scene): Promise<{ faults: string[]; figures: Record<string, number> }> {
  const faults: string[] = []
  let lines = 0
  let cursor = ''
  do {
    const page = await scene.admin.get<{ items: { id: number; state: string; attempt: number }[]; nextCursor: string | null }>(
      `/instance?pageSize=100${cursor}`,
    )
    for (const run of page.items) {
      const log = await wholeLog(scene.admin, run.id)
      lines += log.length
      for (const [attempt, ofAttempt] of Map.groupBy(log, (line) => line.attempt)) {
        const texts = printed(ofAttempt)
        const wrong = texts.findIndex((text, index) => text !== String(index + 1))
        if (wrong >= 0)
          faults.push(`log of run ${String(run.id)}, attempt ${String(attempt)}: line ${String(wrong + 1)} is ${String(texts[wrong])}`)
      }
      const last = printed(log.filter((line) => line.attempt === run.attempt))
      if (run.state === 'succeeded' && last.length !== linesOf(run.id))
        faults.push(`log of run ${String(run.id)}: ${String(last.length)} lines of ${String(linesOf(run.id))}`)
    }
    cursor = page.nextCursor === null ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`
  } while (cursor !== '')
  return { faults, figures: { lines } }
}

/** A trigger that was repeated until it was answered has made one run. */
function auditTriggers(scene: Scene, { runs }: Audit): string[] {
  const manual = [...scene.tasks].find(([, task]) => task.name === 'manual')?.[0]
  const made = runs.filter((run) => run.task_id === manual).map((run) => run.id)
  const answered = [...scene.triggered.values()].toSorted((a, b) => a - b)
  return JSON.stringify(made) === JSON.stringify(answered)
    ? []
    : [`triggers were answered with runs ${answered.join()}, and runs ${made.join()} are there`]
}

describe('processes that are killed at random instants lose no firing and double none', () => {
  it(`server and executor on their own, ${String(kills)} kills, seed ${String(seed)}`, { timeout: LIMIT_MS }, async () => {
    await play({ command: 'server', seed, kills, blows: ['server', 'executor', 'both', 'serverStarting', 'executorStarting'] })
  })

  it(
    `server with the embedded executor, ${String(Math.ceil(kills / 4))} kills, seed ${String(seed + 1)}`,
    { timeout: LIMIT_MS },
    async () => {
      await play({ command: 'start', seed: seed + 1, kills: Math.ceil(kills / 4), blows: ['server', 'serverStarting', 'server'] })
    },
  )

  it(
    `a first start that is killed again and again leaves a folder that the next one makes whole, seed ${String(seed + 2)}`,
    { timeout: LIMIT_MS },
    async () => {
      const chance = new Chance(seed + 2)
      const startMs = await measureStart()
      for (let folder = 0; folder < 2; folder += 1) {
        const dataDir = tempDir()
        for (let kill = 0; kill < 3; kill += 1) {
          const server = new ServerProcess({ dataDir, port: await freePort() })
          // the files of a new folder come into being in the last part of a start
          await pause(chance.between(Math.floor(startMs * 0.6), Math.ceil(startMs)))
          await server.program.kill()
        }
        await using server = await startServer({ dataDir })
        const admin = await server.signIn()
        const task = await shellTask(admin, 'works', 'echo works')
        const id = await trigger(admin, task.id)
        expect(await ended(admin, id)).toMatchObject({ state: 'succeeded' })
        expect(printed(await wholeLog(admin, id))).toEqual(['works'])
      }
    },
  )
})
