import {
  PARAMS_INVALID,
  type Accepted,
  type Finished,
  type MapEnd,
  type MapFrame,
  type Progress,
  type Rejected,
  type Started,
  type Verdict,
} from '@tickwheel/contract'
import {
  decideRetry,
  OUTCOME,
  outcomeOfCode,
  PHASE,
  queueRankAt,
  seededRandom,
  stateOfPhase,
  transition,
  type InstanceEvent,
  type RetryPolicy,
  type TraceEntry,
} from '@tickwheel/core'
import { ATTEMPT_OUTCOME, type Requeue, type RunEnd, type RunError } from './run-writes.ts'
import type { OpenInstanceRow } from './schema.ts'

/** Frames that change a run. */
export type RunFrame = Accepted | Rejected | Started | Progress | MapFrame | Finished

export interface RunReport {
  readonly executorId: number
  readonly bootId: number
  readonly frame: RunFrame
  /** of an end that splits the run: the first of as many ids in a row as it has shards */
  readonly firstChildId?: number
}

/** What a frame makes of an open row. */
export type Judgment =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'update'; readonly row: OpenInstanceRow }
  | { readonly kind: 'requeue'; readonly requeue: Requeue }
  | { readonly kind: 'end'; readonly end: RunEnd }
  /** the attempt goes on, and has split off some shards */
  | { readonly kind: 'map'; readonly row: OpenInstanceRow; readonly frame: MapFrame }
  /** the attempt has ended unsuccessfully: `endAttempt` decides with the task's retry policy */
  | { readonly kind: 'attemptEnded'; readonly ended: AttemptEnd }

export interface AttemptEnd {
  readonly row: OpenInstanceRow
  readonly at: number
  readonly outcome: number
  readonly error: RunError | null
  readonly result: string | null
  readonly trace: readonly TraceEntry[]
  /** a retry begins no earlier, whatever the policy says; null: as it says */
  readonly retryNotBefore: number | null
  /** it has split the run, and says into how many */
  readonly map?: MapEnd
}

/** A running attempt is looked at once a minute, to see whether it is over its time. */
const CHECK_MS = 60_000

/** Judges one frame against the open row it names. Pure: phase, attempt, executor and boot decide, never the order of arrival. */
export function judge(row: OpenInstanceRow, report: RunReport, at: number): Judgment {
  const { frame } = report
  const boot = frame.type === 'finished' || frame.type === 'map' ? frame.bootId : report.bootId
  const isCurrent = row.attempt === frame.attempt && row.executor_id === report.executorId && row.boot_id === boot
  const move = transition(stateOfPhase(row.phase), eventOf(frame))
  if (!isCurrent || move.kind === 'illegal') return { kind: 'verdict', verdict: row.attempt >= frame.attempt ? 'stale' : 'unknown' }
  if (move.kind === 'already' && frame.type !== 'progress' && frame.type !== 'map') return { kind: 'verdict', verdict: 'already' }
  switch (frame.type) {
    case 'accepted':
      return row.accepted_at === null ? { kind: 'update', row: accepted(row, frame.at) } : { kind: 'verdict', verdict: 'already' }
    case 'started':
      return { kind: 'update', row: started(row, frame.at) }
    case 'progress':
      return {
        kind: 'update',
        row: { ...(move.kind === 'to' ? started(row, frame.at) : row), progress: JSON.stringify([frame.value, frame.text]) },
      }
    case 'map':
      return { kind: 'map', row: move.kind === 'to' ? started(row, at) : row, frame }
    case 'rejected':
      return rejected(row, frame, at)
    case 'finished':
      return finished(row, frame)
  }
}

function eventOf(frame: RunFrame): InstanceEvent {
  switch (frame.type) {
    case 'accepted':
      return 'accept'
    case 'started':
      return 'start'
    // progress is a sign that the body runs, and so is what it splits off
    case 'progress':
    case 'map':
      return 'start'
    case 'rejected':
      return 'reject'
    case 'finished':
      return FINISH_EVENT[frame.outcome]
  }
}

const FINISH_EVENT = { succeeded: 'succeed', failed: 'fail', timedOut: 'timeOut', canceled: 'cancel' } as const

function accepted(row: OpenInstanceRow, frameAt: number): OpenInstanceRow {
  const acceptedAt = Math.max(frameAt, row.sent_at ?? frameAt)
  return { ...row, accepted_at: acceptedAt, rank_at: acceptedAt + CHECK_MS }
}

function started(row: OpenInstanceRow, frameAt: number): OpenInstanceRow {
  const sure = row.accepted_at === null ? accepted(row, frameAt) : row
  const startedAt = Math.max(frameAt, sure.accepted_at ?? frameAt)
  return { ...sure, phase: PHASE.running, started_at: startedAt, rank_at: startedAt + CHECK_MS }
}

function rejected(row: OpenInstanceRow, frame: Rejected, at: number): Judgment {
  const trace: TraceEntry[] = [
    { reason: 'rejected', at, facts: { code: frame.code, executorId: row.executor_id, detail: frame.detail.slice(0, 200) } },
  ]
  if (row.cancel_at !== null || frame.code === 'canceledFirst') {
    return {
      kind: 'end',
      end: { row, outcome: OUTCOME.canceled, endedAt: at, result: null, error: null, trace: [...trace, canceledBy(row, at)] },
    }
  }
  if (frame.code === 'badDispatch') {
    return {
      kind: 'end',
      end: { row, outcome: OUTCOME.failed, endedAt: at, result: null, error: { code: 'DISPATCH_REFUSED', message: frame.detail }, trace },
    }
  }
  return {
    kind: 'requeue',
    requeue: {
      row,
      attemptOutcome: ATTEMPT_OUTCOME.rejected,
      endedAt: at,
      error: { code: `REJECTED_${frame.code}`, message: frame.detail },
      readyAt: null,
      spendsTry: false,
      trace,
    },
  }
}

function finished(row: OpenInstanceRow, frame: Finished): Judgment {
  const startedAt = frame.startedAt ?? row.started_at
  const seen = row.accepted_at === null ? accepted(row, startedAt ?? frame.at) : row
  const ran: OpenInstanceRow = { ...seen, started_at: startedAt === null ? null : Math.max(startedAt, seen.accepted_at ?? startedAt) }
  const endedAt = Math.max(frame.at, ran.started_at ?? 0, row.sent_at ?? 0)
  const ended: AttemptEnd = {
    row: ran,
    at: endedAt,
    outcome: OUTCOME[frame.outcome],
    error: frame.error ?? null,
    result: frame.result === undefined ? null : JSON.stringify(frame.result),
    trace: [traceOf(frame, row, endedAt)],
    retryNotBefore: null,
    ...(frame.map === undefined ? {} : { map: frame.map }),
  }
  return { kind: 'attemptEnded', ended }
}

function traceOf(frame: Finished, row: OpenInstanceRow, at: number): TraceEntry {
  switch (frame.outcome) {
    case 'succeeded':
      return { reason: 'succeeded', at, facts: {} }
    case 'failed':
      return { reason: 'failed', at, facts: { code: frame.error?.code ?? null } }
    case 'timedOut':
      return { reason: 'timedOut', at, facts: {} }
    case 'canceled':
      return canceledBy(row, at)
  }
}

/** The trace of a run that ends canceled. */
export function canceledBy(row: OpenInstanceRow, at: number): TraceEntry {
  return { reason: 'canceled', at, facts: { by: row.cancel_by } }
}

/** What a task says of attempts that did not succeed. */
export interface AfterFailure {
  readonly retry: RetryPolicy
  readonly onLost: 'retry' | 'fail'
}

/**
 * Whether an attempt's end is the run's end: a retry follows an unsuccessful one while the policy allows it, nobody asked to cancel, and its parameters
 * fit its handler.
 */
export function endAttempt(
  ended: AttemptEnd,
  { retry, onLost }: AfterFailure,
): { kind: 'end'; end: RunEnd } | { kind: 'requeue'; requeue: Requeue } {
  const { row, at, outcome } = ended
  if (row.cancel_at !== null && outcome === OUTCOME.lost) {
    return {
      kind: 'end',
      end: {
        ...ended,
        outcome: OUTCOME.canceled,
        endedAt: at,
        trace: [...ended.trace, { reason: 'cancelUnconfirmed', at, facts: { by: row.cancel_by } }],
      },
    }
  }
  const decision =
    row.cancel_at === null && ended.error?.code !== PARAMS_INVALID
      ? decideRetry({ policy: retry, tries: row.tries, outcome: outcomeOfCode(outcome), chance: chanceOf(row), onLost })
      : ({ kind: 'final', reason: 'notRetriable' } as const)
  if (decision.kind === 'retry') {
    const readyAt = Math.max(at + decision.delayMs, ended.retryNotBefore ?? 0)
    const trace: TraceEntry[] = [
      ...ended.trace,
      { reason: 'retrying', at, facts: { tries: row.tries + 1, max: retry.max, delayMs: readyAt - at } },
    ]
    return {
      kind: 'requeue',
      requeue: { row, attemptOutcome: outcome, endedAt: at, error: ended.error, readyAt, spendsTry: true, trace },
    }
  }
  const isSpent = retry.max > 0 && row.tries >= retry.max && outcome !== OUTCOME.succeeded && outcome !== OUTCOME.canceled
  const trace: TraceEntry[] = [...ended.trace]
  if (decision.reason === 'lostNotRetried') trace.push({ reason: 'lostNotRetried', at, facts: {} })
  else if (isSpent) trace.push({ reason: 'retriesExhausted', at, facts: { tries: row.tries, max: retry.max } })
  return { kind: 'end', end: { row, outcome, endedAt: at, result: ended.result, error: ended.error, trace } }
}

/** Chance for the jitter of a retry: another for each attempt of each run, and the same when the transaction runs again. */
function chanceOf({ id, attempt }: OpenInstanceRow): number {
  return seededRandom(id + attempt).next()
}

/** Where a run stands in its lane. */
export function rankOf(row: OpenInstanceRow): number {
  return queueRankAt(row.queued_at ?? row.created_at, row.priority)
}
