/** One WebSocket to one server: says hello, waits for the welcome, then carries frames until it closes. */
import { WebSocket, type RawData } from 'ws'
import {
  Ack,
  Beat,
  Cancel,
  Dispatch,
  DrainOrder,
  FRAME_LIMITS,
  Refused,
  STREAM_PROTOCOL,
  Welcome,
  type Hello,
  type ServerFrame,
} from '@tickwheel/contract'
import { Compile, type Validator } from 'typebox/compile'
import type { TSchema } from 'typebox'

export interface ConnectionEvents {
  /** a frame that is valid; the first is always the welcome */
  frame(frame: ServerFrame): void
  /** a frame of a known type that is not valid */
  invalid(frame: unknown, type: string): void
  /** once, also when the connection never came about */
  closed(code: number, reason: string): void
}

export interface ConnectionOptions {
  readonly url: string
  readonly hello: () => Hello
  /** for the connection and the welcome together */
  readonly openWithinMs: number
  readonly events: ConnectionEvents
}

/** a dispatch with the longest script, params and escapes may be longer than what is sent in one message otherwise */
const MAX_PAYLOAD = 8 * FRAME_LIMITS.messageBytes
const NO_WELCOME = 4408

const validators: ReadonlyMap<string, Validator> = new Map<string, Validator>(
  (
    [
      ['welcome', Welcome],
      ['dispatch', Dispatch],
      ['cancel', Cancel],
      ['ack', Ack],
      ['beat', Beat],
      ['drain', DrainOrder],
      ['refused', Refused],
    ] satisfies [string, TSchema][]
  ).map(([type, schema]) => [type, Compile(schema)]),
)

export class Connection {
  readonly #socket: WebSocket
  readonly #events: ConnectionEvents
  readonly #deadline: NodeJS.Timeout
  #isWelcome = false
  #hasEnded = false
  #error = ''

  constructor(options: ConnectionOptions) {
    this.#events = options.events
    this.#socket = new WebSocket(options.url, STREAM_PROTOCOL, {
      perMessageDeflate: false,
      maxPayload: MAX_PAYLOAD,
      handshakeTimeout: options.openWithinMs,
    })
    this.#deadline = setTimeout(() => this.#end(NO_WELCOME, 'no welcome in time'), options.openWithinMs)
    this.#socket.on('open', () => this.#socket.send(JSON.stringify([options.hello()])))
    this.#socket.on('message', (data) => this.#receive(data))
    this.#socket.on('error', (error) => {
      this.#error = error.message
    })
    this.#socket.on('close', (code, reason) => this.#end(code, reason.toString('utf8') || this.#error))
  }

  /** The welcome has come: frames may be sent. */
  get isOpen(): boolean {
    return this.#isWelcome && !this.#hasEnded
  }

  /** Sends frames, each the text of its JSON, in one message. */
  send(frames: readonly string[]): void {
    if (this.isOpen) this.#socket.send(`[${frames.join(',')}]`)
  }

  /** Ends the connection in order; `closed` follows at once. */
  close(): void {
    this.#socket.close(1000)
    this.#end(1000, 'closed by this executor')
  }

  /** Ends a connection that does not answer. */
  terminate(reason: string): void {
    this.#end(1006, reason)
  }

  #end(code: number, reason: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearTimeout(this.#deadline)
    if (code !== 1000) this.#socket.terminate()
    this.#events.closed(code, reason)
  }

  #receive(data: RawData): void {
    if (this.#hasEnded) return
    for (const frame of parseFrames(data)) this.#handle(frame)
  }

  #handle(frame: unknown): void {
    const type = typeOf(frame)
    const validator = validators.get(type)
    if (validator === undefined)
      return this.send([JSON.stringify({ type: 'refused', frame: type, detail: 'this executor does not know frames of this type' })])
    if (!isFrame(frame, validator)) return this.#events.invalid(frame, type)
    if (frame.type === 'welcome') this.#welcome()
    if (this.#isWelcome) this.#events.frame(frame)
  }

  #welcome(): void {
    this.#isWelcome = true
    clearTimeout(this.#deadline)
  }
}

function isFrame(value: unknown, validator: Validator): value is ServerFrame {
  return validator.Check(value)
}

function parseFrames(data: RawData): readonly unknown[] {
  try {
    const text = Array.isArray(data)
      ? Buffer.concat(data).toString('utf8')
      : Buffer.isBuffer(data)
        ? data.toString('utf8')
        : Buffer.from(data).toString('utf8')
    const frames: unknown = JSON.parse(text)
    return Array.isArray(frames) ? frames : []
  } catch {
    return []
  }
}

function typeOf(frame: unknown): string {
  return typeof frame === 'object' && frame !== null && 'type' in frame && typeof frame.type === 'string' ? frame.type.slice(0, 64) : 'none'
}
