import type { CalendarRules } from '@tickwheel/contract'
import { seededRandom, type Random } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import { StoreAway, type Database, type Dialect, type Lane, type ReadTx, type Tx } from '../store/database.ts'
import { createCalendar, updateCalendar } from '../store/calendars.ts'
import type { CalendarRow, CalendarUseRow, CalendarVersionRow, FiringRow, ScheduleSpanRow, SeriesRow, SkipRow } from '../store/schema.ts'
import { memoryStore, addGroup, T0 } from '../store/store.fixture.ts'
import { RunIds } from '../store/ids.ts'
import { FileLogs } from '../store/logs.ts'
import { memoryCluster } from '../cluster/memory/cluster.ts'
import type { Session } from '../link/link.ts'
import { SYSTEM } from '../store/caller.ts'
import type { Clock, Wake } from './clock.ts'
import { Engine } from './engine.ts'
import { ManualClock } from './manual-clock.fixture.ts'
import { Reckoner } from './reckoner.ts'
import { ALICE, ALL, FakeLink } from './world.fixture.ts'

/**
 * The engine under faults, with the real SQL: the process dies at any store call (before it, inside its transaction, after its commit), the store goes
 * away with a known or an unknown outcome, the wall clock jumps, executors answer, refuse, or die, people edit, stop and start, and change the calendar of
 * some tasks. At the end a walk of its own, millisecond grid and all, says what was due; the ledger must cover each instant once.
 */
class Crashed extends Error {}

/** A store on which a process can die, and which can go away. */
class FaultyStore implements Database {
  readonly #real: Database
  readonly #random: Random
  crashRate = 0
  awayRate = 0
  isDead = false
  onCrash: () => void = () => undefined

  constructor(real: Database, random: Random) {
    this.#real = real
    this.#random = random
  }

  async read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T> {
    await this.#gate()
    return this.#alive(await this.#real.read(work))
  }

  async write<T>(lane: Lane, work: (tx: Tx) => Promise<T>): Promise<T> {
    await this.#gate()
    const fate = this.#fate()
    try {
      const done = await this.#real.write(lane, async (tx) => {
        const result = await work(tx)
        if (fate === 'dieInside' || fate === 'awayBefore') throw new Crashed()
        return result
      })
      if (fate === 'dieAfter') await this.#die()
      if (fate === 'awayAfter') throw new StoreAway('outcome unknown')
      return await this.#alive(done)
    } catch (error) {
      if (!(error instanceof Crashed)) throw error
      if (fate === 'dieInside') await this.#die()
      throw new StoreAway('gone before the commit')
    }
  }

  get dialect(): Dialect {
    return this.#real.dialect
  }
  now(): Promise<number> {
    return this.#real.now()
  }
  close(): Promise<void> {
    return this.#real.close()
  }

  #fate(): 'fine' | 'dieInside' | 'dieAfter' | 'awayBefore' | 'awayAfter' {
    const chance = this.#random.next()
    if (chance < this.crashRate) return this.#random.next() < 0.5 ? 'dieInside' : 'dieAfter'
    if (chance < this.crashRate + this.awayRate) return this.#random.next() < 0.5 ? 'awayBefore' : 'awayAfter'
    return 'fine'
  }

  async #gate(): Promise<void> {
    if (this.isDead) await never()
    if (this.#random.next() < this.crashRate / 4) await this.#die()
  }

  async #alive<T>(value: T): Promise<T> {
    if (this.isDead) await never()
    return value
  }

  async #die(): Promise<never> {
    this.isDead = true
    this.onCrash()
    return never()
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}

/** The clock of one process: when it is dead, nothing rings for it. */
class ProcessClock implements Clock {
  readonly #clock: ManualClock
  readonly #isDead: () => boolean
  constructor(clock: ManualClock, isDead: () => boolean) {
    this.#clock = clock
    this.#isDead = isDead
  }
  now(): number {
    return this.#clock.now()
  }
  monotonic(): number {
    return this.#clock.monotonic()
  }
  breathe(): Promise<void> {
    return Promise.resolve()
  }
  wake(at: number, call: () => void): Wake {
    return this.#clock.wake(at, () => {
      if (!this.#isDead()) call()
    })
  }
  after(ms: number, call: () => void): Wake {
    return this.#clock.after(ms, () => {
      if (!this.#isDead()) call()
    })
  }
}

class Scene {
  readonly random: Random
  readonly clock = new ManualClock(T0)
  readonly real: Database
  readonly tasks: number[] = []
  calendarId = 0
  store: FaultyStore
  engine: Engine | null = null
  link = new FakeLink()
  session: Session | null = null
  died: Promise<void> = Promise.resolve()
  crashes = 0
  handled = 0
  n = 0

  constructor(seed: number, real: Database) {
    this.random = seededRandom(seed)
    this.real = real
    this.store = new FaultyStore(real, this.random)
  }

  /** A process starts, and starts again if it dies while it starts. */
  async boot(crashRate: number, awayRate: number): Promise<void> {
    for (;;) {
      const store = new FaultyStore(this.real, this.random)
      this.store = store
      this.link = new FakeLink()
      this.handled = 0
      this.died = new Promise((resolve) => {
        store.onCrash = resolve
      })
      store.crashRate = crashRate
      const alive = await this.live(async () => {
        const engine = await Engine.create({
          db: store,
          logs: new FileLogs({ directory: ':memory:' }),
          clock: new ProcessClock(this.clock, () => store.isDead),
          random: this.random,
          log: { warn: () => undefined, error: () => undefined },
          node: { name: 'n', url: '', roles: ['api', 'scheduler'] },
          cluster: memoryCluster(() => this.clock.monotonic()),
          skewMs: () => 0,
          version: '0',
          serverZone: 'UTC',
          verifySession: (token) => ({ executorId: Number(token.split('.')[0]), bootId: Number(token.split('.')[1]) }),
          heartbeatMs: 5000,
          deadMs: 15_000,
          logLimitBytes: 1,
          maxOpenRuns: 200_000,
        })
        await engine.start(this.link)
        this.engine = engine
      })
      if (!alive) continue
      store.awayRate = awayRate
      return
    }
  }

  /** Runs something that the process's death cuts off. False: it died. */
  async live(work: () => Promise<unknown>): Promise<boolean> {
    const store = this.store
    await Promise.race([
      work().catch((error: unknown) => {
        if (!(error instanceof StoreAway)) throw error
      }),
      this.died,
    ])
    return !store.isDead
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms, async () => {
      if (this.store.isDead) return
      await this.live(async () => this.engine?.settled())
    })
  }

  async executor(): Promise<void> {
    await this.live(async () => {
      const session = await this.engine?.registerExecutor(
        1,
        {
          appName: 'app-1',
          name: 'worker',
          protocol: { min: 1, max: 1 },
          version: '0',
          capacity: 5,
          host: 'h',
          pid: 1,
          handlers: [{ name: 'shell', kind: 'builtIn' }],
        },
        SYSTEM,
      )
      if (session === undefined || this.engine === null) return
      await this.engine.join({ token: `${session.executorId}.${session.bootId}`, ...session, running: [] })
      this.engine.joined(session)
      this.session = session
      await this.engine.report(session, { type: 'recovered', n: ++this.n, bootId: session.bootId })
    })
  }

  /** The executor does what it was sent, some of it, in its own way. */
  async work(): Promise<void> {
    const { session, engine } = this
    if (session === null || engine === null) return
    const dispatches = this.link.dispatches().filter((one) => one.bootId === session.bootId)
    for (const one of dispatches.slice(this.handled)) {
      const { instanceId, attempt } = one
      const at = this.clock.now()
      const chance = this.random.next()
      // nobody waits for a verdict: while the store is away there is none, and the executor goes on
      const alive = await this.live(async () => {
        if (chance < 0.1)
          void engine.report(session, { type: 'rejected', n: ++this.n, instanceId, attempt, at, code: 'capacity', detail: '' })
        else if (chance < 0.95) {
          void engine.report(session, { type: 'accepted', n: ++this.n, instanceId, attempt, at })
          void engine.report(session, {
            type: 'finished',
            n: ++this.n,
            instanceId,
            attempt,
            at,
            startedAt: at,
            bootId: session.bootId,
            outcome: chance < 0.7 ? 'succeeded' : 'failed',
          })
        }
        await engine.settled()
      })
      if (!alive) return
      this.handled += 1
    }
    await this.live(() => engine.beat(session, { running: [], load: { cpu: 0, memory: 0, running: 0, queued: 0 } }))
  }

  /** Calm weather: the executor ends all that it was given. */
  async finishAll(): Promise<void> {
    const { session, engine } = this
    if (session === null || engine === null) return
    const rows = await this.real.read((tx) =>
      tx.all<{ id: number; attempt: number }>('SELECT id, attempt FROM open_instance WHERE phase IN (3, 4) AND boot_id = ?', [
        session.bootId,
      ]),
    )
    const at = this.clock.now()
    for (const { id: instanceId, attempt } of rows)
      void engine.report(session, {
        type: 'finished',
        n: ++this.n,
        instanceId,
        attempt,
        at,
        startedAt: at,
        bootId: session.bootId,
        outcome: 'succeeded',
      })
    await engine.settled()
    await engine.beat(session, { running: [], load: { cpu: 0, memory: 0, running: 0, queued: 0 } })
  }

  async person(): Promise<void> {
    const taskId = this.tasks[Math.floor(this.random.next() * this.tasks.length)]
    const { engine } = this
    if (taskId === undefined || engine === null) return
    const chance = this.random.next()
    await this.live(async () => {
      if (this.random.next() < 0.4) await this.editCalendar(engine)
      else if (chance < 0.3) await engine.stopTask(taskId, { cancelRunning: this.random.next() < 0.3 }, ALL, ALICE)
      else if (chance < 0.6) await engine.startTask(taskId, ALL, ALICE)
      else if (chance < 0.9) await this.edit(engine, taskId)
      else await engine.trigger(taskId, {}, null, ALL, ALICE).catch(() => undefined)
    })
  }

  async edit(engine: Engine, taskId: number): Promise<void> {
    const [row] = await this.real.read((tx) =>
      tx.all<{ version: number; name: string }>('SELECT version, name FROM task WHERE id = ?', [taskId]),
    )
    if (row !== undefined) await engine.updateTask(taskId, { ...this.input(row.name), version: row.version }, ALL, ALICE)
  }

  async makeCalendar(): Promise<void> {
    const input = { groupId: 1, name: 'works', rules: this.rules() }
    this.calendarId = await createCalendar(this.real, input, { now: T0, auditId: 1, scope: ALL, caller: ALICE })
  }

  async editCalendar(engine: Engine): Promise<void> {
    const [row] = await this.real.read((tx) => tx.all<{ version: number }>('SELECT version FROM calendar'))
    if (row === undefined) return
    const now = this.clock.now()
    const auditId = Math.floor(this.random.next() * 2 ** 40) + 2
    const input = { name: 'works', rules: this.rules(), version: row.version }
    await updateCalendar(this.store, this.calendarId, input, { now, auditId, scope: ALL, caller: ALICE })
    engine.calendarChanged()
  }

  /** Closed for some seconds now and then, and for some minutes each day. */
  rules(): CalendarRules {
    const seconds = (most: number): number => Math.floor(this.random.next() * most)
    const once = Array.from({ length: 6 }, () => {
      const from = T0 + seconds(120) * 1000
      return { kind: 'once' as const, from: iso(from), to: iso(from + (1 + seconds(20)) * 1000 + seconds(3) * 100) }
    })
    const from = T0 + seconds(6) * 60_000
    const daily = { kind: 'daily' as const, from: iso(from).slice(11, 16), to: iso(from + 60_000).slice(11, 16) }
    return { weekend: [], days: [], blackouts: this.random.next() < 0.5 ? once : [...once, daily] }
  }

  input(name: string): Parameters<Engine['createTask']>[0] {
    const pick = <T>(items: readonly T[]): T => items[Math.floor(this.random.next() * items.length)] as T
    const calendar = pick([{}, { calendarId: this.calendarId }])
    return {
      groupId: 1,
      name,
      handler: { kind: 'shell', script: 'true' },
      enabled: true,
      schedule: pick([
        { kind: 'fixedRate', everyMs: pick([300, 700, 1000, 5000]), ...calendar } as const,
        { kind: 'cron', expression: pick(['*/1 * * * * ?', '*/3 * * * * ?', '*/10 * * * * ?']), timezone: 'UTC', ...calendar } as const,
        { kind: 'fixedDelay', delayMs: 1500, ...calendar } as const,
      ]),
      overlap: { policy: pick(['queue', 'skip', 'replace', 'parallel'] as const), max: pick([1, 5]) },
      misfire: { policy: pick(['skip', 'fireOnce', 'fireAll'] as const), graceMs: pick([0, 2000, 60_000]), max: pick([1, 3]) },
      retry: { max: pick([0, 2]), delayMs: 500 },
    }
  }
}

/** Whether an instant is due under a span, by arithmetic that shares nothing with core. `null`: not for this walk to say (fixedDelay). */
function isDue(span: ScheduleSpanRow, at: number, isClosed: (span: ScheduleSpanRow, at: number) => boolean): boolean | null {
  const schedule = JSON.parse(span.schedule) as { kind: string; everyMs?: number; expression?: string }
  if (schedule.kind === 'fixedDelay') return span.enabled === 1 && isClosed(span, at) ? false : null
  if (span.enabled === 0) return false
  const step = Number(/^\*\/(\d+)/.exec(schedule.expression ?? '')?.[1])
  const isNamed =
    schedule.kind === 'fixedRate'
      ? at > span.anchor_at && (at - span.anchor_at) % (schedule.everyMs ?? 1) === 0
      : at % 1000 === 0 && (Math.floor(at / 1000) % 60) % step === 0
  return isNamed && !isClosed(span, at)
}

/** What the version of the calendar that a span names says of an instant, blackout by blackout. */
function closedBy(versions: readonly CalendarVersionRow[]): (span: ScheduleSpanRow, at: number) => boolean {
  const rulesOf = new Map(versions.map((row) => [row.version, JSON.parse(row.rules) as CalendarRules]))
  return ({ calendar_version: version }, at) =>
    (version === null ? [] : (rulesOf.get(version)?.blackouts ?? [])).some((blackout) => {
      if (blackout.kind === 'once') return Date.parse(blackout.from) <= at && at < Date.parse(blackout.to)
      const clock = iso(at).slice(11, 16)
      return blackout.from < blackout.to ? blackout.from <= clock && clock < blackout.to : clock >= blackout.from || clock < blackout.to
    })
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

async function check(real: Database, now: number): Promise<string[]> {
  const faults: string[] = []
  const [series, spans, firings, skips, runs, versions, calendars, uses] = await real.read(
    async (tx) =>
      [
        await tx.all<SeriesRow>('SELECT * FROM series'),
        await tx.all<ScheduleSpanRow>('SELECT * FROM schedule_span ORDER BY from_at'),
        await tx.all<FiringRow>('SELECT * FROM firing ORDER BY due_at'),
        await tx.all<SkipRow>('SELECT * FROM skip ORDER BY from_at'),
        await tx.all<{ id: number }>('SELECT id FROM open_instance UNION ALL SELECT id FROM instance'),
        await tx.all<CalendarVersionRow>('SELECT * FROM calendar_version'),
        await tx.all<CalendarRow>('SELECT * FROM calendar'),
        await tx.all<CalendarUseRow>('SELECT * FROM calendar_use'),
      ] as const,
  )
  const ids = new Set(runs.map((run) => run.id))
  const isClosed = closedBy(versions)
  for (const { is_applying: isApplying, rules_version: rules } of calendars)
    if (isApplying === 1 || uses.some(({ version }) => version < rules)) faults.push('a change of the calendar was not carried to its end')
  for (const one of series) {
    const mine = spans.filter((span) => span.series_id === one.id)
    const fired = new Map(firings.filter((row) => row.series_id === one.id).map((row) => [row.due_at, row]))
    const ranges = skips.filter((row) => row.series_id === one.id)
    if (one.next_due_at !== null && one.next_due_at <= now) faults.push(`series ${one.id} is overdue by ${now - one.next_due_at}`)
    for (const span of mine) {
      for (let at = span.from_at; at < Math.min(span.to_at ?? Infinity, one.last_due_at + 1); at += 1) {
        const due = isDue(span, at, isClosed)
        const covers = (fired.has(at) ? 1 : 0) + ranges.filter((row) => row.from_at <= at && at <= row.to_at).length
        if (due === true && covers !== 1) faults.push(`series ${one.id} at ${at - T0}: due, and covered ${covers} times`)
        if (due === false && fired.has(at)) faults.push(`series ${one.id} at ${at - T0}: fired, and not due`)
      }
    }
    const links = [
      ...[...fired.values()].map((row) => ({ from: row.due_at, to: row.due_at, prev: row.prev_due_at })),
      ...ranges.map((row) => ({ from: row.from_at, to: row.to_at, prev: row.prev_due_at })),
    ].sort((a, b) => a.from - b.from)
    for (const [index, link] of links.entries())
      if (index > 0 && link.prev !== links[index - 1]?.to) faults.push(`series ${one.id}: the chain breaks at ${link.from - T0}`)
    for (const row of fired.values())
      if (!ids.has(row.instance_id)) faults.push(`the run of series ${one.id} at ${row.due_at - T0} is missing`)
  }
  return faults
}

/** The reckoner, now and then and from the store alone, must find nothing, and at the end have counted each entry once. */
async function reckon(real: Database, now: number): Promise<string[]> {
  const faults: string[] = []
  const reckoner = new Reckoner({
    db: real,
    clock: { monotonic: () => 0 },
    ids: new RunIds(real, () => now),
    onIncomplete: (found) => faults.push(...found.map((one) => `the reckoner found ${JSON.stringify(one)}`)),
  })
  while (await reckoner.step(now)) {
    // until nothing is left
  }
  return faults
}

async function countFaults(real: Database): Promise<string[]> {
  const [row] = await real.read((tx) =>
    tx.all<Record<'fired' | 'skipped' | 'firings' | 'skips', number>>(
      'SELECT fired, skipped, (SELECT COUNT(*) FROM firing) AS firings, (SELECT COALESCE(SUM(`count`), 0) FROM skip) AS skips FROM reckoner',
    ),
  )
  return row?.fired === row?.firings && row?.skipped === row?.skips ? [] : [`the reckoner counted ${JSON.stringify(row)}`]
}

async function play(seed: number): Promise<{ faults: string[]; fired: number; crashes: number; stuck: unknown[] }> {
  const real = await memoryStore()
  await addGroup(real, 1)
  const scene = new Scene(seed, real)
  await scene.boot(0, 0)
  await scene.executor()
  await scene.makeCalendar()
  for (let task = 0; task < 4; task += 1) {
    const made = await scene.engine?.createTask(scene.input(`task ${task}`), ALL, ALICE)
    if (made !== undefined) scene.tasks.push(made.taskId)
  }
  const [crashRate, awayRate] = [0.01, 0.02]
  scene.store.crashRate = crashRate
  scene.store.awayRate = awayRate
  const reckoned: string[] = []
  for (let step = 0; step < 60; step += 1) {
    if (step % 9 === 8) reckoned.push(...(await reckon(real, scene.clock.now() + (step % 2) * 25_000)))
    await scene.pass(Math.floor(scene.random.next() * 1500))
    if (scene.random.next() < 0.02) scene.clock.jump(Math.floor((scene.random.next() - 0.3) * 10_000))
    if (!scene.store.isDead) await scene.work()
    if (!scene.store.isDead && scene.random.next() < 0.15) await scene.person()
    if (scene.store.isDead) {
      scene.crashes += 1
      scene.clock.jump(Math.floor(scene.random.next() * (scene.random.next() < 0.2 ? 300_000 : 5000)))
      await scene.boot(crashRate, awayRate)
    }
    if (scene.session === null || scene.random.next() < 0.1) await scene.executor()
    else if (scene.engine !== null) {
      const { session, engine } = scene
      await scene.live(async () => {
        await engine.join({ token: `${session.executorId}.${session.bootId}`, ...session, running: [] })
        engine.joined(session)
      })
    }
  }
  // calm weather: everything that is left over must come to an end
  if (scene.store.isDead) await scene.boot(0, 0)
  scene.store.crashRate = 0
  scene.store.awayRate = 0
  for (const taskId of scene.tasks) await scene.engine?.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
  await scene.executor()
  const open = (): Promise<unknown[]> => real.read((tx) => tx.all('SELECT * FROM open_instance'))
  for (let step = 0; step < 40 || (step < 1000 && (await open()).length > 0); step += 1) {
    await scene.pass(step < 40 ? 2000 : 1000)
    await scene.finishAll()
  }
  const stuck = await open()
  const [fired] = await real.read((tx) => tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM firing'))
  const now = scene.clock.now()
  reckoned.push(...(await reckon(real, now + 400_000)), ...(await countFaults(real)))
  return { faults: [...(await check(real, now)), ...reckoned], fired: fired?.n ?? 0, crashes: scene.crashes, stuck }
}

describe('the ledger under faults', () => {
  const seeds = Number(process.env.LEDGER_SEEDS ?? 40)
  const first = Number(process.env.LEDGER_FIRST ?? 1)
  it.each(Array.from({ length: seeds }, (_, index) => first + index))(
    'covers every due instant once, and leaves no run behind (seed %i)',
    async (seed) => {
      const { faults, fired, stuck } = await play(seed)
      expect(faults).toEqual([])
      expect(stuck).toEqual([])
      expect(fired).toBeGreaterThan(0)
    },
  )
})
