/**
 * The console's WebSocket. It connects while anybody listens, subscribes again after a break, and renews its token when the session does.
 *
 *   idle ──subscribe──▶ connecting ──ready──▶ open ──close──▶ lost ──after a pause──▶ connecting
 *
 * A listener that missed something during a break is told by `onResume`, except where it gave `after`: then the server sends what it missed.
 */
import { LIVE_CLOSE, LIVE_PATH, LIVE_PROTOCOL, type ClientMessage, type LiveMessage } from '@tickwheel/contract'
import { freshToken } from '../api/client.ts'
import { watchSession } from '../api/session-vault.ts'
import { useConnection } from '../store/connection.ts'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 15_000
const IDLE_CLOSE_MS = 5_000

export interface LiveEvent {
  readonly topic: string
  readonly seq: number
  readonly data: unknown
}

export interface LiveListener {
  readonly topic: string
  readonly onEvent: (event: LiveEvent) => void
  /** a break is over and events may have been missed */
  readonly onResume?: (() => void) | undefined
  /** the server falls back to reading the store: lines `from` … `to` are still to come */
  readonly onBehind?: ((range: { from: number; to: number }) => void) | undefined
  /** the server refused or ended the topic */
  readonly onClosed?: ((code: string) => void) | undefined
  /** `seq` of the last event that the listener has; asked at every (re)subscription */
  readonly after?: (() => number) | undefined
}

interface Subscription extends LiveListener {
  readonly id: number
  wasSubscribed: boolean
}

export class LiveClient {
  readonly #subscriptions = new Map<number, Subscription>()
  #socket: WebSocket | null = null
  #isReady = false
  #isOpening = false
  #lastId = 0
  #failures = 0
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #idleTimer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    watchSession((held) => {
      if (held === null) this.#leave()
      else if (this.#isReady) this.#send({ type: 'auth', token: held.token })
      else if (this.#subscriptions.size > 0) this.connectNow()
    })
    window.addEventListener('online', () => this.#retryTimer !== undefined && this.connectNow())
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#retryTimer !== undefined && this.connectNow())
  }

  /** Listens to a topic; returns how to stop. */
  subscribe(listener: LiveListener): () => void {
    this.#lastId += 1
    const subscription: Subscription = { ...listener, id: this.#lastId, wasSubscribed: false }
    this.#subscriptions.set(subscription.id, subscription)
    clearTimeout(this.#idleTimer)
    if (this.#isReady) this.#announce(subscription)
    else if (this.#retryTimer === undefined) void this.#open()
    return () => this.#unsubscribe(subscription.id)
  }

  /** Ends the pause before the next attempt. */
  connectNow(): void {
    clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
    void this.#open()
  }

  #unsubscribe(id: number): void {
    if (!this.#subscriptions.delete(id)) return
    if (this.#isReady) this.#send({ type: 'unsubscribe', id })
    if (this.#subscriptions.size === 0) this.#idleTimer = setTimeout(() => this.#subscriptions.size === 0 && this.#leave(), IDLE_CLOSE_MS)
  }

  async #open(): Promise<void> {
    if (this.#socket !== null || this.#isOpening || this.#subscriptions.size === 0) return
    this.#isOpening = true
    const token = await freshToken().catch(() => undefined)
    this.#isOpening = false
    if (token === null) return
    if (token === undefined) return this.#scheduleRetry()
    const socket = new WebSocket(address(), [LIVE_PROTOCOL, `bearer.${token}`])
    this.#socket = socket
    socket.onmessage = (message) => this.#receive(message)
    socket.onclose = (event) => this.#closed(socket, event.code)
  }

  #receive(message: MessageEvent): void {
    const frame = parse(message.data)
    if (frame === null) return
    switch (frame.type) {
      case 'ready':
        return this.#ready()
      case 'subscribed':
        return this.#subscribed(frame.id)
      case 'event':
        return this.#subscriptions.get(frame.id)?.onEvent(frame)
      case 'behind':
        return this.#subscriptions.get(frame.id)?.onBehind?.(frame)
      case 'closed':
        return this.#ended(frame.id, frame.code)
      case 'error':
        return frame.id === undefined ? undefined : this.#ended(frame.id, frame.code)
    }
  }

  #ready(): void {
    if (this.#isReady) return
    this.#isReady = true
    this.#failures = 0
    useConnection().isOpen()
    for (const subscription of this.#subscriptions.values()) this.#announce(subscription)
  }

  #announce(subscription: Subscription): void {
    const after = subscription.after?.()
    this.#send({ type: 'subscribe', id: subscription.id, topic: subscription.topic, ...(after === undefined ? {} : { after }) })
  }

  #subscribed(id: number): void {
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined) return
    if (subscription.wasSubscribed && subscription.after === undefined) subscription.onResume?.()
    subscription.wasSubscribed = true
  }

  #ended(id: number, code: string): void {
    const subscription = this.#subscriptions.get(id)
    this.#subscriptions.delete(id)
    subscription?.onClosed?.(code)
  }

  #closed(socket: WebSocket, code: number): void {
    if (this.#socket !== socket) return
    this.#socket = null
    this.#isReady = false
    if (this.#subscriptions.size === 0) return useConnection().isIdle()
    if (code === LIVE_CLOSE.sessionEnded && this.#failures === 0) {
      this.#failures += 1
      return void this.#open()
    }
    this.#scheduleRetry()
  }

  #scheduleRetry(): void {
    this.#failures += 1
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 8))
    const pauseMs = longest / 2 + Math.random() * (longest / 2)
    useConnection().isLost(Date.now() + pauseMs)
    this.#retryTimer = setTimeout(() => this.connectNow(), pauseMs)
  }

  /** Closes for good until somebody listens again. */
  #leave(): void {
    clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
    const socket = this.#socket
    this.#socket = null
    this.#isReady = false
    useConnection().isIdle()
    socket?.close(1000)
  }

  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }
}

function address(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${LIVE_PATH}`
}

function parse(data: unknown): LiveMessage | null {
  if (typeof data !== 'string') return null
  const value: unknown = JSON.parse(data)
  return isFrame(value) ? value : null
}

/** The server is ours and of the same version: the type word is enough. */
function isFrame(value: unknown): value is LiveMessage {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
