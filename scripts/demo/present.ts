import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Group, Instance, Problem, Task, WorkflowListItem } from '@tickwheel/contract'
import { seededRandom, type Random } from '@tickwheel/core'
import { createExecutor, RunFailure, type Executor, type Run } from '@tickwheel/executor'
import { createLog, createServer, loadConfig, type Config, type Server } from '@tickwheel/server'
import { ApiClient } from '../../tests/kit/api-client.ts'
import { EXECUTORS, PASSWORD, type DemoExecutor } from './company.ts'
import { namedHandlersOf } from './founding.ts'
import { demoTasks } from './tasks.ts'
import { courseOf, type Work } from './work.ts'
import { STEP_WORKS, WORKFLOWS } from './workflows.ts'

/** The settings of the demo's server: on loopback, on a folder of its own. `env`: as a person would set it. */
export function demoConfig(dataDir: string, port: number, env: Readonly<Record<string, string>> = {}): Config {
  mkdirSync(dataDir, { recursive: true })
  const own = {
    TICKWHEEL_HOST: '127.0.0.1',
    TICKWHEEL_PORT: String(port),
    TICKWHEEL_DATA_DIR: dataDir,
    TICKWHEEL_ADMIN_PASSWORD: PASSWORD,
    TICKWHEEL_EMBEDDED_EXECUTOR: 'false',
    TICKWHEEL_LOG_LEVEL: 'error',
  }
  return loadConfig({ cwd: dataDir, env: { ...own, ...env } })
}

const PULSE_MS = 15_000
const PULSES_A_WORKFLOW = 16
const START_TIMEOUT_MS = 30_000
/** Of these, one run is always open. */
const ALWAYS_OPEN = ['重建商品搜索索引（全量）', '用户画像打分', 'sync-customer-profiles']

/** The present of the demo: the server, its executors at work, and somebody who starts things now and then. */
export class Present implements AsyncDisposable {
  readonly url: string
  readonly #config: Config
  readonly #server: Server
  readonly #executors: Executor[] = []
  readonly #random: Random = seededRandom(Date.now())
  readonly #stopping = new AbortController()
  #pulse: Promise<void> = Promise.resolve()

  private constructor(config: Config, url: string, server: Server) {
    this.#config = config
    this.url = url
    this.#server = server
  }

  /** Starts the server on a store that `playPast` has filled, and lets executors join. */
  static async begin(config: Config): Promise<Present> {
    const server = createServer(config, createLog(config))
    const { url } = await server.start()
    const present = new Present(config, url, server)
    try {
      const chief = await present.signIn('chen.jing')
      await present.#join(chief)
      await present.#happen(chief)
      present.#pulse = present.#goOn(chief)
      return present
    } catch (error) {
      await present.stop()
      throw error
    }
  }

  async signIn(username: string): Promise<ApiClient> {
    return ApiClient.signIn(this.url, username, PASSWORD)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#pulse
    await this.#server.retire()
    await Promise.all(this.#executors.map(async (executor) => executor.stop({ graceMs: 0 })))
    await this.#server.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #join(chief: ApiClient): Promise<void> {
    const { items: groups } = await chief.get<{ items: Group[] }>('/group?pageSize=100')
    const started = EXECUTORS.filter(({ leftDaysAgo }) => leftDaysAgo === undefined).map(async (one) => {
      const group = groups.find(({ appName }) => appName === one.app)
      const { token } = await chief.post<{ token: string }>('/token', { kind: 'executor', name: one.host, groupIds: [group?.id] })
      const executor = this.#executorOf(one, token)
      this.#executors.push(executor)
      await executor.start()
    })
    await Promise.race([Promise.all(started), tooLong('the executors of the demo could not join')])
  }

  #executorOf({ app, name, capacity, labels }: DemoExecutor, token: string): Executor {
    const executor = createExecutor({
      server: this.url,
      appName: app,
      token,
      name,
      capacity,
      ...(labels === undefined ? {} : { labels }),
      builtIn: { shell: true, script: true, http: true },
      spoolDir: join(this.#config.dataDir, 'spool', String(EXECUTORS.findIndex((one) => one.name === name))),
      logger: SILENT,
    })
    const works = worksOf(app, this.url)
    for (const [handler, work] of works) executor.handle(handler, (run) => playRun(run, work, this.#random))
    return executor
  }

  /** What just happened when somebody opens the console. */
  async #happen(chief: ApiClient): Promise<void> {
    const task = await taskOf(chief, '每小时指标汇总')
    const past = { from: new Date(Date.now() - 8 * 3_600_000).toISOString(), to: new Date().toISOString(), only: 'all' }
    const backfill = await chief.call<Problem>('POST', `/task/${String(task.id)}/backfill`, { ...past, concurrency: 1 })
    // a past of less than an hour may hold no instant of this task
    if (backfill.status >= 300 && backfill.body.errors?.[0]?.code !== 'BACKFILL_NOTHING_DUE')
      throw new Error(`the backfill was refused: ${backfill.body.detail}`)
    await this.#startTasks(chief)
    await this.#startWorkflows(chief)
    const colleague = await this.signIn('han.meimei')
    for (let time = 0; time < 3; time += 1) await colleague.call('POST', `/task/${String(task.id)}/trigger`, {})
    for (let time = 0; time < 4; time += 1)
      await new ApiClient(this.url).call('POST', '/auth/login', { username: 'root', password: 'guess' })
  }

  /** Keeps something going for as long as the demo runs. */
  async #goOn(chief: ApiClient): Promise<void> {
    const { signal } = this.#stopping
    const { token } = await chief.post<{ token: string }>('/token', {
      kind: 'api',
      name: 'demo pulse',
      bindings: [{ role: 'operator', groupIds: null }],
    })
    const hand = new ApiClient(this.url, token)
    for (let pulse = 1; ; pulse += 1) {
      const isOver = await wait(PULSE_MS, false, { signal }).catch(() => true)
      if (isOver) return
      // what cannot be started now is started with the next pulse
      await this.#startTasks(hand).catch(() => undefined)
      if (pulse % PULSES_A_WORKFLOW === 0) await this.#startWorkflows(hand).catch(() => undefined)
    }
  }

  async #startTasks(api: ApiClient): Promise<void> {
    for (const name of ALWAYS_OPEN) {
      const { id } = await taskOf(api, name)
      const { items } = await api.get<{ items: Instance[] }>(`/instance?taskId=${String(id)}&state=waiting,queued,dispatched,running`)
      if (items.length === 0) await api.post(`/task/${String(id)}/trigger`, {})
    }
  }

  async #startWorkflows(api: ApiClient): Promise<void> {
    for (const { workflow } of WORKFLOWS) {
      const { items } = await api.get<{ items: WorkflowListItem[] }>(`/workflow?keyword=${encodeURIComponent(workflow.name)}`)
      const item = items[0]
      if (item !== undefined && item.openRuns === 0) await api.post(`/workflow/${String(item.id)}/trigger`, {})
    }
  }
}

export async function taskOf(api: ApiClient, name: string): Promise<Task> {
  const found = (await api.get<{ items: Task[] }>(`/task?keyword=${encodeURIComponent(name)}`)).items[0]
  if (found === undefined) throw new Error(`there is no task ${name}`)
  return found
}

function worksOf(app: string, url: string): Map<string, Work> {
  const works = new Map<string, Work>()
  for (const name of namedHandlersOf(app, url)) {
    const one = demoTasks(url).find(({ task }) => task.handler.kind === 'named' && task.handler.name === name)
    const work = one?.work ?? STEP_WORKS[name]
    if (work !== undefined) works.set(name, work)
  }
  return works
}

/** A run as its course says, in real time. */
async function playRun(run: Run, work: Work, random: Random): Promise<unknown> {
  const { ms, lines, result, error } = courseOf(work, random)
  let passed = 0
  for (const [after, text] of lines) {
    await wait(after - passed, undefined, { signal: run.signal })
    passed = after
    run.log[text.startsWith('ERROR') ? 'error' : 'info'](text)
    run.progress(Math.min(1, passed / ms), text)
  }
  await wait(Math.max(0, ms - passed), undefined, { signal: run.signal })
  if (error !== null) throw new RunFailure(error.code, error.message)
  return result
}

async function tooLong(what: string): Promise<never> {
  await wait(START_TIMEOUT_MS, undefined, { ref: false })
  throw new Error(`${what} within ${String(START_TIMEOUT_MS / 1000)} s`)
}

const ignore = (): void => undefined
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore }
