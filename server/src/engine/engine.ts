import type { Heartbeat, HeartbeatAnswer, Register, TaskCreate, TaskUpdate, TriggerBody, Verdict } from '@tickwheel/contract'
import { PHASE, type Random, type Scope } from '@tickwheel/core'
import type { BeatAnswer, JoinAnswer, Link, LinkHost, Report, Session } from '../link/link.ts'
import { SYSTEM, type Caller, type Change } from '../store/caller.ts'
import { cancelOne, cancelRuns, skipRuns } from '../store/cancel.ts'
import type { Database } from '../store/database.ts'
import { drainExecutor, executorById, forgetExecutor, onlineExecutors, registerExecutor } from '../store/executors.ts'
import { RunIds } from '../store/ids.ts'
import type { RunReport } from '../store/judge.ts'
import type { LogStore } from '../store/logs.ts'
import { openRunsById, openRunsOfSlots } from '../store/open-runs.ts'
import type { RunChange } from '../store/report.ts'
import { NEVER } from '../store/run-writes.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import { createTask, deleteTask, restoreTaskVersion, setTaskEnabled, updateTask, type TaskChanged } from '../store/tasks.ts'
import { retry, type OpenRunCounts } from '../store/trigger.ts'
import { Advancer } from './advancer.ts'
import { Chooser } from './chooser.ts'
import type { Clock, Wake } from './clock.ts'
import type { Commands, EngineStatus, LiveExecutor } from './commands.ts'
import { Credits } from './credits.ts'
import { Definitions } from './definitions.ts'
import { Dispatcher } from './dispatcher.ts'
import { Events } from './events.ts'
import { Firer } from './firer.ts'
import { Heartbeats } from './heartbeats.ts'
import { Loader } from './loader.ts'
import { LogIntake } from './log-intake.ts'
import { OpenRuns, waitsForEarlier, type OpenRun } from './open-runs.ts'
import { isStoreAway, Pump } from './pump.ts'
import { isRunFrame, Receiver } from './receiver.ts'
import { noteRejection, Roster, type Member } from './roster.ts'
import { Sender } from './sender.ts'
import { SeriesTable } from './series-table.ts'
import { SlotKeeper } from './slot-keeper.ts'
import { Sweeper } from './sweeper.ts'
import { Timekeeper } from './timekeeper.ts'
import { TriggerDesk } from './trigger-desk.ts'

const SWEEP_MS = 1000

/** What the engine tells a person who reads the log of the process. */
export interface EngineLog {
  warn(facts: Readonly<Record<string, unknown>>, text: string): void
  error(facts: Readonly<Record<string, unknown>>, text: string): void
}

export interface EngineOptions {
  readonly db: Database
  readonly logs: LogStore
  readonly clock: Clock
  readonly random: Random
  readonly log: EngineLog
  readonly nodeName: string
  readonly version: string
  readonly serverZone: string
  /** whether a session token is good, and whose; the boot is checked by the engine */
  readonly verifySession: (token: string) => Session | null
  readonly heartbeatMs: number
  readonly deadMs: number
  readonly logLimitBytes: number
  readonly maxOpenRuns: number
}

/**
 * The engine: joins the stages (clock → wheel → fire → route → link → report → state) and takes commands. It holds no decision of its own; each stage
 * is a file beside this one.
 */
export class Engine implements Commands, LinkHost {
  readonly events = new Events()
  readonly #options: EngineOptions
  readonly #ids: RunIds
  readonly #runs = new OpenRuns()
  readonly #roster = new Roster()
  readonly #table = new SeriesTable()
  readonly #counts = new Map<string, number>()
  readonly #definitions: Definitions
  readonly #timekeeper: Timekeeper
  readonly #keeper: SlotKeeper
  readonly #loader: Loader
  readonly #firer: Firer
  readonly #dispatcher: Dispatcher
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #intake: LogIntake
  readonly #heartbeats: Heartbeats
  readonly #advancer: Advancer
  readonly #sweeper: Sweeper
  readonly #desk: TriggerDesk
  readonly #sweepPump: Pump
  readonly #hints: Pump
  readonly #hinted = new Set<number>()
  readonly #following = new Set<Promise<void>>()
  #runId = 0
  #link: Link | null = null
  #sweepWake: Wake | null = null
  #reachedSince: number
  #isStoreAway = false
  #isMemoryDoubtful = false
  #isStopped = true

  private constructor(options: EngineOptions, runId: number, ids: RunIds) {
    const { db, clock } = options
    this.#options = options
    this.#runId = runId
    this.#ids = ids
    this.#reachedSince = clock.monotonic()
    const onTrouble = (error: unknown): void => this.#trouble(error)
    const onRecovered = (): void => this.#reached()
    const credits = new Credits(this.#runs)
    this.#definitions = new Definitions(db)
    this.#keeper = new SlotKeeper({
      db,
      clock,
      node: { runId, name: options.nodeName, version: options.version },
      onBeat: (isWritten) => (isWritten ? this.#reached() : this.#lostStore()),
    })
    this.#timekeeper = new Timekeeper(clock, (payloads) => this.#due(payloads))
    this.#loader = new Loader({
      db,
      clock,
      keeper: this.#keeper,
      table: this.#table,
      timekeeper: this.#timekeeper,
      definitions: this.#definitions,
      onHeld: (id, error) => this.#held(id, error),
    })
    this.#dispatcher = new Dispatcher({
      db,
      clock,
      keeper: this.#keeper,
      runs: this.#runs,
      credits,
      chooser: new Chooser({ roster: this.#roster, credits, random: options.random }),
      definitions: this.#definitions,
      onDispatched: (claimed, changed) => this.#dispatched(claimed, changed),
      onSkip: (skips) => this.#skip(skips),
      onReplace: (replacements) => this.#replace(replacements),
      onTrouble,
      onRecovered,
    })
    this.#firer = new Firer({
      db,
      clock,
      ids,
      keeper: this.#keeper,
      table: this.#table,
      loader: this.#loader,
      definitions: this.#definitions,
      runs: this.#runs,
      maxOpenRuns: options.maxOpenRuns,
      takeSeat: (taskId, groupId, definition) => this.#dispatcher.takeSeat(taskId, groupId, definition),
      clearSeats: () => this.#dispatcher.clearSeats(),
      onFired: (rows, counts) => this.#fired(rows, counts),
      onReplace: (replacements) => this.#follow(this.#replace(replacements)),
      onHeld: (id, error) => this.#held(id, error),
      onTrouble,
      onRecovered,
    })
    this.#sender = new Sender({ db, clock, definitions: this.#definitions, link: () => this.#link, logLimitBytes: options.logLimitBytes })
    this.#receiver = new Receiver({
      db,
      clock,
      ids,
      onChanges: (changes, reports) => this.#reported(changes, reports),
      onFull: (isFull) => (isFull ? this.#link?.pause() : this.#link?.resume()),
      onTrouble,
      onRecovered,
    })
    this.#intake = new LogIntake({ db, logs: options.logs, clock, runs: this.#runs, events: this.events, onTrouble })
    this.#sweeper = new Sweeper({
      db,
      clock,
      ids,
      keeper: this.#keeper,
      runs: this.#runs,
      roster: this.#roster,
      definitions: this.#definitions,
      deadMs: options.deadMs,
      reachedSince: () => this.#reachedSince,
      onChanges: (changes) => this.#apply(changes),
      onFound: (rows) => this.#found(rows),
      onReady: (runIds) => this.#dispatcher.ready(runIds),
      onResend: (runs) => this.#sender.dispatch(runs),
      onCancel: (runs) => this.#sender.cancel(runs),
      onLost: (member) => this.#executorLost(member),
    })
    this.#heartbeats = new Heartbeats({
      db,
      clock,
      runs: this.#runs,
      roster: this.#roster,
      onSeen: (members) => this.#seen(members),
      onMissing: (runs) => this.#follow(this.#sweeper.missing(runs)),
      onTrouble,
      onRecovered,
    })
    this.#advancer = new Advancer({
      db,
      clock,
      keeper: this.#keeper,
      events: this.events,
      onSeries: (seriesIds) => this.#loader.hint(seriesIds),
      onTrouble,
      onRecovered,
    })
    this.#desk = new TriggerDesk({ db, clock, ids, onMade: (made) => this.#queued(made.flatMap(({ row }) => row ?? [])), onRecovered })
    this.#sweepPump = new Pump({ clock, turn: () => this.#sweep(), onTrouble, onRecovered })
    this.#hints = new Pump({ clock, turn: () => this.#takeHints(), onTrouble, onRecovered })
  }

  /** An engine on a store that is migrated already. It does nothing before `start`. */
  static async create(options: EngineOptions): Promise<Engine> {
    const ids = new RunIds(options.db, () => options.clock.now())
    return new Engine(options, await ids.take(1), ids)
  }

  // ── life ──

  /** Takes the slots, reads what is open, and begins to fire. */
  async start(link: Link): Promise<void> {
    this.#link = link
    await this.#keeper.start()
    for (const executor of await onlineExecutors(this.#options.db))
      this.#roster.put({ ...executor, seenAt: Math.max(executor.seenAt, this.#options.clock.now()) })
    await this.#readOpenRuns()
    this.#isStopped = false
    this.#timekeeper.start()
    await this.#sweep()
    this.#sleepUntilSweep()
  }

  /** Stops firing and dispatching; what is in flight becomes durable. Reports are still taken: `stop` ends them. */
  async retire(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#timekeeper.stop()
    this.#sweepWake?.cancel()
    await this.#keeper.retire()
    for (const pump of [this.#sweepPump, this.#firer.pump, this.#hints, this.#dispatcher.pump, this.#advancer.pump]) await pump.stop()
    await this.#keeper.release()
  }

  /** The end: takes nothing more. Call when the links are closed. */
  async stop(): Promise<void> {
    await this.retire()
    for (const pump of [this.#desk.pump, this.#receiver.pump, this.#intake.pump, this.#heartbeats.pump]) await pump.stop()
    await Promise.all(this.#following)
  }

  /** Until nothing is being worked on: what a test with a hand-turned clock waits for. */
  async settled(): Promise<void> {
    const pumps = [
      this.#sweepPump,
      this.#firer.pump,
      this.#hints,
      this.#dispatcher.pump,
      this.#advancer.pump,
      this.#desk.pump,
      this.#receiver.pump,
      this.#intake.pump,
      this.#heartbeats.pump,
    ]
    while (pumps.some((pump) => pump.isBusy) || this.#following.size > 0 || this.#keeper.isBeating) {
      await this.#keeper.idle()
      for (const pump of pumps) await pump.idle()
      await Promise.all(this.#following)
    }
  }

  status(): EngineStatus {
    return {
      runId: this.#runId,
      isFiring: !this.#isStopped && this.#keeper.isTrusted,
      slotsOwned: this.#keeper.slots.size,
      armedTimers: this.#timekeeper.armed,
      openRuns: this.#runs.size,
      queuedRuns: this.#runs.queued,
      liveExecutors: this.#roster.all().filter((member) => member.isConnected).length,
      storeAway: this.#isStoreAway,
      counts: { ...Object.fromEntries(this.#counts), logLines: this.#intake.linesTaken, reportBacklog: this.#receiver.backlog },
    }
  }

  /** What is known of executors that are online, by id. */
  liveExecutors(): ReadonlyMap<number, LiveExecutor> {
    return new Map(
      this.#roster.all().map((member) => [
        member.executorId,
        {
          executorId: member.executorId,
          bootId: member.bootId,
          load: member.load,
          seenAt: member.seenAt,
          isConnected: member.isConnected,
          isStopping: member.isStopping,
          inFlight: this.#runs.ofExecutor(member.executorId).map((run) => ({
            instanceId: run.id,
            attempt: run.attempt,
            taskId: run.taskId,
            taskName: this.#definitions.peek(run.taskId, run.taskVersion)?.name ?? '',
            startedAt: run.startedAt,
          })),
        },
      ]),
    )
  }

  now(): number {
    return this.#options.clock.now()
  }

  // ── commands ──

  async createTask(input: TaskCreate, scope: Scope, caller: Caller): Promise<{ taskId: number }> {
    const changed = await createTask(this.#options.db, { input, serverZone: this.#options.serverZone }, await this.#change(scope, caller))
    await this.#taskChanged(changed)
    return { taskId: changed.taskId }
  }

  async updateTask(taskId: number, input: TaskUpdate, scope: Scope, caller: Caller): Promise<void> {
    await this.#taskChanged(
      await updateTask(this.#options.db, { taskId, input, serverZone: this.#options.serverZone }, await this.#change(scope, caller)),
    )
  }

  async restoreTaskVersion(taskId: number, version: number, scope: Scope, caller: Caller): Promise<void> {
    await this.#taskChanged(await restoreTaskVersion(this.#options.db, { taskId, version }, await this.#change(scope, caller)))
  }

  async startTask(taskId: number, scope: Scope, caller: Caller): Promise<void> {
    await this.#taskChanged(await setTaskEnabled(this.#options.db, { taskId, isEnabled: true }, await this.#change(scope, caller)))
  }

  async stopTask(taskId: number, { cancelRunning }: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void> {
    const changed = await setTaskEnabled(this.#options.db, { taskId, isEnabled: false }, await this.#change(scope, caller))
    await this.#taskChanged(changed)
    if (cancelRunning) await this.#cancelMany(changed.openRunIds, caller)
  }

  async deleteTask(taskId: number, { cancelRunning }: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void> {
    const changed = await deleteTask(this.#options.db, { taskId, cancelRunning }, await this.#change(scope, caller))
    await this.#taskChanged(changed)
    await this.#cancelMany(changed.openRunIds, caller)
  }

  async trigger(taskId: number, body: TriggerBody, key: string | null, scope: Scope, caller: Caller): Promise<{ instanceId: number }> {
    const { instanceId } = await this.#desk.take({
      taskId,
      scope,
      keyHash: key,
      caller,
      params: body.params ?? null,
      executorId: body.executorId ?? null,
      scheduledAt: body.scheduledAt === undefined ? null : Date.parse(body.scheduledAt),
      openRuns: this.#openRunCounts(taskId),
    })
    return { instanceId }
  }

  async cancelInstance(instanceId: number, scope: Scope, caller: Caller): Promise<void> {
    const firstId = await this.#ids.take(2)
    this.#apply(
      await cancelOne(this.#options.db, {
        instanceId,
        instanceIds: [instanceId],
        scope,
        at: this.now(),
        firstId,
        caller,
        by: caller.actor.name,
      }),
    )
  }

  async retryInstance(instanceId: number, key: string | null, scope: Scope, caller: Caller): Promise<{ instanceId: number }> {
    const runId = await this.#ids.take(2)
    const made = await retry(this.#options.db, {
      instanceId,
      scope,
      at: this.now(),
      runId,
      auditId: runId + 1,
      keyHash: key,
      caller,
      openRunsOf: (taskId) => this.#openRunCounts(taskId),
    })
    if (made.row !== null) this.#queued([made.row])
    this.events.emit(
      made.row === null ? [] : [{ kind: 'instanceChanged', instanceId, taskId: made.row.task_id, groupId: made.row.group_id }],
    )
    return { instanceId: made.instanceId }
  }

  async registerExecutor(groupId: number, register: Register, _caller: Caller): Promise<{ executorId: number; bootId: number }> {
    const bootId = await this.#ids.take(1)
    const known = await registerExecutor(this.#options.db, { at: this.now(), bootId, groupId, register })
    const before = this.#roster.get(known.row.id)
    if (before !== null && before.bootId !== known.row.boot_id) this.#link?.end(before, 'superseded')
    this.#roster.put(known)
    this.events.emit([{ kind: 'executorChanged', executorId: known.row.id, groupId }])
    return { executorId: known.row.id, bootId: known.row.boot_id }
  }

  async heartbeat(session: Session, beat: Heartbeat): Promise<HeartbeatAnswer> {
    const { cancel, unknown } = await this.beat(session, beat)
    return { cancel: [...cancel], unknown: [...unknown] }
  }

  async drainExecutor(executorId: number, draining: boolean, scope: Scope, caller: Caller): Promise<void> {
    await drainExecutor(this.#options.db, { at: this.now(), auditId: await this.#ids.take(1), executorId, draining, scope, caller })
    const known = await executorById(this.#options.db, executorId)
    const member = this.#roster.get(executorId)
    if (member !== null) {
      member.isDraining = draining
      this.#link?.drain(member, draining)
      if (!draining) this.#follow(this.#dispatcher.roomIn(member.groupId))
    }
    if (known !== null) this.events.emit([{ kind: 'executorChanged', executorId, groupId: known.row.group_id }])
  }

  async forgetExecutor(executorId: number, scope: Scope, caller: Caller): Promise<void> {
    const { groupId } = await forgetExecutor(this.#options.db, {
      at: this.now(),
      auditId: await this.#ids.take(1),
      executorId,
      scope,
      caller,
    })
    this.#roster.remove(executorId)
    this.events.emit([{ kind: 'executorChanged', executorId, groupId }])
  }

  // ── what the links tell ──

  async join(hello: {
    token: string
    executorId: number
    bootId: number
    running: readonly { instanceId: number; attempt: number }[]
  }): Promise<JoinAnswer> {
    const session = this.#options.verifySession(hello.token)
    if (session?.executorId !== hello.executorId || session.bootId !== hello.bootId) return { kind: 'sessionUnknown' }
    const member = await this.#memberOf(session)
    if (typeof member === 'string') return { kind: member }
    member.isConnected = true
    member.isStopping = false
    member.backOffUntil = 0
    member.seenAt = Math.max(member.seenAt, this.now())
    this.events.emit([{ kind: 'executorChanged', executorId: member.executorId, groupId: member.groupId }])
    return { kind: 'welcome', session, heartbeatMs: this.#options.heartbeatMs, deadMs: this.#options.deadMs, draining: member.isDraining }
  }

  /** The link has sent its welcome: work may follow. */
  joined(session: Session): void {
    const member = this.#roster.ofSession(session)
    if (member === null) return
    const there = this.#runs.ofExecutor(member.executorId).filter((run) => run.bootId === member.bootId)
    this.#follow(
      this.#sender.dispatch(there.filter((run) => run.phase === PHASE.dispatched && run.acceptedAt === null && run.cancelAt === null)),
    )
    this.#sender.cancel(there.filter((run) => run.cancelAt !== null))
    this.#follow(this.#dispatcher.roomIn(member.groupId))
  }

  left(session: Session): void {
    const member = this.#roster.ofSession(session)
    if (member === null) return
    member.isConnected = false
    this.events.emit([{ kind: 'executorChanged', executorId: member.executorId, groupId: member.groupId }])
  }

  async beat(
    session: Session,
    beat: { running: readonly { instanceId: number; attempt: number }[]; load: Heartbeat['load'] },
  ): Promise<BeatAnswer> {
    return (await this.#heartbeats.take(session, beat)) ?? { store: 'ok', cancel: [], unknown: beat.running }
  }

  async report(session: Session, frame: Report): Promise<Verdict | null> {
    if (isRunFrame(frame)) return this.#receiver.take(session, frame)
    if (frame.type === 'log' || frame.type === 'logEnd') return this.#intake.take(session, frame)
    return this.#reportOfExecutor(session, frame)
  }

  async #reportOfExecutor(session: Session, frame: Extract<Report, { type: 'recovered' | 'drain' }>): Promise<Verdict | null> {
    const member = this.#roster.ofSession(session)
    if (member === null) return 'stale'
    try {
      if (frame.type === 'recovered') await this.#sweeper.recovered(member)
      else member.isStopping = true
    } catch (error) {
      this.#trouble(error)
      return null
    }
    this.events.emit([{ kind: 'executorChanged', executorId: member.executorId, groupId: member.groupId }])
    return 'done'
  }

  async #memberOf(session: Session): Promise<Member | 'sessionUnknown' | 'superseded' | 'storeAway'> {
    const member = this.#roster.ofSession(session)
    if (member !== null) return member
    try {
      const known = await executorById(this.#options.db, session.executorId)
      if (known === null) return 'sessionUnknown'
      if (known.row.boot_id > session.bootId) return 'superseded'
      return known.row.boot_id === session.bootId ? this.#roster.put(known) : 'sessionUnknown'
    } catch (error) {
      this.#trouble(error)
      return 'storeAway'
    }
  }

  // ── the stages' hand-overs ──

  /** A tick of the wheel: positive payloads are series, negative ones runs that waited for an instant. */
  #due(payloads: readonly number[]): void {
    this.#firer.due(payloads.filter((payload) => payload > 0))
    const ready = payloads
      .flatMap((payload) => (payload < 0 ? [-payload] : []))
      .filter((id) => {
        const run = this.#runs.get(id)
        return run !== null && run.phase === PHASE.waiting && run.rankAt <= this.now()
      })
    if (ready.length > 0) this.#follow(this.#dispatcher.ready(ready))
  }

  #fired(rows: readonly OpenInstanceRow[], { fired, skipped }: { fired: number; skipped: number }): void {
    this.#count('fired', fired)
    this.#count('skipped', skipped)
    const runs = rows.map((row) => this.#runs.put(row))
    this.#emitRuns(rows)
    this.#follow(this.#sender.dispatch(runs.filter((run) => run.phase === PHASE.dispatched)))
    if (runs.some((run) => run.phase === PHASE.queued)) this.#dispatcher.kick()
  }

  async #dispatched(claimed: readonly number[], changed: readonly number[]): Promise<void> {
    this.#count('dispatched', claimed.length)
    const rows = await openRunsById(this.#options.db, changed)
    for (const id of changed) this.#runs.remove(id)
    for (const row of rows) this.#remember(row)
    this.#emitRuns(rows)
    await this.#sender.dispatch(claimed.flatMap((id) => this.#runs.get(id) ?? []))
  }

  #reported(changes: readonly RunChange[], reports: readonly RunReport[]): void {
    for (const { executorId, frame } of reports)
      if (frame.type === 'rejected') this.#noteRejection(executorId, frame.code, frame.instanceId)
    this.#apply(changes)
  }

  #noteRejection(executorId: number, code: string, instanceId: number): void {
    this.#count('rejected', 1)
    const member = this.#roster.get(executorId)
    const run = this.#runs.get(instanceId)
    const handler = run === null ? null : (this.#definitions.peek(run.taskId, run.taskVersion)?.handler ?? null)
    if (member !== null) noteRejection(member, code, handler, this.now())
  }

  /** Takes into memory what a transaction did, and tells who waits for it. */
  #apply(changes: readonly RunChange[]): void {
    const groups = new Set<number>()
    const woken: number[] = []
    const asked: OpenRun[] = []
    for (const change of changes) {
      if (change.kind === 'open') {
        const run = this.#remember(change.row)
        if (run !== null && run.cancelAt !== null) asked.push(run)
        continue
      }
      this.#runs.remove(change.row.id)
      this.#dispatcher.forget(change.row.group_id, change.row.id)
      groups.add(change.row.group_id)
      this.#count(`ended`, 1)
      const next = this.#runs.ofTask(change.row.task_id)[0]
      if (next !== undefined && waitsForEarlier(next)) woken.push(next.id)
      if (change.row.on_end !== 0) this.#advancer.kick()
    }
    this.#emitRuns(changes.map((change) => change.row))
    this.#sender.cancel(asked)
    if (woken.length > 0) this.#follow(this.#dispatcher.ready([...new Set(woken)]))
    for (const groupId of groups) this.#follow(this.#dispatcher.roomIn(groupId))
    this.#dispatcher.kick()
  }

  #found(rows: readonly OpenInstanceRow[]): void {
    for (const row of rows) this.#remember(row)
    if (rows.length > 0) this.#dispatcher.kick()
  }

  #queued(rows: readonly OpenInstanceRow[]): void {
    for (const row of rows) this.#remember(row)
    this.#emitRuns(rows)
    this.#dispatcher.kick()
  }

  /** Memory holds the runs of owned slots only. A run that waits for an instant is armed. */
  #remember(row: OpenInstanceRow): OpenRun | null {
    if (!this.#keeper.slots.has(row.slot)) return null
    const run = this.#runs.put(row)
    if (run.phase === PHASE.waiting && run.rankAt !== NEVER) this.#timekeeper.arm(run.rankAt, -run.id)
    return run
  }

  async #skip(skips: readonly { instanceId: number; blocker: number }[]): Promise<void> {
    const firstId = await this.#ids.take(skips.length)
    this.#apply(await skipRuns(this.#options.db, this.now(), firstId, skips))
  }

  /** Overlap `replace`: what is open of the task gives way to a newer run. */
  async #replace(replacements: readonly { taskId: number; by: number }[]): Promise<void> {
    for (const { taskId, by } of replacements) {
      const older = this.#runs.ofTask(taskId).filter((run) => run.id < by && run.cancelAt === null)
      if (older.length > 0)
        await this.#cancelMany(
          older.map((run) => run.id),
          SYSTEM,
          by,
        )
    }
  }

  async #cancelMany(instanceIds: readonly number[], caller: Caller, replacedBy: number | null = null): Promise<void> {
    for (let from = 0; from < instanceIds.length; from += 500) {
      const part = instanceIds.slice(from, from + 500)
      const firstId = await this.#ids.take(2 * part.length)
      this.#apply(
        await cancelRuns(this.#options.db, {
          instanceIds: part,
          scope: 'all',
          at: this.now(),
          firstId,
          caller,
          by: caller.actor.name,
          ...(replacedBy === null ? {} : { replacedBy }),
        }),
      )
    }
  }

  async #taskChanged(changed: TaskChanged): Promise<void> {
    this.#hinted.add(changed.seriesId)
    this.#hints.kick()
    await this.#hints.idle()
    this.events.emit([{ kind: 'taskChanged', taskId: changed.taskId, groupId: changed.groupId }])
  }

  async #takeHints(): Promise<boolean> {
    const ids = [...this.#hinted]
    if (ids.length === 0) return false
    await this.#loader.hint(ids)
    for (const id of ids) this.#hinted.delete(id)
    return this.#hinted.size > 0
  }

  #seen(members: readonly Member[]): void {
    this.events.emit(members.map((member) => ({ kind: 'executorChanged', executorId: member.executorId, groupId: member.groupId })))
  }

  #executorLost(member: Member): void {
    this.#count('executorsLost', 1)
    this.#options.log.warn({ executorId: member.executorId, executor: member.name }, 'an executor is lost: no heartbeat')
    this.#link?.end(member, 'sessionEnded')
    this.#roster.remove(member.executorId)
    this.events.emit([{ kind: 'executorChanged', executorId: member.executorId, groupId: member.groupId }])
  }

  #held(seriesId: number, error: unknown): void {
    this.#count('seriesHeld', 1)
    this.#options.log.error({ seriesId, err: error }, 'a series is held: its data is wrong, and it does not fire until a person decides')
  }

  // ── background ──

  async #sweep(): Promise<boolean> {
    if (this.#isMemoryDoubtful) await this.#readAgain()
    await this.#loader.sweep()
    await this.#sweeper.sweep()
    await this.#dispatcher.explainWaits()
    this.#firer.pump.kick()
    this.#dispatcher.lookAtAll()
    this.#advancer.kick()
    return false
  }

  /**
   * The store was away, so that the outcome of a commit may be unknown: memory is made from the store again. Whoever waits for a transaction of the time
   * before finds its rows moved on, and drops what it decided.
   */
  async #readAgain(): Promise<void> {
    this.#isMemoryDoubtful = false
    try {
      const before = new Set([...this.#runs.all()].map((run) => run.id))
      await this.#readOpenRuns((row) => before.delete(row.id))
      const gone = await openRunsById(this.#options.db, [...before])
      for (const row of gone) before.delete(row.id)
      for (const id of before) this.#runs.remove(id)
      this.#loader.reset()
    } catch (error) {
      this.#isMemoryDoubtful = true
      throw error
    }
  }

  #sleepUntilSweep(): void {
    if (this.#isStopped) return
    this.#sweepWake = this.#options.clock.wake(this.now() + SWEEP_MS, () => {
      this.#sweepPump.kick()
      this.#sleepUntilSweep()
    })
  }

  async #readOpenRuns(seen: (row: OpenInstanceRow) => void = () => undefined): Promise<void> {
    let after: number | null = 0
    while (after !== null) {
      const page: { rows: OpenInstanceRow[]; last: number | null } = await openRunsOfSlots(
        this.#options.db,
        this.#keeper.slots,
        after,
        5000,
      )
      for (const row of page.rows) {
        this.#remember(row)
        seen(row)
      }
      after = page.last
    }
  }

  async #change(scope: Scope, caller: Caller): Promise<Change> {
    return { now: this.now(), auditId: await this.#ids.take(1), scope, caller }
  }

  #openRunCounts(taskId: number): OpenRunCounts {
    return { now: this.#runs.size, max: this.#options.maxOpenRuns, ofTask: this.#runs.countOfTask(taskId).open }
  }

  #emitRuns(rows: readonly { id: number; task_id: number; group_id: number }[]): void {
    this.events.emit(rows.map((row) => ({ kind: 'instanceChanged', instanceId: row.id, taskId: row.task_id, groupId: row.group_id })))
  }

  #count(name: string, n: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + n)
  }

  /** Work that nobody waits for; its failure is trouble like any other, and a sweep does it again. */
  #follow(work: Promise<void>): void {
    const followed = work.catch((error: unknown) => this.#trouble(error)).finally(() => this.#following.delete(followed))
    this.#following.add(followed)
  }

  #trouble(error: unknown): void {
    if (isStoreAway(error)) {
      this.#lostStore()
      return
    }
    this.#count('trouble', 1)
    this.#options.log.error({ err: error }, 'a stage of the engine failed and tries again')
  }

  #lostStore(): void {
    if (!this.#isStoreAway) this.#options.log.error({}, 'the store is away: nothing fires until it is back, reports wait')
    this.#isStoreAway = true
    this.#isMemoryDoubtful = true
  }

  #reached(): void {
    if (!this.#isStoreAway) return
    this.#isStoreAway = false
    this.#reachedSince = this.#options.clock.monotonic()
    this.#options.log.warn({}, 'the store is back')
  }
}
