import { createHmac } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { REJECT_CODES, type RejectCode } from '@tickwheel/contract'
import type { Networks } from '../networks.ts'

/**
 * What became of an order. `refused`: the executor does not have it, because it said so or no connection came about. `unknown`: it may have it.
 * `isError`: it answered, with 5xx.
 */
export type Posted =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly code: RejectCode; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string; readonly isError?: true }

export interface Letter {
  readonly url: string
  readonly body: string
  /** the session token of the executor */
  readonly key: string
  /** cluster time, epoch ms */
  readonly at: number
}

const ANSWER_BYTES = 16_384
const IDLE_SOCKETS = 4

/** `v1=` and the HMAC-SHA256, in hex, over timestamp, a full stop and the body. */
export function signatureOf(key: string, at: number, body: string): string {
  return `v1=${createHmac('sha256', key).update(`${at}.${body}`).digest('hex')}`
}

/** Posts orders: connections are kept, redirects are not followed, and of an answer 16 KiB are read. */
export class Poster {
  readonly #timeoutMs: number
  readonly #http = new http.Agent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS })
  readonly #https = new https.Agent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS })

  readonly #networks: Networks

  constructor(timeoutMs: number, networks: Networks) {
    this.#timeoutMs = timeoutMs
    this.#networks = networks
  }

  /** Never rejects; resolves within the time limit. */
  async post(letter: Letter): Promise<Posted> {
    const first = await this.#once(letter)
    // a kept connection that the other side had closed meanwhile: the executor knows a repeat
    return first.kind === 'stale' ? fresh(await this.#once(letter)) : first
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  #once({ url, body, key, at }: Letter): Promise<Posted | { readonly kind: 'stale' }> {
    const refusal = this.#networks.refusalOf(new URL(url))
    if (refusal !== null) return Promise.resolve({ kind: 'refused', code: 'unreachable', detail: refusal })
    return new Promise((resolve) => {
      const isTls = url.startsWith('https:')
      let isConnected = false
      let isLate = false
      const request = (isTls ? https : http).request(url, {
        method: 'POST',
        agent: isTls ? this.#https : this.#http,
        lookup: this.#networks.lookup,
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
          'X-Tickwheel-Timestamp': String(at),
          'X-Tickwheel-Signature': signatureOf(key, at, body),
        },
      })
      const timer = setTimeout(() => {
        isLate = true
        request.destroy()
      }, this.#timeoutMs)
      const settle = (posted: Posted | { readonly kind: 'stale' }): void => {
        clearTimeout(timer)
        resolve(posted)
      }
      request.on('socket', (socket) => {
        if (request.reusedSocket) isConnected = true
        else socket.once(isTls ? 'secureConnect' : 'connect', () => (isConnected = true))
      })
      request.on('error', (error) => {
        const detail = isLate ? `no answer within ${String(this.#timeoutMs)} ms` : codeOf(error)
        if (!isConnected) settle({ kind: 'refused', code: 'unreachable', detail })
        else settle(request.reusedSocket && !isLate ? { kind: 'stale' } : { kind: 'unknown', detail })
      })
      request.on('response', (response) => {
        void textOf(response).then((text) => settle(judge(response.statusCode ?? 0, text)))
      })
      request.end(body)
    })
  }
}

function fresh(posted: Posted | { readonly kind: 'stale' }): Posted {
  return posted.kind === 'stale' ? { kind: 'unknown', detail: 'the connection was closed' } : posted
}

/** The beginning of an answer; what is longer is cut off, with its connection. */
async function textOf(response: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > ANSWER_BYTES) {
        response.destroy()
        break
      }
      parts.push(part)
    }
  } catch {
    // the status has been said
  }
  return Buffer.concat(parts).toString('utf8')
}

function judge(status: number, text: string): Posted {
  if (status >= 200 && status < 300) return { kind: 'taken' }
  const code = codeIn(text)
  const detail = `it answered ${String(status)}`
  if (status === 429 || status === 503) return { kind: 'refused', code: code ?? 'capacity', detail }
  if (status >= 300 && status < 500) return { kind: 'refused', code: code ?? 'unreachable', detail }
  return { kind: 'unknown', detail, isError: true }
}

function codeIn(text: string): RejectCode | null {
  try {
    const answer: unknown = JSON.parse(text)
    const code = typeof answer === 'object' && answer !== null && 'code' in answer ? answer.code : null
    return REJECT_CODES.find((known) => known === code) ?? null
  } catch {
    return null
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 200)
}
