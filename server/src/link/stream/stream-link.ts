import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { FRAME_LIMITS, STREAM_PATH, STREAM_PROTOCOL } from '@tickwheel/contract'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Link, LinkHost, Order, Session } from '../link.ts'
import { CLOSE, StreamConnection, type ConnectionHost } from './stream-connection.ts'

export interface StreamLinkOptions {
  readonly host: LinkHost
  /** the name of this node, which executors log */
  readonly node?: string
  readonly warn?: (facts: Readonly<Record<string, unknown>>, message: string) => void
  /** a connection that has not joined by then is closed; default 10 s */
  readonly helloWithinMs?: number
}

const WATCH_MS = 1_000
const CLOSE_WITHIN_MS = 1_000
const SETTLE_WITHIN_MS = 2_000

/**
 * Executors over WebSocket. Give it the upgrade requests of the HTTP server (`server.on('upgrade', …)`, it takes those for STREAM_PATH), or
 * sockets that are open already. One connection for each executor: a later one of the same boot replaces the earlier, one of a newer boot
 * ends it with 4409.
 */
export class StreamLink implements Link {
  readonly #options: StreamLinkOptions
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_LIMITS.messageBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(STREAM_PROTOCOL) ? STREAM_PROTOCOL : false),
  })
  readonly #connections = new Set<StreamConnection>()
  readonly #joined = new Map<number, StreamConnection>()
  readonly #watch: NodeJS.Timeout
  #isPaused = false
  #isClosing = false
  #empty: (() => void)[] = []

  constructor(options: StreamLinkOptions) {
    this.#options = options
    this.#watch = setInterval(() => this.#look(), WATCH_MS)
    this.#watch.unref()
  }

  /** How many executors are joined here. */
  get size(): number {
    return this.#joined.size
  }

  /** Takes an upgrade request when it is for the stream; false: it is for somebody else. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== STREAM_PATH) return false
    if (this.#isClosing) socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n')
    else this.#server.handleUpgrade(request, socket, head, (opened) => this.accept(opened))
    return true
  }

  /** Takes a WebSocket that is open already. */
  accept(socket: WebSocket): void {
    if (this.#isClosing) return socket.close(CLOSE.leaving)
    const connection = new StreamConnection(socket, this.#connectionHost())
    this.#connections.add(connection)
    if (this.#isPaused) connection.pause()
  }

  send(session: Session, orders: readonly Order[]): 'sent' | 'absent' | 'full' {
    return this.#find(session)?.send(orders) ?? 'absent'
  }

  drain(session: Session, draining: boolean): void {
    this.#find(session)?.drain(draining)
  }

  end(session: Session, why: 'superseded' | 'sessionEnded'): void {
    const connection = this.#find(session)
    if (why === 'superseded') connection?.close(CLOSE.superseded, 'a newer boot has the name of this executor')
    else connection?.close(CLOSE.sessionUnknown, 'the session has ended')
  }

  pause(): void {
    this.#isPaused = true
    for (const connection of this.#connections) connection.pause()
  }

  resume(): void {
    this.#isPaused = false
    for (const connection of this.#connections) connection.resume()
  }

  /**
   * The node leaves: nothing more is read, reports that the engine has are acknowledged (for 2 s at most), and executors are told to go to
   * another node. Resolves when all are gone; who does not go within a second is cut off.
   */
  async close(): Promise<void> {
    this.#isClosing = true
    clearInterval(this.#watch)
    this.pause()
    await this.#settled()
    for (const connection of this.#connections) connection.close(CLOSE.leaving, 'the node leaves')
    const cut = setTimeout(() => this.#cutAll(), CLOSE_WITHIN_MS)
    if (this.#connections.size > 0) await new Promise<void>((resolve) => this.#empty.push(resolve))
    clearTimeout(cut)
  }

  async #settled(): Promise<void> {
    const enough = new AbortController()
    const late = sleep(SETTLE_WITHIN_MS, undefined, { signal: enough.signal }).catch(() => undefined)
    await Promise.race([late, Promise.all([...this.#connections].map((connection) => connection.settled()))])
    enough.abort()
  }

  #find(session: Session): StreamConnection | null {
    const connection = this.#joined.get(session.executorId)
    return connection?.session?.bootId === session.bootId ? connection : null
  }

  #connectionHost(): ConnectionHost {
    return {
      host: this.#options.host,
      node: this.#options.node ?? '',
      joined: (connection, session) => this.#join(connection, session),
      abandoned: (session) => {
        if (this.#find(session) === null) this.#options.host.left(session)
      },
      closed: (connection) => this.#leave(connection),
      warn: (facts, message) => this.#options.warn?.(facts, message),
    }
  }

  #join(connection: StreamConnection, session: Session): void {
    const earlier = this.#joined.get(session.executorId)
    this.#joined.set(session.executorId, connection)
    if (earlier !== undefined && earlier !== connection) this.#replace(earlier, session)
    this.#options.host.joined(session)
  }

  #replace(earlier: StreamConnection, session: Session): void {
    if (earlier.session?.bootId === session.bootId) return earlier.close(CLOSE.replaced, 'replaced by a later connection')
    earlier.close(CLOSE.superseded, 'a newer boot has the name of this executor')
  }

  #leave(connection: StreamConnection): void {
    this.#connections.delete(connection)
    const { session } = connection
    if (session !== null && this.#joined.get(session.executorId) === connection) {
      this.#joined.delete(session.executorId)
      this.#options.host.left(session)
    }
    if (this.#connections.size === 0) for (const resolve of this.#empty.splice(0)) resolve()
  }

  #look(): void {
    if (this.#isPaused) return
    for (const connection of this.#connections) if (connection.isSilent(this.#options.helloWithinMs ?? 10_000)) connection.terminate()
  }

  #cutAll(): void {
    for (const connection of this.#connections) connection.terminate()
  }
}
