import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError, type PostedReport, type ReportAnswer, type RunningAttempt, type Verdict } from '@tickwheel/contract'
import type { Peer, Refusal, Said } from '../conformance.fixture.ts'
import type { BeatAnswer, Order, Session } from '../link.ts'
import type { PostLink } from './post-link.ts'

/** What an executor answers to an order. */
export type Answering = (order: Order) => number | { status: number; body: string; headers?: Record<string, string> } | 'silence' | 'cut'

/** An executor with an HTTP endpoint. Its own calls it makes to the link, as the routes of the server do. */
export class PostPeer implements Peer {
  readonly orders: Order[] = []
  readonly drains: boolean[] = []
  /** the raw requests: signature, timestamp, body */
  readonly letters: { path: string; timestamp: string; signature: string; body: string }[] = []
  answer: Answering = () => 200
  /** an answer waits for it */
  hold: (order: Order) => Promise<unknown> | null = () => null
  /** the most orders that were on their way at once */
  most = 0
  #busy = 0
  readonly #link: PostLink
  readonly #server: Server
  #session: Session = { executorId: 0, bootId: 0 }
  #waiters: { isMet: () => boolean; resolve: () => void }[] = []
  #again: (() => void)[] = []

  private constructor(link: PostLink, server: Server) {
    this.#link = link
    this.#server = server
  }

  static async open(link: PostLink): Promise<PostPeer> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const peer = new PostPeer(link, server)
    server.on('request', (request, response) => void peer.#take(request, response))
    return peer
  }

  get address(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/tickwheel`
  }

  /** It hears that its session has ended with its next call. */
  get ended(): Promise<Refusal> {
    return this.#link.beat(this.#session, { running: [], load }).then((heard) => (heard.kind === 'heard' ? 'other' : heard.kind))
  }

  async join(session: Session, running: readonly RunningAttempt[] = []): Promise<Refusal | null> {
    this.#session = session
    const kind = await this.#link.join(session, this.address, running)
    return kind === 'welcome' ? null : kind
  }

  /** Sends until there is a verdict; when the store is away, again when a heartbeat finds it back. */
  async report(said: Said): Promise<Verdict> {
    for (;;) {
      const given = await this.post([posted(said)])
      if (given !== null) return given.verdicts[0] ?? 'bad'
      await new Promise<void>((resolve) => {
        this.#again.push(resolve)
        setImmediate(() => this.#sendAgain())
      })
    }
  }

  /** null: nothing of it was acknowledged */
  async post(reports: readonly unknown[], more: { at?: number } = {}): Promise<ReportAnswer | null> {
    try {
      return await this.#link.report(this.#session, { ...this.#session, ...more, reports: [...reports] })
    } catch (error) {
      if (error instanceof AppError && error.code === 'STORE_AWAY') return null
      throw error
    }
  }

  async beat(running: readonly RunningAttempt[] = []): Promise<BeatAnswer> {
    const heard = await this.#link.beat(this.#session, { running, load })
    if (heard.kind !== 'heard') return { store: 'away', cancel: [], unknown: [] }
    this.#sendAgain()
    return { store: 'ok', cancel: heard.cancel, unknown: heard.unknown }
  }

  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }))
  }

  /** Calls for a session that it does not join. */
  speakFor(session: Session): void {
    this.#session = session
  }

  leave(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #sendAgain(): void {
    for (const resolve of this.#again.splice(0)) resolve()
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const part of request) body += String(part)
    const header = (name: string): string => String(request.headers[name] ?? '')
    this.letters.push({
      path: request.url ?? '',
      timestamp: header('x-tickwheel-timestamp'),
      signature: header('x-tickwheel-signature'),
      body,
    })
    const order = JSON.parse(body) as Order
    const said = this.answer(order)
    this.orders.push(order)
    this.#busy += 1
    this.most = Math.max(this.most, this.#busy)
    this.#notice()
    await this.hold(order)
    this.#busy -= 1
    if (said === 'cut') response.destroy()
    else if (typeof said === 'number') response.writeHead(said).end()
    else if (said !== 'silence') response.writeHead(said.status, said.headers ?? {}).end(said.body)
  }

  #notice(): void {
    const met = this.#waiters.filter((waiter) => waiter.isMet())
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const waiter of met) waiter.resolve()
  }
}

const load = { cpu: 0, memory: 1, running: 0, queued: 0 }

/** A frame of the suite, as this wire says it. */
function posted(said: Said): unknown {
  const { type, ...rest } = said
  if (type === 'finished') {
    const { bootId: _bootId, ...finished } = rest as Extract<Said, { type: 'finished' }>
    return { kind: type, ...finished } satisfies Partial<PostedReport>
  }
  return { kind: type, ...rest }
}
