import { AppError } from '@tickwheel/contract'
import type { Chance } from '../kit/chance.ts'
import { ClusterAway } from '../../server/src/cluster/away.ts'
import { Engine } from '../../server/src/engine/engine.ts'
import { Housekeeper } from '../../server/src/engine/housekeeper.ts'
import { Reckoner } from '../../server/src/engine/reckoner.ts'
import type { Report, Session } from '../../server/src/link/link.ts'
import { SYSTEM } from '../../server/src/store/caller.ts'
import { StoreAway, type Tx } from '../../server/src/store/database.ts'
import { RunIds } from '../../server/src/store/ids.ts'
import { FileLogs } from '../../server/src/store/logs.ts'
import type { Door, Registration } from './executor-process.ts'
import { NodeLink } from './node-link.ts'
import { NodeStore } from './node-store.ts'
import { SimClock } from './sim-clock.ts'
import { latency, type SimDatabase } from './sim-database.ts'
import { SimProcess } from './sim-process.ts'
import { NodeRedis, type SimRedis } from './sim-redis.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'
import type { Wire, WireEnd } from './wire.ts'
import type { Rates } from './weather.ts'

const LEARN_EVERY_MS = 5000
const SKEW_MS = 200
const RECKONER_FIRST_MS = 1000
const RECKONER_REST_MS = 5000
export const DEAD_MS = 15_000
const GROUP_ID = 1

export interface SimNodeOptions {
  readonly name: string
  readonly timeline: Timeline
  readonly chance: Chance
  readonly database: SimDatabase
  readonly redis: SimRedis
  readonly rates: Rates
  readonly trace: Trace
  /** plants a fault in what the transactions of each of its processes see and do */
  readonly bend?: (() => (tx: Tx) => Tx) | undefined
  readonly onFault: (text: string) => void
}

interface Life {
  readonly process: SimProcess
  readonly store: NodeStore
  readonly redis: NodeRedis
  readonly link: NodeLink
  readonly clock: SimClock
  engine: Engine | null
  reckoner: Housekeeper | null
}

/** A node's name, through as many processes as the scene gives it. */
export class SimNode implements Door {
  readonly #options: SimNodeOptions
  #life: Life | null = null
  #starts = 0
  #isUp = false
  #isLeaving = false
  /** a supervisor starts it again when it ends */
  isWanted = false
  /** since when it has run without being stopped, cut off or killed; timeline ms */
  soundSince = Infinity

  constructor(options: SimNodeOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  /** Its engine, once it has started; null when it is down, starts, or leaves. */
  get engine(): Engine | null {
    return this.isUp ? (this.#life?.engine ?? null) : null
  }

  get isUp(): boolean {
    return this.#isUp && !this.#isLeaving && this.#life?.process.isDead === false
  }

  get isAlive(): boolean {
    return this.#life?.process.isDead === false
  }

  get runId(): number {
    return this.#life?.engine?.status().runId ?? 0
  }

  get process(): SimProcess | null {
    return this.#life?.process ?? null
  }

  get store(): NodeStore | null {
    return this.#life?.store ?? null
  }

  get redis(): NodeRedis | null {
    return this.#life?.redis ?? null
  }

  get link(): NodeLink | null {
    return this.#life?.link ?? null
  }

  /** A process starts. */
  start(): void {
    const { timeline, chance, database, redis, rates, trace, bend } = this.#options
    this.#starts += 1
    this.#isUp = false
    this.#isLeaving = false
    this.isWanted = true
    const process = new SimProcess(`${this.name}.${this.#starts}`, timeline)
    const node = new NodeRedis({ timeline, chance, redis, owner: process, rates, trace })
    const life: Life = {
      process,
      store: new NodeStore({ timeline, chance, database, owner: process, rates, trace, bend: bend?.() }),
      redis: node,
      clock: new SimClock({
        timeline,
        owner: process,
        offset: database.offset,
        skew: chance.between(-SKEW_MS, SKEW_MS),
        onCall: () => this.#mayDie(process),
      }),
      link: new NodeLink({
        timeline,
        chance,
        owner: process,
        rates,
        trace,
        host: () => this.#host(),
        onJudged: (...judged) => this.#judged(...judged),
      }),
      engine: null,
      reckoner: null,
    }
    this.#life = life
    process.onDeath(() => this.#died(process))
    trace.line(() => `${process.name} starts, its clock off by ${life.clock.skew} ms`)
    this.#learn(life)
    void this.#boot(life)
  }

  kill(): void {
    this.#options.trace.line(() => `${this.#life?.process.name ?? this.name} is killed`)
    this.#life?.process.kill()
  }

  /** Its machine sleeps for a while (a virtual machine that is moved): nothing in it notices that time passed. */
  suspend(ms: number): void {
    const life = this.#life
    if (life === null || life.process.isPaused) return
    life.process.pause()
    this.#options.timeline.after(ms, null, () => {
      life.clock.slept(ms)
      life.process.continue()
    })
  }

  /** Leaves in order, as on SIGTERM; the supervisor starts it again unless it is no longer wanted. */
  async leave(): Promise<void> {
    const life = this.#life
    if (life?.engine == null || !this.isUp) return
    this.#isLeaving = true
    this.#options.trace.line(() => `${life.process.name} leaves`)
    try {
      await life.reckoner?.stop()
      await life.engine.retire()
      await life.link.close()
      await life.engine.stop()
    } catch (error) {
      this.#unexpected('leaving', error)
    }
    this.#options.trace.line(() => `${life.process.name} has left`)
    life.process.kill()
  }

  // ── what executors reach ──

  async register({ name, capacity, bootId, processKey }: Registration): Promise<Session | 'unreachable' | 'superseded'> {
    const { timeline, chance } = this.#options
    const life = this.#life
    if (life === null || !this.isUp) return 'unreachable'
    await timeline.sleep(latency(chance), life.process)
    if (life.engine === null) return 'unreachable'
    try {
      const handlers = [{ name: 'shell', kind: 'builtIn' as const }]
      return await life.engine.registerExecutor(
        GROUP_ID,
        {
          appName: 'app-1',
          name,
          protocol: { min: 1, max: 2 },
          version: '0',
          capacity,
          host: 'h',
          pid: 1,
          handlers,
          processKey,
          ...(bootId === null ? {} : { bootId }),
        },
        SYSTEM,
      )
    } catch (error) {
      if (error instanceof AppError && error.code === 'EXECUTOR_SUPERSEDED') return 'superseded'
      this.#unexpected('registering', error)
      return 'unreachable'
    }
  }

  accept(executor: WireEnd): Wire | null {
    return this.isUp ? (this.#life?.link.accept(executor) ?? null) : null
  }

  // ── the process ──

  async #boot(life: Life): Promise<void> {
    const { chance, trace } = this.#options
    try {
      const engine = await Engine.create({
        db: life.store,
        logs: new FileLogs({ directory: ':memory:' }),
        clock: life.clock,
        random: chance,
        log: { warn: (facts, text) => this.#told(facts, text), error: (facts, text) => this.#told(facts, text) },
        node: { name: this.name, url: '', roles: ['api', 'scheduler'] },
        cluster: life.redis.cluster(),
        skewMs: () => 0,
        version: '0',
        serverZone: 'UTC',
        verifySession: sessionOf,
        heartbeatMs: 5000,
        deadMs: DEAD_MS,
        logLimitBytes: 1,
        maxOpenRuns: 200_000,
      })
      life.engine = engine
      life.store.runId = engine.status().runId
      await engine.start(life.link)
      trace.line(() => `${life.process.name} is up as ${engine.status().runId}`)
      this.#isUp = true
      life.reckoner = this.#reckon(life, engine)
    } catch (error) {
      // a process that cannot start ends, and its supervisor tries again
      this.#unexpected('starting', error)
      life.process.kill()
    }
  }

  /** It proves the ledger while all this goes on, and must find nothing. */
  #reckon({ store, clock, process }: Life, engine: Engine): Housekeeper {
    const { onFault } = this.#options
    const reckoner = new Reckoner({
      db: store,
      clock,
      ids: new RunIds(store, () => clock.now()),
      onIncomplete: (found) => {
        for (const one of found) onFault(`reckoner: ${process.name} found ${JSON.stringify(one)}`)
      },
    })
    const keeper = new Housekeeper({
      clock,
      isMine: () => engine.reckons,
      chores: [reckoner],
      onTrouble: (error) => this.#unexpected('reckoning', error),
      firstAfterMs: RECKONER_FIRST_MS,
      restMs: RECKONER_REST_MS,
    })
    keeper.start()
    return keeper
  }

  #died(process: SimProcess): void {
    const { timeline, chance } = this.#options
    if (this.#life?.process === process) this.#isUp = false
    if (!this.isWanted) return
    timeline.after(chance.next() < 0.7 ? chance.between(100, 3000) : chance.between(3000, 8000), null, () => {
      if (this.isWanted && this.#life?.process === process) this.start()
    })
  }

  #mayDie(process: SimProcess): void {
    const { chance, rates, trace } = this.#options
    if (process.isDead || chance.next() >= rates.crash) return
    trace.line(() => `${process.name} dies while it takes a breath`)
    process.kill()
  }

  /** The clock looks at the database's now and then. */
  #learn(life: Life): void {
    const { timeline, database } = this.#options
    timeline.after(LEARN_EVERY_MS, life.process, () => {
      if (life.store.cut === 'none' && !database.isAway) life.clock.learn(database.offset)
      this.#learn(life)
    })
  }

  #host(): Engine {
    const engine = this.#life?.engine
    if (engine == null) throw new Error('a link before the engine')
    return engine
  }

  #judged(session: Session, report: Report, verdict: string): void {
    if ('instanceId' in report)
      this.#options.trace.line(
        () =>
          `${this.#life?.process.name ?? ''} judges ${report.type} ${report.instanceId}/${report.attempt} of executor ${session.executorId}: ${verdict}`,
      )
  }

  #told(facts: Readonly<Record<string, unknown>>, text: string): void {
    const { trace } = this.#options
    const error = facts['err']
    trace.line(
      () => `${this.#life?.process.name ?? ''} says: ${text} ${JSON.stringify(facts)} ${error instanceof Error ? String(error.stack) : ''}`,
    )
    if (error !== undefined) this.#unexpected(text, error)
  }

  /** What the outside brings about is expected; anything else is the engine's own fault. */
  #unexpected(doing: string, error: unknown): void {
    if (error instanceof StoreAway || error instanceof ClusterAway) return
    this.#options.onFault(`engine: ${this.name}, ${doing}: ${error instanceof Error ? String(error.stack) : String(error)}`)
  }
}

function sessionOf(token: string): Session | null {
  const [executorId, bootId] = token.split('.').map(Number)
  return executorId === undefined || bootId === undefined ? null : { executorId, bootId }
}
