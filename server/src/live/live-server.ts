import { LIVE_CLOSE, LIVE_PATH, LIVE_PROTOCOL } from '@tickwheel/contract'
import { callerKey } from '@tickwheel/core'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Origin } from '../auth/sessions.ts'
import { Connection } from './connection.ts'
import type { LiveParts } from './parts.ts'

const RECHECK_MS = 1000
const PING_MS = 30_000
const CONNECTIONS_MAX = 2000
/** of what a console sends */
const MESSAGE_BYTES_MAX = 16_384
const TRY_LATER = 1013

/** The consoles that watch. At most 2,000, and so many of a user and of an address as the settings say; the next is asked to try later. */
export class LiveServer {
  readonly #parts: LiveParts
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(LIVE_PROTOCOL) ? LIVE_PROTOCOL : false),
  })
  readonly #connections = new Map<WebSocket, Connection>()
  /** how many connections each address has */
  readonly #addresses = new Map<string, number>()
  readonly #silent = new WeakSet<WebSocket>()
  readonly #stopListening: () => void
  readonly #timers: readonly NodeJS.Timeout[]

  constructor(parts: LiveParts) {
    this.#parts = parts
    this.#stopListening = parts.events.listen((events) => {
      for (const connection of this.#connections.values()) connection.hear(events)
      if (events.some((event) => event.kind === 'accessChanged')) this.#recheck()
    })
    this.#timers = [setInterval(() => this.#recheck(), RECHECK_MS), setInterval(() => this.#ping(), PING_MS)]
    for (const timer of this.#timers) timer.unref()
  }

  /** Takes an upgrade request when it is for the console's WebSocket; false: it is for somebody else. */
  upgrade(request: IncomingMessage, socket: Duplex, { head, origin }: { head: Buffer; origin: Origin }): boolean {
    if (request.url?.split('?')[0] !== LIVE_PATH) return false
    this.#server.handleUpgrade(request, socket, head, (opened) =>
      this.#accept(opened, origin, request.headers['sec-websocket-protocol'] ?? ''),
    )
    return true
  }

  #accept(socket: WebSocket, origin: Origin, protocols: string): void {
    if (this.#connections.size >= CONNECTIONS_MAX) return socket.close(TRY_LATER, 'too many consoles')
    const address = callerKey(origin.ip)
    const ofAddress = this.#addresses.get(address) ?? 0
    if (ofAddress >= this.#parts.limits.perAddress) return socket.close(TRY_LATER, 'too many consoles of this address')
    this.#addresses.set(address, ofAddress + 1)
    const connection = new Connection(socket, origin, {
      parts: this.#parts,
      token: tokenIn(protocols),
      connectionsOf: (userId) => this.#countOf(userId),
    })
    this.#connections.set(socket, connection)
    if (this.#connections.size === 1) this.#parts.watching(true)
    socket.on('pong', () => this.#silent.delete(socket))
    socket.once('close', () => {
      this.#connections.delete(socket)
      this.#forget(address)
      if (this.#connections.size === 0) this.#parts.watching(false)
    })
  }

  #countOf(userId: number): number {
    return [...this.#connections.values()].filter((connection) => connection.userId === userId).length
  }

  #forget(address: string): void {
    const left = (this.#addresses.get(address) ?? 1) - 1
    if (left > 0) this.#addresses.set(address, left)
    else this.#addresses.delete(address)
  }

  get figures(): { readonly connections: number; readonly subscriptions: number } {
    return {
      connections: this.#connections.size,
      subscriptions: [...this.#connections.values()].reduce((sum, connection) => sum + connection.subscriptions, 0),
    }
  }

  /** Tells every console to come back elsewhere, or later. */
  stop(): void {
    this.#stopListening()
    for (const timer of this.#timers) clearInterval(timer)
    for (const connection of this.#connections.values()) connection.end(LIVE_CLOSE.leaving, 'the node is leaving')
  }

  #recheck(): void {
    for (const connection of this.#connections.values()) {
      void connection.recheck().catch((error: unknown) => this.#parts.log.warn({ err: error }, 'a live session could not be checked'))
    }
  }

  #ping(): void {
    for (const socket of this.#connections.keys()) {
      if (this.#silent.has(socket)) socket.terminate()
      else {
        this.#silent.add(socket)
        socket.ping()
      }
    }
  }
}

function tokenIn(protocols: string): string | null {
  const offered = protocols.split(',').map((protocol) => protocol.trim())
  if (!offered.includes(LIVE_PROTOCOL)) return null
  return offered.find((protocol) => protocol.startsWith('bearer.'))?.slice('bearer.'.length) ?? null
}
