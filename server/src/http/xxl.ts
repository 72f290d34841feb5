import { AppError } from '@tickwheel/contract'
import { callerKey } from '@tickwheel/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Origins } from '../auth/origin.ts'
import type { Log } from '../log.ts'
import { answerOf } from './problem.ts'
import type { RateLimit } from './rate-limit.ts'
import { arrivalOf } from './register.ts'

/** What XXL-JOB executors call with their token (empty: they sent none). Whether it is that of the right group, each call says itself: the body names the group. */
export interface XxlCalls {
  /** whether any group has this token: looked at before a body is read */
  readonly admits: (token: string) => Promise<boolean>
  readonly registry: (body: unknown, of: { readonly token: string; readonly isNewDialect: boolean }) => Promise<XxlAnswer>
  readonly registryRemove: (body: unknown, token: string) => Promise<XxlAnswer>
  readonly callback: (body: unknown, token: string) => Promise<XxlAnswer>
  /** the `msg` of a call whose token is another group's */
  readonly wrongToken: string
}

interface XxlAnswer {
  readonly code: number
  readonly msg: string | null
  readonly content: null
  readonly data: null
}

export interface XxlParts {
  readonly calls: XxlCalls
  readonly rateLimit: RateLimit
  readonly origins: Origins
  readonly log: Log
  readonly refuse: () => AppError | null
}

/** Executors up to 3.4.0 send everything that waits at once, each element with up to 50,000 characters. */
const BODY_LIMIT_BYTES = 33_554_432
const ROOT = '/xxl-job-admin/api'
const PATH = /^\/+(?:xxl-job-admin\/+)?api\/+(registry|registryRemove|callback)\/*(?:\?.*)?$/

/** The one place where a call is served, however the executor's setting is written: with the old admin's path or without, with slashes too many. */
export function rewriteXxlUrl(url: string): string {
  const name = PATH.exec(url)?.[1]
  return name === undefined ? url : `${ROOT}/${name}`
}

/**
 * Registers the calls of XXL-JOB executors. The answer is always 200 with JSON, and `code` says how it went: to Java executors any other status is a
 * failure like any other, and they read no reason out of it.
 */
export async function registerXxl(app: FastifyInstance, parts: XxlParts): Promise<void> {
  const { calls, log } = parts
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) =>
      done(null, parsed(String(body))),
    )
    scope.addHook('onRequest', async (request, reply) => {
      const refusal = await refusalOf(request, reply, parts)
      if (refusal !== null) return reply.code(200).send(failure(refusal))
    })
    scope.setErrorHandler(async (error, _request, reply) => {
      log.warn({ err: error }, 'a call of an XXL-JOB executor failed')
      return reply.code(200).send(failure(answerOf(error).problem.detail))
    })
    const isNewDialect = (request: FastifyRequest): boolean => request.headers['xxl-job-appname'] !== undefined
    const charged = async (answer: XxlAnswer, request: FastifyRequest, reply: FastifyReply): Promise<XxlAnswer> =>
      answer.msg === calls.wrongToken ? failure(await wrongToken(request, reply, parts)) : answer
    scope.post(`${ROOT}/registry`, async (request, reply) =>
      charged(await calls.registry(request.body, { token: tokenOf(request), isNewDialect: isNewDialect(request) }), request, reply),
    )
    scope.post(`${ROOT}/registryRemove`, async (request, reply) =>
      charged(await calls.registryRemove(request.body, tokenOf(request)), request, reply),
    )
    scope.post(`${ROOT}/callback`, { bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) =>
      charged(await calls.callback(request.body, tokenOf(request)), request, reply),
    )
  })
}

/** Why a call is not taken; null: it is, as far as can be told before its body is read. */
async function refusalOf(request: FastifyRequest, reply: FastifyReply, parts: XxlParts): Promise<string | null> {
  const refusal = parts.refuse()
  if (refusal !== null) return refusal.message
  return (await parts.calls.admits(tokenOf(request))) ? null : wrongToken(request, reply, parts)
}

/** What is said of a wrong token, which costs the address a token of its own budget. */
async function wrongToken(request: FastifyRequest, reply: FastifyReply, { calls, rateLimit, origins }: XxlParts): Promise<string> {
  try {
    await rateLimit.take('anonymous', { whose: callerKey(origins.of(arrivalOf(request)).ip) }, reply)
  } catch (error) {
    if (error instanceof AppError) return error.message
    throw error
  }
  return calls.wrongToken
}

function tokenOf(request: FastifyRequest): string {
  const given = request.headers['xxl-job-access-token']
  return typeof given === 'string' ? given : ''
}

function failure(msg: string): XxlAnswer {
  return { code: 500, msg, content: null, data: null }
}

/** undefined: it is no JSON, and whoever takes the call says what it expected. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
