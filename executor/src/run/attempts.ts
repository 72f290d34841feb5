/**
 * Every attempt that this executor has or had. An attempt is remembered until 30 s after its end (or its rejection) was acknowledged, so that a
 * dispatch that comes twice is answered and never run twice.
 *
 *   dispatch of another boot           rejected otherBoot
 *   known                              answered with its state
 *   older than 10 s of server time     rejected tooOld
 *   its cancel came first              rejected canceledFirst       (remembered for 60 s)
 *   draining                           rejected draining
 *   no such handler, or not allowed    rejected unknownHandler, handlerNotAllowed
 *   no slot, queue place or spool      rejected capacity
 *   else                               accepted
 */
import { FRAME_LIMITS, type Cancel, type Dispatch, type RejectCode, type RunningAttempt, type Verdict } from '@tickwheel/contract'
import type { HandlerTable } from '../handlers/handler-table.ts'
import type { ExecutorLogger } from '../logger.ts'
import type { Pool } from '../pool/pool.ts'
import type { Spool } from '../spool/spool.ts'
import type { Timing } from '../timing.ts'
import { Attempt, type AttemptOptions } from './attempt.ts'
import { laneOf, type AttemptKey, type End, type Reporter } from './reporter.ts'
import type { StopCause } from './run.ts'

export interface AttemptsOptions {
  readonly handlers: HandlerTable
  readonly pool: Pool
  readonly reporter: Reporter
  readonly spool: Spool
  readonly timing: Timing
  readonly logger: ExecutorLogger
  /** this machine's clock, epoch ms */
  readonly now: () => number
  /** the server's clock, epoch ms */
  readonly serverNow: () => number
  readonly isLinked: () => boolean
  readonly serverKnowsMap: () => boolean
  readonly results: AttemptOptions['results']
  readonly finished: (key: AttemptKey, end: End) => void
}

interface Rejection {
  readonly code: RejectCode
  readonly detail: string
}

type Known =
  | { readonly kind: 'open'; readonly attempt: Attempt }
  | { readonly kind: 'ended'; readonly key: AttemptKey; readonly end: End; readonly isJudged: boolean }
  | { readonly kind: 'rejected'; readonly rejection: Rejection; readonly isJudged: boolean }

/** bounds of what is remembered; the oldest goes first */
const REMEMBERED_ENDS = 200_000
const REMEMBERED_CANCELS = 10_000

export class Attempts {
  readonly #options: AttemptsOptions
  readonly #known = new Map<string, Known>()
  readonly #canceledFirst = new Map<string, number>()
  readonly #forgetting: { readonly lane: string; readonly at: number }[] = []
  #forgetTimer: NodeJS.Timeout | null = null
  #open = 0
  #isDraining = false
  #bootId = 0
  #idle: (() => void)[] = []

  constructor(options: AttemptsOptions) {
    this.#options = options
  }

  setBoot(bootId: number): void {
    this.#bootId = bootId
  }

  setDraining(isDraining: boolean): void {
    this.#isDraining = isDraining
  }

  get open(): number {
    return this.#open
  }

  /** What the server may count on being here: what runs or waits, and what has ended and was not acknowledged. */
  running(): RunningAttempt[] {
    const keys: RunningAttempt[] = []
    for (const known of this.#known.values()) {
      if (known.kind === 'open') keys.push(known.attempt.key)
      else if (known.kind === 'ended' && !known.isJudged) keys.push(known.key)
    }
    return keys.slice(0, 10_000)
  }

  dispatch(dispatch: Dispatch): void {
    const lane = laneOf(dispatch)
    const known = this.#known.get(lane)
    if (dispatch.bootId !== this.#bootId)
      return this.#reject(dispatch, { code: 'otherBoot', detail: `this is boot ${String(this.#bootId)}` }, false)
    if (known !== undefined) return this.#repeat(dispatch, known)
    const rejection = this.#objection(dispatch, lane)
    if (rejection !== null) return this.#reject(dispatch, rejection, true)
    this.#offer(dispatch, lane)
  }

  /** A dispatch that is not valid. */
  refuse(key: AttemptKey, detail: string): void {
    this.#reject(key, { code: 'badDispatch', detail }, false)
  }

  cancel(cancel: Cancel): void {
    if (cancel.bootId === this.#bootId) this.#cancel(cancel)
  }

  /** What an answer to a heartbeat says. What the server does not know (any more) must not go on. */
  beat(cancel: readonly RunningAttempt[], unknown: readonly RunningAttempt[]): void {
    for (const key of cancel) this.#cancel(key)
    for (const key of unknown) this.#openAttempt(laneOf(key))?.stop('canceled')
  }

  /** Stops the runs that may be moved to another executor. */
  stopMovable(): void {
    for (const known of this.#known.values()) if (known.kind === 'open' && known.attempt.dispatch.movable) known.attempt.stop('serverLost')
  }

  stopAll(cause: StopCause): void {
    for (const known of [...this.#known.values()]) if (known.kind === 'open') known.attempt.stop(cause)
  }

  /** Resolves when nothing runs or waits. */
  idle(): Promise<void> {
    if (this.#open === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  close(): void {
    if (this.#forgetTimer !== null) clearTimeout(this.#forgetTimer)
  }

  #objection(dispatch: Dispatch, lane: string): Rejection | null {
    const ageMs = this.#options.serverNow() - dispatch.at
    if (ageMs > FRAME_LIMITS.dispatchMaxAgeMs) return { code: 'tooOld', detail: `sent ${String(Math.round(ageMs))} ms ago` }
    const canceledAt = this.#canceledFirst.get(lane)
    if (canceledAt !== undefined && this.#options.now() - canceledAt <= this.#options.timing.rememberCancelMs)
      return { code: 'canceledFirst', detail: 'its cancel came first' }
    if (this.#isDraining) return { code: 'draining', detail: 'the executor takes nothing new' }
    if (!this.#options.spool.hasRoomForResults(this.#open + 1))
      return { code: 'capacity', detail: 'the spool has no room for another result' }
    return null
  }

  #offer(dispatch: Dispatch, lane: string): void {
    const { handlers, pool, reporter, now, timing, isLinked, serverKnowsMap, results } = this.#options
    const found = handlers.find(dispatch.handler)
    if (found.kind !== 'handler') return this.#reject(dispatch, { code: found.kind, detail: found.detail }, true)
    const attempt = new Attempt({
      dispatch,
      handler: found.handler,
      pool,
      reporter,
      now,
      progressMs: timing.progressMs,
      logFlushMs: () => (isLinked() ? timing.logFlushMs : timing.logFlushAwayMs),
      serverKnowsMap,
      results,
      ended: (end) => this.#ended(lane, dispatch, end),
      judged: (verdict) => this.#endJudged(lane, attempt.key, verdict),
    })
    if (pool.offer(attempt) === 'full')
      return this.#reject(dispatch, { code: 'capacity', detail: `${String(pool.running)} run and ${String(pool.queued)} wait` }, true)
    this.#known.set(lane, { kind: 'open', attempt })
    this.#open += 1
    reporter.accepted(attempt.key, now())
  }

  #repeat(key: AttemptKey, known: Known): void {
    const { reporter, now } = this.#options
    switch (known.kind) {
      case 'open':
        return known.attempt.repeatState()
      case 'ended':
        // what was not acknowledged is on its way already
        return known.isJudged ? reporter.finishedAgain(known.key, known.end) : undefined
      case 'rejected':
        return known.isJudged ? reporter.rejected(keyOf(key), now(), known.rejection, () => undefined) : undefined
    }
  }

  #reject(dispatch: AttemptKey, rejection: Rejection, isRemembered: boolean): void {
    const lane = laneOf(dispatch)
    if (isRemembered) this.#known.set(lane, { kind: 'rejected', rejection, isJudged: false })
    this.#options.logger.info({ instanceId: dispatch.instanceId, attempt: dispatch.attempt, ...rejection }, 'a dispatch was rejected')
    this.#options.reporter.rejected(keyOf(dispatch), this.#options.now(), rejection, () => {
      if (isRemembered) this.#judged(lane)
    })
  }

  #cancel(key: AttemptKey): void {
    const lane = laneOf(key)
    if (this.#known.has(lane)) this.#openAttempt(lane)?.stop('canceled')
    else this.#rememberCancel(lane)
  }

  #openAttempt(lane: string): Attempt | null {
    const known = this.#known.get(lane)
    return known?.kind === 'open' ? known.attempt : null
  }

  #rememberCancel(lane: string): void {
    this.#canceledFirst.delete(lane)
    this.#canceledFirst.set(lane, this.#options.now())
    const oldest = this.#canceledFirst.keys().next()
    if (this.#canceledFirst.size > REMEMBERED_CANCELS && oldest.done !== true) this.#canceledFirst.delete(oldest.value)
  }

  #ended(lane: string, dispatch: Dispatch, end: End): void {
    this.#known.set(lane, { kind: 'ended', key: keyOf(dispatch), end: withoutResult(end), isJudged: false })
    this.#open -= 1
    this.#options.finished(keyOf(dispatch), end)
    if (this.#open === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #endJudged(lane: string, key: AttemptKey, verdict: Verdict): void {
    if (verdict !== 'done' && verdict !== 'already')
      this.#options.logger.warn({ ...key, verdict }, 'the end of a run came too late, or was not accepted')
    this.#judged(lane)
  }

  #judged(lane: string): void {
    const known = this.#known.get(lane)
    if (known === undefined || known.kind === 'open') return
    this.#known.set(lane, { ...known, isJudged: true })
    this.#forgetting.push({ lane, at: this.#options.now() + this.#options.timing.rememberEndedMs })
    this.#forget()
  }

  #forget(): void {
    const now = this.#options.now()
    let due = this.#forgetting.findIndex((each) => each.at > now)
    if (due < 0) due = this.#forgetting.length
    due = Math.max(due, this.#forgetting.length - REMEMBERED_ENDS)
    if (due > 0) for (const { lane } of this.#forgetting.splice(0, due)) this.#known.delete(lane)
    const next = this.#forgetting[0]
    if (next === undefined || this.#forgetTimer !== null) return
    this.#forgetTimer = setTimeout(() => this.#forgetLater(), Math.max(100, next.at - now))
    this.#forgetTimer.unref()
  }

  #forgetLater(): void {
    this.#forgetTimer = null
    this.#forget()
  }
}

function keyOf({ instanceId, attempt }: AttemptKey): AttemptKey {
  return { instanceId, attempt }
}

/** The outbox has the whole frame until it is acknowledged; afterwards a repeat needs no more than the outcome. */
function withoutResult(end: End): End {
  const { result: _result, error: _error, ...rest } = end
  return rest
}
