/** The composition of an executor, and its life: assembled → started → draining → stopped. */
import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { mkdirSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TaskHandler } from './handlers/handler.ts'
import { HandlerTable } from './handlers/handler-table.ts'
import { HttpReach } from './handlers/http-reach.ts'
import { httpHandler } from './handlers/http.ts'
import { isMapReduce, mapReduceHandler, type AnyMapReduce, type MapReduce } from './handlers/map-reduce.ts'
import { namedHandler } from './handlers/named.ts'
import { paramsReader, type ParamsOf, type ParamsReader, type ParamsSchema } from './handlers/params.ts'
import type { ProgramSettings } from './handlers/program.ts'
import { scriptHandler } from './handlers/script.ts'
import { shellHandler } from './handlers/shell.ts'
import { threadHandler, Threads } from './handlers/thread.ts'
import { Link } from './link/link.ts'
import { LoadMeter } from './link/load.ts'
import { Outbox } from './link/outbox.ts'
import { readShardResults } from './link/shard-results.ts'
import { ServerClock } from './link/server-clock.ts'
import { MAP_PROTOCOL } from '@tickwheel/contract'
import { wholeNumber, type Settings } from './options.ts'
import { Pool } from './pool/pool.ts'
import { recover } from './recovery.ts'
import { Attempts } from './run/attempts.ts'
import { Reporter } from './run/reporter.ts'
import type { RunFunction } from './run/run.ts'
import { Spool, spoolHome } from './spool/spool.ts'
import type { Timing } from './timing.ts'

/** What an executor tells those who listen. */
export interface ExecutorEvents {
  /** joined to a server */
  linked: [facts: { readonly server: string; readonly executorId: number; readonly bootId: number }]
  /** the connection is gone; runs go on, and it joins again by itself */
  unlinked: [facts: { readonly reason: string }]
  /** what earlier processes left was delivered */
  recovered: [facts: { readonly frames: number }]
  /** a newer process has the name of this executor: it has stopped */
  superseded: [facts: { readonly detail: string }]
  /** the server asks to take nothing new, or to go on */
  draining: [facts: { readonly draining: boolean }]
  finished: [facts: { readonly instanceId: number; readonly attempt: number; readonly outcome: string }]
}

export interface HandleOptions {
  /** at most this many runs of it at once, from 1; default: the executor's capacity. More wait in the queue, and others pass them. */
  readonly concurrency?: number
  /** shown in the console; at most 1000 characters */
  readonly description?: string
}

/** Options of a handler that says what its parameters are. */
export interface TypedHandleOptions<Schema extends ParamsSchema> extends HandleOptions {
  /**
   * What the parameters are: a TypeBox schema or a plain JSON schema, at most 16 KiB. A run whose parameters do not fit fails with PARAMS_INVALID before
   * the function is called, and is not retried. Missing fields get the schema's defaults; empty parameters are an object without fields. The console
   * makes a form of it.
   */
  readonly params: Schema
}

/** A process that runs tasks. */
export interface Executor {
  /**
   * Defines a task function. Before `start`. With `params` in the options, `run.params` is a value of that schema, else it is text. Throws when the name is
   * taken, and a TypeError when an option makes no sense.
   */
  handle<const Schema extends ParamsSchema>(
    name: string,
    options: TypedHandleOptions<Schema>,
    run: RunFunction<ParamsOf<NoInfer<Schema>>>,
  ): void
  handle(name: string, options: HandleOptions, run: RunFunction): void
  handle(name: string, run: RunFunction, options?: HandleOptions): void
  /**
   * Defines a task that is split while it runs: `split` gives the items, `work` does one of them, on whichever executor has room, and `reduce`, if there is
   * one, makes one result of all when they have ended.
   */
  handle<const Schema extends ParamsSchema, Item, Result>(
    name: string,
    options: TypedHandleOptions<Schema>,
    parts: MapReduce<ParamsOf<NoInfer<Schema>>, Item, Result>,
  ): void
  handle<Item, Result>(name: string, options: HandleOptions, parts: MapReduce<string, Item, Result>): void
  handle<Item, Result>(name: string, parts: MapReduce<string, Item, Result>, options?: HandleOptions): void
  /**
   * The same for work that computes: the function exported by a module (its URL, or an absolute path) runs on a worker thread, so that it
   * does not block this process. It gets the same `run`. When it does not end within the kill grace after an abort, its thread is ended.
   */
  handleModule(name: string, module: string | URL, exportName?: string, options?: HandleOptions & { readonly params?: ParamsSchema }): void
  /**
   * Ends what earlier processes of this executor left running, joins the server and delivers what they left. Resolves when joined; waits for a
   * server that is away. Rejects when the server refuses it (token, group) or a newer process has its name.
   */
  start(): Promise<void>
  /** Takes nothing new from now on and resolves when nothing runs. */
  drain(): Promise<void>
  /** Drains; cancels what still runs after the grace (default `shutdownGraceMs`); delivers every result (10 s at most, else it stays in the spool); leaves. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
  on<Name extends keyof ExecutorEvents>(event: Name, listen: (...facts: ExecutorEvents[Name]) => void): void
  /** how many runs it has now, waiting ones included */
  readonly open: number
}

type Body = RunFunction<never> | AnyMapReduce
type AnyOptions = HandleOptions & { readonly params?: ParamsSchema }

const VERSION = '0.1.0'
const PROTOCOL = { min: 1, max: MAP_PROTOCOL }

/** Puts an executor together. Throws when the spool folder cannot be made. */
export function assemble(settings: Settings, timing: Timing): Executor {
  return new TaskExecutor(settings, timing)
}

class TaskExecutor implements Executor {
  readonly #settings: Settings
  readonly #timing: Timing
  readonly #home: string
  readonly #spool: Spool
  readonly #outbox = new Outbox()
  readonly #reporter: Reporter
  readonly #pool: Pool
  readonly #handlers = new HandlerTable()
  readonly #threads = new Threads(availableParallelism())
  readonly #attempts: Attempts
  readonly #clock = new ServerClock(Date.now, () => performance.now())
  readonly #meter = new LoadMeter()
  readonly #events = new EventEmitter<ExecutorEvents>()
  /** one executor in one process: a second one of the same name is another */
  readonly #processKey = randomUUID()
  #link: Link | null = null
  #bootId = 0
  #executorId = 0
  #isDraining = false
  #stopped: Promise<void> | null = null

  constructor(settings: Settings, timing: Timing) {
    this.#settings = settings
    this.#timing = timing
    this.#home = spoolHome(settings.spoolDir, settings.appName, settings.name)
    mkdirSync(this.#home, { recursive: true, mode: 0o700 })
    this.#spool = new Spool({ home: this.#home, ...settings.spool, logger: settings.logger })
    this.#reporter = new Reporter(this.#outbox, this.#spool)
    this.#pool = new Pool({ concurrency: settings.capacity, queueLimit: settings.queue })
    this.#attempts = this.#makeAttempts()
    this.#allowBuiltIn()
  }

  get open(): number {
    return this.#attempts.open
  }

  on<Name extends keyof ExecutorEvents>(event: Name, listen: (...facts: ExecutorEvents[Name]) => void): void {
    // EventEmitter's own type of a listener cannot be expressed over a generic name
    const emitter: EventEmitter = this.#events
    emitter.on(event, listen)
  }

  handle(name: string, first: Body | AnyOptions, second: Body | AnyOptions = {}): void {
    const [body, options] = isBody(first) ? [first, second] : [second, first]
    if (!isBody(body) || isBody(options))
      throw new TypeError(`handle ${name}: expected options, and one function or the parts split and work`)
    if (typeof body === 'function') return this.#define(name, options, (params) => namedHandler(name, body, params))
    mustBeWhole(name, body)
    this.#define(name, options, (params) => mapReduceHandler(name, body, params))
  }

  handleModule(name: string, module: string | URL, exportName = 'default', options: AnyOptions = {}): void {
    const moduleUrl = module instanceof URL ? module.href : isAbsolute(module) ? pathToFileURL(module).href : module
    this.#define(name, options, (params) => threadHandler({ name, moduleUrl, exportName, params }, this.#threads))
  }

  async start(): Promise<void> {
    if (this.#link !== null) throw new Error('the executor was started before')
    const recovery = recover({ home: this.#home, spool: this.#spool, outbox: this.#outbox, logger: this.#settings.logger })
    const link = this.#makeLink()
    this.#link = link
    try {
      await link.start()
    } catch (thrown) {
      await this.#leave()
      throw thrown
    }
    void recovery.delivered.then(() => this.#recovered(recovery.frames))
  }

  async drain(): Promise<void> {
    if (!this.#isDraining) {
      this.#isDraining = true
      this.#attempts.setDraining(true)
      if (this.#link?.isLinked === true) this.#reporter.draining()
    }
    await this.#attempts.idle()
  }

  stop({ graceMs = this.#settings.shutdownGraceMs }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#stop(graceMs)
    return this.#stopped
  }

  async #stop(graceMs: number): Promise<void> {
    const { logger } = this.#settings
    const idle = this.drain()
    if (!(await settlesWithin(idle, graceMs))) {
      logger.warn({ open: this.#attempts.open }, 'the grace period is over: stopping what still runs')
      this.#attempts.stopAll('executorStopped')
      // bounded by the kill grace of each run
      await idle
    }
    if (this.#link?.isOver === false && !(await settlesWithin(this.#outbox.emptied(), this.#timing.farewellMs))) {
      logger.warn({ frames: this.#outbox.size }, 'not everything was delivered: it stays in the spool')
    }
    await this.#leave()
  }

  async #leave(): Promise<void> {
    await this.#link?.stop()
    this.#attempts.close()
    await this.#threads.close()
    this.#spool.close(this.#outbox.isEmpty)
  }

  #recovered(frames: number): void {
    this.#reporter.recovered(this.#bootId)
    this.#events.emit('recovered', { frames })
  }

  #define(name: string, { concurrency, description, params }: AnyOptions, make: (params: ParamsReader | undefined) => TaskHandler): void {
    const limit = concurrency === undefined ? undefined : wholeNumber(`concurrency of the handler ${name}`, concurrency, 1, 10_000)
    const reader = params === undefined ? undefined : paramsReader(name, params)
    this.#handlers.add(name, make(reader), { description, paramsSchema: reader?.schema })
    if (limit !== undefined) this.#pool.limit(`named:${name}`, limit)
  }

  #allowBuiltIn(): void {
    const { builtIn, workDir, envAllow } = this.#settings
    const programs: ProgramSettings = { workDir, envAllow, leftoverGraceMs: this.#timing.leftoverGraceMs, spool: this.#spool }
    if (builtIn.shell) this.#handlers.allow('shell', shellHandler(programs))
    if (builtIn.script) this.#handlers.allow('script', scriptHandler(programs))
    if (builtIn.http) this.#handlers.allow('http', httpHandler(new HttpReach(this.#settings.http)))
  }

  #makeAttempts(): Attempts {
    return new Attempts({
      handlers: this.#handlers,
      pool: this.#pool,
      reporter: this.#reporter,
      spool: this.#spool,
      timing: this.#timing,
      logger: this.#settings.logger,
      now: Date.now,
      serverNow: () => this.#clock.now(),
      isLinked: () => this.#link?.isLinked ?? false,
      serverKnowsMap: () => this.#link?.knowsMap ?? false,
      results: (run, signal) => readShardResults(() => this.#link?.asking ?? null, run, signal),
      finished: (key, end) => {
        this.#settings.logger.info(
          { ...key, outcome: end.outcome, ...(end.error === undefined ? {} : { error: end.error.code }) },
          'a run has ended',
        )
        this.#events.emit('finished', { ...key, outcome: end.outcome })
      },
    })
  }

  #makeLink(): Link {
    const { settings, attempts } = { settings: this.#settings, attempts: this.#attempts }
    return new Link({
      servers: settings.servers,
      token: settings.token,
      register: {
        appName: settings.appName,
        name: settings.name,
        protocol: PROTOCOL,
        version: VERSION,
        capacity: settings.capacity,
        labels: { ...settings.labels },
        handlers: this.#handlers.list(),
        host: hostname().slice(0, 255),
        pid: process.pid,
        processKey: this.#processKey,
      },
      outbox: this.#outbox,
      clock: this.#clock,
      timing: this.#timing,
      logger: settings.logger,
      running: () => attempts.running(),
      load: () => this.#meter.read(this.#pool),
      events: {
        registered: (session) => this.#registered(session),
        linked: (server, welcome) => this.#linked(server, welcome.draining),
        unlinked: (reason) => this.#events.emit('unlinked', { reason }),
        superseded: (detail) => this.#superseded(detail),
        dispatch: (dispatch) => attempts.dispatch(dispatch),
        badDispatch: (key, detail) => attempts.refuse(key, detail),
        cancel: (cancel) => attempts.cancel(cancel),
        beat: (beat) => attempts.beat(beat.cancel, beat.unknown),
        drain: (draining) => this.#drainOrder(draining),
        lonely: () => attempts.stopMovable(),
      },
    })
  }

  #registered(session: { readonly bootId: number; readonly executorId: number }): void {
    this.#bootId = session.bootId
    this.#executorId = session.executorId
    this.#attempts.setBoot(session.bootId)
  }

  #linked(server: string, draining: boolean): void {
    if (!this.#isDraining) this.#attempts.setDraining(draining)
    this.#settings.logger.info({ server, executorId: this.#executorId, bootId: this.#bootId }, 'linked')
    // a server that did not hear it, or forgot it, would send what is only rejected
    if (this.#isDraining) this.#reporter.draining()
    this.#events.emit('linked', { server, executorId: this.#executorId, bootId: this.#bootId })
  }

  #drainOrder(draining: boolean): void {
    if (!this.#isDraining) this.#attempts.setDraining(draining)
    this.#events.emit('draining', { draining })
  }

  /** Nobody wants to hear about its runs any more, and what the newer process starts must not run beside them. */
  #superseded(detail: string): void {
    this.#settings.logger.error({ detail }, 'a newer process has the name of this executor: stopping')
    this.#isDraining = true
    this.#attempts.setDraining(true)
    this.#attempts.stopAll('superseded')
    this.#events.emit('superseded', { detail })
  }
}

function isBody(value: Body | AnyOptions): value is Body {
  return typeof value === 'function' || isMapReduce(value)
}

/** For applications in plain JavaScript. */
function mustBeWhole(name: string, parts: AnyMapReduce): void {
  for (const part of ['work', 'reduce', 'key']) {
    const given: unknown = Reflect.get(parts, part)
    const mayBeAbsent = part !== 'work' && given === undefined
    if (typeof given !== 'function' && !mayBeAbsent) throw new TypeError(`handle ${name}: expected ${part} to be a function`)
  }
}

async function settlesWithin(promise: Promise<void>, limitMs: number): Promise<boolean> {
  const timer = new AbortController()
  const late = sleep(limitMs, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const)
  const first = await Promise.race([promise.then(() => 'settled' as const), late])
  timer.abort()
  return first === 'settled'
}
