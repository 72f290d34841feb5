import { OUTCOME, PHASE, type Reason } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import { loseExecutor, recoverExecutor } from '../store/executors.ts'
import { laneHeads, openRunsOfExecutor, pastRank } from '../store/open-runs.ts'
import { loseAttempts, type Loss, type RunChange } from '../store/report.ts'
import type { RunIds } from '../store/ids.ts'
import type { OpenInstanceRow } from '../store/schema.ts'
import type { Clock } from './clock.ts'
import type { Definitions } from './definitions.ts'
import { waitsForEarlier, type OpenRun, type OpenRuns } from './open-runs.ts'
import type { Member, Roster } from './roster.ts'
import type { SlotKeeper } from './slot-keeper.ts'

const AT_ONCE = 500
/** A dispatch is taken by no executor when it is older (frames.ts), with a second for clocks. */
const FRAME_DEAD_MS = 11_000
/** A boot whose earlier results have not been announced as delivered counts as recovered after so long. */
const RECOVERY_MS = 60_000
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
}

/**
 * Finds what is committed and not acted on, once a second: whatever a message, a timer or a process lost. It reads the small table only, a few times,
 * however many runs there are.
 */
export class Sweeper {
  readonly #options: SweeperOptions

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  async sweep(): Promise<void> {
    await this.#findQueued()
    await this.#wakeWaiting()
    const dispatched = await pastRank(this.#options.db, 3, this.#options.clock.now(), AT_ONCE)
    await this.#resend(dispatched)
    await this.#checkAccepted(dispatched)
    for (const member of this.#options.roster.all()) await this.#checkExecutor(member)
  }

  /** Queued runs that memory does not know, because a hint was lost. */
  async #findQueued(): Promise<void> {
    const { db, keeper, runs, roster } = this.#options
    const groups = new Set([...roster.all().map((member) => member.groupId), ...runs.groupsQueued()])
    const heads = await laneHeads(db, [...groups], keeper.slots)
    this.#options.onFound(heads.filter((row) => runs.get(row.id) === null))
  }

  /** Runs whose time to wait is over, and those that wait for an earlier run that has ended. */
  async #wakeWaiting(): Promise<void> {
    const { db, clock, keeper, runs } = this.#options
    const rows = (await pastRank(db, 1, clock.now(), AT_ONCE)).filter((row) => keeper.slots.has(row.slot))
    this.#options.onFound(rows.filter((row) => runs.get(row.id) === null))
    const woken = rows.map((row) => row.id)
    for (const taskId of runs.tasksWaiting()) {
      const oldest = runs.ofTask(taskId)[0]
      if (oldest !== undefined && waitsForEarlier(oldest)) woken.push(oldest.id)
    }
    if (woken.length > 0) await this.#options.onReady(woken)
  }

  /** Dispatches that were not accepted within a second: sent again, to the same boot only. */
  async #resend(rows: readonly OpenInstanceRow[]): Promise<void> {
    const { keeper, roster, runs } = this.#options
    this.#options.onFound(rows.filter((row) => keeper.slots.has(row.slot) && runs.get(row.id) === null))
    const there = rows.filter((row) => isConnected(roster, row)).flatMap((row) => runs.get(row.id) ?? [])
    await this.#options.onResend(there.filter((run) => run.acceptedAt === null && run.cancelAt === null && run.phase === PHASE.dispatched))
  }

  /** Attempts past their check, running or accepted: over their time, or asked to stop and silent. A cancel that was not answered is sent again. */
  async #checkAccepted(dispatched: readonly OpenInstanceRow[]): Promise<void> {
    const { db, clock, definitions, runs } = this.#options
    const now = clock.now()
    const rows = [
      ...(await pastRank(db, 4, now, AT_ONCE)),
      ...dispatched.filter((row) => row.accepted_at !== null || row.cancel_at !== null),
    ]
    await definitions.load(rows.map((row) => ({ taskId: row.task_id, version: row.task_version })))
    const losses: Loss[] = []
    for (const row of rows) {
      const loss = this.#overdue(row, now)
      if (loss !== null) losses.push(loss)
      else if (row.cancel_at !== null && isConnected(this.#options.roster, row))
        this.#options.onCancel([runs.get(row.id)].filter((run) => run !== null))
    }
    await this.#lose(losses)
  }

  #overdue(row: OpenInstanceRow, now: number): Loss | null {
    const definition = this.#options.definitions.peek(row.task_id, row.task_version)
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
    const isSilent = now - member.seenAt > deadMs && clock.monotonic() - reachedSince() > deadMs
    if (!isSilent || !(await loseExecutor(db, member.executorId, member.bootId, now - deadMs))) return
    await this.#lose(
      this.#options.runs
        .ofExecutor(member.executorId)
        .filter((run) => run.bootId === member.bootId)
        .map((run) =>
          lossOfRun(run, {
            outcome: OUTCOME.lost,
            reason: 'executorLost',
            at: now,
            message: `executor ${member.name} was not heard of for ${Math.round((now - member.seenAt) / 1000)} s`,
          }),
        ),
    )
    this.#options.onLost(member)
  }

  /** What older boots of an executor had and did not report is lost. */
  async recovered(member: Member): Promise<void> {
    const { db, clock } = this.#options
    await recoverExecutor(db, member.executorId, member.bootId)
    member.recoveredBoot = member.bootId
    const rows = await openRunsOfExecutor(db, member.executorId, member.bootId)
    const now = clock.now()
    await this.#lose(
      rows.map((row) => ({
        ...lossOf(row, {
          outcome: OUTCOME.lost,
          reason: 'executorRestarted',
          at: now,
          message: `executor ${member.name} restarted and did not have the run any more`,
        }),
        // the older boot is gone, and a newer one refuses its frames
        unacceptedReadyAt: now,
      })),
    )
  }

  /** Attempts that a live executor no longer has. */
  async missing(runs: readonly OpenRun[]): Promise<void> {
    const now = this.#options.clock.now()
    await this.#lose(
      runs.map((run) =>
        lossOfRun(run, {
          outcome: OUTCOME.lost,
          reason: 'executorRestarted',
          at: now,
          message: 'the executor does not have the run any more',
        }),
      ),
    )
  }

  async #lose(losses: readonly Loss[]): Promise<void> {
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
    unacceptedReadyAt: outcome === OUTCOME.lost ? Math.max(at, (run.sentAt ?? at) + FRAME_DEAD_MS) : null,
  }
}

const ERROR_CODE: Readonly<Record<number, string>> = {
  [OUTCOME.lost]: 'EXECUTOR_LOST',
  [OUTCOME.timedOut]: 'TIMED_OUT',
  [OUTCOME.canceled]: 'CANCEL_UNCONFIRMED',
}

function isConnected(roster: Roster, row: OpenInstanceRow): boolean {
  if (row.executor_id === null || row.boot_id === null) return false
  return roster.ofSession({ executorId: row.executor_id, bootId: row.boot_id })?.isConnected === true
}
