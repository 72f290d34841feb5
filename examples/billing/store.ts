import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A write as it came. */
export interface Write {
  readonly order: string
  readonly key: string
  readonly token: string
  readonly status: 201 | 200 | 409
}

/**
 * A store behind HTTP that no run writes twice, and no attempt that was replaced:
 *
 *   PUT /order/NUMBER   201  saved
 *                       200  the Idempotency-Key was seen: it is saved already
 *                       409  the Tickwheel-Fencing-Token is smaller than one that came before: another attempt has taken over
 */
export class OrderStore {
  readonly writes: Write[] = []
  readonly #keys = new Set<string>()
  #largestToken = ''
  readonly #beforeAnswer: (write: Write) => Promise<void>
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  /** `beforeAnswer`: what to wait for when a write was judged, before it is answered */
  constructor(beforeAnswer: (write: Write) => Promise<void> = () => Promise.resolve()) {
    this.#beforeAnswer = beforeAnswer
  }

  /** Its address, on loopback. It does not keep a process alive. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.#server.unref()
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, order = ''] = /^\/order\/([\w-]+)$/.exec(request.url ?? '') ?? []
    const { 'idempotency-key': key = '', 'tickwheel-fencing-token': token = '' } = request.headers
    const write = this.#judge(order, String(key), String(token))
    this.writes.push(write)
    await this.#beforeAnswer(write)
    response.writeHead(write.status).end(write.status === 409 ? 'a newer attempt has taken over' : '')
  }

  /** Tokens are compared as text: all have the same length. */
  #judge(order: string, key: string, token: string): Write {
    if (token < this.#largestToken) return { order, key, token, status: 409 }
    this.#largestToken = token
    const isRepeat = this.#keys.has(key)
    this.#keys.add(key)
    return { order, key, token, status: isRepeat ? 200 : 201 }
  }
}
