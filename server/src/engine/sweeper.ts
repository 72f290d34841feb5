import { CAUSE, OUTCOME, type Reason } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import { endOverdue, type Overdue } from '../store/cancel.ts'
import { EXECUTOR_STATE, executorById, loseExecutor, recoverExecutor } from '../store/executors.ts'
import { attemptsAt, laneHeads, openRunsById, openRunsOfExecutor, pastRank, unansweredAt } from '../store/open-runs.ts'
import { loseAttempts, type Loss, type RunChange } from '../store/report.ts'
import type { RunIds } from '../store/ids.ts'
import { loseUnsent } from '../store/shards.ts'
import { isInPlace, keysOfRow } from '../store/step-definition.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import type { Clock } from './clock.ts'
import type { Definitions } from './definitions.ts'
import { isThere, openRunOf, waitsForEarlier, waitsForPlace, type OpenRun, type OpenRuns } from './open-runs.ts'
import type { Member, Roster } from './roster.ts'
import type { SlotKeeper } from './slot-keeper.ts'

const AT_ONCE = 500
/** So many runs are compared with the store in one round. */
const COMPARED = 1000
/** A dispatch is taken by no executor when it is older (frames.ts), with a second for clocks. */
const FRAME_DEAD_MS = 11_000
/** A boot whose earlier results have not been announced as delivered counts as recovered after so long. */
const RECOVERY_MS = 60_000
/** XXL-JOB executors register every 10 to 60 s. */
const XXL_DEAD_MS = 90_000
/** Beyond time-out and kill grace, an executor that does not answer has so long. */
const SILENCE_MS = 15_000

export interface SweeperOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  readonly keeper: SlotKeeper
  readonly runs: OpenRuns
  readonly roster: Roster
  readonly definitions: Definitions
  readonly deadMs: number
  /** since when the store was reached without a gap, monotonic */
  readonly reachedSince: () => number
  readonly onChanges: (changes: readonly RunChange[]) => void
  readonly onFound: (rows: readonly OpenInstanceRow[]) => void
  readonly onReady: (ids: readonly number[]) => Promise<void>
  readonly onResend: (runs: readonly OpenRun[]) => Promise<void>
  readonly onCancel: (runs: readonly OpenRun[]) => void
  readonly onLost: (member: Member) => void
  /** whether other nodes write too, so that memory may be behind the store */
  readonly hasOthers: () => boolean
  /** these runs, read again: those that are missing have ended */
  readonly onNews: (ids: readonly number[], rows: readonly OpenInstanceRow[]) => void
}

/**
 * Finds what is committed and not acted on, once a second: whatever a message, a timer or a process lost. It reads the small table only, a few times,
 * however many runs there are.
 */
export class Sweeper {
  readonly #options: SweeperOptions

  #comparedTo = 0

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  async sweep(): Promise<void> {
    await this.#findQueued()
    await this.#endOverdue()
    await this.#wakeWaiting()
    await this.#answerLinks()
    await this.#checkAccepted()
    for (const member of this.#options.roster.all()) await this.#checkExecutor(member)
    await this.#findOrphans()
    await this.#losePinned()
    if (this.#options.hasOthers()) await this.#compare()
  }

  /** Queued runs that memory does not know, because a hint was lost. */
  async #findQueued(): Promise<void> {
    const { db, clock, keeper, runs, roster } = this.#options
    const groups = new Set([...roster.all().map((member) => member.groupId), ...runs.groupsQueued()])
    const heads = await laneHeads(db, [...groups], keeper.slots)
    const flows = await pastRank(db, keeper.slots, { phase: 2, now: clock.now(), limit: AT_ONCE })
    this.#options.onFound([...heads, ...flows].filter((row) => runs.get(row.id) === null))
  }

  /** Runs that no executor was given in the time that their task allows. Those whose definition is not at hand yet are read for the next look. */
  async #endOverdue(): Promise<void> {
    const { db, clock, definitions, runs, ids } = this.#options
    const now = clock.now()
    const limits = new Map<number, { readonly version: number; readonly maxMs: number }>()
    const unknown: { taskId: number; version: number }[] = []
    const overdue: Overdue[] = []
    for (const run of runs.all()) {
      // a step's own task has no such time, and another's is looked at below
      if (isThere(run) || run.tries > 0 || run.isReducing || overdue.length >= AT_ONCE || isInPlace(run)) continue
      let limit = limits.get(run.taskId)
      if (limit?.version !== run.taskVersion) {
        const definition = definitions.peek(run.taskId, run.taskVersion)
        if (definition === undefined && unknown.length < AT_ONCE) unknown.push({ taskId: run.taskId, version: run.taskVersion })
        limit = { version: run.taskVersion, maxMs: definition?.queueTimeoutMs ?? 0 }
        limits.set(run.taskId, limit)
      }
      if (limit.maxMs > 0 && now - run.createdAt > limit.maxMs) overdue.push({ instanceId: run.id, maxMs: limit.maxMs })
    }
    await definitions.load(unknown)
    if (overdue.length > 0) this.#options.onChanges(await endOverdue(db, now, await ids.take(overdue.length), overdue))
  }

  /** Runs whose time to wait is over, and those that wait for an earlier run that has ended. */
  async #wakeWaiting(): Promise<void> {
    const { db, clock, keeper, runs } = this.#options
    const rows = await pastRank(db, keeper.slots, { phase: 1, now: clock.now(), limit: AT_ONCE })
    this.#options.onFound(rows)
    const woken = rows.map((row) => row.id)
    for (const taskId of runs.tasksWaiting()) {
      const oldest = runs.ofTask(taskId)[0]
      if (oldest !== undefined && waitsForEarlier(oldest) && !waitsForPlace(oldest)) woken.push(oldest.id)
      woken.push(...runs.placeable(taskId))
    }
    if (woken.length > 0) await this.#options.onReady(woken)
  }

  /**
   * As the holder of links, whatever the slot: dispatches that were not accepted within a second are sent again, to the same boot only, and so are
   * cancels that were not answered. So both arrive without any message between nodes.
   */
  async #answerLinks(): Promise<void> {
    const { db, clock, roster } = this.#options
    const here = roster.all().filter((member) => member.isHere)
    if (here.length === 0) return
    const rows = await unansweredAt(
      db,
      here.map((member) => member.executorId),
      clock.now(),
      AT_ONCE,
    )
    this.#findUnknown(rows)
    const there = rows.filter((row) => isConnectedHere(roster, row)).map(openRunOf)
    this.#options.onCancel(there.filter((run) => run.cancelAt !== null))
    // behind its cancel also one that is to be stopped: an executor that never got it refuses it then, and the run has ended
    await this.#options.onResend(there.filter((run) => run.acceptedAt === null))
  }

  #findUnknown(rows: readonly OpenInstanceRow[]): void {
    const { keeper, runs } = this.#options
    this.#options.onFound(rows.filter((row) => keeper.slots.has(row.slot) && runs.get(row.id) === null))
  }

  /** As the owner of slots: attempts past their check, running or accepted, that are over their time, or were asked to stop and are silent. */
  async #checkAccepted(): Promise<void> {
    const { db, clock, definitions, keeper } = this.#options
    const now = clock.now()
    const rows = [
      ...(await pastRank(db, keeper.slots, { phase: 3, now, limit: AT_ONCE })),
      ...(await pastRank(db, keeper.slots, { phase: 4, now, limit: AT_ONCE })),
    ]
    this.#findUnknown(rows)
    await definitions.loadOf(rows.map(keysOfRow))
    await this.lose(rows.flatMap((row) => this.#overdue(row, now) ?? []))
  }

  #overdue(row: OpenInstanceRow, now: number): Loss | null {
    const definition = this.#options.definitions.peekOf(keysOfRow(row))
    const graceMs = (definition?.killGraceMs ?? 0) + SILENCE_MS
    if (row.cancel_at !== null)
      return now < row.cancel_at + graceMs
        ? null
        : lossOf(row, {
            outcome: OUTCOME.canceled,
            reason: 'cancelUnconfirmed',
            at: now,
            message: 'the executor did not confirm the cancel',
          })
    const timeoutMs = definition?.timeoutMs ?? 0
    const since = row.started_at ?? row.accepted_at
    if (timeoutMs === 0 || since === null || now < since + timeoutMs + graceMs) return null
    return lossOf(row, { outcome: OUTCOME.timedOut, reason: 'timedOut', at: now, message: 'the executor did not end the run in time' })
  }

  async #checkExecutor(member: Member): Promise<void> {
    const { clock, deadMs, reachedSince, db } = this.#options
    const now = clock.now()
    if (member.recoveredBoot < member.bootId && now - member.registeredAt > RECOVERY_MS) await this.recovered(member)
    const silentMs = clock.monotonic() - member.heardAt
    const patienceMs = member.transport === 'xxl' ? Math.max(deadMs, XXL_DEAD_MS) : deadMs
    const isSilent = silentMs > patienceMs && clock.monotonic() - reachedSince() > patienceMs
    if (!isSilent || !(await loseExecutor(db, member.executorId, member.bootId, member.storedSeenAt))) return
    const message = `executor ${member.name} was not heard of for ${Math.round(silentMs / 1000)} s`
    const rows = (await attemptsAt(db, [member.executorId])).filter((row) => row.boot_id === member.bootId)
    await this.lose(rows.map((row) => lossOf(row, { outcome: OUTCOME.lost, reason: 'executorLost', at: now, message })))
    this.#options.onLost(member)
  }

  /**
   * Attempts of own slots at executors that were declared lost, or whose older boot was declared gone, by a node that did not come to their end: it died,
   * or the store went away.
   */
  async #findOrphans(): Promise<void> {
    const { db, runs, roster, clock } = this.#options
    const now = clock.now()
    for (const executorId of runs.executorIds()) {
      const member = roster.get(executorId)
      if (member !== null) {
        await this.lose(
          runs
            .ofExecutor(executorId)
            .flatMap((run) =>
              (run.bootId ?? 0) < member.recoveredBoot ? { ...lossOfRun(run, restarted(now)), ...this.#afterOlder(member) } : [],
            ),
        )
        continue
      }
      const known = await executorById(db, executorId)
      if (known !== null && known.row.state === EXECUTOR_STATE.online) continue
      const message = 'the executor is gone, and was not heard of in time'
      await this.lose(
        runs.ofExecutor(executorId).map((run) => lossOfRun(run, { outcome: OUTCOME.lost, reason: 'executorLost', at: now, message })),
      )
    }
  }

  /** Shards that were not sent, and whose executor, the only one that may run them, is gone. */
  async #losePinned(): Promise<void> {
    const { db, runs, roster, clock, ids, onChanges } = this.#options
    for (const executorId of runs.executorsAwaited()) {
      if (roster.get(executorId) !== null) continue
      const known = await executorById(db, executorId)
      if (known !== null && known.row.state === EXECUTOR_STATE.online) continue
      const shards = runs
        .pinnedTo(executorId)
        .filter((run) => run.cause === CAUSE.shard)
        .slice(0, AT_ONCE)
      if (shards.length === 0) continue
      const firstId = await ids.take(shards.length)
      onChanges(
        await loseUnsent(
          db,
          clock.now(),
          firstId,
          shards.map((run) => run.id),
        ),
      )
    }
  }

  /** Some of what memory has, against the store: the message that told of a change may have been lost. All of it is compared in turn. */
  async #compare(): Promise<void> {
    const { db, runs } = this.#options
    const ids = [...runs.all()].filter((run) => isThere(run) || waitsForEarlier(run)).map((run) => run.id)
    if (ids.length === 0) return
    this.#comparedTo = this.#comparedTo % ids.length
    const some = [...ids.slice(this.#comparedTo), ...ids.slice(0, this.#comparedTo)].slice(0, COMPARED)
    this.#comparedTo += some.length
    this.#options.onNews(some, await openRunsById(db, some))
  }

  /** What older boots of an executor had and did not report is lost. */
  async recovered(member: Member): Promise<void> {
    const { db, clock } = this.#options
    await recoverExecutor(db, member.executorId, member.bootId)
    member.recoveredBoot = member.bootId
    const rows = await openRunsOfExecutor(db, member.executorId, member.bootId)
    const now = clock.now()
    await this.lose(
      rows.map((row) => ({
        ...lossOf(row, restarted(now)),
        // the older boot is gone, and a newer one refuses its frames
        ...(member.mayOlderLive ? this.#afterOlder(member) : { unacceptedReadyAt: now }),
      })),
    )
  }

  /**
   * The older process may still be there: another one with its name, or cut off while its connection seemed to stand. From the newer one's registration on
   * nobody answers it, so that a run which may go on elsewhere stops there like one of an executor that is lost: before `deadMs` have passed. Not sooner
   * begins a new attempt. What this node cannot know is a process that lost its connection, and was replaced before it had another: its run has the
   * fencing token.
   */
  #afterOlder(member: Member): Pick<Loss, 'retryNotBefore'> {
    return { retryNotBefore: member.mayOlderLive ? member.registeredAt + this.#options.deadMs : null }
  }

  /** Attempts that a live executor no longer has. */
  async missing(runs: readonly OpenRun[]): Promise<void> {
    const now = this.#options.clock.now()
    await this.lose(runs.map((run) => lossOfRun(run, { ...restarted(now), message: 'the executor does not have the run any more' })))
  }

  /** Ends attempts that no report will end. */
  async lose(losses: readonly Loss[]): Promise<void> {
    for (let from = 0; from < losses.length; from += AT_ONCE) {
      const part = losses.slice(from, from + AT_ONCE)
      const firstId = await this.#options.ids.take(part.length)
      this.#options.onChanges(await loseAttempts(this.#options.db, this.#options.clock.now(), firstId, part))
    }
  }
}

interface Why {
  readonly outcome: number
  readonly reason: Reason
  readonly at: number
  readonly message: string
}

function lossOf(row: OpenInstanceRow, why: Why): Loss {
  return lossBy({ id: row.id, attempt: row.attempt, executorId: row.executor_id, bootId: row.boot_id, sentAt: row.sent_at }, why)
}

function lossOfRun(run: OpenRun, why: Why): Loss {
  return lossBy(run, why)
}

function lossBy(
  run: { id: number; attempt: number; executorId: number | null; bootId: number | null; sentAt: number | null },
  { outcome, reason, at, message }: Why,
): Loss {
  return {
    instanceId: run.id,
    attempt: run.attempt,
    bootId: run.bootId ?? 0,
    outcome,
    error: { code: ERROR_CODE[outcome] ?? 'LOST', message },
    trace: { reason, at, facts: { executorId: run.executorId } },
    retryNotBefore: null,
    unacceptedReadyAt: outcome === OUTCOME.lost ? Math.max(at, (run.sentAt ?? at) + FRAME_DEAD_MS) : null,
  }
}

const ERROR_CODE: Readonly<Record<number, string>> = {
  [OUTCOME.lost]: 'EXECUTOR_LOST',
  [OUTCOME.timedOut]: 'TIMED_OUT',
  [OUTCOME.canceled]: 'CANCEL_UNCONFIRMED',
}

function restarted(at: number): Why {
  return { outcome: OUTCOME.lost, reason: 'executorRestarted', at, message: 'the executor restarted and did not have the run any more' }
}

function isConnectedHere(roster: Roster, row: OpenInstanceRow): boolean {
  if (row.executor_id === null || row.boot_id === null) return false
  return roster.ofSession({ executorId: row.executor_id, bootId: row.boot_id })?.isHere === true
}
