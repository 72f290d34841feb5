import http from 'node:http'
import https from 'node:https'
import type { Networks } from '../link/networks.ts'
import { failed, type SendOutcome } from './outcome.ts'

/** What is posted. */
export interface Post {
  readonly url: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export type Answered =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string; readonly retryAfterMs: number | null }
  | { readonly kind: 'failed'; readonly outcome: SendOutcome }

export const SEND_TIMEOUT_MS = 10_000
const ANSWER_BYTES = 16_384
const LONGEST_RETRY_AFTER_MS = 3_600_000

/**
 * Posts JSON to where a channel points: 10 s in all, 16 KiB of the answer are read, redirects are an answer and never followed (what they lead to was
 * judged by nobody), and a name that leads into a network which is not called is not connected to.
 */
export class HttpPost {
  readonly #networks: Networks
  readonly #timeoutMs: number

  constructor(networks: Networks, timeoutMs: number = SEND_TIMEOUT_MS) {
    this.#networks = networks
    this.#timeoutMs = timeoutMs
  }

  /** Never rejects. */
  async post({ url, body, headers = {} }: Post): Promise<Answered> {
    const address = new URL(url)
    const refusal = this.#networks.refusalOf(address)
    if (refusal !== null) return broken(failed('network', refusal, { isRejected: true }))
    return new Promise((resolve) => {
      let isLate = false
      const request = (address.protocol === 'https:' ? https : http).request(address, {
        method: 'POST',
        // a connection of its own: messages are rare, and a kept one may be dead when it is needed
        agent: false,
        lookup: this.#networks.lookup,
        headers: {
          ...headers,
          'Content-Type': 'application/json; charset=utf-8',
          'Content-Length': Buffer.byteLength(body),
          'User-Agent': 'Tickwheel',
        },
      })
      const timer = setTimeout(() => {
        isLate = true
        request.destroy()
      }, this.#timeoutMs)
      const settle = (answered: Answered): void => {
        clearTimeout(timer)
        resolve(answered)
      }
      request.on('error', (error) => settle(broken(outcomeOf(error, isLate, this.#timeoutMs))))
      request.on('response', (response) => {
        void textOf(response).then((text) => {
          request.destroy()
          settle({ kind: 'answered', status: response.statusCode ?? 0, text, retryAfterMs: retryAfterOf(response.headers['retry-after']) })
        })
      })
      request.end(body)
    })
  }
}

function broken(outcome: SendOutcome): Answered {
  return { kind: 'failed', outcome }
}

function outcomeOf(error: Error, isLate: boolean, timeoutMs: number): SendOutcome {
  if (isLate) return failed('timeout', `no answer within ${timeoutMs} ms`)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message
  return error.message.includes('is not in a network where')
    ? failed('network', error.message, { isRejected: true })
    : failed('unreachable', code)
}

/** The beginning of an answer; what is longer is cut off, with its connection. */
async function textOf(response: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.length
      parts.push(part)
      if (bytes > ANSWER_BYTES) break
    }
  } catch {
    // the status has been said
  }
  return Buffer.concat(parts).toString('utf8').slice(0, ANSWER_BYTES)
}

/** Seconds only: a date would be of a clock that is not ours. */
function retryAfterOf(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Math.min(Number(header) * 1000, LONGEST_RETRY_AFTER_MS) : null
}

/** What an HTTP status says, where it says it all. Statuses below 300 are not its business. */
export function judgeStatus({ status, text, retryAfterMs }: Extract<Answered, { kind: 'answered' }>): SendOutcome {
  const answer = `${status} ${text}`
  if (status === 429) return failed('tooMany', answer, { retryAfterMs })
  if (status >= 500 || status === 408 || status === 425) return failed('error', answer, { retryAfterMs })
  return failed('refused', answer, { isRejected: true })
}
