import { fetch, Headers, type Agent, type Response } from 'undici'
import { Masker } from '@tickwheel/core'
import { messageOf } from '../logger.ts'
import { fencingTokenOf, idempotencyHeaders, idempotencyKeyOf } from '../run/fencing.ts'
import { RunFailure } from '../run/run.ts'
import type { TaskHandler, Work } from './handler.ts'
import type { HttpReach } from './http-reach.ts'

/** what is kept of the answer, so that the result stays below 64 KiB of JSON */
const BODY_BYTES = 60_000

/**
 * Sends one HTTP request and checks the status. Redirects are followed. With no body of its own, a POST, PUT or PATCH carries the run's
 * parameters. It tells which run and attempt it is for, in headers that the task's own replace: with `Idempotency-Key` and `Tickwheel-Fencing-Token` a
 * server can take no more than one attempt. The result is `{ status, body }`; a longer body is cut at about 60,000 bytes of JSON and the result says `truncated: true`.
 * Where it may lead, redirects included, `reach` says. Throws RunFailure: HTTP_STATUS, HTTP_FAILED.
 */
export function httpHandler(reach: HttpReach): TaskHandler {
  const agent = reach.agent()
  return { slot: 'http', endsItself: true, run: (work) => runHttp(work, agent) }
}

async function runHttp(work: Work, agent: Agent): Promise<unknown> {
  const { handler } = work.dispatch
  if (handler.kind !== 'http') throw new TypeError(`the http handler was given a task of kind ${handler.kind}`)
  const method = handler.method ?? 'GET'
  const startedAt = performance.now()
  const answer = await request(work, { agent, method, ...handler })
  const { body, isTruncated } = hidden(work, await readBody(answer))
  work.log.write(
    'log',
    'info',
    `${method} ${handler.url} → ${String(answer.status)} in ${String(Math.round(performance.now() - startedAt))} ms`,
  )
  if (!isExpected(answer.status, handler.expectStatus ?? []))
    throw new RunFailure('HTTP_STATUS', `the answer has status ${String(answer.status)}: ${body.slice(0, 500)}`)
  return isTruncated ? { status: answer.status, body, truncated: true } : { status: answer.status, body }
}

/** Before it is cut any shorter: half a secret is not found any more. */
function hidden({ dispatch }: Work, { body, isTruncated }: Body): Body {
  const { secrets = [] } = dispatch
  return secrets.length === 0 ? { body, isTruncated } : { body: new Masker(secrets).text(body, { isCut: isTruncated }), isTruncated }
}

interface Body {
  readonly body: string
  readonly isTruncated: boolean
}

interface Call {
  readonly agent: Agent
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function request({ dispatch, signal }: Work, call: Call): Promise<Response> {
  const { method, agent } = call
  const takesBody = method === 'POST' || method === 'PUT' || method === 'PATCH'
  const body = call.body ?? (takesBody && dispatch.params !== '' ? dispatch.params : undefined)
  const headers = headersOf(dispatch, call.headers ?? {})
  try {
    return await fetch(call.url, {
      method,
      headers,
      signal,
      dispatcher: agent,
      ...(body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body }),
    })
  } catch (thrown) {
    throw new RunFailure('HTTP_FAILED', `${method} ${call.url}: ${messageOf(thrown)}`)
  }
}

function headersOf(dispatch: Work['dispatch'], own: Readonly<Record<string, string>>): Headers {
  const headers = new Headers({
    'Tickwheel-Instance-Id': String(dispatch.instanceId),
    'Tickwheel-Attempt': String(dispatch.attempt),
    ...idempotencyHeaders({ idempotencyKey: idempotencyKeyOf(dispatch), fencingToken: fencingTokenOf(dispatch) }),
  })
  for (const [name, value] of Object.entries(own)) headers.set(name, value)
  return headers
}

function isExpected(status: number, expected: readonly number[]): boolean {
  return expected.length === 0 ? status >= 200 && status < 300 : expected.includes(status)
}

/** Reads as much of the body as the result can hold and lets the rest go. */
async function readBody(answer: Response): Promise<Body> {
  const text = Buffer.concat(await readParts(answer)).toString('utf8')
  const body = withinJson(text, BODY_BYTES)
  return { body, isTruncated: body.length < text.length }
}

async function readParts(answer: Response): Promise<readonly Uint8Array[]> {
  const parts: Uint8Array[] = []
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = answer.body?.getReader()
  try {
    for (let bytes = 0; reader !== undefined && bytes <= BODY_BYTES;) {
      const part = await reader.read()
      if (part.done) break
      parts.push(part.value)
      bytes += part.value.byteLength
    }
    await reader?.cancel()
    return parts
  } catch (thrown) {
    throw new RunFailure('HTTP_FAILED', `the answer broke off: ${messageOf(thrown)}`)
  }
}

/** The longest beginning whose JSON has at most `limit` bytes (nearly). */
function withinJson(text: string, limit: number): string {
  let kept = text
  for (let bytes = jsonBytes(kept); bytes > limit; bytes = jsonBytes(kept))
    kept = kept.slice(0, Math.floor(kept.length * Math.min(0.95, limit / bytes)))
  return kept.toWellFormed()
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text))
}
