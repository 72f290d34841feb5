import {
  DOCUMENT_LIMITS,
  type BackfillBody,
  type BulkBody,
  type Register,
  type RouteAnswer,
  type TaskCreate,
  type TaskUpdate,
  type Verdict,
  type WorkflowRetryBody,
  type WorkflowTriggerBody,
  type WorkflowCreate,
  type WorkflowUpdate,
} from '@tickwheel/contract'
import { CAUSE, PHASE, type Random, type Scope } from '@tickwheel/core'
import type { Cluster } from '../cluster/cluster.ts'
import type { NodeBeat } from '../cluster/members.ts'
import type { BeatAnswer, HeardAnswer, JoinAnswer, Link, LinkHost, Report, Session } from '../link/link.ts'
import { cancelBackfill, startBackfill, type BackfillTarget } from '../store/backfills.ts'
import { cancelBulk, startBulk, type Begun } from '../store/bulks.ts'
import { SYSTEM, type Caller, type Change } from '../store/caller.ts'
import { cancelOne, cancelRuns, cancelWorkflowRun, skipRuns, type CancelRequest } from '../store/cancel.ts'
import type { Database } from '../store/database.ts'
import type { Reach } from '../store/executors.ts'
import { RunIds } from '../store/ids.ts'
import type { RunReport } from '../store/judge.ts'
import type { LogStore } from '../store/logs.ts'
import { openRunsById } from '../store/open-runs.ts'
import type { RunChange } from '../store/report.ts'
import type { RunRights } from '../store/run-rights.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import type { TaskChanged } from '../store/scheduled.ts'
import { readCalendarsAgain } from '../store/span-calendar.ts'
import { TASK, WORKFLOW } from '../store/scheduled-kind.ts'
import { applyDocument, type Applied } from '../store/apply-document.ts'
import { itemsIn } from '../store/document-items.ts'
import { createTask, deleteTask, restoreTaskVersion, setTaskEnabled, updateTask } from '../store/tasks.ts'
import { retry, type OpenRunCounts } from '../store/trigger.ts'
import {
  completeStep,
  decideStep,
  pauseWorkflowRun,
  resumeWorkflowRun,
  type Completion,
  type Decision,
  type FlowCommand,
} from '../store/workflow-commands.ts'
import { retryWorkflowRun } from '../store/workflow-retry.ts'
import { triggerWorkflow } from '../store/workflow-trigger.ts'
import { createWorkflow, restoreWorkflowVersion, updateWorkflow } from '../store/workflows.ts'
import { Advancer } from './advancer.ts'
import { AlarmWatch } from './alarm-watch.ts'
import { Backfiller } from './backfiller.ts'
import { BulkHands, type Scopes } from './bulk-hands.ts'
import { BulkWorker } from './bulk-worker.ts'
import { CalendarCarrier } from './calendar-carrier.ts'
import { Chooser } from './chooser.ts'
import type { Clock, Wake } from './clock.ts'
import { clusterView, factsOf } from './cluster-view.ts'
import type { ClusterView, Commands, DocumentWish, EngineStatus, LiveExecutor, NodeFacts, TriggerWish } from './commands.ts'
import { Conductor } from './conductor.ts'
import { Credits } from './credits.ts'
import { Definitions } from './definitions.ts'
import { Dispatcher } from './dispatcher.ts'
import { EventRelay, otherNodes } from './event-relay.ts'
import { Events } from './events.ts'
import { ExecutorDesk } from './executor-desk.ts'
import { Firer } from './firer.ts'
import { GroupLimits } from './group-limits.ts'
import { Heartbeats } from './heartbeats.ts'
import { Lending } from './lending.ts'
import { Loader } from './loader.ts'
import { LogIntake } from './log-intake.ts'
import { Mail } from './mail.ts'
import { OpenRuns } from './open-runs.ts'
import { isStoreAway, Pump } from './pump.ts'
import { Receiver } from './receiver.ts'
import { reckonerOf } from './reckoner-of.ts'
import { RestoreGuard } from './restore-guard.ts'
import { Roster } from './roster.ts'
import { EMPTY_BOOK, type ReferenceBook, type SecretUse } from './reference-book.ts'
import { Filler } from './filler.ts'
import { RunMasks } from './run-masks.ts'
import { previewTaskRoute } from './route-preview.ts'
import { RunMemory } from './run-memory.ts'
import { Sender } from './sender.ts'
import { Sharder } from './sharder.ts'
import { SeriesTable } from './series-table.ts'
import { SlotKeeper } from './slot-keeper.ts'
import { Sweeper } from './sweeper.ts'
import { Timekeeper } from './timekeeper.ts'
import { TriggerDesk } from './trigger-desk.ts'

const SWEEP_MS = 1000
const FROZEN_MS = 2500
/** A task with so many open runs is told to the other nodes, at most so many of them. */
const FULL_TASK = 200
const FULL_TASKS_TOLD = 100

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
  readonly node: {
    readonly name: string
    /** where other nodes and people reach it; empty: not told */
    readonly url: string
    /** `scheduler`: it owns slots and fires; `api`: it serves people and programs. Every node takes links of executors. */
    readonly roles: readonly ('api' | 'scheduler')[]
  }
  readonly cluster: Pick<Cluster, 'leases' | 'bus' | 'members' | 'marks' | 'state'>
  /** how far the clock of this machine is ahead of the database's, ms */
  readonly skewMs: () => number
  readonly version: string
  readonly serverZone: string
  /** what the last editor of a workflow may run, asked when its steps start; absent: everything */
  readonly rightsOf?: (userId: number) => Promise<RunRights>
  /** what who has asked for a bulk operation may do, asked when the turn of each of its items comes; absent: everything */
  readonly scopesOf?: (caller: Caller) => Promise<Scopes>
  /** whether a session token is good, and whose; the boot is checked by the engine */
  readonly verifySession: (token: string) => Session | null
  readonly heartbeatMs: number
  readonly deadMs: number
  readonly logLimitBytes: number
  readonly maxOpenRuns: number
  /** variables and secrets; absent: there are none */
  readonly references?: ReferenceBook
  /** runs were given secrets */
  readonly onSecrets?: (uses: readonly SecretUse[]) => void
}

/**
 * The engine: joins the stages (clock → wheel → fire → route → link → report → state) and takes commands. It holds no decision of its own; each stage
 * is a file beside this one.
 */
export class Engine implements Commands, LinkHost {
  readonly events = new Events()
  /** Tell it once a second what the other nodes are (`see`), and the others what it says of this one (`isWatching`). */
  readonly relay: EventRelay
  readonly #options: EngineOptions
  readonly #ids: RunIds
  readonly #guard: RestoreGuard
  readonly #runs = new OpenRuns()
  readonly #roster = new Roster()
  readonly #table = new SeriesTable()
  readonly #counts = new Map<string, number>()
  readonly #definitions: Definitions
  readonly #limits: GroupLimits
  readonly #timekeeper: Timekeeper
  readonly #keeper: SlotKeeper
  readonly #loader: Loader
  readonly #firer: Firer
  readonly #dispatcher: Dispatcher
  readonly #sender: Sender
  readonly #sharder: Sharder
  readonly #conductor: Conductor
  readonly #receiver: Receiver
  readonly #intake: LogIntake
  readonly #heartbeats: Heartbeats
  readonly #advancer: Advancer
  readonly #alarms: AlarmWatch
  readonly #backfiller: Backfiller
  readonly #bulks: BulkWorker
  readonly #calendars: CalendarCarrier
  readonly #sweeper: Sweeper
  readonly #desk: TriggerDesk
  readonly #sweepPump: Pump
  readonly #hints: Pump
  readonly #hinted = new Set<number>()
  readonly #following = new Set<Promise<void>>()
  readonly #credits: Credits
  readonly #mail: Mail
  readonly #executors: ExecutorDesk
  readonly #memory: RunMemory
  readonly #chooser: Chooser
  readonly #rosterPump: Pump
  #runId = 0
  #link: Link | null = null
  #sweepWake: Wake | null = null
  #reachedSince: number
  #isStoreAway = false
  #isMemoryDoubtful = false
  #isStopped = true

  private constructor(options: EngineOptions, runId: number, ids: RunIds, guard: RestoreGuard) {
    const { db, clock } = options
    this.#options = options
    this.#runId = runId
    this.#ids = ids
    this.#guard = guard
    this.#reachedSince = clock.monotonic()
    this.relay = new EventRelay({ runId, events: this.events, clock, cluster: options.cluster })
    const onTrouble = (error: unknown): void => this.#trouble(error)
    const onRecovered = (): void => this.#reached()
    const lending = new Lending({
      runId,
      clock,
      publish: (to, message) => options.cluster.bus.publish(`node:${to}`, message),
      room: (member) => this.#credits.room(member),
      hasQueue: (groupId) => !this.#runs.isLaneEmpty(groupId),
    })
    const credits = new Credits(
      this.#runs,
      options.cluster.state === 'none'
        ? null
        : { lending, runId, isBusUp: () => options.cluster.bus.isUp, schedulers: () => this.#keeper.schedulers, now: () => clock.now() },
    )
    this.#credits = credits
    this.#definitions = new Definitions(db)
    this.#limits = new GroupLimits(db, this.#runs)
    this.#keeper = new SlotKeeper({
      db,
      clock,
      node: { runId, ...options.node, version: options.version },
      cluster: options.cluster,
      facts: () => this.#facts(),
      isWatching: () => this.relay.isWatching,
      onGained: (slots) => this.#gained(slots),
      onLost: (slots) => this.#lost(slots),
      onBeat: (isWritten, gapMs) => (isWritten ? this.#reached(gapMs) : this.#lostStore()),
      onTakenOver: (slots, from) => options.log.warn({ slots, from }, 'slots of a node that is gone were taken over'),
      onLook: (beats) => this.#looked(beats),
      onTrouble,
    })
    this.#mail = new Mail({
      runId,
      clock,
      bus: options.cluster.bus,
      ownerOf: (slot) => this.#keeper.ownerOf(slot),
      onMembers: () => this.#keeper.kick(),
      onExecutors: () => this.#rosterPump.kick(),
      onSeries: (ids) => this.#hint(ids),
      onRuns: async (ids) => this.#memory.news(ids, await openRunsById(db, ids)),
      onSend: (from, ids) => this.#executors.sendFor(from, ids),
      onLending: (message) => this.#executors.lendingTold(message),
      onRoom: (groupIds) => this.#dispatcher.freed(groupIds),
      onTrouble,
    })
    this.#rosterPump = new Pump({ clock, onTrouble, onRecovered }, () => this.#refreshRoster())
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
    this.#chooser = new Chooser({ roster: this.#roster, credits, random: options.random })
    this.#dispatcher = new Dispatcher({
      db,
      clock,
      keeper: this.#keeper,
      guard,
      runs: this.#runs,
      credits,
      chooser: this.#chooser,
      limits: this.#limits,
      definitions: this.#definitions,
      onDispatched: (claimed, changed) => this.#dispatched(claimed, changed),
      onSplit: (wishes) => this.#sharder.split(wishes),
      onBegin: (wishes) => this.#conductor.begin(wishes),
      onSkip: (skips) => this.#skip(skips),
      onReplace: (replacements) => this.#replace(replacements),
      onTurn: () => this.#executors.askForPlaces(),
      onTrouble,
      onRecovered,
    })
    this.#sharder = new Sharder({
      db,
      clock,
      ids,
      keeper: this.#keeper,
      guard,
      runs: this.#runs,
      definitions: this.#definitions,
      isFull: () => this.#allOpenRuns() >= options.maxOpenRuns,
      onNews: (runIds, rows) => this.#memory.news(runIds, rows),
      onChanges: (changes) => this.#memory.apply(changes),
      onMade: (shards) => this.#memory.queued(shards),
      cancel: (runIds, by) => this.#cancelMany(runIds, SYSTEM, { by: by === '' ? SYSTEM.actor.name : by }),
      onTrouble,
      onRecovered,
    })
    this.#conductor = new Conductor({
      db,
      clock,
      ids,
      keeper: this.#keeper,
      guard,
      runs: this.#runs,
      definitions: this.#definitions,
      serverZone: options.serverZone,
      rightsOf: options.rightsOf ?? null,
      isFull: () => this.#allOpenRuns() >= options.maxOpenRuns,
      onNews: (runIds, rows) => this.#memory.news(runIds, rows),
      onChanges: (changes) => this.#memory.apply(changes),
      onSeen: (row) => void this.#memory.remember(row),
      onMade: (rows) => this.#memory.queued(rows),
      cancel: (runIds, by) => this.#cancelMany(runIds, SYSTEM, { by: by === '' ? SYSTEM.actor.name : by }),
      onBroken: (runId, error) => this.#broken(runId, error),
      onTrouble,
      onRecovered,
    })
    this.#firer = new Firer({
      db,
      clock,
      ids,
      keeper: this.#keeper,
      guard,
      table: this.#table,
      loader: this.#loader,
      definitions: this.#definitions,
      runs: this.#runs,
      isFull: () => this.#allOpenRuns() >= options.maxOpenRuns,
      takeSeat: (taskId, groupId, definition) => this.#dispatcher.takeSeat(taskId, groupId, definition),
      onLimited: (groupIds) => this.#limits.learn(groupIds),
      clearSeats: () => this.#dispatcher.clearSeats(),
      onFired: (rows, counts) => this.#fired(rows, counts),
      onWritten: () => (this.#runs.queued > 0 ? this.#dispatcher.kick() : undefined),
      onReplace: (replacements) => this.#follow(this.#replace(replacements)),
      onHeld: (id, error) => this.#held(id, error),
      onTrouble,
      onRecovered,
    })
    const book = options.references ?? EMPTY_BOOK
    const filler = new Filler(book)
    const masks = new RunMasks({ db, definitions: this.#definitions, filler, book })
    this.#sender = new Sender({
      filler,
      masks,
      lose: (losses) => this.#sweeper.lose(losses),
      onSecrets: (uses) => options.onSecrets?.(uses),
      db,
      clock,
      guard,
      definitions: this.#definitions,
      link: () => this.#link,
      elsewhere: (executorId, bootId) => this.#executors.linkElsewhere(executorId, bootId),
      tell: (node, ids) => this.#mail.send(node, ids),
      logLimitBytes: options.logLimitBytes,
    })
    this.#receiver = new Receiver({
      db,
      clock,
      ids,
      masks,
      onChanges: (changes, reports) => this.#reported(changes, reports),
      onFull: (isFull) => (isFull ? this.#link?.pause() : this.#link?.resume()),
      onTrouble,
      onRecovered,
    })
    this.#intake = new LogIntake({ db, logs: options.logs, clock, runs: this.#runs, events: this.events, masks, onTrouble })
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
      onChanges: (changes) => this.#memory.apply(changes),
      onFound: (rows) => this.#memory.found(rows),
      onReady: (runIds) => this.#dispatcher.ready(runIds),
      onResend: (runs) => this.#sender.dispatch(runs),
      onCancel: (runs) => this.#sender.cancel(runs),
      onLost: (member) => this.#executors.lost(member),
      hasOthers: () => this.#keeper.hasOthers,
      onNews: (ids, rows) => this.#memory.news(ids, rows),
    })
    this.#heartbeats = new Heartbeats({
      db,
      clock,
      runs: this.#runs,
      roster: this.#roster,
      onSeen: (members) => this.#executors.seen(members),
      readForeign: (ids) => this.#executors.readForeign(ids),
      onMissing: (runs) => this.#follow(this.#sweeper.missing(runs)),
      onTrouble,
      onRecovered,
    })
    this.#advancer = new Advancer({
      db,
      clock,
      keeper: this.#keeper,
      events: this.events,
      ids,
      onChanges: (changes) => this.#memory.apply(changes),
      onBackfilled: () => this.#backfiller.kick(),
      onSeries: (seriesIds) => this.#loader.hint(seriesIds),
      onTrouble,
      onRecovered,
    })
    this.#alarms = new AlarmWatch({
      db,
      clock,
      ids,
      keeper: this.#keeper,
      runs: this.#runs,
      events: this.events,
      onTrouble,
      onRecovered,
    })
    this.#backfiller = new Backfiller({
      db,
      clock,
      ids,
      keeper: this.#keeper,
      guard,
      isFull: () => this.#allOpenRuns() >= options.maxOpenRuns,
      onMade: (rows) => this.#memory.queued(rows),
      cancel: (runIds) => this.#cancelMany(runIds, SYSTEM),
      onBroken: (backfillId, error) => this.#brokenBackfill(backfillId, error),
      onTrouble,
      onRecovered,
    })
    this.#calendars = new CalendarCarrier({
      db,
      clock,
      keeper: this.#keeper,
      guard,
      onMoved: (changed) => this.#taskChanged(changed),
      onTrouble,
      onRecovered,
    })
    this.#bulks = new BulkWorker({
      db,
      clock,
      keeper: this.#keeper,
      guard,
      hands: new BulkHands({
        db,
        clock,
        ids,
        scopesOf: options.scopesOf ?? null,
        openRunsOf: (taskId) => this.#openRunCounts(taskId),
        onMade: (row) => this.#memory.queued([row]),
        onRetried: (instanceId, row) => this.#retried(instanceId, row),
        onChanges: (changes) => this.#memory.apply(changes),
        onScheduled: (changed) => this.#taskChanged(changed),
        cancelMany: (runIds, caller) => this.#cancelMany(runIds, caller),
      }),
      onChanged: (bulkIds) => this.events.emit(bulkIds.map((bulkId) => ({ kind: 'bulkChanged', bulkId }))),
      onBroken: (bulkId, targetId, error) => this.#brokenBulk(bulkId, targetId, error),
      onTrouble,
      onRecovered,
    })
    this.#desk = new TriggerDesk({
      db,
      clock,
      ids,
      onMade: (made) => this.#memory.queued(made.flatMap(({ row }) => row ?? [])),
      onRecovered,
    })
    this.#sweepPump = new Pump({ clock, onTrouble, onRecovered }, () => this.#sweep())
    this.#hints = new Pump({ clock, onTrouble, onRecovered }, () => this.#takeHints())
    const shared = {
      db,
      roster: this.#roster,
      runs: this.#runs,
      keeper: this.#keeper,
      dispatcher: this.#dispatcher,
      sender: this.#sender,
      lending,
      mail: this.#mail,
      events: this.events,
      count: (name: string, n: number): void => this.#count(name, n),
      follow: (work: Promise<void>): void => this.#follow(work),
    }
    this.#memory = new RunMemory({
      ...shared,
      timekeeper: this.#timekeeper,
      onParent: () => {
        this.#sharder.kick()
        this.#conductor.kick()
      },
      onFlow: () => this.#conductor.kick(),
      now: () => this.now(),
      advancer: this.#advancer,
      limits: this.#limits,
      onSentBack: (row, executorId) => this.#executors.sentBack(row, executorId),
    })
    this.#executors = new ExecutorDesk({
      ...shared,
      clock,
      ids,
      guard,
      runId,
      isAlone: this.#isAlone,
      isBusUp: () => options.cluster.bus.isUp,
      definitions: this.#definitions,
      sweeper: this.#sweeper,
      heartbeats: this.#heartbeats,
      receiver: this.#receiver,
      intake: this.#intake,
      link: () => this.#link,
      verifySession: options.verifySession,
      heartbeatMs: options.heartbeatMs,
      deadMs: options.deadMs,
      log: options.log,
      onTrouble,
    })
  }

  /** An engine on a store that is migrated already. It does nothing before `start`. */
  static async create(options: EngineOptions): Promise<Engine> {
    const ids = new RunIds(options.db, () => options.clock.now())
    const { db, clock, log, cluster } = options
    const guard = new RestoreGuard({ db, ids, clock, log, marks: cluster.marks })
    await guard.learn()
    return new Engine(options, await ids.take(1), ids, guard)
  }

  // ── life ──

  /** Takes the slots, reads what is open, and begins to fire. */
  async start(link: Link): Promise<void> {
    this.#link = link
    this.#mail.open()
    await this.#alarms.refresh()
    await this.#keeper.start()
    await this.#executors.begin()
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
    for (const pump of [
      this.#sweepPump,
      this.#firer.pump,
      this.#hints,
      this.#dispatcher.pump,
      this.#sharder.pump,
      this.#conductor.pump,
      this.#advancer.pump,
      this.#alarms.pump,
      this.#backfiller.pump,
      this.#bulks.pump,
      this.#calendars.pump,
      this.#rosterPump,
    ])
      await pump.stop()
    try {
      await this.#keeper.leave()
    } catch (error) {
      // others take the slots when its beats stay away
      this.#trouble(error)
    }
  }

  /** The end: takes nothing more. Call when the links are closed. */
  async stop(): Promise<void> {
    await this.retire()
    await this.#mail.close()
    for (const pump of [this.#desk.pump, this.#receiver.pump, this.#intake.pump, this.#heartbeats.pump]) await pump.stop()
    await Promise.all(this.#following)
    this.relay.stop()
  }

  /** Until nothing is being worked on: what a test with a hand-turned clock waits for. */
  async settled(): Promise<void> {
    const pumps = [
      this.#sweepPump,
      this.#firer.pump,
      this.#hints,
      this.#dispatcher.pump,
      this.#sharder.pump,
      this.#conductor.pump,
      this.#advancer.pump,
      this.#alarms.pump,
      this.#backfiller.pump,
      this.#bulks.pump,
      this.#calendars.pump,
      this.#desk.pump,
      this.#receiver.pump,
      this.#intake.pump,
      this.#heartbeats.pump,
      this.#rosterPump,
      this.#mail.pump,
    ]
    while (pumps.some((pump) => pump.isBusy) || this.#following.size > 0 || this.#keeper.isBeating) {
      await this.#keeper.idle()
      await this.#guard.idle()
      for (const pump of pumps) await pump.idle()
      await Promise.all(this.#following)
    }
  }

  status(): EngineStatus {
    return {
      runId: this.#runId,
      isFiring: !this.#isStopped && this.#keeper.isTrusted,
      isInTime: this.#keeper.isSteady,
      beatAgeMs: this.#keeper.beatAgeMs,
      slotsOwned: this.#keeper.slots.size,
      contended: this.#keeper.contended,
      lagMs: this.#timekeeper.lagMs,
      held: this.#guard.held,
      armedTimers: this.#timekeeper.armed,
      openRuns: this.#runs.size,
      queuedRuns: this.#runs.queued,
      liveExecutors: this.#roster.all().filter((member) => member.isHere).length,
      storeAway: this.#isStoreAway,
      counts: { ...Object.fromEntries(this.#counts), logLines: this.#intake.linesTaken, reportBacklog: this.#receiver.backlog },
    }
  }

  /** Whether this node does what one node does for all: whoever owns the first slot. */
  get keepsHouse(): boolean {
    return this.#keeper.isTrusted && this.#keeper.slots.has(0)
  }

  /** Whether this node reckons: one that does not fire, if there is one, else one that does not keep house. */
  get reckons(): boolean {
    if (!this.#keeper.isSteady) return false
    const nodes = this.#keeper.live.map((node) => ({ runId: node.run_id, fires: node.roles.split(',').includes('scheduler') }))
    return reckonerOf(nodes, this.#keeper.rows.slots[0]?.owner_run ?? null) === this.#runId
  }

  now(): number {
    return this.#options.clock.now()
  }

  // ── commands ──

  async cluster(): Promise<ClusterView> {
    return clusterView({
      rows: this.#keeper.rows,
      leases: await this.#keeper.leases(),
      runId: this.#runId,
      now: this.now(),
      isLive: (runId) => this.#keeper.isLive(runId),
      level: this.#keeper.level,
      store: this.#options.db.dialect.keepsLogs ? 'mysql' : 'sqlite',
      redis: this.#options.cluster.state,
      held: this.#guard.held,
    })
  }

  async resumeFiring(how: 'fromNow' | 'replay', caller: Caller): Promise<void> {
    await this.#guard.resume(how, await this.#change('all', caller))
    this.#sweepPump.kick()
  }

  async createTask(input: TaskCreate, scope: Scope, caller: Caller, mayRefer: Scope = []): Promise<{ taskId: number }> {
    const { db, serverZone } = this.#options
    const changed = await createTask(db, { input, serverZone, mayRefer }, await this.#change(scope, caller))
    await this.#taskChanged(changed)
    return { taskId: changed.taskId }
  }

  async updateTask(taskId: number, input: TaskUpdate, scope: Scope, caller: Caller, mayRefer: Scope = []): Promise<void> {
    const { db, serverZone } = this.#options
    await this.#taskChanged(await updateTask(db, { taskId, input, serverZone, mayRefer }, await this.#change(scope, caller)))
  }

  async restoreTaskVersion(taskId: number, version: number, scope: Scope, caller: Caller, mayRefer: Scope = []): Promise<void> {
    const { db, serverZone } = this.#options
    await this.#taskChanged(await restoreTaskVersion(db, { taskId, version, serverZone, mayRefer }, await this.#change(scope, caller)))
  }

  async startTask(taskId: number, scope: Scope, caller: Caller): Promise<void> {
    await this.#toggle({ taskId, isEnabled: true, kind: TASK }, scope, caller)
  }

  async stopTask(taskId: number, { cancelRunning }: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void> {
    const openRunIds = await this.#toggle({ taskId, isEnabled: false, kind: TASK, cancelRunning }, scope, caller)
    if (cancelRunning) await this.#cancelMany(openRunIds, caller)
  }

  async deleteTask(taskId: number, { cancelRunning }: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void> {
    await this.#delete({ taskId, cancelRunning, kind: TASK }, scope, caller)
  }

  async createWorkflow(input: WorkflowCreate, mayRun: RunRights, scope: Scope, caller: Caller): Promise<{ workflowId: number }> {
    const { db, serverZone } = this.#options
    const changed = await createWorkflow(db, { input, serverZone, mayRun }, await this.#change(scope, caller))
    await this.#taskChanged(changed)
    return { workflowId: changed.taskId }
  }

  async updateWorkflow(workflowId: number, input: WorkflowUpdate, mayRun: RunRights, scope: Scope, caller: Caller): Promise<void> {
    const { db, serverZone } = this.#options
    await this.#taskChanged(await updateWorkflow(db, { workflowId, input, serverZone, mayRun }, await this.#change(scope, caller)))
  }

  async restoreWorkflowVersion(workflowId: number, version: number, mayRun: RunRights, scope: Scope, caller: Caller): Promise<void> {
    const { db, serverZone } = this.#options
    await this.#taskChanged(
      await restoreWorkflowVersion(db, { workflowId, version, serverZone, mayRun }, await this.#change(scope, caller)),
    )
  }

  async startWorkflow(workflowId: number, scope: Scope, caller: Caller): Promise<void> {
    await this.#toggle({ taskId: workflowId, isEnabled: true, kind: WORKFLOW }, scope, caller)
  }

  async stopWorkflow(workflowId: number, { cancelRunning }: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void> {
    const openRunIds = await this.#toggle({ taskId: workflowId, isEnabled: false, kind: WORKFLOW, cancelRunning }, scope, caller)
    if (cancelRunning) await this.#cancelMany(openRunIds, caller)
  }

  async deleteWorkflow(workflowId: number, { cancelRunning }: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void> {
    await this.#delete({ taskId: workflowId, cancelRunning, kind: WORKFLOW }, scope, caller)
  }

  async applyDocument(wish: DocumentWish, caller: Caller): Promise<Applied> {
    const { db, serverZone } = this.#options
    const firstAuditId = await this.#ids.take(Math.min(DOCUMENT_LIMITS.items, Math.max(1, itemsIn(wish.document))))
    const applied = await applyDocument(db, { ...wish, serverZone, now: this.now(), firstAuditId, caller })
    await this.#tasksChanged(applied.changed)
    if (applied.items.some(({ kind, action }) => kind === 'calendar' && action === 'change')) this.calendarChanged()
    return applied
  }

  async trigger(taskId: number, body: TriggerWish, key: string | null, scope: Scope, caller: Caller): Promise<{ instanceId: number }> {
    const { instanceId } = await this.#desk.take({
      mayRefer: body.mayRefer ?? [],
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

  async previewRoute(taskId: number, scope: Scope): Promise<RouteAnswer> {
    const ownsSlot = (slot: number): boolean => this.#keeper.slots.has(slot)
    return previewTaskRoute({ db: this.#options.db, chooser: this.#chooser, ownsSlot, now: this.now() }, taskId, scope)
  }

  async cancelInstance(instanceId: number, scope: Scope, caller: Caller): Promise<void> {
    const firstId = await this.#ids.take(2)
    this.#memory.apply(
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
    if (made.row !== null) this.#memory.queued([made.row])
    if (made.row !== null) this.#retried(instanceId, made.row)
    return { instanceId: made.instanceId }
  }

  async triggerWorkflow(
    workflowId: number,
    { params, scheduledAt }: WorkflowTriggerBody,
    key: string | null,
    scope: Scope,
    caller: Caller,
  ): Promise<{ workflowRunId: number }> {
    const runId = await this.#ids.take(2)
    const made = await triggerWorkflow(this.#options.db, {
      workflowId,
      scope,
      at: this.now(),
      runId,
      auditId: runId + 1,
      keyHash: key,
      caller,
      params: params === undefined ? null : JSON.stringify(params),
      scheduledAt: scheduledAt === undefined ? null : Date.parse(scheduledAt),
      openRuns: this.#openRunCounts(workflowId),
    })
    if (made.row !== null) this.#memory.queued([made.row])
    return { workflowRunId: made.instanceId }
  }

  async cancelWorkflowRun(runId: number, scope: Scope, caller: Caller): Promise<void> {
    const firstId = await this.#ids.take(2)
    const request = { instanceId: runId, instanceIds: [runId], scope, at: this.now(), firstId, caller, by: caller.actor.name }
    this.#memory.apply(await cancelWorkflowRun(this.#options.db, request))
  }

  async pauseWorkflowRun(runId: number, scope: Scope, caller: Caller): Promise<void> {
    const { db, serverZone } = this.#options
    this.#flowChanged(await pauseWorkflowRun(db, { ...(await this.#flowCommand(runId, scope, caller)), serverZone }))
  }

  async resumeWorkflowRun(runId: number, scope: Scope, caller: Caller): Promise<void> {
    this.#flowChanged(await resumeWorkflowRun(this.#options.db, await this.#flowCommand(runId, scope, caller)))
  }

  async retryWorkflowRun(
    oldRunId: number,
    { from, version, done }: WorkflowRetryBody,
    key: string | null,
    scope: Scope,
    caller: Caller,
  ): Promise<{ workflowRunId: number }> {
    const runId = await this.#ids.take(2)
    const made = await retryWorkflowRun(this.#options.db, {
      oldRunId,
      scope,
      at: this.now(),
      runId,
      auditId: runId + 1,
      keyHash: key,
      caller,
      openRunsOf: (taskId) => this.#openRunCounts(taskId),
      from: from ?? null,
      version: version ?? 'same',
      done: done ?? [],
      serverZone: this.#options.serverZone,
    })
    if (made.row !== null) this.#memory.queued([made.row])
    if (made.row !== null)
      this.events.emit([{ kind: 'workflowRunChanged', workflowRunId: oldRunId, workflowId: made.row.task_id, groupId: made.row.group_id }])
    return { workflowRunId: made.instanceId }
  }

  async decideStep(runId: number, stepKey: string, decision: Decision, scope: Scope, caller: Caller): Promise<void> {
    const command = await this.#flowCommand(runId, scope, caller)
    this.#flowChanged(await decideStep(this.#options.db, { ...command, ...decision, key: stepKey }))
  }

  async completeStep(runId: number, stepKey: string, completion: Completion, scope: Scope, caller: Caller): Promise<void> {
    const command = await this.#flowCommand(runId, scope, caller)
    this.#flowChanged(await completeStep(this.#options.db, { ...command, ...completion, key: stepKey }))
  }

  async backfill(
    of: BackfillTarget,
    body: BackfillBody,
    key: string | null,
    scope: Scope,
    caller: Caller,
  ): Promise<{ backfillId: number }> {
    const change = await this.#change(scope, caller)
    const backfillId = await startBackfill(this.#options.db, { ...change, ...of, body, keyHash: key })
    this.#backfiller.kick()
    return { backfillId }
  }

  async cancelBackfill(backfillId: number, { cancelRunning }: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void> {
    await cancelBackfill(this.#options.db, { ...(await this.#change(scope, caller)), backfillId, cancelRunning })
    this.#backfiller.kick()
  }

  async startBulk(body: BulkBody, key: string | null, scope: Scope, caller: Caller): Promise<Begun> {
    const change = await this.#change(scope, caller)
    const begun = await startBulk(this.#options.db, { ...change, body, keyHash: key })
    this.#bulks.kick()
    return begun
  }

  async cancelBulk(bulkId: number, caller: Caller): Promise<void> {
    await cancelBulk(this.#options.db, { bulkId, caller, now: this.now(), auditId: await this.#ids.take(1) })
    this.events.emit([{ kind: 'bulkChanged', bulkId }])
  }

  calendarChanged(): void {
    this.#calendars.kick()
  }

  async registerExecutor(
    groupId: number,
    register: Register,
    _caller: Caller,
    reach?: Reach,
  ): Promise<{ executorId: number; bootId: number }> {
    return this.#executors.register(groupId, register, reach)
  }

  async drainExecutor(executorId: number, draining: boolean, scope: Scope, caller: Caller): Promise<void> {
    await this.#executors.drain(executorId, draining, scope, caller)
  }

  async forgetExecutor(executorId: number, scope: Scope, caller: Caller): Promise<void> {
    await this.#executors.forget(executorId, scope, caller)
  }

  /** What is known of executors that are online, by id. */
  async liveExecutors(): Promise<ReadonlyMap<number, LiveExecutor>> {
    return this.#executors.live()
  }

  // ── what the links tell ──

  async join(hello: Parameters<LinkHost['join']>[0]): Promise<JoinAnswer> {
    return this.#executors.join(hello)
  }

  joined(session: Session): void {
    this.#executors.joined(session)
  }

  left(session: Session): void {
    this.#executors.left(session)
  }

  async hear(session: Session, beat: Parameters<LinkHost['hear']>[1]): Promise<HeardAnswer> {
    return this.#executors.hear(session, beat)
  }

  async gone(session: Session): Promise<void> {
    await this.#executors.gone(session)
  }

  async beat(session: Session, beat: Parameters<LinkHost['beat']>[1]): Promise<BeatAnswer> {
    return this.#executors.beat(session, beat)
  }

  async report(session: Session, frame: Report): Promise<Verdict | null> {
    return this.#executors.report(session, frame)
  }

  // ── the stages' hand-overs ──

  /** A tick of the wheel: positive payloads are series, negative ones runs that waited for an instant, or runs of workflows to look at. */
  #due(payloads: readonly number[]): void {
    this.#firer.due(payloads.filter((payload) => payload > 0))
    const ready = payloads
      .flatMap((payload) => (payload < 0 ? [-payload] : []))
      .filter((id) => {
        const run = this.#runs.get(id)
        return run !== null && run.phase === PHASE.waiting && run.rankAt <= this.now()
      })
    if (ready.length > 0) this.#follow(this.#dispatcher.ready(ready))
    if (payloads.some((payload) => payload < 0 && this.#runs.get(-payload)?.isFlow === true)) this.#conductor.kick()
  }

  #reported(changes: readonly RunChange[], reports: readonly RunReport[]): void {
    for (const { executorId, frame } of reports)
      if (frame.type === 'rejected') this.#executors.rejected(executorId, frame.code, frame.instanceId)
    this.#memory.apply(changes)
  }

  #fired(rows: readonly OpenInstanceRow[], { fired, skipped }: { fired: number; skipped: number }): void {
    this.#count('fired', fired)
    this.#count('skipped', skipped)
    this.#memory.fired(rows)
  }

  async #dispatched(claimed: readonly number[], changed: readonly number[]): Promise<void> {
    this.#count('dispatched', claimed.length)
    await this.#memory.dispatched(claimed, changed)
  }

  /** A run that was retried shows by which. */
  #retried(instanceId: number, { task_id: taskId, group_id: groupId }: OpenInstanceRow): void {
    this.events.emit([{ kind: 'instanceChanged', instanceId, taskId, groupId }])
  }

  async #flowCommand(runId: number, scope: Scope, caller: Caller): Promise<FlowCommand> {
    return { runId, scope, at: this.now(), auditId: await this.#ids.take(1), caller }
  }

  #flowChanged(row: OpenInstanceRow): void {
    this.#memory.apply([{ kind: 'open', row }])
    this.#conductor.kick()
  }

  async #skip(skips: readonly { instanceId: number; blocker: number }[]): Promise<void> {
    const firstId = await this.#ids.take(skips.length)
    this.#memory.apply(await skipRuns(this.#options.db, this.now(), firstId, skips))
  }

  /** Overlap `replace`: what is open of the task gives way to a newer run, but for what a workflow or a backfill waits for. */
  async #replace(replacements: readonly { taskId: number; by: number }[]): Promise<void> {
    for (const { taskId, by } of replacements) {
      const older = this.#runs
        .ofTask(taskId)
        .filter((run) => run.id < by && run.cancelAt === null && run.workflowRunId === null && run.cause !== CAUSE.backfill)
      if (older.length > 0)
        await this.#cancelMany(
          older.map((run) => run.id),
          SYSTEM,
          { by: SYSTEM.actor.name, replacedBy: by },
        )
    }
  }

  async #cancelMany(
    instanceIds: readonly number[],
    caller: Caller,
    why: Pick<CancelRequest, 'by' | 'replacedBy'> = { by: caller.actor.name },
  ): Promise<void> {
    for (let from = 0; from < instanceIds.length; from += 500) {
      const part = instanceIds.slice(from, from + 500)
      const firstId = await this.#ids.take(2 * part.length)
      this.#memory.apply(
        await cancelRuns(this.#options.db, {
          instanceIds: part,
          scope: 'all',
          at: this.now(),
          firstId,
          caller,
          ...why,
        }),
      )
    }
  }

  /** Starts or stops a schedule; the runs that are open where it was stopped. */
  async #toggle(what: Parameters<typeof setTaskEnabled>[1], scope: Scope, caller: Caller): Promise<readonly number[]> {
    const changed = await setTaskEnabled(this.#options.db, what, await this.#change(scope, caller))
    await this.#taskChanged(changed)
    return changed.openRunIds
  }

  async #delete(what: Parameters<typeof deleteTask>[1], scope: Scope, caller: Caller): Promise<void> {
    const changed = await deleteTask(this.#options.db, what, await this.#change(scope, caller))
    await this.#taskChanged(changed)
    await this.#cancelMany(changed.openRunIds, caller)
  }

  async #taskChanged(changed: TaskChanged): Promise<void> {
    await this.#tasksChanged([changed])
  }

  async #tasksChanged(many: readonly TaskChanged[]): Promise<void> {
    const own = many.filter(({ slot }) => this.#keeper.holds(slot))
    for (const { slot, seriesId } of many) if (!this.#keeper.holds(slot)) this.#mail.series(slot, [seriesId])
    if (own.length > 0) await this.#hint(own.map(({ seriesId }) => seriesId))
    this.events.emit(many.map(({ taskId, groupId }) => ({ kind: 'taskChanged', taskId, groupId })))
  }

  async #hint(seriesIds: readonly number[]): Promise<void> {
    for (const id of seriesIds) this.#hinted.add(id)
    this.#hints.kick()
    await this.#hints.idle()
  }

  async #takeHints(): Promise<boolean> {
    const ids = [...this.#hinted]
    if (ids.length === 0) return false
    await this.#loader.hint(ids)
    for (const id of ids) this.#hinted.delete(id)
    return this.#hinted.size > 0
  }

  #held(seriesId: number, error: unknown): void {
    this.#count('seriesHeld', 1)
    this.#options.log.error({ seriesId, err: error }, 'a series is held: its data is wrong, and it does not fire until a person decides')
  }

  #broken(runId: number, error: unknown): void {
    this.#count('workflowRunsBroken', 1)
    this.#options.log.error({ runId, err: error }, 'a run of a workflow cannot go on: its data is wrong, and it is tried again in a minute')
  }

  #brokenBackfill(backfillId: number, error: unknown): void {
    this.#count('backfillsBroken', 1)
    this.#options.log.error({ backfillId, err: error }, 'a backfill cannot go on: its data is wrong, and it is tried again in a minute')
  }

  #brokenBulk(bulkId: number, targetId: number, error: unknown): void {
    this.#count('bulkItemsBroken', 1)
    this.#options.log.error({ bulkId, targetId, err: error }, 'an item of a bulk operation failed in a way that nobody expected')
  }

  // ── other nodes ──

  get #isAlone(): boolean {
    return this.#options.cluster.state === 'none'
  }

  /** Slots have come: what is open of them, before anything is decided for them. */
  async #gained(slots: ReadonlySet<number>): Promise<void> {
    await this.#memory.read(slots)
    this.#loader.expect()
    if (!this.#isStopped) this.#sweepPump.kick()
  }

  /** Slots have gone: nothing of them stays in memory, and the transactions that name them are waited for. */
  async #lost(slots: ReadonlySet<number>): Promise<void> {
    const forget = (): void => {
      this.#loader.forgetSlots(slots)
      this.#memory.forget(slots)
    }
    forget()
    await this.#firer.pump.turnOver()
    await this.#dispatcher.pump.turnOver()
    await this.#sharder.pump.turnOver()
    await this.#conductor.pump.turnOver()
    await this.#backfiller.pump.turnOver()
    await this.#bulks.pump.turnOver()
    await this.#calendars.pump.turnOver()
    // what these turns have put into memory meanwhile
    forget()
  }

  #looked(beats: readonly NodeBeat[] | null): void {
    this.#memory.looked()
    const live = this.#keeper.live.map((node) => ({ runId: node.run_id, redis: factsOf(node)?.redis ?? null }))
    this.relay.see(otherNodes(this.#runId, live, beats))
  }

  async #refreshRoster(): Promise<boolean> {
    await this.#executors.refresh()
    return false
  }

  #facts(): NodeFacts {
    return {
      lagMs: this.#timekeeper.lagMs,
      skewMs: this.#options.skewMs(),
      openRuns: this.#runs.size,
      queuedRuns: this.#runs.queued,
      links: this.#roster.all().filter((member) => member.isHere).length,
      redis: this.#options.cluster.state,
      contended: this.#keeper.contended,
      steadyMs: this.#keeper.steadyMs,
      fullTasks: this.#runs.size < FULL_TASK ? [] : this.#runs.fullTasks(FULL_TASK, FULL_TASKS_TOLD),
    }
  }

  /** Open runs of all nodes, those of others as of their last beat. */
  #allOpenRuns(): number {
    return this.#runs.size + this.#others().reduce((sum, facts) => sum + facts.openRuns, 0)
  }

  #others(): NodeFacts[] {
    return this.#isAlone ? [] : this.#keeper.live.flatMap((node) => (node.run_id === this.#runId ? [] : (factsOf(node) ?? [])))
  }

  // ── background ──

  async #sweep(): Promise<boolean> {
    // nothing fires while the guard is in doubt: memory is made again before it looks
    if (this.#isMemoryDoubtful) await this.#readAgain()
    if (await this.#guard.beat()) await this.#readAgain()
    await this.#refreshRoster()
    await this.#limits.refresh()
    await this.#loader.sweep()
    await this.#sweeper.sweep()
    await this.#dispatcher.wakePinned()
    await this.#dispatcher.explainWaits()
    this.#firer.pump.kick()
    this.#dispatcher.lookAtAll()
    this.#sharder.kick()
    this.#conductor.kick()
    this.#advancer.kick()
    this.#backfiller.kick()
    this.#bulks.sweep()
    this.#calendars.kick()
    await this.#alarms.sweep()
    return false
  }

  async #readAgain(): Promise<void> {
    this.#isMemoryDoubtful = false
    try {
      await readCalendarsAgain(this.#options.db)
      await this.#memory.readAgain()
      this.#loader.reset()
    } catch (error) {
      this.#isMemoryDoubtful = true
      throw error
    }
  }

  #sleepUntilSweep(): void {
    if (this.#isStopped) return
    this.#sweepWake = this.#options.clock.after(SWEEP_MS, () => {
      this.#sweepPump.kick()
      this.#sleepUntilSweep()
    })
  }

  async #change(scope: Scope, caller: Caller): Promise<Change> {
    return { now: this.now(), auditId: await this.#ids.take(1), scope, caller }
  }

  #openRunCounts(taskId: number): OpenRunCounts {
    const elsewhere = this.#others().flatMap((facts) => facts.fullTasks.filter(([id]) => id === taskId).map(([, open]) => open))
    const ofTask = this.#runs.countOfTask(taskId).open + this.#memory.triggered(taskId) + Math.max(0, ...elsewhere)
    return { now: this.#allOpenRuns(), max: this.#options.maxOpenRuns, ofTask }
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
    this.#guard.doubt()
    if (!this.#isStoreAway) this.#options.log.error({}, 'the store is away: nothing fires until it is back, reports wait')
    this.#isStoreAway = true
    this.#isMemoryDoubtful = true
    this.#sweepPump.kick()
  }

  /** `gapMs`: between two beats. A process that was frozen has not reached the store meanwhile, and has heard of nobody. */
  #reached(gapMs = 0): void {
    if (gapMs > FROZEN_MS) this.#reachedSince = this.#options.clock.monotonic()
    if (!this.#isStoreAway) return
    this.#isStoreAway = false
    this.#reachedSince = this.#options.clock.monotonic()
    this.#options.log.warn({}, 'the store is back')
  }
}
