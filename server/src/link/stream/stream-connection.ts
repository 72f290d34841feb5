/**
 * The server's end of one stream: hello → joining → open → closed.
 * Acknowledgements and orders that come up within one turn of the loop leave in one message. A report that the store could not take keeps its
 * place here and is tried again when the store is back: the executor sends it again only over another connection.
 */
import { FRAME_LIMITS, MAP_PROTOCOL, VERDICTS, type ExecutorFrame, type Hello, type Verdict } from '@tickwheel/contract'
import type { RawData, WebSocket } from 'ws'
import type { JoinAnswer, LinkHost, Order, Report, Session } from '../link.ts'
import { checkFrame, framesOf } from './frame-check.ts'
import { inClusterTime, Skew } from '../skew.ts'
import { withinLimits } from '../limits.ts'

export const CLOSE = { replaced: 1000, leaving: 1012, storeAway: 1013, protocol: 4400, sessionUnknown: 4401, superseded: 4409 } as const

const OUTGOING_BYTES = 8_388_608
const OWED_RETRY_MS = 1_000
const BAD = VERDICTS.indexOf('bad')

export interface ConnectionHost {
  readonly host: LinkHost
  /** the name of this node, for the executor's own log */
  readonly node: string
  /** the session is good and this connection holds it from now on */
  joined(connection: StreamConnection, session: Session): void
  /** the connection was gone before its session was known to be good */
  abandoned(session: Session): void
  closed(connection: StreamConnection): void
  warn(facts: Readonly<Record<string, unknown>>, message: string): void
}

export class StreamConnection {
  readonly #socket: WebSocket
  readonly #options: ConnectionHost
  readonly #skew = new Skew()
  #phase: 'hello' | 'joining' | 'open' | 'closed' = 'hello'
  #session: Session | null = null
  #deadMs = Infinity
  #heardAt: number
  #unacknowledged = 0
  #acks: [number, number][] = []
  #frames: string[] = []
  #framesBytes = 0
  #flushing: NodeJS.Immediate | null = null
  #owed: Report[] = []
  #owedTimer: NodeJS.Timeout | null = null
  #settled: (() => void)[] = []

  constructor(socket: WebSocket, options: ConnectionHost) {
    this.#socket = socket
    this.#options = options
    this.#heardAt = performance.now()
    socket.on('message', (data) => this.#receive(data))
    socket.on('close', () => this.#closed())
    // 'close' follows, and the executor sees the code that ws chose
    socket.on('error', () => undefined)
  }

  get session(): Session | null {
    return this.#session
  }

  get hasJoined(): boolean {
    return this.#phase === 'open'
  }

  send(orders: readonly Order[]): 'sent' | 'full' {
    if (this.#framesBytes + this.#socket.bufferedAmount > OUTGOING_BYTES) return 'full'
    for (const order of orders) this.#push(JSON.stringify(order))
    return 'sent'
  }

  drain(draining: boolean): void {
    this.#push(JSON.stringify({ type: 'drain', draining }))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#heardAt = performance.now()
    this.#socket.resume()
  }

  /** Says what is still to be said and closes. */
  close(code: number, reason: string): void {
    if (this.#phase === 'closed') return
    this.#flush()
    this.#socket.resume()
    this.#socket.close(code, reason)
  }

  /** Resolves when the engine has judged every report that it has and can judge. */
  settled(): Promise<void> {
    if (this.#phase !== 'open' || this.#unacknowledged === this.#owed.length) return Promise.resolve()
    return new Promise((resolve) => this.#settled.push(resolve))
  }

  terminate(): void {
    this.#socket.terminate()
  }

  /** Has nothing been heard for longer than the executor may be silent, or has no hello come within that time? */
  isSilent(helloWithinMs: number): boolean {
    return performance.now() - this.#heardAt > (this.#phase === 'open' ? this.#deadMs : helloWithinMs)
  }

  #receive(data: RawData): void {
    // Until the hello nothing else counts: frames that say nothing keep no stranger's connection open.
    if (this.#phase === 'open') this.#heardAt = performance.now()
    const frames = framesOf(textOf(data))
    if (frames === null) return this.#violation('expected a JSON array of at most 1,000 frames')
    for (const frame of frames) {
      if (this.#socket.readyState !== this.#socket.OPEN) return
      this.#check(frame)
    }
  }

  #check(value: unknown): void {
    const checked = checkFrame(value)
    switch (checked.kind) {
      case 'frame':
        return this.#handle(checked.frame)
      case 'unknownType':
        return this.#push(JSON.stringify({ type: 'refused', frame: checked.type, detail: 'this server does not know frames of this type' }))
      case 'bad':
        this.#options.warn({ ...this.#session, type: checked.type }, 'an executor sent a frame that is not valid')
        if (checked.type === 'hello') return this.#violation('the hello is not valid')
        if (checked.n !== null) return this.#acknowledge(checked.n, BAD)
        return this.#push(JSON.stringify({ type: 'refused', frame: checked.type, detail: 'the frame is not valid' }))
    }
  }

  #handle(frame: ExecutorFrame): void {
    if (frame.type === 'hello') return this.#phase === 'hello' ? void this.#join(frame) : this.#violation('a second hello')
    const session = this.#session
    if (session === null || this.#phase !== 'open') return this.#violation('a frame before the welcome')
    switch (frame.type) {
      case 'heartbeat':
        this.#skew.learn(frame.at, this.#options.host.now())
        return void this.#beat(session, frame)
      case 'refused':
        return this.#options.warn({ ...session, frame: frame.frame, detail: frame.detail }, 'an executor refused a frame')
      case 'accepted':
      case 'rejected':
      case 'started':
      case 'progress':
      case 'log':
      case 'logEnd':
      case 'map':
      case 'finished':
      case 'recovered':
      case 'drain':
        return this.#take(session, frame)
    }
  }

  async #join(hello: Hello): Promise<void> {
    this.#phase = 'joining'
    this.#skew.learn(hello.at, this.#options.host.now())
    const answer = await this.#options.host.join(hello)
    if (answer.kind !== 'welcome') return this.close(...REFUSALS[answer.kind])
    if (this.#socket.readyState !== this.#socket.OPEN) return this.#options.abandoned(answer.session)
    this.#welcome(answer)
  }

  #welcome(answer: Extract<JoinAnswer, { kind: 'welcome' }>): void {
    this.#phase = 'open'
    this.#heardAt = performance.now()
    this.#session = answer.session
    this.#deadMs = answer.deadMs
    const { heartbeatMs, deadMs, draining } = answer
    this.#push(
      JSON.stringify({
        type: 'welcome',
        version: MAP_PROTOCOL,
        node: this.#options.node,
        at: this.#options.host.now(),
        heartbeatMs,
        deadMs,
        draining,
      }),
    )
    // before any order can follow it into the same message
    this.#options.joined(this, answer.session)
  }

  async #beat(session: Session, frame: Extract<ExecutorFrame, { type: 'heartbeat' }>): Promise<void> {
    const { host } = this.#options
    const answer = await host.beat(session, { running: frame.running, load: frame.load })
    this.#push(JSON.stringify({ type: 'beat', at: host.now(), store: answer.store, cancel: answer.cancel, unknown: answer.unknown }))
    if (answer.store === 'ok') this.#payOwed()
  }

  #take(session: Session, report: Report): void {
    this.#unacknowledged += 1
    if (this.#unacknowledged > FRAME_LIMITS.unacknowledgedFrames) return this.#violation('more than 1,000 frames are not acknowledged')
    void this.#report(session, inClusterTime(withinLimits(report), this.#skew.behindMs))
  }

  async #report(session: Session, report: Report): Promise<void> {
    const verdict = await this.#options.host.report(session, report)
    if (this.#phase === 'closed') return
    if (verdict === null) this.#owe(report)
    else this.#judged(report.n, verdict)
    if (this.#unacknowledged === this.#owed.length) for (const resolve of this.#settled.splice(0)) resolve()
  }

  #judged(n: number, verdict: Verdict): void {
    this.#unacknowledged -= 1
    this.#acknowledge(n, VERDICTS.indexOf(verdict))
  }

  #owe(report: Report): void {
    this.#owed.push(report)
    this.#owedTimer ??= setTimeout(() => this.#payOwed(), OWED_RETRY_MS)
  }

  #payOwed(): void {
    if (this.#owedTimer !== null) clearTimeout(this.#owedTimer)
    this.#owedTimer = null
    const session = this.#session
    if (session === null || this.#phase !== 'open') return
    for (const report of this.#owed.splice(0)) void this.#report(session, report)
  }

  #acknowledge(n: number, verdict: number): void {
    this.#acks.push([n, verdict])
    this.#scheduleFlush()
  }

  #push(frame: string): void {
    this.#frames.push(frame)
    this.#framesBytes += frame.length
    this.#scheduleFlush()
  }

  #scheduleFlush(): void {
    this.#flushing ??= setImmediate(() => this.#flush())
  }

  #flush(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing)
    this.#flushing = null
    if (this.#acks.length > 0) this.#frames.push(JSON.stringify({ type: 'ack', acks: this.#acks }))
    this.#acks = []
    const frames = this.#frames
    this.#frames = []
    this.#framesBytes = 0
    if (this.#socket.readyState !== this.#socket.OPEN) return
    for (const message of messagesOf(frames)) this.#socket.send(message)
  }

  #violation(detail: string): void {
    this.#options.warn({ ...this.#session, detail }, 'an executor broke the protocol')
    this.close(CLOSE.protocol, detail)
  }

  #closed(): void {
    if (this.#owedTimer !== null) clearTimeout(this.#owedTimer)
    if (this.#flushing !== null) clearImmediate(this.#flushing)
    this.#phase = 'closed'
    for (const resolve of this.#settled.splice(0)) resolve()
    this.#options.closed(this)
  }
}

const REFUSALS: Readonly<Record<Exclude<JoinAnswer['kind'], 'welcome'>, readonly [number, string]>> = {
  sessionUnknown: [CLOSE.sessionUnknown, 'the session is unknown or has ended: register again'],
  superseded: [CLOSE.superseded, 'a newer boot has the name of this executor'],
  storeAway: [CLOSE.storeAway, 'the store is away'],
}

/** Frames in as few messages as the limits of the protocol allow; a frame that is too long for them goes alone. */
function* messagesOf(frames: readonly string[]): Generator<string> {
  let part: string[] = []
  let bytes = 2
  for (const frame of frames) {
    const size = Buffer.byteLength(frame) + 1
    if (part.length > 0 && (part.length >= FRAME_LIMITS.framesPerMessage || bytes + size > FRAME_LIMITS.messageBytes)) {
      yield `[${part.join(',')}]`
      part = []
      bytes = 2
    }
    part.push(frame)
    bytes += size
  }
  if (part.length > 0) yield `[${part.join(',')}]`
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8')
}
