import { randomUUID } from 'node:crypto'
import helmet from '@fastify/helmet'
import { AppError, routes } from '@tickwheel/contract'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Log } from '../log.ts'
import { registerConsole, sendConsole } from './console-files.ts'
import { registerDocs } from './docs.ts'
import type { Handlers } from './handlers.ts'
import type { Metrics } from './metrics.ts'
import { answerOf } from './problem.ts'
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
  /** what XXL-JOB executors call; null: it is turned off, and there is nothing at those addresses */
  readonly xxl: XxlCalls | null
  /** why no call is taken just now (starting, stopping); null: they are */
  readonly refuse: () => AppError | null
}

const BODY_LIMIT_BYTES = 1_048_576

/** The HTTP server with every call of the contract, the console's files and the reference. It does not listen yet. */
export async function createHttp(parts: HttpParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId,
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true },
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
  if (parts.xxl !== null)
    await registerXxl(app, { ...parts.gate, calls: parts.xxl, log: parts.log, refuse: parts.refuse })
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

// The console has no inline script. Its component libraries set inline styles.
const CONSOLE_POLICY = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:', 'blob:'],
  fontSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  workerSrc: ["'self'", 'blob:'],
  objectSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
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
    else void parse(request, text, done)
  })
  app.addContentTypeParser(['application/yaml', 'application/x-yaml', 'text/yaml'], { parseAs: 'string' }, (_request, body, done) => {
    done(null, new YamlText(String(body)))
  })
}

function observe(app: FastifyInstance, { gate, metrics, log, refuse }: HttpParts): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({ 'X-Request-Id': request.id, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' })
    if (!request.url.startsWith(API_PREFIX)) return
    void reply.header('Cache-Control', 'no-store')
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

function sendProblem(error: unknown, { request, reply, log }: { request: FastifyRequest; reply: FastifyReply; log: Log }): FastifyReply {
  const { status, problem, retryAfterSeconds, isUnexpected } = answerOf(error)
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
