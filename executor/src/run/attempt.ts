/**
 * One attempt in this executor: queued → running → ended. It ends exactly once, and its end is handed on once, after its log.
 */
import type { Dispatch, ShardResult, Verdict } from '@tickwheel/contract'
import { Masker } from '@tickwheel/core'
import type { TaskHandler } from '../handlers/handler.ts'
import { AttemptLog } from '../log/attempt-log.ts'
import type { Pool, PoolJob } from '../pool/pool.ts'
import { maskedOutcome, outcomeOf, type WorkEnd } from './outcome.ts'
import { laneOf, type AttemptKey, type End, type Reporter } from './reporter.ts'
import { RunFailure, RunStopped, type StopCause } from './run.ts'
import { Splitter } from './splitter.ts'

export interface AttemptOptions {
  readonly dispatch: Dispatch
  readonly handler: TaskHandler
  readonly pool: Pool
  readonly reporter: Reporter
  readonly now: () => number
  readonly progressMs: number
  readonly logFlushMs: () => number
  /** whether the server knows runs that are split by their handler */
  readonly serverKnowsMap: () => boolean
  readonly results: (run: AttemptKey & { readonly total: number }, signal: AbortSignal) => AsyncIterable<ShardResult>
  /** the attempt has ended and its end is on its way */
  readonly ended: (end: End) => void
  readonly judged: (verdict: Verdict) => void
}

const DEFAULT_PRIORITY = 5

export class Attempt implements PoolJob {
  readonly key: AttemptKey
  readonly handler: string
  readonly priority: number
  readonly dispatch: Dispatch
  readonly #options: AttemptOptions
  readonly #log: AttemptLog
  readonly #abort = new AbortController()
  readonly #splitter: Splitter
  /** hides the secrets that the run was given; null: it was given none */
  readonly #masker: Masker | null
  #phase: 'queued' | 'running' | 'ended' = 'queued'
  #startedAt: number | null = null
  #stopCause: StopCause | null = null
  #timeout: NodeJS.Timeout | null = null
  #progress: { value: number; text: string } | null = null
  #progressTimer: NodeJS.Timeout | null = null

  constructor(options: AttemptOptions) {
    const { dispatch, reporter } = options
    this.#options = options
    this.dispatch = dispatch
    this.key = { instanceId: dispatch.instanceId, attempt: dispatch.attempt }
    this.handler = options.handler.slot
    this.priority = dispatch.priority ?? DEFAULT_PRIORITY
    this.#masker = dispatch.secrets === undefined || dispatch.secrets.length === 0 ? null : new Masker(dispatch.secrets)
    this.#log = new AttemptLog({
      masker: this.#masker,
      limitBytes: dispatch.logLimitBytes,
      drain: reporter.logDrain(this.key),
      now: options.now,
      flushAfterMs: options.logFlushMs,
    })
    this.#splitter = new Splitter({
      send: (seq, shards, judged) => reporter.mapped(this.key, { bootId: dispatch.bootId, seq, shards }, judged),
      objection: () => this.#whyNotSplit(),
      signal: this.#abort.signal,
    })
  }

  get lane(): string {
    return laneOf(this.key)
  }

  /** Says again where the attempt stands: the answer to a dispatch that came twice. */
  repeatState(): void {
    const { reporter, now } = this.#options
    if (this.#phase === 'ended') return
    reporter.accepted(this.key, now())
    if (this.#startedAt !== null) reporter.started(this.key, this.#startedAt)
  }

  /** The pool has a slot. The work itself begins a moment later, so that `accepted` is reported before `started`. */
  start(): void {
    this.#phase = 'running'
    queueMicrotask(() => void this.#run())
  }

  /** Tells the run to stop; the first cause counts. */
  stop(cause: StopCause): void {
    if (this.#phase === 'ended' || this.#stopCause !== null) return
    this.#stopCause = cause
    if (this.#phase === 'queued') {
      this.#options.pool.withdraw(this)
      void this.#finish({ kind: 'neverStarted' })
      return
    }
    this.#log.write('system', 'warn', STOP_LINES[cause])
    this.#abort.abort(new RunStopped(cause))
  }

  async #run(): Promise<void> {
    const { handler, now, reporter, dispatch, pool, results } = this.#options
    this.#startedAt = now()
    reporter.started(this.key, this.#startedAt)
    if (dispatch.timeoutMs > 0) this.#timeout = setTimeout(() => this.stop('timedOut'), dispatch.timeoutMs)
    const work = settle(handler, {
      dispatch,
      signal: this.#abort.signal,
      log: this.#log,
      progress: (value, text) => this.#setProgress(value, text),
      splitter: this.#splitter,
      results: () => results({ ...this.key, total: dispatch.reduce?.total ?? 0 }, this.#abort.signal),
    })
    const end = handler.endsItself ? await work : await Promise.race([work, this.#givenUp()])
    await this.#finish(end)
    // a function that never returns keeps its slot: the slot is leaked, and the load that is reported shows it
    if (end.kind === 'givenUp') await work
    pool.release(this)
  }

  async #finish(end: WorkEnd): Promise<void> {
    if (this.#timeout !== null) clearTimeout(this.#timeout)
    this.#explain(end)
    this.#sendProgress()
    this.#phase = 'ended'
    const { reporter, now, dispatch } = this.#options
    const outcome = maskedOutcome(outcomeOf(end, this.#stopCause, dispatch.timeoutMs), this.#masker)
    const map = outcome.outcome === 'succeeded' ? this.#splitter.end : undefined
    const finished: End = {
      at: now(),
      startedAt: this.#startedAt,
      bootId: dispatch.bootId,
      ...outcome,
      ...(map === undefined ? {} : { map }),
    }
    reporter.ended(this.key, await this.#log.end(), finished, this.#options.judged)
    this.#options.ended(finished)
  }

  #whyNotSplit(): string | null {
    const { dispatch, serverKnowsMap } = this.#options
    if (dispatch.shard !== undefined) return 'a shard cannot be split again: give it fewer items, or split the run into more shards'
    if (dispatch.reduce !== undefined) return 'what combines the results of shards cannot split the run again'
    return serverKnowsMap() ? null : 'the server is of a release that does not know runs which their handler splits: upgrade it'
  }

  #explain(end: WorkEnd): void {
    if (end.kind === 'givenUp') {
      this.#log.write(
        'system',
        'error',
        'The function did not end after it was told to stop: the run ends without it, and its slot stays taken until it returns.',
      )
    }
    if (end.kind !== 'threw' || this.#stopCause !== null) return
    const { thrown } = end
    if (thrown instanceof Error && !(thrown instanceof RunFailure)) this.#log.write('system', 'error', thrown.stack ?? thrown.message)
  }

  /** Resolves when the kill grace has passed after the signal was aborted. */
  #givenUp(): Promise<WorkEnd> {
    const { signal } = this.#abort
    return new Promise((resolve) => {
      const wait = (): void => void setTimeout(() => resolve({ kind: 'givenUp' }), this.dispatch.killGraceMs)
      // a cancel may have come between the slot and the start
      if (signal.aborted) wait()
      else signal.addEventListener('abort', wait, { once: true })
    })
  }

  #setProgress(value: number, text: string): void {
    if (this.#phase !== 'running' || !Number.isFinite(value)) return
    this.#progress = { value: Math.min(1, Math.max(0, value)), text: (this.#masker?.text(text) ?? text).slice(0, 1000) }
    this.#progressTimer ??= setTimeout(() => this.#sendProgress(), this.#options.progressMs)
  }

  #sendProgress(): void {
    if (this.#progressTimer !== null) clearTimeout(this.#progressTimer)
    this.#progressTimer = null
    if (this.#progress !== null) this.#options.reporter.progress(this.key, this.#options.now(), this.#progress)
    this.#progress = null
  }
}

const STOP_LINES: Readonly<Record<StopCause, string>> = {
  canceled: 'Canceled: the run was told to stop.',
  timedOut: 'The time limit has passed: the run was told to stop.',
  serverLost: 'No word from a server for too long, and another attempt may run elsewhere: the run was told to stop.',
  superseded: 'A newer process took over the name of this executor: the run was told to stop.',
  executorStopped: 'The executor stops: the run was told to stop.',
}

async function settle(handler: TaskHandler, work: Parameters<TaskHandler['run']>[0]): Promise<WorkEnd> {
  try {
    const value = await handler.run(work)
    // a function may not have waited for what it split off
    await work.splitter.settled()
    return { kind: 'returned', value }
  } catch (thrown) {
    return { kind: 'threw', thrown }
  }
}
