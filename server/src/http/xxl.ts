import { AppError } from '@tickwheel/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { originOf } from '../auth/origin.ts'
import { sameText } from '../auth/secret.ts'
import type { Log } from '../log.ts'
import type { RateLimit } from './rate-limit.ts'

/** What XXL-JOB executors call, and the token that they must send. */
export interface XxlCalls {
  readonly accessToken: string
  readonly registry: (body: unknown, isNewDialect: boolean) => Promise<XxlAnswer>
  readonly registryRemove: (body: unknown) => Promise<XxlAnswer>
  readonly callback: (body: unknown) => Promise<XxlAnswer>
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
      return reply.code(200).send(failure(error instanceof Error ? error.message : 'the call failed'))
    })
    const isNewDialect = (request: FastifyRequest): boolean => request.headers['xxl-job-appname'] !== undefined
    scope.post(`${ROOT}/registry`, async (request) => calls.registry(request.body, isNewDialect(request)))
    scope.post(`${ROOT}/registryRemove`, async (request) => calls.registryRemove(request.body))
    scope.post(`${ROOT}/callback`, { bodyLimit: BODY_LIMIT_BYTES }, async (request) => calls.callback(request.body))
  })
}

/** Why a call is not taken; null: it is. A wrong token costs the address a token of its own budget. */
async function refusalOf(request: FastifyRequest, reply: FastifyReply, { calls, rateLimit, refuse }: XxlParts): Promise<string | null> {
  const refusal = refuse()
  if (refusal !== null) return refusal.message
  const given = request.headers['xxl-job-access-token']
  if (typeof given === 'string' && sameText(given, calls.accessToken)) return null
  try {
    await rateLimit.take('anonymous', originOf(request, false).ip, reply)
  } catch (error) {
    if (error instanceof AppError) return error.message
    throw error
  }
  return 'The access token is wrong.'
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
