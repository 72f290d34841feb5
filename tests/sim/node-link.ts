import { VERDICTS, type ServerFrame, type Verdict } from '@tickwheel/contract'
import type { Chance } from '../kit/chance.ts'
import type { Link, LinkHost, Order, Report, Session } from '../../server/src/link/link.ts'
import { inClusterTime, Skew } from '../../server/src/link/skew.ts'
import { isExecutorFrame, type UpFrame } from './up-frame.ts'
import { CLOSE } from './up-frame.ts'
import type { SimProcess } from './sim-process.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'
import { Wire, type WireEnd } from './wire.ts'
import type { Rates } from './weather.ts'

const OWED_RETRY_MS = 1000

export interface NodeLinkOptions {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly owner: SimProcess
  readonly rates: Rates
  readonly trace: Trace
  readonly host: () => LinkHost
  /** a report was judged and its sender is told */
  readonly onJudged: (session: Session, report: Report, verdict: Verdict) => void
}

/** The server's end of the links: what the stream link does, without sockets. */
export class NodeLink implements Link {
  readonly #options: NodeLinkOptions
  readonly #ends = new Set<ServerEnd>()
  readonly #joined = new Map<number, ServerEnd>()
  #isClosing = false

  constructor(options: NodeLinkOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#joined.size
  }

  /** An executor connects; null: nobody listens. */
  accept(executor: WireEnd): Wire | null {
    const { owner, timeline, chance, rates } = this.#options
    if (owner.isDead || this.#isClosing) return null
    const end = new ServerEnd(this.#options, this)
    const wire = new Wire({ timeline, chance, rates, ends: [executor, end] })
    end.wire = wire
    this.#ends.add(end)
    return wire
  }

  send(session: Session, orders: readonly Order[]): 'sent' | 'absent' | 'full' {
    const { owner, chance, rates, trace } = this.#options
    const end = this.#find(session)
    if (end === null || owner.isDead) return 'absent'
    if (chance.next() < rates.orderLost) return 'full'
    for (const order of orders) {
      trace.line(() => `${owner.name} orders ${order.type} ${order.instanceId}/${order.attempt} at executor ${session.executorId}`)
      end.push(order)
      if (chance.next() < rates.orderDoubled) end.push(order)
    }
    return 'sent'
  }

  drain(session: Session, draining: boolean): void {
    this.#find(session)?.push({ type: 'drain', draining })
  }

  end(session: Session, why: 'superseded' | 'sessionEnded'): void {
    this.#find(session)?.close(why === 'superseded' ? CLOSE.superseded : CLOSE.sessionUnknown)
  }

  pause(): void {}
  resume(): void {}

  /** The node leaves: executors are told to go to another. */
  async close(): Promise<void> {
    this.#isClosing = true
    for (const end of this.#ends) end.close(CLOSE.leaving)
    await this.#options.timeline.sleep(20, this.#options.owner)
  }

  join(end: ServerEnd, session: Session): void {
    const earlier = this.#joined.get(session.executorId)
    this.#joined.set(session.executorId, end)
    if (earlier !== undefined && earlier !== end)
      earlier.close(earlier.session?.bootId === session.bootId ? CLOSE.replaced : CLOSE.superseded)
    this.#options.host().joined(session)
  }

  leave(end: ServerEnd): void {
    this.#ends.delete(end)
    const { session } = end
    if (session === null || this.#joined.get(session.executorId) !== end) return
    this.#joined.delete(session.executorId)
    this.#options.host().left(session)
  }

  abandoned(session: Session): void {
    if (this.#find(session) === null) this.#options.host().left(session)
  }

  #find(session: Session): ServerEnd | null {
    const end = this.#joined.get(session.executorId)
    return end?.session?.bootId === session.bootId ? end : null
  }
}

/** The server's end of one connection: hello → joining → open → closed. */
class ServerEnd implements WireEnd {
  readonly #options: NodeLinkOptions
  readonly #link: NodeLink
  #phase: 'hello' | 'joining' | 'open' | 'closed' = 'hello'
  readonly #skew = new Skew()
  #owed: Report[] = []
  #isOwedSoon = false
  wire: Wire | null = null
  session: Session | null = null

  constructor(options: NodeLinkOptions, link: NodeLink) {
    this.#options = options
    this.#link = link
  }

  get process(): SimProcess {
    return this.#options.owner
  }

  push(frame: ServerFrame): void {
    this.wire?.send(this, frame)
  }

  close(code: number): void {
    this.wire?.close(code)
  }

  closed(): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#link.leave(this)
  }

  receive(frame: object): void {
    if (!isExecutorFrame(frame)) throw new Error(`not a frame: ${JSON.stringify(frame)}`)
    void this.#handle(frame)
  }

  async #handle(frame: UpFrame): Promise<void> {
    if (frame.type === 'hello') return this.#join(frame)
    const { session } = this
    if (session === null) return
    if (frame.type === 'heartbeat') {
      const host = this.#options.host()
      this.#skew.learn(frame.at, host.now())
      const answer = await host.beat(session, { running: frame.running, load: frame.load })
      this.push({ type: 'beat', at: host.now(), store: answer.store, cancel: [...answer.cancel], unknown: [...answer.unknown] })
      if (answer.store === 'ok') this.#payOwed()
      return
    }
    return this.#report(session, inClusterTime(frame, this.#skew.behindMs))
  }

  async #join(hello: Extract<UpFrame, { type: 'hello' }>): Promise<void> {
    this.#phase = 'joining'
    const host = this.#options.host()
    this.#skew.learn(hello.at, host.now())
    const answer = await host.join(hello)
    if (answer.kind !== 'welcome') return this.close(CLOSE[answer.kind])
    if (this.wire?.isOpen !== true) return this.#link.abandoned(answer.session)
    this.#phase = 'open'
    this.session = answer.session
    const { heartbeatMs, deadMs, draining } = answer
    this.push({ type: 'welcome', version: 1, node: this.process.name, at: host.now(), heartbeatMs, deadMs, draining })
    this.#link.join(this, answer.session)
  }

  async #report(session: Session, report: Report): Promise<void> {
    const verdict = await this.#options.host().report(session, report)
    if (this.#phase === 'closed') return
    if (verdict === null) return this.#owe(report)
    this.#options.onJudged(session, report, verdict)
    this.push({ type: 'ack', acks: [[report.n, VERDICTS.indexOf(verdict)]] })
  }

  #owe(report: Report): void {
    this.#owed.push(report)
    if (this.#isOwedSoon) return
    this.#isOwedSoon = true
    this.#options.timeline.after(OWED_RETRY_MS, this.process, () => this.#payOwed())
  }

  #payOwed(): void {
    this.#isOwedSoon = false
    const { session } = this
    if (session === null || this.#phase !== 'open') return
    for (const report of this.#owed.splice(0)) void this.#report(session, report)
  }
}
