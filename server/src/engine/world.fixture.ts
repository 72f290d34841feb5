import type { Cluster } from '../cluster/cluster.ts'
import { memoryCluster } from '../cluster/memory/cluster.ts'
import { type Dispatch, type Finished, type Register, type TaskCreate, type Verdict } from '@tickwheel/contract'
import { seededRandom, type Scope } from '@tickwheel/core'
import type { Link, Order, Report, Session } from '../link/link.ts'
import { SYSTEM, type Caller } from '../store/caller.ts'
import type { Database } from '../store/database.ts'
import type { LogStore } from '../store/logs.ts'
import type { FiringRow, InstanceRow, OpenInstanceRow, SeriesRow, SkipRow } from '../store/schema.ts'
import { addGroup, logsOf, memoryStore, T0 } from '../store/store.fixture.ts'
import { Engine, type EngineOptions } from './engine.ts'
import { ManualClock } from './manual-clock.fixture.ts'
import type { ReferenceBook } from './reference-book.ts'

export const ALICE: Caller = { actor: { kind: 'user', id: 7, name: 'alice' }, ip: '127.0.0.1', requestId: 'r1' }
export const ALL: Scope = 'all'

/** Without what a number is called when it is of no interest to a test. */
type Unnumbered<T> = T extends { n: number } ? Omit<T, 'n'> : never

/** A link whose other end is the test: it keeps what is sent, and the test answers. */
export class FakeLink implements Link {
  readonly sent: { session: Session; order: Order }[] = []
  readonly ended: { executorId: number; why: string }[] = []
  isUp = true

  send(session: Session, orders: readonly Order[]): 'sent' | 'absent' {
    if (!this.isUp) return 'absent'
    for (const order of orders) this.sent.push({ session, order })
    return 'sent'
  }

  drain(): void {}
  end(session: Session, why: string): void {
    this.ended.push({ executorId: session.executorId, why })
  }
  pause(): void {}
  resume(): void {}

  /** Each attempt once, however often it was sent. */
  dispatches(): Dispatch[] {
    const first = new Map<string, Dispatch>()
    for (const { order } of this.sent)
      if (order.type === 'dispatch' && !first.has(`${order.instanceId}:${order.attempt}`))
        first.set(`${order.instanceId}:${order.attempt}`, order)
    return [...first.values()]
  }
}

/** An engine on the real store, a clock turned by hand, and executors that the test plays. */
export class World {
  readonly clock: ManualClock
  readonly db: Database
  readonly link = new FakeLink()
  readonly troubles: { text: string; facts: Readonly<Record<string, unknown>> }[]
  readonly logs: LogStore
  engine: Engine
  #n = 0

  private constructor({ clock, db, logs, troubles }: Pick<World, 'clock' | 'db' | 'logs' | 'troubles'>, engine: Engine) {
    this.troubles = troubles
    this.clock = clock
    this.db = db
    this.logs = logs
    this.engine = engine
  }

  /** `on`: a store that has its group already, and the clock and the cluster of the world before. */
  static async create(
    options: {
      startAt?: number
      maxOpenRuns?: number
      rightsOf?: EngineOptions['rightsOf']
      scopesOf?: EngineOptions['scopesOf']
      references?: ReferenceBook
      on?: { db: Database; clock: ManualClock; cluster: Cluster }
    } = {},
  ): Promise<World> {
    const clock = options.on?.clock ?? new ManualClock(options.startAt ?? T0)
    const db = options.on?.db ?? (await memoryStore())
    if (options.on === undefined) await addGroup(db, 1)
    const logs = logsOf(db)
    const troubles: World['troubles'] = []
    const world = new World(
      { clock, db, logs, troubles },
      await makeEngine({
        clock,
        db,
        logs,
        troubles,
        maxOpenRuns: options.maxOpenRuns ?? 200_000,
        cluster: options.on?.cluster,
        rightsOf: options.rightsOf,
        scopesOf: options.scopesOf,
        references: options.references,
      }),
    )
    await world.engine.start(world.link)
    return world
  }

  /** The process dies: nothing is said, nothing is released; a new one begins on the same store after `downMs`. */
  async crash(downMs = 0): Promise<void> {
    await this.engine.settled()
    // a dead process does nothing more: its clock no longer rings
    await this.engine.stop()
    this.clock.jump(downMs)
    this.engine = await makeEngine({ clock: this.clock, db: this.db, logs: this.logs, troubles: this.troubles, maxOpenRuns: 200_000 })
    await this.engine.start(this.link)
    await this.settled()
  }

  async settled(): Promise<void> {
    await this.engine.settled()
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms, () => this.settled())
  }

  async task(more: Partial<TaskCreate> = {}): Promise<number> {
    const { taskId } = await this.engine.createTask(
      {
        groupId: 1,
        name: `task ${this.#n++}`,
        schedule: { kind: 'fixedRate', everyMs: 1000 },
        handler: { kind: 'shell', script: 'true' },
        enabled: more.schedule?.kind !== 'manual',
        ...more,
      },
      ALL,
      ALICE,
    )
    await this.settled()
    return taskId
  }

  /** An executor registers, joins, and has nothing left over from earlier boots. */
  async executor(more: Partial<Register> = {}): Promise<Session> {
    const session = await this.register(more)
    await this.join(session)
    await this.say(session, { type: 'recovered', bootId: session.bootId })
    return session
  }

  async register(more: Partial<Register> = {}): Promise<Session> {
    const session = await this.engine.registerExecutor(
      1,
      {
        appName: 'app-1',
        name: 'worker',
        protocol: { min: 1, max: 1 },
        version: '0',
        capacity: 10,
        host: 'here',
        pid: 1,
        handlers: [
          { name: 'shell', kind: 'builtIn' },
          { name: 'named', kind: 'named' },
        ],
        ...more,
      },
      SYSTEM,
    )
    return session
  }

  async join(session: Session): Promise<void> {
    const answer = await this.engine.join({ token: tokenOf(session), ...session, running: [] })
    if (answer.kind !== 'welcome') throw new Error(`not welcome: ${answer.kind}`)
    this.engine.joined(session)
    await this.settled()
  }

  async say(session: Session, frame: Unnumbered<Report>): Promise<Verdict | null> {
    const verdict = await this.engine.report(session, { ...frame, n: ++this.#n })
    await this.settled()
    return verdict
  }

  /** The executor names what it runs. */
  async beat(session: Session, running: readonly { instanceId: number; attempt: number }[] = []): ReturnType<Engine['beat']> {
    const answer = await this.engine.beat(session, { running, load: { cpu: 0, memory: 0, running: running.length, queued: 0 } })
    await this.settled()
    return answer
  }

  async accept(session: Session, { instanceId, attempt }: { instanceId: number; attempt: number }): Promise<Verdict | null> {
    await this.say(session, { type: 'accepted', instanceId, attempt, at: this.clock.now() })
    return this.say(session, { type: 'started', instanceId, attempt, at: this.clock.now() })
  }

  async finish(
    session: Session,
    { instanceId, attempt }: { instanceId: number; attempt: number },
    more: Partial<Finished> = {},
  ): Promise<Verdict | null> {
    return this.say(session, {
      type: 'finished',
      instanceId,
      attempt,
      at: this.clock.now(),
      startedAt: this.clock.now(),
      bootId: session.bootId,
      outcome: 'succeeded',
      ...more,
    })
  }

  /** Plays an executor that runs everything at once and succeeds, while time passes. */
  async passWithWork(session: Session, ms: number, stepMs = 500): Promise<void> {
    const done = new Set<string>()
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.pass(Math.min(stepMs, ms - passed))
      for (const dispatch of this.link.dispatches()) {
        const key = `${dispatch.instanceId}:${dispatch.attempt}`
        if (done.has(key)) continue
        done.add(key)
        await this.accept(session, dispatch)
        await this.finish(session, dispatch)
      }
      await this.beat(session)
    }
  }

  async firings(): Promise<FiringRow[]> {
    return this.db.read((tx) => tx.all<FiringRow>('SELECT * FROM firing ORDER BY due_at, series_id'))
  }
  async skips(): Promise<SkipRow[]> {
    return this.db.read((tx) => tx.all<SkipRow>('SELECT * FROM skip ORDER BY series_id, from_at'))
  }
  async open(): Promise<OpenInstanceRow[]> {
    return this.db.read((tx) => tx.all<OpenInstanceRow>('SELECT * FROM open_instance ORDER BY id'))
  }
  async ended(): Promise<InstanceRow[]> {
    return this.db.read((tx) => tx.all<InstanceRow>('SELECT * FROM instance ORDER BY id'))
  }
  async series(): Promise<SeriesRow[]> {
    return this.db.read((tx) => tx.all<SeriesRow>('SELECT * FROM series ORDER BY id'))
  }
}

async function makeEngine({
  clock,
  db,
  logs,
  troubles,
  maxOpenRuns,
  cluster,
  rightsOf,
  scopesOf,
  references,
}: {
  clock: ManualClock
  db: Database
  logs: LogStore
  troubles: World['troubles']
  maxOpenRuns: number
  cluster?: Cluster | undefined
  rightsOf?: EngineOptions['rightsOf'] | undefined
  scopesOf?: EngineOptions['scopesOf'] | undefined
  references?: ReferenceBook | undefined
}): Promise<Engine> {
  const note = (facts: Readonly<Record<string, unknown>>, text: string): void => void troubles.push({ text, facts })
  return Engine.create({
    db,
    logs,
    clock,
    random: seededRandom(1),
    log: { warn: note, error: note },
    node: { name: 'n1', url: '', roles: ['api', 'scheduler'] },
    cluster: cluster ?? memoryCluster(() => clock.monotonic()),
    skewMs: () => 0,
    version: '0',
    serverZone: 'UTC',
    ...(rightsOf === undefined ? {} : { rightsOf }),
    ...(scopesOf === undefined ? {} : { scopesOf }),
    ...(references === undefined ? {} : { references }),
    verifySession: sessionOf,
    heartbeatMs: 5000,
    deadMs: 15_000,
    logLimitBytes: 1_000_000,
    maxOpenRuns,
  })
}

function tokenOf(session: Session): string {
  return `${session.executorId}.${session.bootId}`
}

function sessionOf(token: string): Session | null {
  const [executorId, bootId] = token.split('.').map(Number)
  return executorId === undefined || bootId === undefined ? null : { executorId, bootId }
}
