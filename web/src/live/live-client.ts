/**
 * The console's WebSocket. It connects while anybody listens, subscribes again after a break, and renews its token when the session does.
 *
 *   idle ──subscribe──▶ connecting ──ready──▶ open ──close──▶ lost ──after a pause──▶ connecting
 *
 * A listener that missed something during a break is told by `onResume`, except where it gave `after`: then the server sends what it missed.
 */
import { LIVE_CLOSE, LIVE_PROTOCOL, type ClientMessage, type LiveMessage } from '@tickwheel/contract'

export const LIVE_PAUSES = { firstMs: 500, longestMs: 15_000, idleMs: 5_000, againMs: 3_000 } as const

/** What the client needs of the world; `use-live.ts` gives the browser's. */
export interface LivePorts {
  readonly connect: (protocols: readonly string[]) => LiveSocket
  /** the token to use now; null when nobody is signed in; throws when it could not be had */
  readonly token: () => Promise<string | null>
  /** asks the server whether the session still stands, renewing the token on the way; throws when it does not or cannot be asked */
  readonly checkSession: () => Promise<void>
  /** tells each new token, and null at sign-out */
  readonly watchToken: (listener: (token: string | null) => void) => void
  /** when the token in use should be renewed, epoch ms; null without a session */
  readonly renewAtMs: () => number | null
  readonly tellState: (state: 'open' | 'idle' | { readonly retryAtMs: number }) => void
  /** 0–1 */
  readonly chance: () => number
}

/** The part of a browser's `WebSocket` that is used. */
export type LiveSocket = Pick<WebSocket, 'onmessage' | 'onclose' | 'readyState' | 'send' | 'close'>

export interface LiveEvent {
  readonly topic: string
  readonly seq: number
  readonly data: unknown
}

export interface LiveListener {
  readonly topic: string
  readonly onEvent: (event: LiveEvent) => void
  /** a break is over, or the server may have lost events: some may have been missed */
  readonly onResume?: (() => void) | undefined
  /** the server falls back to reading the store: lines `from` … `to` are still to come; without it, `onResume` is told */
  readonly onBehind?: ((range: { from: number; to: number }) => void) | undefined
  /** the server refused or ended the topic */
  readonly onClosed?: ((code: string) => void) | undefined
  /** `seq` of the last event that the listener has; asked at every (re)subscription */
  readonly after?: (() => number) | undefined
}

/** refusals that say nothing about the topic: the server was busy, or away from its database */
const PASSING: readonly string[] = ['RATE_LIMITED', 'INTERNAL', 'STORE_AWAY', 'NOT_READY']

/** `WebSocket.OPEN` */
const OPEN = 1

interface Subscription extends LiveListener {
  readonly id: number
  /** there was a break since it listens, or it began in one: what its page asked for meanwhile may be old, or never came */
  mayHaveMissed: boolean
}

export class LiveClient {
  readonly #ports: LivePorts
  readonly #subscriptions = new Map<number, Subscription>()
  #socket: LiveSocket | null = null
  #isReady = false
  #isOpening = false
  #lastId = 0
  #failures = 0
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #idleTimer: ReturnType<typeof setTimeout> | undefined
  #renewTimer: ReturnType<typeof setTimeout> | undefined

  constructor(ports: LivePorts) {
    this.#ports = ports
    ports.watchToken((token) => this.#tokenChanged(token))
  }

  /** The browser is back on the net or in front: do not wait out the pause. */
  wake(): void {
    if (this.#retryTimer !== undefined) this.connectNow()
  }

  /** Listens to a topic; returns how to stop. */
  subscribe(listener: LiveListener): () => void {
    this.#lastId += 1
    const subscription: Subscription = { ...listener, id: this.#lastId, mayHaveMissed: this.#retryTimer !== undefined }
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
    if (this.#subscriptions.size === 0) this.#idleTimer = setTimeout(() => this.#subscriptions.size === 0 && this.#leave(), LIVE_PAUSES.idleMs)
  }

  async #open(): Promise<void> {
    if (this.#socket !== null || this.#isOpening || this.#subscriptions.size === 0) return
    this.#isOpening = true
    const token = await this.#ports.token().catch(() => undefined)
    this.#isOpening = false
    if (token === null || this.#subscriptions.size === 0) return
    if (token === undefined) return this.#scheduleRetry()
    const socket = this.#ports.connect([LIVE_PROTOCOL, `bearer.${token}`])
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
        return this.#behind(frame)
      case 'closed':
        return this.#ended(frame.id, frame.code)
      case 'error':
        return frame.id === undefined ? undefined : this.#refused(frame.id, frame.code)
    }
  }

  #behind(frame: { id: number; from: number; to: number }): void {
    const subscription = this.#subscriptions.get(frame.id)
    if (subscription?.onBehind !== undefined) subscription.onBehind(frame)
    else subscription?.onResume?.()
  }

  #ready(): void {
    if (this.#isReady) return
    this.#isReady = true
    this.#failures = 0
    this.#ports.tellState('open')
    this.#armRenewal()
    for (const subscription of this.#subscriptions.values()) this.#announce(subscription)
  }

  #announce(subscription: Subscription): void {
    const after = subscription.after?.()
    this.#send({ type: 'subscribe', id: subscription.id, topic: subscription.topic, ...(after === undefined ? {} : { after }) })
  }

  #subscribed(id: number): void {
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined) return
    if (subscription.mayHaveMissed && subscription.after === undefined) subscription.onResume?.()
    subscription.mayHaveMissed = true
  }

  /** What passes by itself is tried again; a refusal is told. */
  #refused(id: number, code: string): void {
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined || !PASSING.includes(code)) return this.#ended(id, code)
    setTimeout(() => {
      if (this.#subscriptions.get(id) !== subscription || !this.#isReady) return
      this.#send({ type: 'unsubscribe', id })
      this.#announce(subscription)
    }, LIVE_PAUSES.againMs)
  }

  #ended(id: number, code: string): void {
    const subscription = this.#subscriptions.get(id)
    this.#subscriptions.delete(id)
    subscription?.onClosed?.(code)
  }

  #closed(socket: LiveSocket, code: number): void {
    if (this.#socket !== socket) return
    this.#socket = null
    this.#isReady = false
    clearTimeout(this.#renewTimer)
    if (this.#subscriptions.size === 0) return this.#ports.tellState('idle')
    if (code === LIVE_CLOSE.sessionEnded && this.#failures === 0) void this.#sessionEnded()
    else this.#scheduleRetry()
  }

  /** Only the token may be over, not the session: ask. When the session is over too, its end reaches us by `watchToken` and the page leaves. */
  async #sessionEnded(): Promise<void> {
    this.#failures += 1
    const stands = await this.#ports.checkSession().then(() => true, () => false)
    if (this.#socket !== null || this.#retryTimer !== undefined || this.#subscriptions.size === 0) return
    if (stands) void this.#open()
    else if (this.#ports.renewAtMs() !== null) this.#scheduleRetry()
  }

  #tokenChanged(token: string | null): void {
    if (token === null) return this.#leave()
    if (!this.#isReady) return this.#subscriptions.size > 0 ? this.connectNow() : undefined
    this.#send({ type: 'auth', token })
    this.#armRenewal()
  }

  /** A page that only listens makes no calls that would renew the token on their way. */
  #armRenewal(): void {
    clearTimeout(this.#renewTimer)
    const renewAtMs = this.#ports.renewAtMs()
    if (renewAtMs === null) return
    this.#renewTimer = setTimeout(() => void this.#ports.token().catch(() => null), Math.max(1_000, renewAtMs - Date.now() + 50))
  }

  #scheduleRetry(): void {
    this.#failures += 1
    for (const subscription of this.#subscriptions.values()) subscription.mayHaveMissed = true
    const longest = Math.min(LIVE_PAUSES.longestMs, LIVE_PAUSES.firstMs * 2 ** Math.min(this.#failures - 1, 8))
    const pauseMs = longest / 2 + this.#ports.chance() * (longest / 2)
    this.#ports.tellState({ retryAtMs: Date.now() + pauseMs })
    clearTimeout(this.#retryTimer)
    this.#retryTimer = setTimeout(() => this.connectNow(), pauseMs)
  }

  /** Closes for good until somebody listens again. */
  #leave(): void {
    clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
    const socket = this.#socket
    this.#socket = null
    this.#isReady = false
    clearTimeout(this.#renewTimer)
    for (const subscription of this.#subscriptions.values()) subscription.mayHaveMissed = true
    this.#ports.tellState('idle')
    socket?.close(1000)
  }

  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message))
  }
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
