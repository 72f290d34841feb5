/**
 * Keeps this executor joined to a server, any of those it knows:
 *
 *   register ──▶ connect ──▶ linked ──▶ (closed) ──▶ at once, with jitter, at the next server; 0.2–5 s when none of them took it
 *      ▲                        │
 *      └── 4401 session unknown ┤
 *                               └── 4409 superseded, or register says so: over for good
 *
 * A session is good at every node of a cluster, so moving takes no registration. One address may stand for several nodes, too (a load balancer):
 * then the next server is behind the same address. It begins with any of the list, so that executors spread over the nodes.
 *
 * Runs are not touched by any of this. A heartbeat that is not answered within 5 s ends the connection, and so does a node that says for 5 s that its
 * store is away: another may reach it. The last sign of the server is the instant at which the last answered heartbeat was *sent*, so that an answer
 * that lay in a buffer for long proves nothing new; "the store is away" is a sign as good as any.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  FRAME_LIMITS,
  MAP_PROTOCOL,
  VERDICTS,
  type Ack,
  type Beat,
  type Cancel,
  type Dispatch,
  type Hello,
  type Register,
  type Registered,
  type RunningAttempt,
  type ServerFrame,
  type Welcome,
} from '@tickwheel/contract'
import type { ExecutorLogger } from '../logger.ts'
import type { Timing } from '../timing.ts'
import { Connection } from './connection.ts'
import type { Outbox } from './outbox.ts'
import { register } from './register.ts'
import type { ServerClock } from './server-clock.ts'

/** What the link tells the executor and asks of it. */
export interface LinkEvents {
  registered(session: Registered): void
  linked(server: string, welcome: Welcome): void
  unlinked(reason: string): void
  superseded(detail: string): void
  dispatch(dispatch: Dispatch): void
  badDispatch(key: RunningAttempt, detail: string): void
  cancel(cancel: Cancel): void
  beat(beat: Beat): void
  drain(draining: boolean): void
  /** no sign of a server for so long that others may think this executor lost */
  lonely(): void
}

export interface LinkOptions {
  readonly servers: readonly string[]
  readonly token: string
  readonly register: Omit<Register, 'bootId'>
  readonly outbox: Outbox
  readonly clock: ServerClock
  readonly timing: Timing
  readonly logger: ExecutorLogger
  readonly running: () => RunningAttempt[]
  readonly load: () => { cpu: number; memory: number; running: number; queued: number }
  readonly events: LinkEvents
}

type Turn = 'again' | 'next' | 'refused' | 'over'

const WATCH_MS = 250
/** close codes of the stream */
const STORE_AWAY = 1013
const SESSION_UNKNOWN = 4401
const SUPERSEDED = 4409

export class Link {
  readonly #options: LinkOptions
  readonly #stopping = new AbortController()
  #serverIndex: number
  #session: Registered | null = null
  #bootId: number | null = null
  #connection: Connection | null = null
  #welcome: Welcome | null = null
  /** servers tried since a link stood for a while */
  #tries = 0
  #flushing: NodeJS.Immediate | null = null
  #heartbeat: NodeJS.Timeout | null = null
  #watch: NodeJS.Timeout | null = null
  #linkedAt = 0
  #unanswered: number[] = []
  #lastSignAt: number | null = null
  #awaySince: number | null = null
  #loop: Promise<void> = Promise.resolve()
  readonly #first = Promise.withResolvers<undefined>()

  constructor(options: LinkOptions) {
    this.#options = options
    this.#serverIndex = Math.floor(Math.random() * options.servers.length)
    options.outbox.onReady(() => this.#scheduleFlush())
    this.#first.promise.catch(() => undefined)
  }

  get isLinked(): boolean {
    return this.#connection?.isOpen ?? false
  }

  /** Whether the server knows runs that are split by their handler: the one it is linked to, or else the one that has registered it. */
  get knowsMap(): boolean {
    return (this.#welcome?.version ?? this.#session?.protocol ?? MAP_PROTOCOL) >= MAP_PROTOCOL
  }

  /** Where a request of this executor goes, and with which token; null: it has not registered. */
  get asking(): { readonly server: string; readonly token: string } | null {
    return this.#session === null ? null : { server: this.#server, token: this.#session.sessionToken }
  }

  /** Superseded or stopped: nothing will be delivered any more. */
  get isOver(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Resolves at the first welcome; rejects when the first registration is refused or the link is stopped before. */
  start(): Promise<void> {
    this.#watch = setInterval(() => this.#look(), WATCH_MS)
    this.#loop = this.#run()
    return this.#first.promise
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#first.reject(new Error('the executor was stopped before it was linked'))
    if (this.#watch !== null) clearInterval(this.#watch)
    this.#connection?.close()
    await this.#loop
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const turn = await this.#turn()
      if (turn === 'over') return
      if (turn !== 'again') this.#serverIndex = (this.#serverIndex + 1) % this.#options.servers.length
      this.#tries += 1
      await this.#pause(turn === 'refused' ? this.#options.timing.refusedRetryMs : this.#delayMs())
    }
  }

  /** From here until the connection, if one comes about, is closed. */
  async #turn(): Promise<Turn> {
    const session = this.#session
    if (session === null) return this.#register()
    const closed = Promise.withResolvers<Turn>()
    const connection = new Connection({
      url: this.#streamUrl(session),
      hello: () => this.#hello(session),
      openWithinMs: this.#openWithinMs,
      events: {
        frame: (frame) => this.#receive(frame),
        invalid: (frame, type) => this.#invalid(frame, type),
        closed: (code, reason) => closed.resolve(this.#closed(code, reason)),
      },
    })
    this.#connection = connection
    if (this.#stopping.signal.aborted) connection.close()
    return closed.promise
  }

  async #register(): Promise<Turn> {
    const { token, timing, logger, events } = this.#options
    const body: Register = this.#bootId === null ? this.#options.register : { ...this.#options.register, bootId: this.#bootId }
    const answer = await register(this.#server, token, body, timing.requestTimeoutMs)
    switch (answer.kind) {
      case 'registered':
        this.#session = answer.session
        this.#bootId = answer.session.bootId
        events.registered(answer.session)
        return this.#stopping.signal.aborted ? 'over' : this.#turn()
      case 'superseded':
        this.#supersede(answer.detail)
        return 'over'
      case 'refused':
        logger.error({ server: this.#server, detail: answer.detail }, 'the server refuses this executor')
        this.#first.reject(new Error(`the server ${this.#server} refuses this executor: ${answer.detail}`))
        return 'refused'
      case 'unreachable':
        logger.warn({ server: this.#server, detail: answer.detail }, 'no server')
        return 'next'
    }
  }

  #closed(code: number, reason: string): Turn {
    const wasOpen = this.#welcome !== null
    // an answer to the hello
    if (code === STORE_AWAY && !wasOpen) this.#lastSignAt = this.#unanswered.shift() ?? this.#lastSignAt
    this.#connection = null
    this.#welcome = null
    this.#unanswered = []
    this.#awaySince = null
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    this.#options.outbox.setFlowing(false)
    this.#options.outbox.rewind()
    if (wasOpen) this.#options.events.unlinked(`${String(code)} ${reason}`.trim())
    this.#options.logger.info({ server: this.#server, code, reason }, wasOpen ? 'the link is gone' : 'no link')
    // not after each welcome, or one that is followed by a close would be asked for again without end
    if (wasOpen && performance.now() - this.#linkedAt >= this.#options.timing.settledMs) this.#tries = 0
    if (code === SESSION_UNKNOWN) this.#session = null
    if (code === SUPERSEDED) this.#supersede(reason)
    if (code === SUPERSEDED || this.#stopping.signal.aborted) return 'over'
    return code === SESSION_UNKNOWN ? 'again' : 'next'
  }

  #supersede(detail: string): void {
    this.#first.reject(new Error(`a newer process has the name of this executor: ${detail}`))
    this.#stopping.abort()
    this.#options.events.superseded(detail)
  }

  #receive(frame: ServerFrame): void {
    const { events } = this.#options
    switch (frame.type) {
      case 'welcome':
        return this.#linked(frame)
      case 'dispatch':
        return events.dispatch(frame)
      case 'cancel':
        return events.cancel(frame)
      case 'ack':
        return this.#acknowledge(frame)
      case 'beat':
        return this.#beat(frame)
      case 'drain':
        return events.drain(frame.draining)
      case 'refused':
        if (frame.frame === 'map') this.#options.outbox.refusedMaps()
        return this.#options.logger.warn({ frame: frame.frame, detail: frame.detail }, 'the server refused a frame')
    }
  }

  #invalid(frame: unknown, type: string): void {
    this.#options.logger.warn({ type }, 'the server sent a frame that is not valid')
    const key = type === 'dispatch' ? keyIn(frame) : null
    if (key !== null) this.#options.events.badDispatch(key, 'the dispatch is not valid for this version of the executor')
    else this.#connection?.send([JSON.stringify({ type: 'refused', frame: type, detail: 'the frame is not valid' })])
  }

  #linked(welcome: Welcome): void {
    const { clock, outbox, events } = this.#options
    clock.learn(welcome.at)
    this.#welcome = welcome
    this.#linkedAt = performance.now()
    this.#lastSignAt = this.#unanswered.shift() ?? performance.now()
    outbox.setFlowing(true)
    this.#beatOnce()
    this.#heartbeat = setInterval(() => this.#beatOnce(), welcome.heartbeatMs)
    events.linked(this.#server, welcome)
    this.#first.resolve(undefined)
    this.#scheduleFlush()
  }

  #beatOnce(): void {
    this.#unanswered.push(performance.now())
    this.#connection?.send([
      JSON.stringify({ type: 'heartbeat', at: Date.now(), running: this.#options.running(), load: this.#options.load() }),
    ])
  }

  #beat(beat: Beat): void {
    this.#options.clock.learn(beat.at)
    this.#lastSignAt = this.#unanswered.shift() ?? this.#lastSignAt
    this.#awaySince = beat.store === 'ok' ? null : (this.#awaySince ?? performance.now())
    this.#options.outbox.setFlowing(beat.store === 'ok')
    this.#options.events.beat(beat)
  }

  #acknowledge(ack: Ack): void {
    for (const [n, place] of ack.acks) {
      const verdict = VERDICTS[place]
      if (verdict === 'bad') this.#options.logger.error({ n }, 'the server calls a frame invalid: it is given up')
      if (verdict !== undefined) this.#options.outbox.acknowledge(n, verdict)
    }
    this.#scheduleFlush()
  }

  /** Looks for silence, a store that is away while other nodes may reach it, and loneliness. */
  #look(): void {
    const now = performance.now()
    const { timing, events } = this.#options
    const oldest = this.#unanswered[0]
    if (this.isLinked && oldest !== undefined && now - oldest > timing.silentMs) this.#connection?.terminate('no answer to a heartbeat')
    if (this.#awaySince !== null && now - this.#awaySince > timing.silentMs) this.#connection?.terminate('the store is away there')
    if (this.#lastSignAt !== null && now - this.#lastSignAt > this.#deadMs * timing.movableShare) events.lonely()
  }

  #scheduleFlush(): void {
    if (this.#welcome === null) return
    this.#flushing ??= setImmediate(() => {
      this.#flushing = null
      this.#flush()
    })
  }

  /** Everything that may leave now, in messages of at most 1 MiB and 1,000 frames. */
  #flush(): void {
    const connection = this.#connection
    if (connection === null || !connection.isOpen) return
    let frames: string[] = []
    let bytes = 0
    for (let next = this.#options.outbox.next(); next !== null; next = this.#options.outbox.next()) {
      const size = Buffer.byteLength(next.text) + 1
      if (frames.length >= FRAME_LIMITS.framesPerMessage || (frames.length > 0 && bytes + size > FRAME_LIMITS.messageBytes - 2)) {
        connection.send(frames)
        frames = []
        bytes = 0
      }
      frames.push(next.text)
      bytes += size
    }
    if (frames.length > 0) connection.send(frames)
  }

  #hello(session: Registered): Hello {
    this.#unanswered = [performance.now()]
    return {
      type: 'hello',
      version: session.protocol,
      executorId: session.executorId,
      bootId: session.bootId,
      token: session.sessionToken,
      running: this.#options.running(),
      at: Date.now(),
    }
  }

  get #server(): string {
    return this.#options.servers[this.#serverIndex] ?? ''
  }

  get #deadMs(): number {
    return this.#session?.deadMs ?? 15_000
  }

  /** `streamUrl` is taken relative to the server in use: a session is good at every node. */
  #streamUrl(session: Registered): string {
    const base = new URL(this.#server)
    const url = new URL(session.streamUrl, base)
    // with several servers only the path of an absolute address is taken, or all of them would be the one that answered
    const target = this.#options.servers.length > 1 ? new URL(url.pathname, base) : url
    target.protocol = target.protocol.replace(/^http/, 'ws')
    return target.href
  }

  /** With another server to go to, one that does not answer costs no more than a link that falls silent. */
  get #openWithinMs(): number {
    const { servers, timing } = this.#options
    return servers.length > 1 ? timing.silentMs : timing.requestTimeoutMs
  }

  /**
   * Each server is tried once without delay, so that a node which leaves is missed for a moment only; then the pauses grow. The jitter keeps a thousand
   * executors from coming in one instant.
   */
  #delayMs(): number {
    const { servers, timing } = this.#options
    const rounds = Math.floor(this.#tries / servers.length)
    if (this.#tries <= servers.length) return Math.random() * timing.reconnectMinMs
    const ceiling = Math.min(timing.reconnectMaxMs, timing.reconnectMinMs * 2 ** Math.min(rounds, 16))
    return timing.reconnectMinMs + Math.random() * (ceiling - timing.reconnectMinMs)
  }

  async #pause(ms: number): Promise<void> {
    // an abort only ends the wait
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}

function keyIn(frame: unknown): RunningAttempt | null {
  if (typeof frame !== 'object' || frame === null || !('instanceId' in frame) || !('attempt' in frame)) return null
  const { instanceId, attempt } = frame
  if (typeof instanceId !== 'number' || typeof attempt !== 'number' || !Number.isSafeInteger(instanceId) || !Number.isSafeInteger(attempt))
    return null
  return instanceId >= 1 && attempt >= 1 ? { instanceId, attempt } : null
}
