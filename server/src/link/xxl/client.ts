import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Networks } from '../networks.ts'

/** How a call ended. `unsent`: nothing can have reached the executor. `unsure`: it may have, and what became of it is not known. */
export type CallEnd =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  | { readonly kind: 'unsent'; readonly why: string }
  | { readonly kind: 'unsure'; readonly why: string; readonly isTooLong?: true }

export interface Call {
  /** base of the executor, without a slash at the end */
  readonly base: string
  readonly path: string
  readonly body: unknown
  readonly appName: string
  readonly accessToken: string
  readonly networks: Networks
  /** default 1 MiB */
  readonly answerBytes?: number
}

export interface Timeouts {
  readonly connectMs: number
  readonly answerMs: number
}

export const TIMEOUTS: Timeouts = { connectMs: 3_000, answerMs: 5_000 }

/**
 * Posts one call, over a connection of its own as XXL-JOB does: only so it is known for sure whether a call that got no answer was sent at all.
 * Never throws and never takes longer than both times together.
 */
export async function call(wanted: Call, { connectMs, answerMs }: Timeouts = TIMEOUTS): Promise<CallEnd> {
  const url = URL.parse(`${wanted.base}/${wanted.path}`)
  if (url === null) return { kind: 'unsent', why: `no address: ${wanted.base}` }
  const refusal = wanted.networks.refusalOf(url)
  if (refusal !== null) return { kind: 'unsent', why: refusal }
  const body = Buffer.from(JSON.stringify(wanted.body))
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve) => {
    let isConnected = false
    const failed = (why: string): void => resolve({ kind: isConnected ? 'unsure' : 'unsent', why })
    const outgoing = send(
      url,
      { method: 'POST', agent: false, lookup: wanted.networks.lookup, headers: headersOf(wanted, body.length) },
      (incoming) => {
        void textOf(incoming, wanted.answerBytes ?? 1_048_576).then((text) => {
          clearTimeout(timer)
          if (typeof text === 'string') resolve({ kind: 'answer', status: incoming.statusCode ?? 0, text })
          else if (text.isTooLong) resolve({ kind: 'unsure', why: text.why, isTooLong: true })
          else failed(text.why)
          outgoing.destroy()
        })
      },
    )
    let timer = setTimeout(() => outgoing.destroy(new Error(`no connection within ${String(connectMs)} ms`)), connectMs)
    outgoing.on('socket', (socket) =>
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        isConnected = true
        clearTimeout(timer)
        timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${String(answerMs)} ms`)), answerMs)
      }),
    )
    outgoing.on('error', (error) => {
      clearTimeout(timer)
      failed(error.message || ('code' in error ? String(error.code) : 'the connection broke'))
    })
    outgoing.end(body)
  })
}

function headersOf({ appName, accessToken }: Call, length: number): Record<string, string | number> {
  return {
    'Content-Type': 'application/json;charset=UTF-8',
    'Content-Length': length,
    Accept: 'application/json',
    'XXL-JOB-ACCESS-TOKEN': accessToken,
    'XXL-JOB-APPNAME': appName,
  }
}

async function textOf(incoming: IncomingMessage, most: number): Promise<string | { why: string; isTooLong: boolean }> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of incoming as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > most) return { why: `the answer is longer than ${String(most)} bytes`, isTooLong: true }
      parts.push(part)
    }
    return Buffer.concat(parts).toString('utf8')
  } catch (error) {
    return { why: error instanceof Error ? error.message : 'the answer broke off', isTooLong: false }
  }
}
