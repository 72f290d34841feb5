import type { Verdict } from '@tickwheel/contract'
import { appendTrace, OUTCOME, PHASE, type TraceEntry } from '@tickwheel/core'
import { startCounts, type Count } from './counters.ts'
import type { Database, Tx } from './database.ts'
import { endAttempt, judge, rankOf, type AfterFailure, type AttemptEnd, type Judgment, type RunReport } from './judge.ts'
import { listOfNumbers } from './list.ts'
import { dropMapFrames, keepMapFrame } from './map-frames.ts'
import { afterMap } from './map-end.ts'
import { lockOpen } from './open-runs.ts'
import { ATTEMPT_OUTCOME, attemptRow, endRuns, requeued, saveOpen, saveSplit, type Requeue, type RunEnd } from './run-writes.ts'
import type { AttemptRow, InstanceRow, OpenInstanceRow } from './schema.ts'
import { definitionOfRun } from './step-definition.ts'
import { noteShards } from './shard-mark.ts'

const NO_RETRY: AfterFailure = { retry: { max: 0, delayMs: 0, backoff: 'fixed', maxDelayMs: 0, jitter: 0 }, onLost: 'retry' }

/** What became of a run in a transaction, for memory and for events. */
export type RunChange =
  | { readonly kind: 'open'; readonly row: OpenInstanceRow }
  | { readonly kind: 'ended'; readonly row: OpenInstanceRow; readonly outcome: number; readonly endedAt: number }

export interface ReportOutcome {
  /** one for each report, in their order */
  readonly verdicts: readonly Verdict[]
  readonly changes: readonly RunChange[]
}

/**
 * Writes what executors report, many frames in one commit; any node may do it, no slot is needed. At most 500 frames.
 * `firstId`: as many run ids in a row as there are reports (for the signals of ends).
 */
export async function report(db: Database, at: number, firstId: number, reports: readonly RunReport[]): Promise<ReportOutcome> {
  return db.write('report', async (tx) => {
    const batch = new Batch(tx, at)
    await batch.load(reports.map((one) => one.frame.instanceId))
    const verdicts: Verdict[] = []
    for (const one of reports) verdicts.push(await batch.apply(one))
    return { verdicts, changes: await batch.write(firstId) }
  })
}

/** Ends attempts that no report will end: their executor is lost, restarted without them, or did not answer a cancel. Rows that moved on are left alone. */
export async function loseAttempts(db: Database, at: number, firstId: number, losses: readonly Loss[]): Promise<RunChange[]> {
  return db.write('report', async (tx) => {
    const batch = new Batch(tx, at)
    await batch.load(losses.map((loss) => loss.instanceId))
    for (const loss of losses) await batch.lose(loss)
    return batch.write(firstId)
  })
}

export interface Loss {
  readonly instanceId: number
  readonly attempt: number
  readonly bootId: number
  readonly outcome: number
  readonly error: { readonly code: string; readonly message: string }
  readonly trace: TraceEntry
  /** An attempt that was sent and never accepted is sent again without spending a try, from this instant on, when no executor can still take the old frame. */
  readonly unacceptedReadyAt: number | null
  /** An accepted one is retried, if at all, from this instant on; null: as its task says. */
  readonly retryNotBefore: number | null
}

/** Whether an attempt that succeeded has split its run, or says so. */
function isSplit({ outcome, map, row }: AttemptEnd): boolean {
  return outcome === OUTCOME.succeeded && (map !== undefined || (row.mapped !== null && row.reduce === null))
}

/** The row of a run as a frame leaves it, before anything is made of an end. */
function rowOf(judgment: Exclude<Judgment, { kind: 'verdict' }>): OpenInstanceRow {
  switch (judgment.kind) {
    case 'update':
    case 'map':
      return judgment.row
    case 'requeue':
      return judgment.requeue.row
    case 'end':
      return judgment.end.row
    case 'attemptEnded':
      return judgment.ended.row
  }
}

class Batch {
  readonly #tx: Tx
  readonly #at: number
  readonly #open = new Map<number, OpenInstanceRow>()
  readonly #ended = new Map<number, InstanceRow>()
  readonly #dirty = new Set<number>()
  /** whose columns of shards have changed, too */
  readonly #split = new Set<number>()
  readonly #dropped = new Set<number>()
  readonly #ends: RunEnd[] = []
  readonly #attempts: AttemptRow[] = []
  readonly #starts: Count[] = []

  constructor(tx: Tx, at: number) {
    this.#tx = tx
    this.#at = at
  }

  async load(ids: readonly number[]): Promise<void> {
    const unique = [...new Set(ids)]
    for (const row of await lockOpen(this.#tx, unique, 'update')) this.#open.set(row.id, row)
    const missing = unique.filter((id) => !this.#open.has(id))
    if (missing.length === 0) return
    const list = listOfNumbers(missing)
    for (const row of await this.#tx.all<InstanceRow>(`SELECT * FROM instance WHERE id IN ${list.sql}`, list.params))
      this.#ended.set(row.id, row)
  }

  async apply(one: RunReport): Promise<Verdict> {
    const row = this.#open.get(one.frame.instanceId)
    if (row === undefined) return this.#verdictOfEnded(one)
    const judgment = judge(row, one, this.#at)
    if (judgment.kind === 'verdict') {
      if (judgment.verdict === 'stale') await this.#keepLate(one)
      return judgment.verdict
    }
    const after = rowOf(judgment)
    if (row.started_at === null && after.started_at !== null) this.#starts.push(...startCounts(row, after.started_at))
    if (judgment.kind === 'map') return this.#map(judgment)
    await this.#follow(judgment, one)
    return 'done'
  }

  async lose(loss: Loss): Promise<void> {
    const row = this.#open.get(loss.instanceId)
    if (
      row === undefined ||
      row.attempt !== loss.attempt ||
      row.boot_id !== loss.bootId ||
      (row.phase !== PHASE.dispatched && row.phase !== PHASE.running)
    )
      return
    if (row.accepted_at === null && row.cancel_at === null && loss.unacceptedReadyAt !== null) {
      const trace: TraceEntry = { reason: 'neverReceived', at: this.#at, facts: { executorId: row.executor_id } }
      this.#requeue({
        row,
        attemptOutcome: ATTEMPT_OUTCOME.neverReceived,
        endedAt: this.#at,
        error: loss.error,
        readyAt: loss.unacceptedReadyAt,
        spendsTry: false,
        trace: [trace],
      })
      return
    }
    const { outcome, error, trace, retryNotBefore } = loss
    await this.#endAttempt({ row, at: this.#at, outcome, error, result: null, trace: [trace], retryNotBefore })
  }

  async write(firstId: number): Promise<RunChange[]> {
    const saved = [...this.#dirty].sort((a, b) => a - b).flatMap((id) => this.#open.get(id) ?? [])
    await saveOpen(this.#tx, saved)
    await saveSplit(
      this.#tx,
      saved.filter((row) => this.#split.has(row.id)),
    )
    await dropMapFrames(this.#tx, [...this.#dropped])
    await this.#tx.insertNew('attempt', this.#attempts)
    await endRuns(this.#tx, this.#at, firstId, this.#ends, this.#starts)
    return [
      ...saved.map((row): RunChange => ({ kind: 'open', row })),
      ...this.#ends.map((end): RunChange => ({ kind: 'ended', row: end.row, outcome: end.outcome, endedAt: end.endedAt })),
    ]
  }

  async #follow(judgment: Exclude<Judgment, { kind: 'verdict' | 'map' }>, { firstChildId }: RunReport): Promise<void> {
    switch (judgment.kind) {
      case 'update':
        return this.#keep(judgment.row)
      case 'requeue':
        return this.#requeue(judgment.requeue)
      case 'end':
        return this.#end(judgment.end)
      case 'attemptEnded':
        return isSplit(judgment.ended) ? this.#endMap(judgment.ended, firstChildId ?? null) : this.#endAttempt(judgment.ended)
    }
  }

  async #map({ row, frame }: Extract<Judgment, { kind: 'map' }>): Promise<Verdict> {
    const kept = await keepMapFrame(this.#tx, row, frame)
    if (kept.kind !== 'kept') return kept.kind
    this.#split.add(row.id)
    this.#keep({ ...row, mapped: kept.mapped })
    return 'done'
  }

  /** The attempt that has split the run is over. */
  async #endMap(ended: AttemptEnd, firstChildId: number | null): Promise<void> {
    const next = afterMap(ended, { at: this.#at, firstChildId })
    switch (next.kind) {
      case 'attemptEnded':
        return this.#endAttempt(next.ended)
      case 'end':
        // what the attempt said is kept, and the run is canceled
        this.#attempts.push(...attemptRow(next.attempt))
        return this.#end(next.end)
      case 'parent':
        await noteShards(this.#tx)
        this.#split.add(next.row.id)
        this.#attempts.push(...attemptRow(next.attempt))
        return this.#keep(next.row)
    }
  }

  async #endAttempt(ended: AttemptEnd): Promise<void> {
    const next = endAttempt(ended, await this.#policyOf(ended))
    if (next.kind === 'end') this.#end(next.end)
    else this.#requeue(next.requeue)
  }

  /** The policy is read only when an attempt has failed: successes, which are many, cost no read. */
  async #policyOf({ row, outcome }: AttemptEnd): Promise<AfterFailure> {
    if (outcome === OUTCOME.succeeded) return NO_RETRY
    return (await definitionOfRun(this.#tx, row)) ?? NO_RETRY
  }

  #keep(row: OpenInstanceRow): void {
    this.#open.set(row.id, row)
    this.#dirty.add(row.id)
  }

  #requeue(requeue: Requeue): void {
    this.#attempts.push(...attemptRow(requeue))
    this.#keep(this.#withoutMap(requeued(requeue, rankOf)))
  }

  /** What an attempt has split off that did not succeed is forgotten: the next one begins anew. */
  #withoutMap(row: OpenInstanceRow): OpenInstanceRow {
    if (row.mapped === null || row.reduce !== null) return row
    this.#split.add(row.id)
    this.#dropped.add(row.id)
    const trace: TraceEntry = { reason: 'mapDropped', at: this.#at, facts: { shards: row.mapped } }
    return { ...row, mapped: null, trace: appendTrace(row.trace, row.created_at, [trace]) }
  }

  #end(end: RunEnd): void {
    this.#ends.push(end)
    this.#dirty.delete(end.row.id)
    this.#open.delete(end.row.id)
    this.#ended.set(end.row.id, { ...end.row, outcome: end.outcome, ended_at: end.endedAt, result: null, error_code: null, error: null })
  }

  async #verdictOfEnded(one: RunReport): Promise<Verdict> {
    const row = this.#ended.get(one.frame.instanceId)
    if (row === undefined) return 'unknown'
    if (one.frame.attempt > row.attempt) return 'unknown'
    const isLate = await this.#keepLate(one)
    return one.frame.attempt === row.attempt && !isLate ? 'already' : 'stale'
  }

  /**
   * A result that comes after its attempt was given up is kept beside the attempt, marked late. One that the attempt has already is only a repeat: an
   * executor that was killed before it noted the acknowledgement sends it again after its start.
   */
  async #keepLate({ executorId, frame }: RunReport): Promise<boolean> {
    if (frame.type !== 'finished') return false
    const outcome = OUTCOME[frame.outcome]
    const given = await this.#givenEnd(frame.instanceId, frame.attempt)
    if (given?.outcome === outcome || (given !== null && given.executor_id !== executorId)) return false
    this.#attempts.push({
      instance_id: frame.instanceId,
      attempt: frame.attempt,
      late: 1,
      executor_id: executorId,
      boot_id: frame.bootId,
      sent_at: null,
      accepted_at: null,
      started_at: frame.startedAt,
      ended_at: frame.at,
      outcome,
      error_code: frame.error?.code ?? null,
      error: frame.error?.message.slice(0, 2048) ?? null,
    })
    return true
  }

  /** How an attempt has ended as far as is known; null: it has not. */
  async #givenEnd(instanceId: number, attempt: number): Promise<Pick<AttemptRow, 'outcome' | 'executor_id'> | null> {
    const here = this.#attempts.find((row) => row.instance_id === instanceId && row.attempt === attempt && row.late === 0)
    if (here !== undefined) return here
    // an attempt that ended before its run, which was waiting to try again, has a row of its own; the others have the run's
    const [earlier] = await this.#tx.all<AttemptRow>('SELECT * FROM attempt WHERE instance_id = ? AND attempt = ? AND late = 0', [
      instanceId,
      attempt,
    ])
    const last = this.#ended.get(instanceId)
    return earlier ?? (last?.attempt === attempt ? last : null)
  }
}
