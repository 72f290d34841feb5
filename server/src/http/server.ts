import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import helmet from '@fastify/helmet'
import { AppError, routes } from '@tickwheel/contract'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Config } from '../config/schema.ts'
import type { Log } from '../log.ts'
import { registerConsole, sendConsole } from './console-files.ts'
import { registerDocs } from './docs.ts'
import { CONSOLE_POLICY, guard } from './guards.ts'
import type { Handlers } from './handlers.ts'
import type { Metrics } from './metrics.ts'
import { trapIn } from './nesting.ts'
import { answerOf, BODY_LIMIT_BYTES } from './problem.ts'
import { askApiNode, servesPeople } from './roles.ts'
import { registerXxl, rewriteXxlUrl, type XxlCalls } from './xxl.ts'
import { YamlText } from './yaml-body.ts'
import { admitUnknown, API_PREFIX, arrivalOf, pathOf, registerRoutes, type Gate } from './register.ts'

export interface HttpParts {
  readonly gate: Gate
  readonly handlers: Handlers
  readonly metrics: Metrics
  readonly log: Log
  /** folder of the built console; null: there is none */
  readonly consoleDir: string | null
  readonly http: Config['http']
  /** what XXL-JOB executors call; null: it is turned off, and there is nothing at those addresses */
  readonly xxl: XxlCalls | null
  /** why no call is taken just now (starting, stopping); null: they are */
  readonly refuse: () => AppError | null
}

const HEADER_BYTES = 16_384
/** Of 16 KiB one can make 4,000. Above 2,000 Node leaves the rest out, and with them what a proxy has added at the end. */
const HEADERS_MAX = 100
/** for the headers alone; a caller who needs longer holds a connection for nothing */
const HEADERS_WITHIN_MS = 15_000
const LOOK_AT_SLOW_CALLERS_MS = 5_000

/** The HTTP server with every call of the contract, the console's files and the reference. It does not listen yet. */
export async function createHttp(parts: HttpParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId,
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    requestTimeout: parts.http.requestMs,
    http: {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: Math.min(HEADERS_WITHIN_MS, parts.http.requestMs),
      requestTimeout: parts.http.requestMs,
      connectionsCheckingInterval: Math.min(LOOK_AT_SLOW_CALLERS_MS, parts.http.requestMs),
    },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) => void sendProblem(error, { request, reply, log: parts.log }),
    // Whatever its length, a part of a path is judged where the call is known: who asks comes first.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: HEADER_BYTES },
    ...(parts.xxl === null ? {} : { rewriteUrl: ({ url }: { readonly url?: string | undefined }) => rewriteXxlUrl(url ?? '/') }),
  })
  readBodies(app)
  observe(app, parts)
  app.setErrorHandler((error, request, reply) => sendProblem(error, { request, reply, log: parts.log }))
  await app.register(helmet, {
    global: false,
    contentSecurityPolicy: { useDefaults: false, directives: CONSOLE_POLICY },
    strictTransportSecurity: false,
    crossOriginEmbedderPolicy: false,
  })
  registerRoutes(app, parts.gate, parts.handlers)
  if (parts.xxl !== null) await registerXxl(app, { ...parts.gate, calls: parts.xxl, log: parts.log, refuse: parts.refuse })
  if (!servesPeople(parts.gate.role)) {
    app.setNotFoundHandler(async () => {
      throw askApiNode()
    })
    return app
  }
  await registerDocs(app)
  if (parts.consoleDir !== null) await registerConsole(app, parts.consoleDir)
  app.setNotFoundHandler(async (request, reply) => notFound(request, reply, parts))
  return app
}

function genReqId(request: { headers: Readonly<Record<string, string | string[] | undefined>> }): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
}

/** A call without a body may still say that it is JSON. Some take YAML, which is read when the call is known. */
function readBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body)
    if (text.trim() === '') done(null, undefined)
    else
      void parse(request, text, (error, value: unknown) => {
        const trap = error === null ? trapIn(value) : null
        if (trap === null) done(error, value)
        else done(new AppError('MALFORMED', `The body is not taken: ${trap}.`))
      })
  })
  app.addContentTypeParser(['application/yaml', 'application/x-yaml', 'text/yaml'], { parseAs: 'string' }, (_request, body, done) => {
    done(null, new YamlText(String(body)))
  })
}

function observe(app: FastifyInstance, { gate, metrics, log, refuse, http: { hstsSeconds } }: HttpParts): void {
  app.addHook('onRequest', async (request, reply) => {
    const isApi = request.url.startsWith(API_PREFIX)
    void reply.header('X-Request-Id', request.id)
    guard(reply, { isApi, hstsSeconds: gate.origins.isHttps(arrivalOf(request)) ? hstsSeconds : 0 })
    if (hasTooManyHeaders(request.raw)) throw tooManyHeaders()
    if (!isApi) return
    const refusal = refuse()
    if (refusal !== null) throw refusal
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    metrics.observeRequest(request.method, route, { status: reply.statusCode, seconds: reply.elapsedTime / 1000 })
    log.debug(
      {
        requestId: request.id,
        method: request.method,
        route,
        status: reply.statusCode,
        elapsedMs: Math.round(reply.elapsedTime),
        ip: gate.origins.of(arrivalOf(request)).ip,
      },
      'request',
    )
  })
}

/** Whether a request carries more headers than anybody needs. */
export function hasTooManyHeaders({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length > 2 * HEADERS_MAX
}

function tooManyHeaders(): AppError {
  return new AppError('HEADERS_TOO_LARGE', `A call has at most ${HEADERS_MAX} headers of ${HEADER_BYTES} bytes together.`)
}

/** What came is no request of HTTP, or did not come in time: said as everything is, and the connection ends. */
function refuseConnection(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const { status, problem } = answerOf(connectionProblem(error.code ?? ''))
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function connectionProblem(code: string): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') return tooManyHeaders()
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AppError('REQUEST_TIMEOUT', 'The request did not arrive in time: send it again.')
  return new AppError('MALFORMED', 'This is not a request of HTTP/1.1.')
}

function sendProblem(error: unknown, { request, reply, log }: { request: FastifyRequest; reply: FastifyReply; log: Log }): FastifyReply {
  const { status, problem, retryAfterSeconds, isUnexpected } = answerOf(error, request.routeOptions.bodyLimit)
  if (isUnexpected)
    log.error(
      { err: error, requestId: request.id, method: request.method, route: request.routeOptions.url },
      'a request failed in a way that nobody expected',
    )
  if (retryAfterSeconds !== null) void reply.header('Retry-After', retryAfterSeconds)
  return reply.code(status).header('Content-Type', 'application/problem+json; charset=utf-8').serializer(JSON.stringify).send(problem)
}

async function notFound(request: FastifyRequest, reply: FastifyReply, parts: HttpParts): Promise<FastifyReply> {
  const path = request.url.split('?')[0] ?? ''
  if (path === API_PREFIX || path.startsWith(`${API_PREFIX}/`)) {
    await admitUnknown(request, reply, parts.gate)
    const allowed = methodsOf(path)
    if (allowed.length > 0) {
      void reply.header('Allow', allowed.join(', '))
      throw new AppError('METHOD_NOT_ALLOWED', `${path} answers to ${allowed.join(' and ')}, not to ${request.method}.`)
    }
    throw new AppError('NOT_FOUND', `There is no call ${request.method} ${path}.`)
  }
  const wantsPage =
    (request.method === 'GET' || request.method === 'HEAD') && (request.headers.accept ?? '').includes('text/html') && !/\.\w+$/.test(path)
  if (wantsPage) return sendConsole(reply, parts.consoleDir)
  throw new AppError('NOT_FOUND', `There is nothing at ${path}.`)
}

const patterns = routes.map((route) => ({
  method: route.method,
  pattern: new RegExp(`^${pathOf(route).replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+')}/?$`),
}))

function methodsOf(path: string): string[] {
  return [...new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))]
}
