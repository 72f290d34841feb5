import type { TaskDefinition } from '@tickwheel/contract'
import { CAUSE, PHASE, queueRankAt, REASON, type Facts, type Reason } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import { dispatch, type Claim, type Parking } from '../store/dispatch.ts'
import type { GroupFull } from '../store/group-limits.ts'
import { isSharded } from '../store/is-sharded.ts'
import { isInPlace } from '../store/step-definition.ts'
import { NEVER, FLOW_LANE } from '../store/run-writes.ts'
import type { RunDefinition } from '../store/workflow-definition.ts'
import { isFlow, type FlowDefinition } from '../store/workflow-state.ts'
import { codeOf, type Chooser, type ChoiceQuestion } from './chooser.ts'
import type { Clock } from './clock.ts'
import type { Account, Credits } from './credits.ts'
import type { Definitions } from './definitions.ts'
import type { GroupLimits } from './group-limits.ts'
import { isThere, type OpenRun, type OpenRuns } from './open-runs.ts'
import type { Seat } from './plan-firing.ts'
import { Pump } from './pump.ts'
import type { RestoreGuard } from './restore-guard.ts'
import { RunFacts } from './run-facts.ts'
import type { SplitWish } from './sharder.ts'
import type { SlotKeeper } from './slot-keeper.ts'

const BATCH = 500
/** A run that cannot go for a reason of its own is looked at again after so long. */
const LOOK_AGAIN_MS = 5_000
/** One that waits for a place at one executor is woken when there is one, and looked at after so long even so. */
const LOOK_AGAIN_PINNED_MS = 60_000
/** How many queued runs of a group are told why they wait. */
const EXPLAINED = 100
/** How many runs that were set aside are looked at again when a place becomes free. */
const WOKEN = 20
/** When another node is just taking places of a group, it is looked at again after so long. */
const BUSY_MS = 20
/** Heads that are looked at beyond the room there is: some cannot go for reasons of their own. */
const SPARE = 16

export interface DispatcherOptions {
  readonly db: Database
  readonly clock: Clock
  readonly keeper: SlotKeeper
  readonly guard: RestoreGuard
  readonly runs: OpenRuns
  readonly credits: Credits
  readonly chooser: Chooser
  readonly limits: GroupLimits
  readonly definitions: Definitions
  /** what was written: read these rows again into memory, and send those that were claimed */
  readonly onDispatched: (claimed: readonly number[], changed: readonly number[]) => Promise<void>
  /** runs whose turn has come and that are split instead of sent */
  readonly onSplit: (wishes: readonly SplitWish[]) => Promise<void>
  /** runs of workflows whose turn has come: they begin, and need no executor */
  readonly onBegin: (wishes: readonly BeginWish[]) => Promise<void>
  readonly onSkip: (skips: readonly { instanceId: number; blocker: number }[]) => Promise<void>
  readonly onReplace: (replacements: readonly { taskId: number; by: number }[]) => Promise<void>
  /** a turn has begun: places at executors of other nodes may be asked for, or given back */
  readonly onTurn: () => void
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

/** A queued run of a workflow whose turn has come. */
export interface BeginWish {
  readonly run: OpenRun
  readonly definition: FlowDefinition
}

interface Turn {
  readonly now: number
  readonly claims: Claim[]
  readonly parkings: Parking[]
  readonly skips: { instanceId: number; blocker: number }[]
  readonly replacements: { taskId: number; by: number }[]
  readonly splits: SplitWish[]
  readonly begins: BeginWish[]
  /** tasks of which this turn already sends a run, or splits one */
  readonly busyTasks: Map<number, 'sent' | 'split'>
  /** tasks and groups of which this turn already sends runs or shards, and how many */
  readonly sentOfTask: Map<number, number>
  readonly sentOfGroup: Map<number, number>
}

/**
 * The dispatch stage: takes queued runs from the heads of the lanes, group by group in turn, and gives each an executor that has room, or a reason to
 * wait. Decided from memory, written before anything is sent.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #account: Account
  readonly #fireAccount: Account
  readonly #pump: Pump
  readonly #facts: RunFacts
  /** runs set aside for a reason of their own, by group: what frees a place or brings an executor wakes some of them before their time */
  readonly #aside = new Map<number, Set<number>>()
  #firstGroup = 0
  #isFullLook = true

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#account = options.credits.open()
    this.#fireAccount = options.credits.open()
    this.#facts = new RunFacts(options.db)
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  kick(): void {
    this.#pump.kick()
  }

  /** A turn that also looks at lanes without room: who may not run at all (overlap `skip`) is told so. Once a second. */
  lookAtAll(): void {
    this.#isFullLook = true
    this.#options.limits.lookAgain()
    this.#pump.kick()
  }

  /** A place under the limit of a group may have become free, at whatever node. */
  freed(groupIds: Iterable<number>): void {
    for (const groupId of groupIds) this.#options.limits.freed(groupId)
    this.#pump.kick()
  }

  /** A place for a run that is being fired, when nothing of its group is queued before it: one commit between due and sent. */
  takeSeat(taskId: number, groupId: number, definition: RunDefinition): Seat | null {
    if (isFlow(definition) || isSharded(definition) || !this.#options.runs.isLaneEmpty(groupId)) return null
    // what is limited goes through its lane, where limits are counted
    if ((definition.concurrency > 0 && definition.overlap.policy === 'parallel') || this.#options.limits.has(groupId)) return null
    const choice = this.#options.chooser.choose(
      firstTry({ taskId, groupId, definition, now: this.#options.clock.now() }),
      this.#fireAccount,
    )
    return choice.kind === 'seat' ? choice.seat : null
  }

  clearSeats(): void {
    this.#fireAccount.settle()
  }

  /** A place has become free in a group, or an executor has joined: some of the runs set aside there are looked at again. */
  async roomIn(groupId: number): Promise<void> {
    this.kick()
    await this.wakePinned()
    const aside = this.#aside.get(groupId)
    if (aside === undefined) return
    const some = [...aside].slice(0, WOKEN)
    for (const id of some) this.forget(groupId, id)
    await this.ready(some)
  }

  /**
   * Runs that only one executor may run are set aside while it has no place. As many of them are looked at again as there are places at it now: once a
   * second, and whenever places come.
   */
  async wakePinned(): Promise<void> {
    const { runs, chooser, clock } = this.#options
    const woken = runs.executorsAwaited().flatMap((executorId) => {
      const places = chooser.placesAt(executorId, clock.now())
      if (places <= 0) return []
      const waiting = runs
        .pinnedTo(executorId)
        .filter((run) => run.waitCode === REASON.waitsForChosenExecutor && run.phase === PHASE.waiting)
      return waiting
        .sort((a, b) => a.id - b.id)
        .slice(0, places)
        .map((run) => run.id)
    })
    if (woken.length > 0) await this.ready(woken)
  }

  /** A run is no longer set aside: it has ended, or is looked at again. */
  forget(groupId: number, id: number): void {
    const aside = this.#aside.get(groupId)
    if (aside?.delete(id) === true && aside.size === 0) this.#aside.delete(groupId)
  }

  /** Writes why the heads of the lanes wait, where the reason has changed. Called once a second. */
  async explainWaits(): Promise<void> {
    const { runs, definitions, clock, chooser } = this.#options
    const now = clock.now()
    const parkings: Parking[] = []
    for (const groupId of runs.groupsQueued()) {
      for (const run of runs.heads(groupId, EXPLAINED)) {
        const definition = definitions.peekOf(run)
        if (definition === null || definition === undefined || now - (run.queuedAt ?? now) < 1000) continue
        const why = chooser.whyNot(this.#question(run, definition, now)) ?? this.#fullGroup(run)
        if (why !== null && codeOf(why.reason) !== run.waitCode) parkings.push(this.#stay(run, why, now))
      }
    }
    if (parkings.length > 0) await this.#write(now, [], parkings.slice(0, BATCH))
  }

  async #turn(): Promise<boolean> {
    if (!this.#options.keeper.isTrusted || this.#options.guard.isHeld) return false
    await this.#options.clock.breathe()
    const heads = this.#heads()
    const flows = this.#options.runs.queuedFlows(BATCH)
    this.#options.onTurn()
    if (heads.length + flows.length === 0) return false
    await this.#options.definitions.loadOf([...heads.flat(), ...flows])
    await this.#loadFacts(heads.flat())
    const turn: Turn = {
      now: this.#options.clock.now(),
      claims: [],
      parkings: [],
      skips: [],
      replacements: [],
      splits: [],
      begins: [],
      busyTasks: new Map(),
      sentOfTask: new Map(),
      sentOfGroup: new Map(),
    }
    try {
      for (const run of flows) this.#decide(turn, run, true)
      for (const lane of heads) this.#decideLane(turn, lane)
      await this.#write(turn.now, turn.claims, turn.parkings)
    } finally {
      this.#account.settle()
    }
    if (turn.begins.length > 0) await this.#options.onBegin(turn.begins)
    if (turn.splits.length > 0) await this.#options.onSplit(turn.splits)
    if (turn.skips.length > 0) await this.#options.onSkip(turn.skips)
    if (turn.replacements.length > 0) await this.#options.onReplace(turn.replacements)
    return turn.claims.length + turn.parkings.length + turn.skips.length + turn.splits.length + turn.begins.length > 0
  }

  /** The heads of the lanes; each turn begins with another group, so that none is always served first. */
  #heads(): OpenRun[][] {
    const groups = this.#options.runs.groupsQueued().sort((a, b) => a - b)
    if (groups.length === 0) return []
    this.#firstGroup = (this.#firstGroup + 1) % groups.length
    const share = Math.max(1, Math.floor(BATCH / groups.length))
    const isFullLook = this.#isFullLook
    this.#isFullLook = false
    const turn = [...groups.slice(this.#firstGroup), ...groups.slice(0, this.#firstGroup)]
    return turn
      .map((groupId) => this.#options.runs.heads(groupId, isFullLook ? share : this.#worthLooking(groupId, share)))
      .filter((lane) => lane.length > 0)
  }

  /** No more heads than could go, and a few: a full group is not looked through at every end of a run. */
  #worthLooking(groupId: number, share: number): number {
    const room = Math.min(this.#options.chooser.room(groupId, this.#options.clock.now()), this.#options.limits.room(groupId))
    return room === 0 ? 0 : Math.min(share, room + SPARE)
  }

  #decideLane(turn: Turn, lane: readonly OpenRun[]): void {
    let mayGo = true
    for (const run of lane) if (this.#decide(turn, run, mayGo) === 'groupWaits') mayGo = false
  }

  /** Whether a run may go at all (overlap) is decided even when its group waits for room. */
  #decide(turn: Turn, run: OpenRun, mayGo: boolean): 'next' | 'groupWaits' {
    const definition = this.#options.definitions.peekOf(run)
    if (definition === null || definition === undefined || !this.#options.keeper.slots.has(run.slot)) return 'next'
    // runs do not stand in each other's way where shards are beside each other
    const isFree = definition.overlap.policy === 'parallel' || run.shardIndex !== null || isInPlace(run)
    const blocker = isFree ? null : this.#blockerOf(run)
    if (blocker !== null || (!isFree && this.#isBusy(turn, run.taskId))) {
      // a step's run, and a backfill's, waits its turn, whatever its task says of its own; and so does one that has done its work but for combining the results
      const waits = run.workflowRunId !== null || run.cause === CAUSE.backfill || run.isReducing
      const policy = waits ? 'queue' : definition.overlap.policy
      this.#yieldTo(turn, run, { policy, blocker: blocker?.id ?? null })
      return 'next'
    }
    if (run.isFlow) return this.#begin(turn, run, definition)
    const isSplit = run.shardIndex === null && isSharded(definition)
    // what is sent and what is split are written one after the other: of one task only one of them goes in a turn, so that runs go in their order
    if (run.shardIndex === null && turn.busyTasks.get(run.taskId) === (isSplit ? 'sent' : 'split')) return 'next'
    if (isSplit) return mayGo ? this.#split(turn, run, definition) : 'groupWaits'
    const { concurrency } = definition
    if (concurrency > 0 && this.#options.runs.inFlightOfTask(run.taskId) >= concurrency) {
      turn.parkings.push(this.#untilPlace(run, concurrency, turn.now))
      return 'next'
    }
    if (concurrency > 0 && this.#isFullWith(turn, run.taskId, concurrency)) return 'next'
    if (!mayGo || this.#options.limits.room(run.groupId) <= (turn.sentOfGroup.get(run.groupId) ?? 0)) return 'groupWaits'
    const choice = this.#options.chooser.choose(this.#question(run, definition, turn.now), this.#account)
    if (choice.kind === 'seat') {
      if (run.shardIndex === null) turn.busyTasks.set(run.taskId, 'sent')
      turn.sentOfTask.set(run.taskId, (turn.sentOfTask.get(run.taskId) ?? 0) + 1)
      turn.sentOfGroup.set(run.groupId, (turn.sentOfGroup.get(run.groupId) ?? 0) + 1)
      turn.claims.push({
        instanceId: run.id,
        slot: run.slot,
        groupId: run.groupId,
        rankAt: run.rankAt,
        attempt: run.attempt + 1,
        executorId: choice.seat.executorId,
        bootId: choice.seat.bootId,
        trace: choice.seat.trace,
      })
      return 'next'
    }
    if (choice.reach === 'group') return 'groupWaits'
    // it keeps its place in the lane, and the others go on: the place arrives in a moment, or the strategy goes on to the next
    if (choice.reach === 'moment') return 'next'
    turn.parkings.push(this.#setAside(run, choice, turn.now))
    return 'next'
  }

  #begin(turn: Turn, run: OpenRun, definition: RunDefinition): 'next' {
    if (!isFlow(definition)) return 'next'
    turn.busyTasks.set(run.taskId, 'split')
    turn.begins.push({ run, definition })
    return 'next'
  }

  /** A broadcast needs to know for whom; any other is split whoever is online, and its shards wait. */
  #split(turn: Turn, run: OpenRun, definition: TaskDefinition): 'next' | 'groupWaits' {
    const isBroadcast = definition.sharding?.kind === 'broadcast'
    const choice = isBroadcast ? this.#options.chooser.everyone(this.#question(run, definition, turn.now)) : null
    if (choice?.kind === 'none') {
      if (choice.reach === 'group') return 'groupWaits'
      turn.parkings.push(this.#setAside(run, choice, turn.now))
      return 'next'
    }
    turn.busyTasks.set(run.taskId, 'split')
    turn.splits.push({ run, definition, executors: choice?.members ?? null })
    return 'next'
  }

  /** A run of the task goes in this turn, or is just being fired: which it is, is known afterwards. */
  #isBusy(turn: Turn, taskId: number): boolean {
    return turn.busyTasks.has(taskId) || this.#options.runs.isFiring(taskId)
  }

  /** With what this turn sends, and what is just being fired of an older version without a limit: known after the commit. */
  #isFullWith(turn: Turn, taskId: number, concurrency: number): boolean {
    const { runs } = this.#options
    return runs.isFiring(taskId) || runs.inFlightOfTask(taskId) + (turn.sentOfTask.get(taskId) ?? 0) >= concurrency
  }

  /** Why a run waits for which an executor has room. */
  #fullGroup({ groupId }: OpenRun): { reason: Reason; facts: Facts } | null {
    const full = this.#options.limits.fullness(groupId)
    return full === null ? null : { reason: 'waitsForGroupLimit', facts: { groupId, ...full } }
  }

  /** The run of the same task that must end first: one that an executor has, or an older one that has not ended. */
  #blockerOf(run: OpenRun): OpenRun | null {
    return this.#options.runs.ofTask(run.taskId).find((other) => other.id !== run.id && (isThere(other) || other.id < run.id)) ?? null
  }

  #yieldTo(turn: Turn, run: OpenRun, { policy, blocker }: { policy: TaskDefinition['overlap']['policy']; blocker: number | null }): void {
    // the blocker is only known after this turn's commit: look again then
    if (blocker === null) return
    if (policy === 'skip') {
      turn.skips.push({ instanceId: run.id, blocker })
      return
    }
    if (policy === 'replace') turn.replacements.push({ taskId: run.taskId, by: run.id })
    turn.parkings.push(
      parked(run, { reason: 'waitsForEarlierRun', facts: { blocker }, phase: PHASE.waiting, rankAt: NEVER, now: turn.now }),
    )
  }

  #untilPlace(run: OpenRun, max: number, now: number): Parking {
    const facts = { used: this.#options.runs.inFlightOfTask(run.taskId), max }
    return parked(run, { reason: 'waitsForTaskLimit', facts, phase: PHASE.waiting, rankAt: NEVER, now })
  }

  #setAside(run: OpenRun, { reason, facts }: { reason: Reason; facts: Facts }, now: number): Parking {
    const isPinned = reason === 'waitsForChosenExecutor'
    if (!isPinned) {
      const aside = this.#aside.get(run.groupId) ?? new Set()
      this.#aside.set(run.groupId, aside.add(run.id))
    }
    return parked(run, { reason, facts, phase: PHASE.waiting, rankAt: now + (isPinned ? LOOK_AGAIN_PINNED_MS : LOOK_AGAIN_MS), now })
  }

  #stay(run: OpenRun, { reason, facts }: { reason: Reason; facts: Facts }, now: number): Parking {
    return parked(run, { reason, facts, phase: PHASE.queued, rankAt: run.rankAt, now })
  }

  /** Runs whose time to wait is over go back to their lane, or straight on if their task is free. */
  async ready(ids: readonly number[]): Promise<void> {
    const now = this.#options.clock.now()
    const parkings = ids.flatMap((id): Parking[] => {
      const run = this.#options.runs.get(id)
      if (run !== null) this.forget(run.groupId, id)
      if (run === null || run.phase !== PHASE.waiting) return []
      return [
        {
          instanceId: id,
          slot: run.slot,
          phase: PHASE.queued,
          lane: laneOf(run),
          rankAt: queueRankAt(run.queuedAt ?? now, run.priority),
          queuedAt: run.queuedAt ?? now,
          waitCode: null,
          waitFacts: null,
          trace: [{ reason: 'queued', at: now, facts: {} }],
        },
      ]
    })
    for (let from = 0; from < parkings.length; from += BATCH) await this.#write(now, [], parkings.slice(from, from + BATCH))
    if (parkings.length > 0) this.kick()
  }

  async #write(now: number, claims: readonly Claim[], parkings: readonly Parking[]): Promise<void> {
    if (claims.length + parkings.length === 0) return
    const fences = this.#options.keeper.fencesOf([...claims, ...parkings].map((item) => item.slot))
    const outcome = await dispatch(this.#options.db, now, fences, { claims, parkings, ownSlots: this.#options.keeper.slots })
    for (const full of outcome.full) this.#foundFull(full)
    if (outcome.isFenced) this.#options.keeper.kick()
    const all = [...claims, ...parkings].map((item) => item.instanceId)
    await this.#options.onDispatched([...outcome.claimed], all)
  }

  #foundFull(full: GroupFull): void {
    this.#options.limits.note(full)
    if (full.isBusy) this.#options.clock.after(BUSY_MS, () => this.freed([full.groupId]))
  }

  /** What no definition tells and memory does not keep, of the few runs that need it. */
  async #loadFacts(runs: readonly OpenRun[]): Promise<void> {
    const { definitions } = this.#options
    await this.#facts.load({
      runIds: runs.flatMap((run) => (definitions.peekOf(run)?.routingKey ? [run.id] : [])),
      executorIds: runs.flatMap((run) => run.triedExecutorId ?? []),
    })
  }

  #question(run: OpenRun, definition: TaskDefinition, now: number): ChoiceQuestion {
    const { taskId, groupId, pinnedExecutorId, triedExecutorId, needsMapper } = run
    return {
      taskId,
      groupId,
      attempt: run.attempt + 1,
      definition,
      params: this.#facts.params(run.id),
      tried: triedExecutorId === null ? null : this.#facts.name(triedExecutorId),
      pinnedExecutorId,
      needsMapper,
      now,
    }
  }
}

/** What is asked for a run that is new, has its task's params, and may go to anybody. */
export function firstTry(of: Pick<ChoiceQuestion, 'taskId' | 'groupId' | 'definition' | 'now'>): ChoiceQuestion {
  return { ...of, attempt: 1, params: null, tried: null, pinnedExecutorId: null, needsMapper: false }
}

function laneOf({ isFlow: needsNoExecutor, groupId }: OpenRun): number {
  return needsNoExecutor ? FLOW_LANE : groupId
}

function parked(
  run: OpenRun,
  { reason, facts, phase, rankAt, now }: { reason: Reason; facts: Facts; phase: 1 | 2; rankAt: number; now: number },
): Parking {
  const isNew = run.waitCode !== REASON[reason]
  return {
    instanceId: run.id,
    slot: run.slot,
    phase,
    lane: phase === PHASE.queued ? laneOf(run) : 0,
    rankAt,
    queuedAt: run.queuedAt,
    waitCode: codeOf(reason),
    waitFacts: JSON.stringify(facts),
    trace: isNew ? [{ reason, at: now, facts }] : [],
  }
}
