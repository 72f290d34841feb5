import type { Cancel, Dispatch, RejectCode } from '@tickwheel/contract'
import { FRAME_LIMITS } from '@tickwheel/contract'
import type { Link, Order, Session } from '../link.ts'
import { claimWires, type WireClaimed } from '../../store/wires.ts'
import { SUCCESS, readRegistry } from './callback.ts'
import { Callbacks } from './callbacks.ts'
import type { CallEnd } from './client.ts'
import { keyOf, type Peer, type XxlRun } from './peer.ts'
import { Registrar } from './registrar.ts'
import { failure, isOwnReply, readReply, type Envelope } from './reply.ts'
import { readRunAnswer, runRequestOf, type RunRequest } from './run-request.ts'
import { Shared, type XxlLinkOptions } from './shared.ts'
import { Watch } from './watch.ts'

const PENDING_BYTES = 8_388_608
const CLAIMS_AT_ONCE = 100
const CLOSE_WITHIN_MS = 2_000
const KILL_AGAIN_MS = 2_000

interface Waiting {
  readonly peer: Peer
  readonly dispatch: Dispatch
  readonly bytes: number
}

/**
 * Executors that speak XXL-JOB's protocol: they register by HTTP and are called by HTTP. An attempt gets a number of its own, durable before it is sent,
 * and is sent once: an executor runs whatever number it is given, also one that it has run before. Who may have it and did not say so is asked and waited
 * for, never sent to again. What ends a run is a callback, the time limit, a cancel, or that the executor is lost or does not have it any more.
 */
export class XxlLink implements Link {
  readonly #options: XxlLinkOptions
  readonly #shared: Shared
  readonly #registrar: Registrar
  readonly #callbacks: Callbacks
  readonly #watch: Watch
  #waiting: Waiting[] = []
  #claiming: Promise<void> | null = null
  #isPaused = false

  constructor(options: XxlLinkOptions) {
    this.#options = options
    this.#shared = new Shared(options)
    this.#registrar = new Registrar(this.#shared)
    this.#watch = new Watch({
      shared: this.#shared,
      kill: (peer, run) => this.#kill(peer, run),
      link: (peer) => this.#registrar.link(peer),
      leave: (peer) => this.#registrar.leave(peer),
    })
    this.#callbacks = new Callbacks(this.#shared, (peer, run) => this.#watch.rest(peer, run))
    this.#watch.start()
  }

  // ── what executors ask ──

  /** Whether any group lets in who has this token. */
  async admits(token: string): Promise<boolean> {
    return this.#options.access.admits(token)
  }

  /** `registry`: an executor lives. `isNewDialect`: it sent the header XXL-JOB-APPNAME. */
  async registry(body: unknown, of: { readonly token: string; readonly isNewDialect: boolean }): Promise<Envelope> {
    const registry = readRegistry(body)
    if (registry === null) return failure('expected registryKey and registryValue, both texts')
    return this.#registrar.register(registry, of)
  }

  async registryRemove(body: unknown, token: string): Promise<Envelope> {
    const registry = readRegistry(body)
    if (registry === null) return failure('expected registryKey and registryValue, both texts')
    return this.#registrar.remove(registry, token)
  }

  /** Results of runs; answered after they are durable. */
  async callback(body: unknown, token: string): Promise<Envelope> {
    if (this.#isPaused) return failure('the server has more reports than it can take: send it again')
    return this.#callbacks.take(body, token)
  }

  // ── what the engine asks ──

  send(session: Session, orders: readonly Order[]): 'sent' | 'absent' | 'full' {
    const peer = this.#shared.of(session)
    if (peer === null || !peer.isLinked) return 'absent'
    if (peer.pendingBytes > PENDING_BYTES) return 'full'
    for (const order of orders) {
      if (order.type === 'dispatch') this.#take(peer, order)
      else this.#cancel(peer, order)
    }
    return 'sent'
  }

  /** The engine gives a draining executor nothing; it needs not know. */
  drain(): void {}

  end(session: Session): void {
    const peer = this.#shared.of(session)
    if (peer !== null) this.#registrar.forget(peer)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  /** The node leaves: calls in flight are waited for (2 s at most), and other nodes may have the executors. */
  async close(): Promise<void> {
    this.#shared.isClosed = true
    const { promise: late, resolve } = Promise.withResolvers<null>()
    const timer = setTimeout(() => resolve(null), CLOSE_WITHIN_MS)
    await Promise.race([
      late,
      this.#watch
        .stop()
        .then(() => this.#claiming)
        .then(() => Promise.all([...this.#shared.peers.values()].map((peer) => peer.calls.idle()))),
    ])
    clearTimeout(timer)
    for (const peer of this.#shared.peers.values()) this.#registrar.unlink(peer)
  }

  // ── dispatch ──

  #take(peer: Peer, dispatch: Dispatch): void {
    const key = keyOf(dispatch)
    if (peer.runs.has(key) || peer.pending.has(key)) return
    const bytes = sizeOf(dispatch)
    peer.pending.add(key)
    peer.pendingBytes += bytes
    this.#waiting.push({ peer, dispatch, bytes })
    this.#claiming ??= this.#claimAll().finally(() => (this.#claiming = null))
  }

  async #claimAll(): Promise<void> {
    // orders that come within one turn of the loop are claimed together
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0 && !this.#shared.isClosed) {
      const batch = this.#waiting.splice(0, CLAIMS_AT_ONCE)
      const now = this.#options.host.now()
      // a process that was frozen meanwhile: the row may be another's by now, and a sweep sends what is not
      const young = batch.filter(({ dispatch }) => now - dispatch.at <= FRAME_LIMITS.dispatchMaxAgeMs)
      for (const item of batch) if (!young.includes(item)) this.#drop(item)
      if (young.length > 0) await this.#claim(young, now)
    }
  }

  async #claim(batch: readonly Waiting[], now: number): Promise<void> {
    const { db, takeIds, log } = this.#options
    try {
      const first = await takeIds(batch.length)
      const claims = batch.map(({ peer, dispatch: { instanceId, attempt } }, place) => ({
        wireId: first + place,
        instanceId,
        attempt,
        ...peer.session,
      }))
      const answers = await claimWires(db, now, claims)
      for (const [place, item] of batch.entries()) this.#claimed(item, answers[place] ?? { kind: 'gone' })
    } catch (error) {
      // nothing was sent: a sweep offers it again
      log.warn({ err: error }, 'runs for XXL-JOB executors could not be claimed')
      for (const item of batch) this.#drop(item)
    }
  }

  #claimed(item: Waiting, answer: WireClaimed): void {
    const { peer, dispatch } = item
    switch (answer.kind) {
      case 'gone':
        return this.#drop(item)
      case 'canceled':
        this.#drop(item)
        return this.#reject(peer, dispatch, 'canceledFirst', 'canceled before it was sent')
      case 'sent': {
        this.#drop(item)
        const run = this.#shared.track(
          peer,
          { ...answer.wire, task_id: dispatch.task.id, accepted_at: null, started_at: null, cancel_at: null },
          0,
        )
        return this.#shared.accepted(peer, run)
      }
      case 'fresh': {
        const request = runRequestOf(dispatch, { logId: answer.wire.id, logAt: answer.wire.log_at, ...answer.task })
        if (request === null) {
          this.#drop(item)
          return this.#reject(peer, dispatch, 'handlerNotAllowed', refusalOf(dispatch.handler))
        }
        // its callback may come before the answer
        const run = this.#shared.track(
          peer,
          { ...answer.wire, task_id: dispatch.task.id, accepted_at: null, started_at: null, cancel_at: null },
          0,
        )
        this.#drop(item)
        void peer.calls.do(async () => this.#sent(peer, { run, dispatch }, await this.#call(peer, dispatch, request)))
      }
    }
  }

  /** What has waited too long behind others is not sent: the engine gives it to another. */
  async #call(peer: Peer, dispatch: Dispatch, request: RunRequest): Promise<CallEnd> {
    if (this.#options.host.now() - dispatch.at > FRAME_LIMITS.dispatchMaxAgeMs)
      return { kind: 'answer', status: 200, text: '{"code":500,"msg":"the calls before it took too long"}' }
    return peer.run(request)
  }

  #drop({ peer, dispatch, bytes }: Waiting): void {
    peer.pending.delete(keyOf(dispatch))
    peer.pendingBytes -= bytes
  }

  #sent(peer: Peer, { run, dispatch }: { run: XxlRun; dispatch: Dispatch }, end: CallEnd): void {
    switch (end.kind) {
      case 'unsent':
        this.#refused(peer, { run, dispatch, code: 'capacity', detail: `not reached at ${peer.base}: ${end.why}` })
        // nothing goes there until it answers again
        return this.#registrar.unlink(peer)
      case 'unsure':
        return this.#unsure(peer, run, end.why)
      case 'answer': {
        // a proxy that gave up may have passed the call on
        if (end.status >= 500 && !isOwnReply(end.text)) return this.#unsure(peer, run, `HTTP ${String(end.status)}`)
        const answer = readRunAnswer(readReply(end.text))
        if (answer.kind === 'there') return this.#shared.accepted(peer, run)
        return this.#refused(peer, { run, dispatch, ...answer })
      }
    }
  }

  /** It may have the run: sending it again might run it twice. */
  #unsure(peer: Peer, run: XxlRun, why: string): void {
    this.#options.log.warn(
      { ...peer.session, instanceId: run.instanceId, attempt: run.attempt, logId: run.logId, why },
      'an XXL-JOB executor did not answer to a dispatch: it may have the run, so its result is waited for',
    )
    this.#shared.accepted(peer, run)
  }

  #refused(peer: Peer, { run, dispatch, code, detail }: { run: XxlRun; dispatch: Dispatch; code: RejectCode; detail: string }): void {
    peer.runs.delete(keyOf(run))
    // a callback for it was taken before the refusal came
    if (run.lastPageAt !== null) return
    if (code === 'unknownHandler' || code === 'handlerNotAllowed') peer.refusedAt = performance.now()
    this.#reject(peer, dispatch, code, detail)
  }

  #reject(peer: Peer, { instanceId, attempt }: Dispatch, code: RejectCode, detail: string): void {
    this.#shared.tell(peer.session, { type: 'rejected', instanceId, attempt, at: this.#options.host.now(), code, detail })
  }

  // ── cancel ──

  #cancel(peer: Peer, order: Cancel): void {
    const run = peer.runs.get(keyOf(order))
    if (run !== undefined && run.lastPageAt === null) void this.#kill(peer, run)
  }

  /** Asks the executor to stop the job, which is all that it can stop: every run of it there. Asked once; what it does not answer is asked again. */
  async #kill(peer: Peer, run: XxlRun): Promise<void> {
    if (run.isKilled || performance.now() < run.nextKillAt) return
    run.isKilled = true
    const end = await peer.kill(run.jobId)
    if (end.kind !== 'answer') {
      run.isKilled = false
      run.nextKillAt = performance.now() + KILL_AGAIN_MS
      return
    }
    const reply = readReply(end.text)
    if (reply.code !== SUCCESS)
      this.#options.log.warn(
        { ...peer.session, instanceId: run.instanceId, answer: reply.message },
        'an XXL-JOB executor refused to stop a run',
      )
  }
}

function sizeOf({ handler, params }: Dispatch): number {
  const script = handler.kind === 'shell' ? handler.script : handler.kind === 'script' ? handler.source : ''
  return 512 + params.length + script.length
}

function refusalOf(handler: Dispatch['handler']): string {
  return 'env' in handler
    ? 'an XXL-JOB executor takes no environment: leave env out, or hand the values over in the parameters'
    : `an XXL-JOB executor has no handler of the kind ${handler.kind}`
}
