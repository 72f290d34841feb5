import { once } from 'node:events'
import { LIVE_PROTOCOL, type LiveMessage, type LogLine } from '@tickwheel/contract'
import { WebSocket } from 'ws'
import { waitFor } from './kit/wait-for.ts'

/** A console's end of the live connection, which keeps what it hears. */
export class LiveClient implements AsyncDisposable {
  readonly heard: LiveMessage[] = []
  readonly socket: WebSocket
  closed: { code: number; reason: string } | null = null

  constructor(url: string, token?: string, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(
      `${url.replace('http', 'ws')}/api/v1/ws`,
      token === undefined ? [LIVE_PROTOCOL] : [LIVE_PROTOCOL, `bearer.${token}`],
      { headers },
    )
    this.socket.on('message', (data: Buffer) => this.heard.push(JSON.parse(data.toString()) as LiveMessage))
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    this.socket.on('error', () => undefined)
  }

  async open(): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open')
    return this
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message))
  }

  async hear<Type extends LiveMessage['type']>(type: Type, id?: number): Promise<Extract<LiveMessage, { type: Type }>> {
    return waitFor(
      () =>
        this.heard.find(
          (message): message is Extract<LiveMessage, { type: Type }> =>
            message.type === type && (id === undefined || ('id' in message && message.id === id)),
        ),
      { what: `a message ${type}` },
    )
  }

  /** The data of the events of a subscription, in order. */
  data(id: number): unknown[] {
    return this.heard.flatMap((message) => (message.type === 'event' && message.id === id ? [message.data] : []))
  }

  lines(id: number): LogLine[] {
    return this.data(id).flatMap((data) => (data as { lines: LogLine[] }).lines)
  }

  isEnded(id: number): boolean {
    return this.data(id).some((data) => (data as { end?: true }).end === true)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return
    this.socket.terminate()
    await once(this.socket, 'close')
  }
}
