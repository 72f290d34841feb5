import { createHash } from 'node:crypto'
import { AppError, routes, type ErrorCode, type FieldProblem, type Route, type RouteDescriptor } from '@tickwheel/contract'
import { callerKey, isInScope, id, isPermission, PERMISSIONS, visibleScope, type Scope } from '@tickwheel/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { Refusals } from '../auth/refusals.ts'
import type { Arrival, Origins } from '../auth/origin.ts'
import type { Origin } from '../auth/sessions.ts'
import { bucketOf } from '../auth/signed-user.ts'
import type { Located } from '../store/locate.ts'
import { admit, authenticate, callerOf, unauthenticated, type Credentials, type Who } from './authenticate.ts'
import { Streamed, type Handlers } from './handlers.ts'
import { forbidden, ForbiddenThing } from './may-also.ts'
import { BODY_LIMIT_BYTES } from './problem.ts'
import type { Purse, RateLimit } from './rate-limit.ts'
import { serves, type Role } from './roles.ts'
import { fromTexts, problemsOf } from './validate.ts'
import { bodyOfDocument } from './workflow-yaml.ts'
import { YamlBody, YamlText } from './yaml-body.ts'

export const API_PREFIX = '/api/v1'
const SMALL_BODY_BYTES = 16_384

/** The group that a thing belongs to, by its id, 0 for what belongs to none; null when it does not exist. */
export type Locate = (resource: Located, id: number) => Promise<number | null>

export interface Gate {
  readonly credentials: Credentials
  readonly rateLimit: RateLimit
  readonly refusals: Refusals
  readonly locate: Locate
  /** The id of a group, by its name; null: there is none in the scope. */
  readonly groupNamed: (name: string, scope: Scope) => Promise<number | null>
  /** calls that another role serves are not registered */
  readonly role: Role
  readonly origins: Origins
}

/** What was found out about a call before its body was read. */
interface Admitted {
  readonly who: Who
  readonly given: unknown
  readonly scope: Scope
  readonly origin: Origin
}

/**
 * Registers every call of the contract. In this order: who calls (401), may they at all (403), have they tokens left in the bucket (429), is the input valid
 * (400), does the thing exist for them (404) and may they do this to it (403); then the handler.
 */
export function registerRoutes(app: FastifyInstance, gate: Gate, handlers: Handlers): void {
  const admitted = new WeakMap<FastifyRequest, Admitted>()
  for (const route of routes.filter(({ id }) => serves(gate.role, id))) {
    app.route({
      method: route.method,
      url: pathOf(route),
      bodyLimit: bodyLimitOf(route),
      onRequest: async (request, reply) => {
        admitted.set(request, await admitCall(route, { request, reply, gate }))
      },
      handler: async (request, reply) => {
        const call = admitted.get(request)
        if (call === undefined) throw new Error('a call came to its handler without having been admitted')
        return answer(route, handlers, { request, reply, gate, call }).catch((error: unknown) => {
          throw noted(error, { route, gate, who: call.who, origin: call.origin })
        })
      },
    })
  }
}

/** What tells where a call comes from. */
export function arrivalOf(request: FastifyRequest): Arrival {
  return { headers: request.headers, address: request.ip, requestId: request.id }
}

/** Who is not known yet, and whoever has nothing to say, sends little. */
function bodyLimitOf({ access, body }: RouteDescriptor): number {
  return access === 'public' || body === undefined ? SMALL_BODY_BYTES : BODY_LIMIT_BYTES
}

/** Where a call is served. */
export function pathOf(route: Pick<RouteDescriptor, 'path'>): string {
  return route.path.startsWith('~') ? route.path.slice(1) : API_PREFIX + route.path
}

/** Who calls a path that no route of the contract has: 401 before anything is said about it. */
export async function admitUnknown(request: FastifyRequest, reply: FastifyReply, gate: Gate): Promise<void> {
  const origin = gate.origins.of(arrivalOf(request))
  const who = await whoCalls(request, reply, { gate, origin })
  if (who.kind === 'nobody')
    throw await refused(unauthenticated('This call needs a credential: send `Authorization: Bearer …`.'), { gate, origin, reply })
}

interface Arrived {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly gate: Gate
}

async function admitCall(route: Route, { request, reply, gate }: Arrived): Promise<Admitted> {
  const origin = gate.origins.of(arrivalOf(request))
  // A public call ignores a credential: a browser whose session ended sends the old one when it signs in.
  const who: Who = route.access === 'public' ? { kind: 'nobody' } : await whoCalls(request, reply, { gate, origin })
  try {
    const { who: given, scope } = admit(route, who)
    if (route.budget !== 'none') await gate.rateLimit.take(route.budget, purseOf(who, origin, route.budget), reply)
    if (isPermission(route.access) && isNowhere(scope) && !isRead(route) && !isJudgedLater(route)) throw forbidden(route.access)
    return { who, given, scope, origin }
  } catch (error) {
    if (error instanceof AppError && error.code === 'UNAUTHENTICATED') throw await refused(error, { gate, origin, reply })
    throw noted(error, { route, gate, who, origin })
  }
}

/** What was refused for want of a right goes to the audit log, wherever that was found out. */
function noted(error: unknown, { route, gate, who, origin }: { route: Route; gate: Gate; who: Who; origin: Origin }): unknown {
  if (!(error instanceof AppError) || error.status !== 403) return error
  const { permission } = error.params
  const about = error instanceof ForbiddenThing ? { about: error.about } : {}
  gate.refusals.note(callerOf(who, origin), {
    action: typeof permission === 'string' ? permission : route.access,
    code: error.code,
    ...about,
  })
  return error
}

async function whoCalls(request: FastifyRequest, reply: FastifyReply, { gate, origin }: { gate: Gate; origin: Origin }): Promise<Who> {
  try {
    return await authenticate(request.headers.authorization, origin, gate.credentials)
  } catch (error) {
    throw error instanceof AppError && error.code === 'UNAUTHENTICATED' ? await refused(error, { gate, origin, reply }) : error
  }
}

/** A 401 costs a token of the address; with none left it becomes a 429. */
async function refused(error: AppError, { gate, origin, reply }: { gate: Gate; origin: Origin; reply: FastifyReply }): Promise<Error> {
  try {
    await gate.rateLimit.take('anonymous', { whose: callerKey(origin.ip) }, reply)
    void reply.header('WWW-Authenticate', 'Bearer')
    return error
  } catch (limited) {
    return limited instanceof Error ? limited : error
  }
}

function purseOf(who: Who, origin: Origin, budget: string): Purse {
  if (budget === 'login') return { whose: callerKey(origin.ip) }
  switch (who.kind) {
    case 'nobody':
      return { whose: `address ${callerKey(origin.ip)}` }
    case 'user':
      return { whose: bucketOf(who.user), own: who.user.token?.rateLimit ?? null }
    case 'executorToken':
      return { whose: `token ${who.token.tokenId}` }
    case 'executorSession':
      return { whose: `executor ${who.session.executorId}` }
  }
}

function isNowhere(scope: Scope): boolean {
  return scope !== 'all' && scope.length === 0
}

/** Whether a call reads things of groups: without any group a list is empty and a thing is not there, neither is refused. An export is. */
function isRead({ method, budget, path, access }: RouteDescriptor): boolean {
  return method === 'GET' && budget !== 'heavy' && !path.startsWith('~') && isPermission(access) && PERMISSIONS[access] === 'group'
}

async function answer(route: Route, handlers: Handlers, { request, reply, gate, call }: Arrived & { call: Admitted }): Promise<unknown> {
  const { body, yaml } = await bodyOf(route, request, { gate, who: call.who })
  const input = await located(yaml, () => validated(route, request, body))
  await authorizeResource(route, input.params, { gate, call })
  const asked = {
    ...input,
    who: call.given,
    scope: call.scope,
    caller: callerOf(call.who, call.origin),
    origin: call.origin,
    idempotencyKey: 'idempotent' in route ? idempotencyKeyOf(request, call) : null,
    yaml,
    wantsYaml: 'yaml' in route && /\b(application|text)\/(x-)?yaml\b/i.test(request.headers.accept ?? ''),
  }
  // Safe: `input` was validated against the descriptor that types the handler, and `given` is what `admit` gives for its access.
  const handle = handlers[route.id] as (asked: unknown) => Promise<unknown>
  const result = await located(yaml, () => handle(asked))
  if (route.budget === 'login') await gate.rateLimit.giveBack('login', callerKey(call.origin.ip))
  if (result instanceof Streamed) return sendStreamed(reply, result, route.status)
  void reply.code(route.status)
  return route.status === 204 ? reply.send() : reply.send(result)
}

function sendStreamed(reply: FastifyReply, { contentType, fileName, body }: Streamed, status: number): FastifyReply {
  void reply.code(status).header('Content-Type', contentType)
  if (fileName !== null) void reply.header('Content-Disposition', `attachment; filename="${fileName}"`)
  return reply.send(body)
}

/** The body as it came, or as its YAML says. */
async function bodyOf(
  route: RouteDescriptor,
  request: FastifyRequest,
  { gate, who }: { gate: Gate; who: Who },
): Promise<{ readonly body: unknown; readonly yaml: YamlBody | null }> {
  if (!(request.body instanceof YamlText)) return { body: request.body ?? {}, yaml: null }
  if (route.yaml === undefined || route.body === undefined)
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.')
  const yaml = new YamlBody(request.body)
  if (route.yaml === route.body) return { body: yaml.value, yaml }
  const scope = who.kind === 'user' ? visibleScope(who.user.grants, 'workflow:edit') : []
  const findGroup = async (name: string): Promise<number | null> => gate.groupNamed(name, scope)
  const takesVersion = 'version' in ((route.body as Shape).properties ?? {})
  return { body: await located(yaml, () => bodyOfDocument(yaml.value, { takesVersion, findGroup })), yaml }
}

type Shape = { readonly properties?: Readonly<Record<string, unknown>> }

/** Problems of a body that came as YAML tell where in the text they are. */
async function located<Result>(yaml: YamlBody | null, work: () => Promise<Result> | Result): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (yaml === null || !(error instanceof AppError) || error.errors.length === 0) throw error
    throw new AppError(error.code, error.message, { params: error.params, errors: yaml.located(error.errors) })
  }
}

function validated(route: RouteDescriptor, request: FastifyRequest, given: unknown): { params: unknown; query: unknown; body: unknown } {
  const params = route.params === undefined ? undefined : fromTexts(route.params, fieldsOf(request.params))
  const query = fromTexts(route.query ?? NO_FIELDS, fieldsOf(request.query))
  const body = route.body === undefined ? undefined : given
  const errors = [...problems(route.params, params), ...problems(route.query ?? NO_FIELDS, query), ...problems(route.body, body)]
  if (errors.length > 0) throw invalid(errors)
  return { params, query: route.query === undefined ? undefined : query, body }
}

const NO_FIELDS: TSchema = { type: 'object', properties: {}, additionalProperties: false }

function problems(schema: TSchema | undefined, value: unknown): FieldProblem[] {
  return schema === undefined ? [] : problemsOf(schema, value)
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function invalid(errors: readonly FieldProblem[]): AppError {
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return new AppError(
    'VALIDATION_FAILED',
    first === undefined ? 'The input is not valid.' : `${first.path === '' ? 'The body' : first.path} ${first.message}${more}.`,
    { errors },
  )
}

const RESOURCES = {
  group: 'GROUP_NOT_FOUND',
  task: 'TASK_NOT_FOUND',
  instance: 'INSTANCE_NOT_FOUND',
  executor: 'EXECUTOR_NOT_FOUND',
  workflow: 'WORKFLOW_NOT_FOUND',
  'workflow-run': 'WORKFLOW_RUN_NOT_FOUND',
  user: 'USER_NOT_FOUND',
  role: 'ROLE_NOT_FOUND',
  'alarm-rule': 'ALARM_RULE_NOT_FOUND',
  'alarm-channel': 'ALARM_CHANNEL_NOT_FOUND',
  'alarm-delivery': 'ALARM_DELIVERY_NOT_FOUND',
  incident: 'INCIDENT_NOT_FOUND',
  variable: 'VARIABLE_NOT_FOUND',
  secret: 'SECRET_NOT_FOUND',
  calendar: 'CALENDAR_NOT_FOUND',
} as const satisfies Record<Located, ErrorCode>

/** `groupId` of what belongs to no group. A calendar of all groups is seen by all who see any: their schedules may name it. */
const NO_GROUP = 0

/** 404 for what is not visible, 403 for what is visible and may not be done. A caller with the permission in all groups is not looked up. */
async function authorizeResource(route: RouteDescriptor, params: unknown, { gate, call }: { gate: Gate; call: Admitted }): Promise<void> {
  const { access } = route
  if (call.scope === 'all' || !isPermission(access) || call.who.kind !== 'user') return
  const resource = resourceOf(route)
  const resourceId = fieldsOf(params)['id']
  if (resource === null || typeof resourceId !== 'number') return
  const groupId = await gate.locate(resource, resourceId)
  const view = `${ownerOf(resource)}:view`
  const visible = isPermission(view) ? visibleScope(call.who.user.grants, view) : call.scope
  const isShared = resource === 'calendar' && groupId === NO_GROUP && !isNowhere(visible)
  if (groupId === null || (!isShared && !isInScope(visible, id<'group'>(groupId))))
    throw new AppError(RESOURCES[resource], `There is no ${resource.replace('-', ' ')} ${resourceId} that you may see.`)
  if (isInScope(call.scope, id<'group'>(groupId)) || (isShared && access === view)) return
  throw new ForbiddenThing(access, { kind: resource === 'workflow-run' ? 'workflowRun' : resource, id: resourceId, groupId })
}

/** Whether it is judged by what the id names: here, or by the handler, as a backfill is one of a task or of a workflow. */
function isJudgedLater(route: RouteDescriptor): boolean {
  return resourceOf(route) !== null || route.path.startsWith('/backfill/:id')
}

/** What the id in the path of a call names, where it is something that belongs to a group. */
function resourceOf(route: RouteDescriptor): keyof typeof RESOURCES | null {
  const resource = resourceIn(route.path)
  if (!isResource(resource) || !route.path.includes('/:id')) return null
  return route.access.split(':')[0] === ownerOf(resource) ? resource : null
}

const OF_ALARMS: Readonly<Record<string, Located>> = {
  rule: 'alarm-rule',
  channel: 'alarm-channel',
  delivery: 'alarm-delivery',
  incident: 'incident',
}

function resourceIn(path: string): string {
  const [, first = '', second = ''] = path.split('/')
  return first === 'alarm' ? (OF_ALARMS[second] ?? '') : first
}

/** Whose permissions a thing is guarded by: not all have some of their own. */
function ownerOf(resource: Located): string {
  switch (resource) {
    case 'workflow-run':
      return 'workflow'
    case 'alarm-rule':
    case 'alarm-channel':
    case 'alarm-delivery':
    case 'incident':
      return 'alarm'
    case 'group':
    case 'task':
    case 'instance':
    case 'executor':
    case 'workflow':
    case 'user':
    case 'role':
    case 'variable':
    case 'secret':
    case 'calendar':
      return resource
  }
}

function isResource(word: string): word is keyof typeof RESOURCES {
  return Object.hasOwn(RESOURCES, word)
}

/** The header, bound to the caller and the path, so that two callers may use the same key. */
function idempotencyKeyOf(request: FastifyRequest, call: Admitted): string | null {
  const key = request.headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key !== 'string' || key.length < 1 || key.length > 255) {
    throw invalid([
      {
        path: 'header.idempotency-key',
        code: typeof key === 'string' && key.length > 255 ? 'TOO_LONG' : 'TOO_SHORT',
        message: 'must have 1 to 255 characters',
      },
    ])
  }
  const { actor } = callerOf(call.who, call.origin)
  return createHash('sha256')
    .update([actor.kind, actor.id, request.url.split('?')[0], key].join('\n'))
    .digest('hex')
}
