import type { Register, Verdict } from '@tickwheel/contract'
import { PHASE, readTrace, type Scope } from '@tickwheel/core'
import type { BusMessage } from '../cluster/messages.ts'
import type { BeatAnswer, HeardAnswer, JoinAnswer, Link, LinkHost, Report, Session } from '../link/link.ts'
import type { Caller } from '../store/caller.ts'
import type { Database } from '../store/database.ts'
import {
  BootTooOld,
  drainExecutor,
  executorById,
  forgetExecutor,
  loseExecutor,
  registerExecutor,
  saveLink,
  type KnownExecutor,
  type Reach,
} from '../store/executors.ts'
import type { RunIds } from '../store/ids.ts'
import { attemptsAt, openRunsById } from '../store/open-runs.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import type { Clock } from './clock.ts'
import type { LiveExecutor } from './commands.ts'
import type { Definitions } from './definitions.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Events } from './events.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { Lending } from './lending.ts'
import type { LogIntake } from './log-intake.ts'
import type { Mail } from './mail.ts'
import { isThere, openRunOf, type OpenRun, type OpenRuns } from './open-runs.ts'
import { isRunFrame, type Receiver } from './receiver.ts'
import type { RestoreGuard } from './restore-guard.ts'
import { noteRejection, takesNew, type Member, type Roster } from './roster.ts'
import { RosterWatch } from './roster-watch.ts'
import type { Sender } from './sender.ts'
import type { SlotKeeper } from './slot-keeper.ts'
import type { Sweeper } from './sweeper.ts'

/** Messages about places at executors. */
export type LendingMessage = Extract<BusMessage, { kind: 'ask' | 'lend' | 'giveBack' }>

export interface ExecutorDeskOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  readonly guard: RestoreGuard
  readonly runId: number
  /** no other node shares the store */
  readonly isAlone: boolean
  readonly roster: Roster
  readonly runs: OpenRuns
  readonly definitions: Definitions
  readonly keeper: SlotKeeper
  readonly lending: Lending
  readonly sender: Sender
  readonly dispatcher: Dispatcher
  readonly sweeper: Sweeper
  readonly heartbeats: Heartbeats
  readonly receiver: Receiver
  readonly intake: LogIntake
  readonly mail: Mail
  readonly events: Events
  readonly isBusUp: () => boolean
  readonly link: () => Link | null
  /** whether a session token is good, and whose; the boot is checked here */
  readonly verifySession: (token: string) => Session | null
  readonly heartbeatMs: number
  readonly deadMs: number
  readonly log: { warn(facts: Readonly<Record<string, unknown>>, text: string): void }
  readonly count: (name: string, n: number) => void
  readonly follow: (work: Promise<void>) => void
  readonly onTrouble: (error: unknown) => void
}

/** Executors come, are heard of, and go: here, and at other nodes as far as this one has to know. */
export class ExecutorDesk implements LinkHost {
  readonly #options: ExecutorDeskOptions
  readonly #watch: RosterWatch

  constructor(options: ExecutorDeskOptions) {
    this.#options = options
    const { db, clock, roster, runId, keeper, dispatcher, follow, link } = options
    this.#watch = new RosterWatch({
      db,
      clock,
      roster,
      runId,
      isBusUp: options.isBusUp,
      isLive: (node) => keeper.isLive(node),
      onLeftBehind: (member, why) => this.#leftBehind(member, why),
      onDrain: (member) => link()?.drain(member, member.isDraining),
      onGone: (member) => this.#gone(member),
      onCome: (member) => follow(dispatcher.roomIn(member.groupId)),
    })
  }

  now(): number {
    return this.#options.clock.now()
  }

  /** Takes every executor that is online into the roster, as one that has just been heard of: it was not this process that missed its heartbeats. */
  async begin(): Promise<void> {
    await this.#watch.refresh()
    for (const member of this.#options.roster.all()) member.seenAt = Math.max(member.seenAt, this.now())
  }

  /** The roster as the store has it, where other nodes write too. */
  async refresh(): Promise<void> {
    if (!this.#options.isAlone) await this.#watch.refresh()
  }

  // ── what people and programs ask ──

  async register(groupId: number, register: Register, reach?: Reach): Promise<{ executorId: number; bootId: number }> {
    const { roster, clock, mail } = this.#options
    const known = await this.#registered(groupId, register, reach)
    const before = roster.get(known.row.id)
    if (before !== null && before.bootId !== known.row.boot_id) this.#leftBehind(before, 'superseded')
    const member = roster.put(known, clock.monotonic())
    member.refused.clear()
    member.backOffUntil = 0
    mail.executors([known.row.id])
    this.#tell(member)
    return { executorId: known.row.id, bootId: known.row.boot_id }
  }

  async drain(executorId: number, draining: boolean, scope: Scope, caller: Caller): Promise<void> {
    const { db, ids, roster, mail, link, follow, dispatcher } = this.#options
    await drainExecutor(db, { at: this.now(), auditId: await ids.take(1), executorId, draining, scope, caller })
    const known = await executorById(db, executorId)
    const member = roster.get(executorId)
    mail.executors([executorId])
    if (member !== null) {
      member.isDraining = draining
      if (member.isHere) link()?.drain(member, draining)
      if (!draining) follow(dispatcher.roomIn(member.groupId))
    }
    if (known !== null) this.#tell({ executorId, groupId: known.row.group_id })
  }

  async forget(executorId: number, scope: Scope, caller: Caller): Promise<void> {
    const { db, ids, roster, mail } = this.#options
    const { groupId } = await forgetExecutor(db, { at: this.now(), auditId: await ids.take(1), executorId, scope, caller })
    roster.remove(executorId)
    mail.executors([executorId])
    this.#tell({ executorId, groupId })
  }

  /** What is known of executors that are online, by id: what they run is read from the store where other nodes own slots too. */
  async live(): Promise<ReadonlyMap<number, LiveExecutor>> {
    const { roster, definitions } = this.#options
    const members = roster.all()
    const runs = await this.#inFlightAt(members)
    await definitions.loadOf([...runs.values()].flat())
    return new Map(
      members.map((member) => [
        member.executorId,
        {
          executorId: member.executorId,
          bootId: member.bootId,
          load: member.load,
          seenAt: member.seenAt,
          isConnected: member.linkRun !== null,
          isStopping: member.isStopping,
          inFlight: (runs.get(member.executorId) ?? []).map((run) => ({
            instanceId: run.id,
            attempt: run.attempt,
            taskId: run.taskId,
            taskName: definitions.peekOf(run)?.name ?? '',
            startedAt: run.startedAt,
          })),
        },
      ]),
    )
  }

  // ── what the links tell ──

  async join(hello: {
    token: string
    executorId: number
    bootId: number
    running: readonly { instanceId: number; attempt: number }[]
  }): Promise<JoinAnswer> {
    const { verifySession, clock, runId, heartbeatMs, deadMs } = this.#options
    const session = verifySession(hello.token)
    if (session?.executorId !== hello.executorId || session.bootId !== hello.bootId) return { kind: 'sessionUnknown' }
    if (!(await this.#hasNamed([hello.bootId, ...hello.running.map((run) => run.instanceId)]))) return { kind: 'storeAway' }
    const member = await this.#memberOf(session)
    if (typeof member === 'string') return { kind: member }
    member.isHere = true
    member.linkRun = runId
    member.isLinkSaved = await this.#saveLink(session, true)
    member.isStopping = false
    member.backOffUntil = 0
    member.seenAt = Math.max(member.seenAt, this.now())
    member.heardAt = clock.monotonic()
    this.#tell(member)
    return { kind: 'welcome', session, heartbeatMs, deadMs, draining: member.isDraining }
  }

  joined(session: Session): void {
    const { mail, follow, dispatcher } = this.#options
    const member = this.#here(session)
    if (member === null) return
    mail.executors([member.executorId])
    follow(this.#sendAll(member))
    follow(dispatcher.roomIn(member.groupId))
  }

  left(session: Session): void {
    const { roster, lending, follow } = this.#options
    const member = roster.ofSession(session)
    // it hangs on another node by now, and that one has told
    if (member?.isHere !== true) return
    member.isHere = false
    member.linkRun = null
    lending.forget(member.executorId)
    follow(this.#tellLeft(session))
    this.#tell(member)
  }

  async beat(session: Session, beat: Parameters<LinkHost['beat']>[1]): Promise<BeatAnswer> {
    const { lending, heartbeats } = this.#options
    lending.compare(session.executorId, new Set(beat.running.map((one) => one.instanceId)))
    // it may have registered at another node a moment ago
    if ((await this.#memberOf(session)) === 'storeAway') return { store: 'away', cancel: [], unknown: [] }
    const answer = (await heartbeats.take(session, beat)) ?? { store: 'ok', cancel: [], unknown: beat.running }
    this.#here(session)
    return answer
  }

  async hear(session: Session, beat: Parameters<LinkHost['hear']>[1]): Promise<HeardAnswer> {
    const { lending, heartbeats } = this.#options
    const member = await this.#memberOf(session)
    if (typeof member === 'string') return { kind: member }
    lending.compare(session.executorId, new Set(beat.running.map((one) => one.instanceId)))
    const answer = await heartbeats.take(session, beat)
    if (answer?.store === 'away') return { kind: 'storeAway' }
    const now = this.#options.roster.ofSession(session)
    if (answer === null || now === null) return { kind: 'sessionUnknown' }
    return { kind: 'heard', link: this.#linkOf(now), cancel: answer.cancel, unknown: answer.unknown }
  }

  async gone(session: Session): Promise<void> {
    const { db, roster, mail } = this.#options
    const member = roster.ofSession(session)
    if (member === null || (await attemptsAt(db, [member.executorId])).length > 0) return
    if (!(await loseExecutor(db, member.executorId, member.bootId, member.storedSeenAt))) return
    if (roster.ofSession(session) !== null) this.#gone(member)
    mail.executors([member.executorId])
  }

  async report(session: Session, frame: Report): Promise<Verdict | null> {
    const { receiver, intake } = this.#options
    if (isRunFrame(frame)) return receiver.take(session, frame)
    if (frame.type === 'log' || frame.type === 'logEnd') return intake.take(session, frame)
    return this.#reportOfExecutor(session, frame)
  }

  // ── what the stages and other nodes tell ──

  /** A run of an own slot that a report, written by another node, put back into its queue: its executor refused it. */
  sentBack(row: OpenInstanceRow, executorId: number): void {
    this.rejected(executorId, lastRejection(row), row.id)
  }

  /** An executor refused an attempt: the next choice is another. */
  rejected(executorId: number, code: string, instanceId: number): void {
    const { roster, runs, definitions, count } = this.#options
    count('rejected', 1)
    const member = roster.get(executorId)
    const run = runs.get(instanceId)
    const handler = run === null ? null : (definitions.peekOf(run)?.handler ?? null)
    if (member !== null) noteRejection(member, code, handler, this.now())
  }

  /** Heartbeats of these were written. */
  seen(members: readonly Member[]): void {
    this.#options.events.emit(members.map(({ executorId, groupId }) => ({ kind: 'executorChanged', executorId, groupId })))
  }

  /** This node has declared it lost. */
  lost(member: Member): void {
    const { count, log, mail } = this.#options
    count('executorsLost', 1)
    log.warn({ executorId: member.executorId, executor: member.name }, 'an executor is lost: no heartbeat')
    // its next process may have come while this was being written
    if (this.#options.roster.get(member.executorId)?.bootId === member.bootId) this.#gone(member)
    mail.executors([member.executorId])
  }

  /** Attempts that an executor names and memory does not have: those of other nodes' slots. */
  async readForeign(ids: readonly number[]): Promise<readonly OpenRun[]> {
    const { db, isAlone } = this.#options
    return isAlone || ids.length === 0 ? [] : (await openRunsById(db, ids)).map(openRunOf)
  }

  /** Another node has dispatched runs to executors that hang here, or wants them stopped. */
  async sendFor(from: number, ids: readonly number[]): Promise<void> {
    const runs = (await openRunsById(this.#options.db, ids)).map(openRunOf).filter((run) => this.#isHere(run))
    await this.#send(runs, from)
  }

  /** The node that holds the link of an executor; null: this one, or nobody. */
  linkElsewhere(executorId: number, bootId: number): number | null {
    const { roster, runId } = this.#options
    const member = roster.ofSession({ executorId, bootId })
    return member === null || member.isHere || member.linkRun === runId ? null : member.linkRun
  }

  lendingTold(message: LendingMessage): void {
    const { roster, lending, dispatcher, follow } = this.#options
    const member = roster.ofSession(message)
    if (member === null) return
    switch (message.kind) {
      case 'ask':
        if (member.isHere) lending.asked(message.from, member, message.want)
        return
      case 'giveBack':
        lending.givenBack(message.from, message.executorId, message.count)
        lending.grant(member)
        dispatcher.kick()
        return
      case 'lend':
        lending.received(message)
        follow(dispatcher.roomIn(member.groupId))
    }
  }

  /** Places at executors of other nodes: as many as runs wait here, and none that nobody needs. */
  askForPlaces(): void {
    const { isAlone, roster, runs, lending } = this.#options
    if (isAlone) return
    for (const member of roster.all()) {
      if (member.isHere || member.linkRun === null) continue
      // who waits for this one alone is set aside, and in no queue
      const pinned = runs.pinnedTo(member.executorId).length
      const queued = takesNew(member, this.now()) ? Math.max(runs.queuedOf(member.groupId), pinned) : 0
      if (queued === 0) lending.settle(member)
      else lending.want(member, Math.min(queued, member.capacity) - lending.borrowed(member))
    }
  }

  // ── inside ──

  #linkOf(member: Member): 'here' | 'elsewhere' | 'nobody' {
    const { isAlone, runId } = this.#options
    if (member.isHere) return 'here'
    return isAlone || member.linkRun === null || member.linkRun === runId ? 'nobody' : 'elsewhere'
  }

  /**
   * Whoever speaks over a link has it here, whatever was heard of it meanwhile; the store is told with the next look at the roster. One whose successor
   * came while it was joining is told now; null.
   */
  #here(session: Session): Member | null {
    const { roster, link, runId, isAlone } = this.#options
    const newest = roster.get(session.executorId)
    const member = roster.ofSession(session)
    if (newest !== null && newest.bootId > session.bootId) link()?.end(session, 'superseded')
    if (member === null) return null
    if (!member.isHere) {
      member.isHere = true
      member.linkRun = runId
      member.isLinkSaved = isAlone
    }
    return member
  }

  async #registered(groupId: number, register: Register, reach: Reach | undefined): Promise<KnownExecutor> {
    const { db, ids } = this.#options
    for (;;) {
      try {
        return await registerExecutor(db, { at: this.now(), bootId: await ids.take(1), groupId, register, reach })
      } catch (error) {
        if (!(error instanceof BootTooOld)) throw error
        await ids.compare()
      }
    }
  }

  async #reportOfExecutor(session: Session, frame: Extract<Report, { type: 'recovered' | 'drain' }>): Promise<Verdict | null> {
    const { roster, sweeper, mail, onTrouble } = this.#options
    const member = roster.ofSession(session)
    if (member === null) return 'stale'
    try {
      if (frame.type === 'recovered') {
        await sweeper.recovered(member)
        mail.executors([member.executorId])
      } else member.isStopping = true
    } catch (error) {
      onTrouble(error)
      return null
    }
    this.#tell(member)
    return 'done'
  }

  /** What an executor that has come should have and has not accepted, and what it should stop. */
  async #sendAll(member: Member): Promise<void> {
    const rows = await attemptsAt(this.#options.db, [member.executorId])
    await this.#send(rows.filter((row) => row.boot_id === member.bootId).map(openRunOf), null)
  }

  async #send(runs: readonly OpenRun[], from: number | null): Promise<void> {
    const { keeper, lending, sender } = this.#options
    for (const run of runs)
      if (run.executorId !== null && isThere(run) && !keeper.holds(run.slot)) lending.fly(run.executorId, run.id, from)
    sender.cancel(runs.filter((run) => run.cancelAt !== null))
    // behind its cancel also one that is to be stopped: the executor refuses it then, and the run has ended
    await sender.dispatch(runs.filter((run) => run.phase === PHASE.dispatched && run.acceptedAt === null))
  }

  #isHere({ executorId, bootId }: OpenRun): boolean {
    return executorId !== null && bootId !== null && this.#options.roster.ofSession({ executorId, bootId })?.isHere === true
  }

  async #inFlightAt(members: readonly Member[]): Promise<ReadonlyMap<number, readonly OpenRun[]>> {
    const { db, keeper, runs } = this.#options
    if (!keeper.hasOthers) return new Map(members.map(({ executorId }) => [executorId, runs.ofExecutor(executorId)]))
    const byExecutor = new Map<number, OpenRun[]>()
    const rows = await attemptsAt(
      db,
      members.map((member) => member.executorId),
    )
    for (const run of rows.map(openRunOf)) {
      if (run.executorId === null) continue
      byExecutor.set(run.executorId, [...(byExecutor.get(run.executorId) ?? []), run])
    }
    return byExecutor
  }

  async #memberOf(session: Session): Promise<Member | 'sessionUnknown' | 'superseded' | 'storeAway'> {
    const { db, roster, clock, onTrouble } = this.#options
    const member = roster.ofSession(session)
    if (member !== null) return member
    try {
      const known = await executorById(db, session.executorId)
      if (known === null) return 'sessionUnknown'
      if (known.row.boot_id > session.bootId) return 'superseded'
      return known.row.boot_id === session.bootId ? roster.put(known, clock.monotonic()) : 'sessionUnknown'
    } catch (error) {
      onTrouble(error)
      return 'storeAway'
    }
  }

  async #hasNamed(runIds: readonly number[]): Promise<boolean> {
    try {
      await this.#options.guard.named(runIds)
      return true
    } catch (error) {
      this.#options.onTrouble(error)
      return false
    }
  }

  /** False: the store is away, and it is written when it is back. */
  async #saveLink({ executorId, bootId }: Session, isHere: boolean): Promise<boolean> {
    const { db, runId, isAlone, onTrouble } = this.#options
    if (isAlone) return true
    try {
      await saveLink(db, { executorId, bootId, runId, isHere })
      return true
    } catch (error) {
      onTrouble(error)
      return false
    }
  }

  async #tellLeft(session: Session): Promise<void> {
    await this.#saveLink(session, false)
    this.#options.mail.executors([session.executorId])
  }

  #leftBehind(member: Member, why: 'superseded' | 'sessionEnded'): void {
    this.#options.link()?.end(member, why)
    this.#options.lending.forget(member.executorId)
  }

  #gone(member: Member): void {
    this.#leftBehind(member, 'sessionEnded')
    this.#options.roster.remove(member.executorId)
    this.#tell(member)
  }

  #tell({ executorId, groupId }: { readonly executorId: number; readonly groupId: number }): void {
    this.#options.events.emit([{ kind: 'executorChanged', executorId, groupId }])
  }
}

/** By which code the last attempt was refused; where the trace is full and does not tell, one that passes by itself. */
function lastRejection(row: OpenInstanceRow): string {
  const last = readTrace(row.trace, row.created_at).findLast((entry) => entry.reason === 'rejected' || entry.reason === 'dispatched')
  const code = last?.reason === 'rejected' ? last.facts['code'] : null
  return typeof code === 'string' ? code : 'capacity'
}
