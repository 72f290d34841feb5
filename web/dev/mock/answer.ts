import type { ComparedRun, Group, GroupUpdate, Instance, InstanceComparison, Me, Problem, RouteAnswer, ScheduleInput, Task, TaskCreate, TaskListItem, TokenCreate } from '@tickwheel/contract'
import { ALL_PERMISSIONS, compileSchedule, isPermission, segmentsOf, type Schedule } from '@tickwheel/core'
import { accessAnswer } from './access.ts'
import { calendars, scheduleImpactOf } from './calendars.ts'
import { clusterOf } from './cluster.ts'
import { dashboardOf } from './dashboard.ts'
import { completenessOf, findingsOf, recoveriesOf } from './completeness.ts'
import { workflows } from './workflows.ts'
import { executorNow, ledgerOf, traceOf, whyOf } from './history.ts'
import { gridOf, itemsOf, listItemOf, operate, stepDetailOf, workflowOf, workflowRuns } from './workflow-runs.ts'
import { addExecutor, addGroup, addRun, addTask, define, iso, saveVersion, type World } from './world.ts'

export interface MockRequest {
  readonly method: string
  /** below `/api/v1` */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
  readonly token: string | null
}

export interface MockAnswer {
  readonly status: number
  readonly body: unknown
}

const ok = (body: unknown, status = 200): MockAnswer => ({ status, body })

function refuse(status: number, code: string, more: Partial<Problem> = {}): MockAnswer {
  return { status, body: { type: `about:blank#${code}`, title: code, status, detail: `Mock: ${code}`, code, ...more } }
}

/** Answers a call as the server would, roughly: enough for every page and every refusal that a page words. */
export function answer(world: World, request: MockRequest): MockAnswer {
  const { method, path } = request
  const key = `${method} ${path}`
  if (key === 'POST /auth/login') return login(world, request)
  if (key === 'GET /auth/hint') return ok({ firstAccount: world.password === 'admin123' })
  if (key === 'POST /auth/refresh') return ok(session(world))
  if (request.token === null) return refuse(401, 'UNAUTHENTICATED')
  if (key === 'POST /auth/logout') return ok(null, 204)
  if (key === 'GET /auth/me') return ok(me(world))
  if (key === 'PUT /auth/password') return changePassword(world, request)
  const ofAccess = accessAnswer(world, request)
  if (ofAccess !== null) return ofAccess
  const [resource, id, ...rest] = path.slice(1).split('/')
  const number = Number(id)
  if (resource === 'workflow-run') return id === undefined ? workflowRunList(world, request) : oneWorkflowRun(world, request, number, rest)
  if (resource === 'workflow' && workflowOf(world, number) !== null) return workflow(world, request, number, rest[0])
  switch (resource) {
    case 'group':
      return rest[0] === 'handler' ? handlers(world, number) : groups(world, request, number)
    case 'task':
      return id === undefined ? taskList(world, request) : oneTask(world, request, number, rest)
    case 'instance':
      return id === undefined ? runList(world, request) : oneRun(world, request, number, rest[0])
    case 'workflow':
      return workflows(world, request, id === undefined ? null : Number(id), rest)
    case 'executor':
      return executors(world, request, number, rest[0])
    case 'calendar':
      return calendars(world, request, id, rest[0])
    case 'cluster':
      if (id === 'resume') world.hasResumed = true
      return ok(clusterOf(world, world.cluster))
    case 'dashboard':
      return ok(dashboardOf(world, request))
    case 'completeness':
      return ok(id === 'finding' ? list(findingsOf(world), request) : completenessOf(world))
    case 'recovery':
      return ok(list(recoveriesOf(world), request))
    case 'token':
      return method === 'POST' ? makeToken(world, request) : ok(null, 204)
    case 'schedule':
      return ok(preview(at<{ schedule: ScheduleInput }>(request.body).schedule, world.now, 10))
    case undefined:
    default:
      return refuse(404, 'NOT_FOUND')
  }
}

function me(world: World): Me {
  const permissions = (world.permissions ?? ALL_PERMISSIONS).filter(isPermission)
  return { user: session(world).user, token: null, grants: { all: permissions, groups: {} }, bindings: [{ role: 'admin', groupIds: null, permissions }] }
}

/** The console sends what its types say; the mock trusts it. */
function at<T>(body: unknown): T {
  return body as T
}

function session(world: World) {
  const serial = `${Math.floor(world.now / 1000)}`
  return { token: `mock.${serial}`, refreshToken: `refresh.${serial}`, expiresAt: iso(world.now + 900_000), user: { id: 1, username: world.username, displayName: '', mustChangePassword: false } }
}

function login(world: World, request: MockRequest): MockAnswer {
  const { username, password } = at<{ username: string; password: string }>(request.body)
  return username === world.username && password === world.password ? ok(session(world)) : refuse(401, 'INVALID_CREDENTIALS')
}

function changePassword(world: World, request: MockRequest): MockAnswer {
  const { current, next } = at<{ current: string; next: string }>(request.body)
  if (current !== world.password) return refuse(422, 'UNPROCESSABLE', { errors: [{ path: 'current', code: 'NOT_ALLOWED_VALUE', message: '' }] })
  if (next === 'password') return refuse(422, 'PASSWORD_TOO_WEAK')
  world.password = next
  return ok(session(world))
}

function list<T>(items: readonly T[], request: MockRequest) {
  const page = Number(request.query.get('page') ?? 1)
  const pageSize = Number(request.query.get('pageSize') ?? 20)
  return { items: items.slice((page - 1) * pageSize, page * pageSize), total: items.length, page, pageSize }
}

function handlers(world: World, groupId: number): MockAnswer {
  const named = [...world.executors.values()].filter((one) => one.groupId === groupId && one.state !== 'offline').flatMap((one) => one.handlers.filter(({ kind }) => kind === 'named'))
  const byName = new Map(named.map(({ name, description }) => [name, { name, description, paramsSchema: world.paramsSchemas.get(name) ?? null }]))
  return ok({ items: [...byName.values()] })
}

function groups(world: World, request: MockRequest, id: number): MockAnswer {
  const found = world.groups.get(id)
  const count = (group: Group): Group => ({
    ...group,
    taskCount: [...world.tasks.values()].filter((task) => task.groupId === group.id).length,
    executorCount: [...world.executors.values()].filter((one) => one.groupId === group.id && one.state !== 'offline').length,
  })
  const keyword = request.query.get('keyword') ?? ''
  if (Number.isNaN(id) && request.method === 'GET') return ok(list([...world.groups.values()].filter((group) => group.name.includes(keyword) || group.appName.includes(keyword)).map(count), request))
  const body = at<GroupUpdate>(request.body)
  const isTaken = (name: 'name' | 'appName') => [...world.groups.values()].some((group) => group.id !== id && group[name] === body[name])
  if (request.method === 'POST' || request.method === 'PUT') {
    const errors = (['name', 'appName'] as const).filter(isTaken).map((path) => ({ path, code: 'NAME_TAKEN', message: '' }))
    if (errors.length > 0) return refuse(422, 'UNPROCESSABLE', { errors })
  }
  if (request.method === 'POST') return ok(count(addGroup(world, { ...body, description: body.description ?? '', id: (world.lastId += 1) })), 201)
  if (found === undefined) return refuse(404, 'GROUP_NOT_FOUND')
  if (request.method === 'DELETE') return count(found).taskCount > 0 ? refuse(409, 'GROUP_NOT_EMPTY') : (world.groups.delete(id), ok(null, 204))
  if (request.method === 'PUT') {
    if (body.version !== found.version) return refuse(409, 'STALE_VERSION')
    Object.assign(found, { name: body.name, appName: body.appName, description: body.description ?? '', version: found.version + 1, updatedAt: iso(world.now) })
  }
  return ok(count(found))
}

function taskList(world: World, request: MockRequest): MockAnswer {
  if (request.method === 'POST') return saveTask(world, at<TaskCreate>(request.body), null)
  const { query } = request
  const keyword = (query.get('keyword') ?? '').toLowerCase()
  const matches = (task: Task) =>
    (keyword === '' || task.name.toLowerCase().includes(keyword)) && same(query, 'groupId', String(task.groupId)) && same(query, 'enabled', String(task.enabled)) &&
    same(query, 'scheduleKind', task.schedule.kind) && same(query, 'handlerKind', task.handler.kind) && (!query.has('tag') || task.tags.includes(query.get('tag') ?? ''))
  return ok(list([...world.tasks.values()].filter(matches).sort((a, b) => b.id - a.id).map((task) => listItem(world, task)), request))
}

function same(query: URLSearchParams, name: string, value: string): boolean {
  return !query.has(name) || query.get(name) === value
}

function runsOf(world: World, task: Task): Instance[] {
  return [...world.runs.values()].filter((run) => run.taskId === task.id).sort((a, b) => b.id - a.id)
}

function listItem(world: World, task: Task): TaskListItem {
  const { id, groupId, groupName, name, description, owner, tags, schedule, enabled, version, nextFireAt, held } = task
  const runs = runsOf(world, task)
  return {
    id, groupId, groupName, name, description, owner, tags, schedule, handlerKind: task.handler.kind, enabled, version, nextFireAt, held,
    openRuns: runs.filter((run) => run.endedAt === null).length,
    recent: runs.slice(0, 20).map((run) => ({ id: run.id, state: run.state, scheduledAt: run.scheduledAt, durationMs: run.endedAt === null || run.startedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.startedAt) })),
  }
}

function saveTask(world: World, body: TaskCreate & { version?: number }, task: Task | null): MockAnswer {
  const isTaken = [...world.tasks.values()].some((other) => other.id !== task?.id && other.groupId === body.groupId && other.name === body.name)
  const compilation = compileSchedule(plain(body.schedule), { anchorAt: world.now })
  const errors = [
    ...(isTaken ? [{ path: 'name', code: 'NAME_TAKEN', message: 'taken' }] : []),
    ...(compilation.ok ? [] : compilation.problems.map((problem) => ({ ...problem, message: problem.code }))),
    ...(body.schedule.kind === 'once' && Date.parse(body.schedule.at) < world.now ? [{ path: 'schedule.at', code: 'ONCE_IN_PAST', message: 'past' }] : []),
  ]
  if (errors.length > 0) return refuse(422, 'UNPROCESSABLE', { errors })
  if (task === null) return ok(addTask(world, body), 201)
  if (body.version !== task.version) return refuse(409, 'STALE_VERSION')
  Object.assign(task, define(body), { groupId: body.groupId, groupName: world.groups.get(body.groupId)?.name ?? '', version: task.version, enabled: body.enabled ?? task.enabled })
  saveVersion(world, task)
  return ok(task)
}

function plain(schedule: ScheduleInput): Schedule {
  return schedule.kind === 'cron' ? { kind: 'cron', expression: schedule.expression, timezone: schedule.timezone ?? 'UTC' } : at<Schedule>(schedule)
}

function preview(schedule: ScheduleInput, now: number, count: number) {
  const compilation = compileSchedule(plain(schedule), { anchorAt: now })
  const firings: { at: string; local: string; offset: string }[] = []
  let next = compilation.ok ? compilation.compiled.next(now) : null
  while (compilation.ok && next !== null && firings.length < count) {
    firings.push({ at: iso(next), local: iso(next).slice(0, 19), offset: '+00:00' })
    next = compilation.compiled.next(next)
  }
  return { firings, leftOut: [], words: { en: schedule.kind, zh: schedule.kind } }
}

function oneTask(world: World, request: MockRequest, id: number, rest: readonly string[]): MockAnswer {
  const task = world.tasks.get(id)
  if (task === undefined) return refuse(404, 'TASK_NOT_FOUND')
  switch (`${request.method} ${rest[0] ?? ''}`) {
    case 'GET ':
      return ok(task)
    case 'PUT ':
      return saveTask(world, at<TaskCreate & { version: number }>(request.body), task)
    case 'DELETE ':
      return listItem(world, task).openRuns > 0 && !request.query.has('cancelRunning') ? refuse(409, 'TASK_HAS_OPEN_RUNS', { params: { open: listItem(world, task).openRuns } }) : (world.tasks.delete(id), ok(null, 204))
    case 'POST start':
    case 'POST stop': {
      if (task.schedule.kind === 'manual' && rest[0] === 'start') return refuse(422, 'UNPROCESSABLE', { errors: [{ path: 'enabled', code: 'ENABLED_WITHOUT_SCHEDULE', message: '' }] })
      task.enabled = rest[0] === 'start'
      saveVersion(world, task)
      return ok(task)
    }
    case 'POST trigger':
      return ok({ instanceId: addRun(world, task, { firedAt: world.now, cause: 'manual', state: 'running', durationMs: 8_000 }).id }, 202)
    case 'GET next':
      return ok(preview(task.schedule, world.now, Number(request.query.get('count') ?? 10)))
    case 'POST impact':
      return ok(scheduleImpactOf(world, task.schedule, at<{ schedule: ScheduleInput }>(request.body).schedule))
    case 'GET route':
      return ok(routeOf(world, task))
    case 'GET version':
      return ok(list(world.versions.get(id) ?? [], request))
    case 'POST version': {
      const old = world.versions.get(id)?.find((entry) => entry.version === Number(rest[1]))
      if (old === undefined) return refuse(404, 'TASK_VERSION_NOT_FOUND')
      Object.assign(task, structuredClone(old.definition))
      saveVersion(world, task)
      return ok(task)
    }
    case 'GET firing': {
      const { query } = request
      const entries = ledgerOf(world, task).filter((entry) => {
        const at = entry.kind === 'fired' ? entry.dueAt : entry.toAt
        return (!query.has('from') || at >= (query.get('from') ?? '')) && (!query.has('to') || at < (query.get('to') ?? ''))
      })
      const from = Number(query.get('cursor') ?? 0)
      const size = Number(query.get('pageSize') ?? 20)
      return ok({ items: entries.slice(from, from + size), total: entries.length, page: 1, pageSize: size, nextCursor: from + size < entries.length ? String(from + size) : null })
    }
    case 'GET decisions':
      return ok(whyOf(world, task, request.query.get('at') ?? iso(world.now)))
    default:
      return refuse(404, 'NOT_FOUND')
  }
}

/** By name, whatever the strategy. */
function routeOf(world: World, task: Task): RouteAnswer {
  const executors = [...world.executors.values()].filter((one) => one.groupId === task.groupId).map((one) => executorNow(world, one)).sort((a, b) => a.name.localeCompare(b.name))
  const isAsked = (one: (typeof executors)[number]): boolean => one.state === 'online'
  const asked = executors.filter(isAsked)
  const places = [...asked, ...executors.filter((one) => !isAsked(one))].map((one, index): RouteAnswer['executors'][number] => ({
    executorId: one.id, name: one.name, place: isAsked(one) ? index + 1 : null, obstacle: one.state === 'online' ? (one.inFlight < one.capacity ? null : 'full') : one.state,
    inFlight: one.inFlight, capacity: one.capacity, labels: one.labels, facts: {},
  }))
  const first = places.find(({ obstacle }) => obstacle === null)
  return { strategy: task.routing, executorId: first?.executorId ?? null, waitingFor: first === undefined ? { reason: 'waitsForExecutor', facts: {} } : null, isDecidedHere: true, executors: places }
}

function runList(world: World, request: MockRequest): MockAnswer {
  const { query } = request
  const states = query.get('state')?.split(',')
  const items = [...world.runs.values()]
    .filter((run) => same(query, 'taskId', String(run.taskId)) && same(query, 'groupId', String(run.groupId)) && same(query, 'cause', run.cause) && same(query, 'executorId', String(run.executorId)))
    .filter((run) => states === undefined || states.includes(run.state))
    .sort((a, b) => b.id - a.id)
  const from = Number(query.get('cursor') ?? 0)
  const size = Number(query.get('pageSize') ?? 20)
  return ok({ items: items.slice(from, from + size), total: items.length, page: 1, pageSize: size, nextCursor: from + size < items.length ? String(from + size) : null })
}

function oneRun(world: World, request: MockRequest, id: number, verb: string | undefined): MockAnswer {
  const run = world.runs.get(id)
  if (run === undefined) return refuse(404, 'INSTANCE_NOT_FOUND')
  const lines = world.logs.get(id) ?? []
  switch (`${request.method} ${verb ?? ''}`) {
    case 'GET ':
      return ok({ ...run, attempts: [{ attempt: 1, executorId: run.executorId, executorName: run.executorName, dispatchedAt: run.dispatchedAt, acceptedAt: run.acceptedAt, startedAt: run.startedAt, endedAt: run.endedAt, outcome: run.endedAt === null ? null : run.state, error: run.error, late: false }] })
    case 'POST cancel': {
      if (run.endedAt !== null) return refuse(409, 'INSTANCE_ENDED')
      world.endsAt.delete(id)
      const canceled: Instance = { ...run, state: 'canceled', endedAt: iso(world.now), cancelRequestedAt: iso(world.now), waitingFor: null }
      world.runs.set(id, canceled)
      return ok(canceled)
    }
    case 'POST retry': {
      const task = world.tasks.get(run.taskId)
      return task === undefined ? refuse(404, 'TASK_NOT_FOUND') : ok({ instanceId: addRun(world, task, { firedAt: world.now, cause: 'retry', state: 'running', durationMs: 5_000 }).id }, 202)
    }
    case 'GET logs': {
      if (request.path.endsWith('/raw')) return ok(lines.map((line) => `${line.at} ${line.text}`).join('\n'))
      const after = Number(request.query.get('after') ?? 0)
      const page = lines.filter((line) => line.seq > after).slice(0, Number(request.query.get('limit') ?? 1000))
      return ok({ lines: page, next: page.at(-1)?.seq ?? after, end: run.endedAt !== null })
    }
    case 'GET events':
      return ok({ items: traceOf(run) })
    case 'GET compare':
      return ok(comparisonOf(run, [...world.runs.values()].filter((other) => other.taskId === run.taskId && other.id < run.id && other.state === 'succeeded').at(-1), world.now))
    default:
      return refuse(404, 'NOT_FOUND')
  }
}

function comparisonOf(run: Instance, success: Instance | undefined, now: number): InstanceComparison {
  const side = (one: Instance): ComparedRun => {
    const segments = segmentsOf(one, now).map(({ name, ms }) => ({ name, ms }))
    const { id, state, cause, actor, taskVersion, attempt, scheduledAt, firedAt, startedAt, endedAt, executorId, executorName, params } = one
    return { id, state, cause, actor, taskVersion, attempt, scheduledAt, firedAt, startedAt, endedAt, executorId, executorName, totalMs: segments.reduce((sum, { ms }) => sum + ms, 0), segments, params, definition: null }
  }
  const differences: InstanceComparison['differences'] = success === undefined || success.executorId === run.executorId ? [] : ['executor']
  return { run: side(run), success: success === undefined ? null : side(success), noSuccess: success === undefined ? 'none' : null, differences }
}

function workflow(world: World, request: MockRequest, id: number, verb: string | undefined): MockAnswer {
  if (verb === 'grid') return ok(gridOf(world, id, Number(request.query.get('count') ?? 20)))
  const found = workflowOf(world, id)
  return found === null ? refuse(404, 'WORKFLOW_NOT_FOUND') : ok(found)
}

function workflowRunList(world: World, request: MockRequest): MockAnswer {
  const { query } = request
  const states = query.get('state')?.split(',')
  const items = [...workflowRuns(world).values()].filter((run) => same(query, 'workflowId', String(run.workflowId)) && same(query, 'cause', run.cause) && same(query, 'date', run.date) && (states === undefined || states.includes(run.state)))
  return ok({ ...list(items.sort((a, b) => b.id - a.id).map(listItemOf), request), nextCursor: null })
}

function oneWorkflowRun(world: World, request: MockRequest, id: number, [verb = '', key, what = '']: readonly string[]): MockAnswer {
  const run = workflowRuns(world).get(id)
  if (run === undefined) return refuse(404, 'WORKFLOW_RUN_NOT_FOUND')
  if (request.method === 'GET' && verb === '') return ok(run)
  if (verb === 'retry') return ok({ workflowRunId: 9003 }, 202)
  if (request.method === 'POST') return ok(operate(world, run, verb === 'step' ? what : verb, key, at<{ comment?: string }>(request.body ?? {})))
  const detail = stepDetailOf(run, key ?? '')
  if (detail === null) return refuse(404, 'STEP_NOT_FOUND')
  return what === 'item' ? ok(list(itemsOf(world, detail.step), request)) : ok(detail)
}

/** As if somebody pasted the command: an executor of the group joins four seconds later. */
function makeToken(world: World, request: MockRequest): MockAnswer {
  const asked = at<TokenCreate>(request.body)
  const expiresAt = asked.expiresAt ?? null
  const facts = { id: 9, name: asked.name ?? '', owner: null, rateLimit: null, createdAt: iso(world.now), expiresAt, lastUsedAt: null, revokedAt: null }
  if (asked.kind === 'api') return ok({ ...facts, kind: 'api', groupIds: [], bindings: asked.bindings, token: 'twk_9_Zr5mJ0q2vWkT8xYb4nLcQe7uHs1aPdFg' }, 201)
  const { groupIds } = asked
  setTimeout(() => addExecutor(world, { id: (world.lastId += 1), groupId: groupIds[0] ?? 1, name: `laptop-${world.lastId}`, host: '192.168.1.23', state: 'online' }), 4_000)
  return ok({ ...facts, kind: 'executor', groupIds, bindings: [], token: 'twe_9_Zr5mJ0q2vWkT8xYb4nLcQe7uHs1aPdFg' }, 201)
}

function executors(world: World, request: MockRequest, id: number, verb: string | undefined): MockAnswer {
  if (Number.isNaN(id)) return ok(list([...world.executors.values()].filter((one) => same(request.query, 'groupId', String(one.groupId)) && same(request.query, 'state', one.state)).map((one) => executorNow(world, one)), request))
  const found = world.executors.get(id)
  if (found === undefined) return refuse(404, 'EXECUTOR_NOT_FOUND')
  if (request.method === 'DELETE') return found.state !== 'offline' ? refuse(409, 'EXECUTOR_ONLINE') : (world.executors.delete(id), ok(null, 204))
  if (verb === 'drain') found.state = 'draining'
  if (verb === 'resume') found.state = 'online'
  return ok(executorNow(world, found))
}
