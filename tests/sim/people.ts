import { AppError, type BackfillBody, type CalendarRules, type TaskCreate } from '@tickwheel/contract'
import type { Chance } from '../kit/chance.ts'
import type { Engine } from '../../server/src/engine/engine.ts'
import { createCalendar, updateCalendar } from '../../server/src/store/calendars.ts'
import type { Caller } from '../../server/src/store/caller.ts'
import { StoreAway } from '../../server/src/store/database.ts'
import { TASK, WORKFLOW } from '../../server/src/store/scheduled-kind.ts'
import { Flows } from './flows.ts'
import type { SimDatabase } from './sim-database.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

const ALICE: Caller = { actor: { kind: 'user', id: 7, name: 'alice' }, ip: '127.0.0.1', requestId: 'r1' }
const SCOPE = 'all'

/** What a person was told when a trigger with an Idempotency-Key was sent: always the same run. */
export interface Answered {
  readonly key: string
  readonly instanceId: number
}

export interface PeopleOptions {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly database: SimDatabase
  readonly trace: Trace
  /** engines that take calls now */
  readonly engines: () => readonly Engine[]
  readonly onFault: (text: string) => void
}

const SHARDINGS: readonly NonNullable<TaskCreate['sharding']>[] = [
  { kind: 'none' },
  { kind: 'none' },
  { kind: 'fixed', total: 2 },
  { kind: 'fixed', total: 4 },
  { kind: 'broadcast' },
]

/** People who edit, stop, start, trigger, cancel and try again, at any node, and repeat what was not answered. */
export class People {
  readonly #options: PeopleOptions
  readonly tasks: number[] = []
  readonly answered: Answered[] = []
  readonly flows: Flows
  #calendarId = 0
  #changes = 0
  #keys = 0

  constructor(options: PeopleOptions) {
    this.#options = options
    this.flows = new Flows(options.chance, options.database, ALICE)
  }

  /** Makes the tasks of the scene. */
  async makeTasks(engine: Engine, count: number): Promise<void> {
    const { database } = this.#options
    const made = { groupId: 1, name: 'works', rules: this.#rules() }
    this.#calendarId = await createCalendar(database.real, made, this.#change())
    for (let n = 0; n < count; n += 1) {
      const input = this.#input(`task ${n}`)
      // the first is what a fan-out may do for its items: no workflow is saved with one that is split, and an edit may split it later
      const { taskId } = await engine.createTask(n === 0 ? { ...input, sharding: { kind: 'none' } } : input, SCOPE, ALICE)
      this.tasks.push(taskId)
    }
    await this.flows.make(engine, 'task 0')
  }

  act(): void {
    const { chance, engines, trace } = this.#options
    const all = engines()
    const engine = all[chance.between(0, all.length - 1)]
    const taskId = this.tasks[chance.between(0, this.tasks.length - 1)]
    if (engine === undefined || taskId === undefined) return
    if (chance.next() < 0.35) return this.#actOnFlows(engine)
    if (chance.next() < 0.2) return this.#actOnBackfills(engine)
    if (chance.next() < 0.15) return this.#actOnCalendar(engine)
    const one = chance.next()
    const what = one < 0.15 ? 'stop' : one < 0.35 ? 'start' : one < 0.55 ? 'edit' : one < 0.8 ? 'trigger' : one < 0.92 ? 'cancel' : 'retry'
    trace.line(() => `alice: ${what}, task ${taskId}, at node ${engine.status().runId}`)
    void this.#do(engine, taskId, what).catch((error: unknown) => this.#refused(what, error))
  }

  #actOnFlows(engine: Engine): void {
    this.#options.trace.line(() => `alice: workflows, at node ${engine.status().runId}`)
    void this.flows.act(engine).catch((error: unknown) => this.#refused('workflows', error))
  }

  #actOnBackfills(engine: Engine): void {
    this.#options.trace.line(() => `alice: backfills, at node ${engine.status().runId}`)
    const work = this.#options.chance.next() < 0.75 ? this.#backfill(engine) : this.#cancelBackfill(engine)
    void work.catch((error: unknown) => this.#refused('backfills', error))
  }

  #actOnCalendar(engine: Engine): void {
    this.#options.trace.line(() => `alice: changes the calendar, at node ${engine.status().runId}`)
    void this.#editCalendar(engine).catch((error: unknown) => this.#refused('calendar', error))
  }

  /** Its followers are moved by whoever owns its slot, whenever that is. */
  async #editCalendar(engine: Engine): Promise<void> {
    const { real } = this.#options.database
    const [row] = await real.read((tx) => tx.all<{ version: number }>('SELECT version FROM calendar WHERE id = ?', [this.#calendarId]))
    if (row === undefined) return
    await updateCalendar(real, this.#calendarId, { name: 'works', rules: this.#rules(), version: row.version }, this.#change())
    engine.calendarChanged()
  }

  /** Closed for some seconds, now and soon. */
  #rules(): CalendarRules {
    const { chance, database } = this.#options
    const blackouts = Array.from({ length: 4 }, () => {
      const from = database.now() + chance.between(-4000, 20_000)
      return { kind: 'once' as const, from: iso(from), to: iso(from + chance.between(500, 6000)) }
    })
    return { weekend: [], days: [], blackouts }
  }

  #change() {
    this.#changes += 1
    return { now: this.#options.database.now(), auditId: this.#changes, scope: SCOPE, caller: ALICE } as const
  }

  /** Of a task or a workflow, over some of the last seconds. */
  async #backfill(engine: Engine): Promise<void> {
    const { chance, database } = this.#options
    const of = chance.next() < 0.7 ? { kind: TASK, taskId: this.#pick(this.tasks) } : { kind: WORKFLOW, taskId: this.#pick(this.flows.ids) }
    const to = database.now() - chance.between(0, 4000)
    const body: BackfillBody = {
      from: new Date(to - chance.between(2000, 12_000)).toISOString(),
      to: new Date(to).toISOString(),
      only: this.#pick(['missing', 'failed', 'all', 'all']),
      order: this.#pick(['oldestFirst', 'newestFirst']),
      concurrency: this.#pick([1, 2, 5]),
    }
    await engine.backfill(of, body, null, SCOPE, ALICE)
  }

  async #cancelBackfill(engine: Engine): Promise<void> {
    const cancelRunning = this.#options.chance.next() < 0.5
    await this.#onRun('SELECT id FROM backfill WHERE stage < 3 ORDER BY id', (id) =>
      engine.cancelBackfill(id, { cancelRunning }, SCOPE, ALICE),
    )
  }

  async stopAll(engine: Engine): Promise<void> {
    await this.flows.resumeAll(engine)
    for (const taskId of this.tasks) await engine.stopTask(taskId, { cancelRunning: false }, SCOPE, ALICE)
    await this.flows.stopAll(engine)
  }

  async startAll(engine: Engine): Promise<void> {
    await this.flows.resumeAll(engine)
    for (const taskId of this.tasks) await engine.startTask(taskId, SCOPE, ALICE).catch((error: unknown) => this.#refused('start', error))
    await this.flows.startAll(engine).catch((error: unknown) => this.#refused('start', error))
  }

  async #do(engine: Engine, taskId: number, what: 'stop' | 'start' | 'edit' | 'trigger' | 'cancel' | 'retry'): Promise<void> {
    const { chance } = this.#options
    switch (what) {
      case 'stop':
        return engine.stopTask(taskId, { cancelRunning: chance.next() < 0.3 }, SCOPE, ALICE)
      case 'start':
        return engine.startTask(taskId, SCOPE, ALICE)
      case 'edit':
        return this.#edit(engine, taskId)
      case 'trigger':
        return this.#trigger(engine, taskId)
      case 'cancel':
        return this.#onRun('SELECT id FROM open_instance ORDER BY id', (id) => engine.cancelInstance(id, SCOPE, ALICE))
      case 'retry':
        return this.#onRun('SELECT id FROM instance WHERE outcome <> 1 ORDER BY id DESC LIMIT 5', async (id) => {
          await engine.retryInstance(id, null, SCOPE, ALICE)
        })
    }
  }

  async #edit(engine: Engine, taskId: number): Promise<void> {
    const [row] = await this.#options.database.real.read((tx) =>
      tx.all<{ version: number; name: string }>('SELECT version, name FROM task WHERE id = ?', [taskId]),
    )
    if (row !== undefined) await engine.updateTask(taskId, { ...this.#input(row.name), version: row.version }, SCOPE, ALICE)
  }

  /** A trigger with a key is sent again, to any node, until it is answered, and once more after that. */
  async #trigger(engine: Engine, taskId: number): Promise<void> {
    const { chance, timeline, engines } = this.#options
    this.#keys += 1
    const key = chance.next() < 0.6 ? `key ${this.#keys}` : null
    let at: Engine | undefined = engine
    for (let tries = 0; tries < 4 && at !== undefined; tries += 1) {
      const answer = await at.trigger(taskId, {}, key, SCOPE, ALICE).catch((error: unknown) => {
        if (key !== null && error instanceof StoreAway) return null
        throw error
      })
      if (key === null) return
      if (answer !== null) this.answered.push({ key, instanceId: answer.instanceId })
      if (answer !== null && chance.next() < 0.7) return
      await timeline.sleep(chance.between(0, 1500), null)
      const all = engines()
      at = all[chance.between(0, all.length - 1)]
    }
  }

  async #onRun(sql: string, act: (id: number) => Promise<void>): Promise<void> {
    const { chance, database } = this.#options
    const rows = await database.real.read((tx) => tx.all<{ id: number }>(sql))
    const row = rows[chance.between(0, rows.length - 1)]
    if (row !== undefined) await act(row.id)
  }

  #refused(what: string, error: unknown): void {
    this.#options.trace.line(() => `alice: ${what} was refused: ${error instanceof Error ? error.message : String(error)}`)
    if (error instanceof AppError || error instanceof StoreAway) return
    this.#options.onFault(`engine: ${what} failed: ${error instanceof Error ? String(error.stack) : String(error)}`)
  }

  #input(name: string): TaskCreate {
    const { chance, database } = this.#options
    const policy = this.#pick(['queue', 'skip', 'replace', 'parallel'])
    const calendar = this.#pick([{}, { calendarId: this.#calendarId }])
    return {
      groupId: 1,
      name,
      handler: { kind: 'shell', script: 'true' },
      enabled: true,
      schedule: this.#pick<TaskCreate['schedule']>([
        { kind: 'fixedRate', everyMs: this.#pick([500, 1000, 1000, 5000]), ...calendar },
        {
          kind: 'cron',
          expression: this.#pick(['*/1 * * * * ?', '*/2 * * * * ?', '*/3 * * * * ?', '*/10 * * * * ?']),
          timezone: 'UTC',
          ...calendar,
        },
        { kind: 'fixedDelay', delayMs: this.#pick([700, 1500]), ...calendar },
        { kind: 'once', at: new Date(database.now() + chance.between(1000, 15_000)).toISOString() },
      ]),
      overlap: { policy, max: this.#pick([1, 5]) },
      misfire: {
        policy: this.#pick(['skip', 'fireOnce', 'fireAll']),
        graceMs: this.#pick([0, 2000, 60_000]),
        max: this.#pick([1, 3]),
      },
      concurrency: this.#pick([0, 1, 2]),
      queueTimeoutMs: this.#pick([0, 0, 0, 4000]),
      onLost: this.#pick(['retry', 'retry', 'fail']),
      pauseAfterFailures: this.#pick([0, 0, 0, 2]),
      timeoutMs: this.#pick([0, 0, 2000]),
      killGraceMs: 1000,
      retry: { max: this.#pick([0, 2]), delayMs: 500, jitter: this.#pick([0, 1]) },
      // parents beside each other would be more than one place, lent in turn without Redis, can run before the scene ends
      sharding: policy === 'parallel' ? { kind: 'none' } : this.#pick(SHARDINGS),
    }
  }

  #pick<const Item>(items: readonly Item[]): Item {
    return items[this.#options.chance.between(0, items.length - 1)] as Item
  }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
