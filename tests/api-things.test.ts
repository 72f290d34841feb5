import type {
  Executor,
  Group,
  Instance,
  InstanceListItem,
  LedgerEntry,
  LogPage,
  PreviewAnswer,
  Problem,
  Task,
  TaskListItem,
  TaskVersion,
  Token,
  TraceEntry,
  WhyAnswer,
} from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'

interface List<Item> {
  readonly items: readonly Item[]
  readonly total: number
  readonly page: number
  readonly pageSize: number
  readonly nextCursor?: string | null
}

let api: ApiServer
let admin: ApiClient
let home: number

beforeAll(async () => {
  api = await openApi()
  admin = api.admin
  home = (await admin.get<List<Group>>('/group')).items[0]?.id ?? 0
  await api.join()
})
afterAll(async () => {
  await api.close()
})

async function problem(method: string, path: string, body?: unknown): Promise<Problem> {
  const answer = await admin.call<Problem>(method, path, body)
  expect(answer.headers.get('content-type')).toMatch(/problem\+json/)
  expect(answer.body.status).toBe(answer.status)
  return answer.body
}

const paths = ({ errors = [] }: Problem): Record<string, string> => Object.fromEntries(errors.map(({ path, code }) => [path, code]))
const shell = { schedule: { kind: 'manual' }, handler: { kind: 'shell', script: 'echo out; echo err >&2' } }
const newTask = async (name: string, more: object = {}): Promise<Task> =>
  admin.post<Task>('/task', { groupId: home, name, ...shell, ...more })
const run = async (taskId: number, body: object = {}): Promise<number> =>
  (await admin.post<{ instanceId: number }>(`/task/${taskId}/trigger`, body)).instanceId
const ended = async (id: number): Promise<Instance> =>
  waitFor(async () => {
    const instance = await admin.get<Instance>(`/instance/${id}`)
    return instance.endedAt === null ? undefined : instance
  })

describe('groups', () => {
  it('are made, read, changed and deleted', async () => {
    const group = await admin.post<Group>('/group', { name: ' Ops ', appName: 'ops' })
    expect(group).toMatchObject({ name: 'Ops', description: '', version: 1 })
    expect(await admin.get(`/group/${group.id}`)).toEqual(group)
    expect(await admin.put(`/group/${group.id}`, { name: 'Ops', appName: 'ops-2', description: 'x', version: 1 })).toMatchObject({
      appName: 'ops-2',
      version: 2,
    })
    expect(await problem('PUT', `/group/${group.id}`, { name: 'Ops', appName: 'ops', version: 1 })).toMatchObject({
      status: 409,
      code: 'STALE_VERSION',
      params: { version: 2 },
    })
    await admin.delete(`/group/${group.id}`)
    for (const method of ['GET', 'DELETE'])
      expect(await problem(method, `/group/${group.id}`)).toMatchObject({ status: 404, code: 'GROUP_NOT_FOUND' })
  })

  it('refuse what is wrong, field by field', async () => {
    expect(paths(await problem('POST', '/group', { name: 'a/b', appName: 'Upper', nothing: 1 }))).toEqual({
      name: 'BAD_FORMAT',
      appName: 'BAD_FORMAT',
      nothing: 'UNKNOWN_FIELD',
    })
    expect(await problem('POST', '/group', { name: 'DEFAULT', appName: 'default' })).toMatchObject({
      status: 422,
      errors: [
        { path: 'name', code: 'NAME_TAKEN' },
        { path: 'appName', code: 'NAME_TAKEN' },
      ],
    })
    expect(paths(await problem('PUT', `/group/${home}`, { name: 'default', appName: 'default' }))).toEqual({ version: 'REQUIRED' })
  })

  it('with tasks cannot be deleted', async () => {
    await newTask('keeps the group')
    expect(await problem('DELETE', `/group/${home}`)).toMatchObject({ status: 409, code: 'GROUP_NOT_EMPTY' })
  })

  it('are listed by page', async () => {
    expect(await admin.get('/group?page=1&pageSize=1')).toMatchObject({ page: 1, pageSize: 1 })
    expect(paths(await problem('GET', '/group?page=0&pageSize=201'))).toEqual({ page: 'TOO_SMALL', pageSize: 'TOO_LARGE' })
    expect(await problem('GET', '/group?page=1000&pageSize=200')).toMatchObject({ status: 422, code: 'PAGE_TOO_DEEP' })
  })
})

describe('tasks', () => {
  it('get every default when they are made', async () => {
    expect(await newTask('plain')).toMatchObject({
      groupId: home,
      groupName: 'default',
      enabled: false,
      version: 1,
      routing: 'roundRobin',
      overlap: { policy: 'queue', max: 1000 },
      misfire: { policy: 'fireOnce' },
      timeoutMs: 0,
      retry: { max: 0 },
      priority: 5,
      params: '',
      nextFireAt: null,
      lastFiredAt: null,
      held: null,
    })
  })

  it.each([
    ['no body', undefined, 400, { groupId: 'REQUIRED', name: 'REQUIRED', schedule: 'REQUIRED', handler: 'REQUIRED' }],
    ['a field of a later release', { groupId: 1, name: 'a', ...shell, backfill: {} }, 400, { backfill: 'UNKNOWN_FIELD' }],
    ['an unknown group', { groupId: 99_999, name: 'a', ...shell }, 422, { groupId: 'UNKNOWN_REFERENCE' }],
    [
      'a cron that is none',
      { name: 'a', ...shell, schedule: { kind: 'cron', expression: '61 * * * * *' } },
      422,
      { 'schedule.expression': 'CRON_OUT_OF_RANGE' },
    ],
    [
      'a cron that never fires',
      { name: 'a', ...shell, schedule: { kind: 'cron', expression: '0 0 0 30 2 ?' } },
      422,
      { 'schedule.expression': 'CRON_NEVER_FIRES' },
    ],
    [
      'a zone that is none',
      { name: 'a', ...shell, schedule: { kind: 'cron', expression: '0 0 0 * * ?', timezone: 'Mars/Base' } },
      422,
      { 'schedule.timezone': 'ZONE_UNKNOWN' },
    ],
    [
      'an instant that has passed',
      { name: 'a', ...shell, enabled: true, schedule: { kind: 'once', at: '2020-01-01T00:00:00Z' } },
      422,
      { 'schedule.at': 'ONCE_IN_PAST' },
    ],
    [
      'an interval that is too short',
      { name: 'a', ...shell, schedule: { kind: 'fixedRate', everyMs: 50 } },
      400,
      { 'schedule.everyMs': 'TOO_SMALL' },
    ],
    ['a started task without a schedule', { name: 'a', ...shell, enabled: true }, 422, { enabled: 'ENABLED_WITHOUT_SCHEDULE' }],
    ['a name that is taken', { name: 'PLAIN', ...shell }, 422, { name: 'NAME_TAKEN' }],
    ['params that are too large', { name: 'a', ...shell, params: 'x'.repeat(65_537) }, 400, { params: 'TOO_LONG' }],
  ])('refuse %s', async (_what, body, status, expected) => {
    const answer = await problem('POST', '/task', body === undefined ? undefined : { groupId: home, ...body })
    expect(answer.status).toBe(status)
    expect(paths(answer)).toEqual(expected)
  })

  it('are changed by whole, and two editors do not overwrite each other', async () => {
    const task = await newTask('edited')
    const input = { groupId: home, name: 'edited', ...shell, description: 'new', tags: ['b', 'a'] }
    expect(await admin.put(`/task/${task.id}`, { ...input, version: 1 })).toMatchObject({
      version: 2,
      description: 'new',
      tags: ['b', 'a'],
    })
    expect(await problem('PUT', `/task/${task.id}`, { ...input, version: 1 })).toMatchObject({ status: 409, code: 'STALE_VERSION' })
    expect(await problem('PUT', '/task/99999', { ...input, version: 1 })).toMatchObject({ status: 404, code: 'TASK_NOT_FOUND' })
    const versions = await admin.get<List<TaskVersion>>(`/task/${task.id}/version`)
    expect(versions.items.map(({ version, savedBy }) => [version, savedBy?.name])).toEqual([
      [2, 'admin'],
      [1, 'admin'],
    ])
    expect(await admin.post(`/task/${task.id}/version/1/restore`)).toMatchObject({ version: 3, description: '', tags: [] })
    expect(await problem('POST', `/task/${task.id}/version/9/restore`)).toMatchObject({ status: 404, code: 'TASK_VERSION_NOT_FOUND' })
  })

  it('are found by filter', async () => {
    await newTask('filtered', { tags: ['finance'], schedule: { kind: 'fixedRate', everyMs: 3_600_000 } })
    const found = async (query: string): Promise<string[]> =>
      (await admin.get<List<TaskListItem>>(`/task?${query}`)).items.map(({ name }) => name)
    expect(await found('tag=finance')).toEqual(['filtered'])
    expect(await found('scheduleKind=fixedRate')).toEqual(['filtered'])
    expect(await found('keyword=FILT&enabled=false&handlerKind=shell')).toEqual(['filtered'])
    expect(await found('keyword=filt&enabled=true')).toEqual([])
    expect(await found('groupId=99999')).toEqual([])
    expect(paths(await problem('GET', '/task?enabled=maybe&scheduleKind=weekly'))).toEqual({
      enabled: 'WRONG_TYPE',
      scheduleKind: 'NOT_ALLOWED_VALUE',
    })
  })

  it('say when they fire next, and nothing while they are stopped', async () => {
    const task = await newTask('timed', { schedule: { kind: 'cron', expression: '0 30 9 ? * MON-FRI', timezone: 'Asia/Shanghai' } })
    expect(await admin.get(`/task/${task.id}/next`)).toMatchObject({
      firings: [],
      words: { en: expect.any(String), zh: expect.any(String) },
    })
    const started = await admin.post<Task>(`/task/${task.id}/start`)
    const { firings } = await admin.get<PreviewAnswer>(`/task/${task.id}/next?count=3`)
    expect(firings).toHaveLength(3)
    expect(firings[0]).toMatchObject({ at: started.nextFireAt, offset: '+08:00', local: expect.stringMatching(/ 09:30:00$/) })
    expect(await admin.post(`/task/${task.id}/start`)).toMatchObject({ enabled: true, version: started.version })
    await admin.post(`/task/${task.id}/stop`)
  })

  it('are not deleted while they run, unless their runs may be canceled', async () => {
    const task = await newTask('busy', { handler: { kind: 'shell', script: 'sleep 600' } })
    const id = await run(task.id)
    expect(await problem('DELETE', `/task/${task.id}`)).toMatchObject({ status: 409, code: 'TASK_HAS_OPEN_RUNS' })
    await admin.delete(`/task/${task.id}?cancelRunning=true`)
    expect((await ended(id)).state).toBe('canceled')
    expect(await problem('GET', `/task/${task.id}`)).toMatchObject({ status: 404 })
    await newTask('busy')
  })

  it('that fire are in the ledger, which answers why', async () => {
    const task = await newTask('often', {
      schedule: { kind: 'fixedRate', everyMs: 100 },
      handler: { kind: 'shell', script: 'true' },
      overlap: { policy: 'skip' },
      enabled: true,
    })
    const fired = await waitFor(async () =>
      (await admin.get<List<LedgerEntry>>(`/task/${task.id}/firing`)).items.find((entry) => entry.kind === 'fired'),
    )
    await admin.post(`/task/${task.id}/stop`)
    const at = fired.dueAt
    expect(await admin.get<WhyAnswer>(`/task/${task.id}/decisions?at=${at}`)).toMatchObject({
      at,
      verdict: 'fired',
      entry: { instanceId: fired.instanceId },
    })
    expect(await admin.get(`/task/${task.id}/decisions?at=2020-01-01T00:00:00Z`)).toMatchObject({ verdict: 'beforeTask' })
    expect(paths(await problem('GET', `/task/${task.id}/decisions`))).toEqual({ at: 'REQUIRED' })
    expect(paths(await problem('GET', `/task/${task.id}/decisions?at=yesterday`))).toEqual({ at: 'BAD_FORMAT' })
    expect(await admin.get(`/task/${task.id}/firing?from=${at}&to=${at}&pageSize=5`)).toMatchObject({ pageSize: 5 })
  })
})

describe('previews', () => {
  it('show the next firings of an unsaved schedule, from an instant', async () => {
    const schedule = { kind: 'cron', expression: '0 0 8 * * ?', timezone: 'Asia/Shanghai' }
    expect(await admin.post('/schedule/preview', { schedule, from: '2026-11-22T08:00:00+08:00', count: 2 })).toMatchObject({
      firings: [{ at: '2026-11-23T00:00:00.000Z', local: '2026-11-23 08:00:00', offset: '+08:00' }, { at: '2026-11-24T00:00:00.000Z' }],
    })
    expect((await admin.post<PreviewAnswer>('/schedule/preview', { schedule })).firings).toHaveLength(10)
  })

  it('say why a schedule is none', async () => {
    expect(await problem('POST', '/schedule/preview', { schedule: { kind: 'cron', expression: '0 0 0 31 2 ?' } })).toMatchObject({
      status: 422,
      errors: [{ code: 'CRON_NEVER_FIRES' }],
    })
    expect(paths(await problem('POST', '/schedule/preview', { schedule: { kind: 'cron' }, count: 1001 }))).toEqual({
      'schedule.expression': 'REQUIRED',
      count: 'TOO_LARGE',
    })
  })
})

describe('runs', () => {
  it('are triggered with params, once for each Idempotency-Key', async () => {
    const task = await newTask('given', { handler: { kind: 'shell', script: 'echo "got $TICKWHEEL_PARAMS"' }, params: 'usual' })
    const headers = { 'idempotency-key': 'k-1' }
    const first = await admin.post<{ instanceId: number }>(`/task/${task.id}/trigger`, { params: 'special' }, headers)
    expect(await admin.post(`/task/${task.id}/trigger`, { params: 'special' }, headers)).toEqual(first)
    const instance = await ended(first.instanceId)
    expect(instance).toMatchObject({
      state: 'succeeded',
      cause: 'manual',
      params: 'special',
      actor: { kind: 'user', name: 'admin' },
      taskName: 'given',
      groupName: 'default',
      executorName: 'tester',
      retryOf: null,
    })
    expect((await admin.get<LogPage>(`/instance/${first.instanceId}/logs`)).lines.map(({ text }) => text)).toContain('got special')
    expect(await run(task.id)).not.toBe(first.instanceId)
    const tooLong = await admin.call<Problem>('POST', `/task/${task.id}/trigger`, {}, { 'idempotency-key': 'x'.repeat(256) })
    expect(paths(tooLong.body)).toEqual({ 'header.idempotency-key': 'TOO_LONG' })
    expect(paths(await problem('POST', `/task/${task.id}/trigger`, { params: 5 }))).toEqual({ params: 'WRONG_TYPE' })
    expect(await problem('POST', '/task/99999/trigger')).toMatchObject({ status: 404, code: 'TASK_NOT_FOUND' })
  })

  it('tell their decisions, in order', async () => {
    const id = await run((await newTask('traced')).id)
    await ended(id)
    const { items } = await admin.get<{ items: TraceEntry[] }>(`/instance/${id}/events`)
    expect(items.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['triggered', 'chosen', 'dispatched', 'succeeded']))
    expect(await problem('GET', '/instance/99999/events')).toMatchObject({ status: 404, code: 'INSTANCE_NOT_FOUND' })
  })

  it('give their log by pages and as a file', async () => {
    const id = await run((await newTask('chatty', { handler: { kind: 'shell', script: 'seq 1 250' } })).id)
    await ended(id)
    const lines: string[] = []
    for (let after = 0, end = false; !end;) {
      const page = await admin.get<LogPage>(`/instance/${id}/logs?after=${after}&limit=100`)
      expect(page.lines.length).toBeLessThanOrEqual(100)
      lines.push(...page.lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text))
      after = page.next
      end = page.end
    }
    expect(lines).toEqual(Array.from({ length: 250 }, (_, index) => String(index + 1)))
    const raw = await admin.call<string>('GET', `/instance/${id}/logs/raw`)
    expect(raw.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(raw.headers.get('content-disposition')).toBe(`attachment; filename="instance-${id}.log"`)
    expect(raw.body.split('\n').filter((line) => line.includes(' stdout '))).toHaveLength(250)
    expect(paths(await problem('GET', `/instance/${id}/logs?after=-1&limit=0`))).toEqual({ after: 'TOO_SMALL', limit: 'TOO_SMALL' })
    for (const path of ['/instance/99999/logs', '/instance/99999/logs/raw', '/instance/99999'])
      expect((await problem('GET', path)).code).toBe('INSTANCE_NOT_FOUND')
  })

  it('that have ended are not canceled, and are retried once', async () => {
    const task = await newTask('fails', { handler: { kind: 'shell', script: 'exit 3' } })
    const id = await run(task.id)
    expect(await ended(id)).toMatchObject({ state: 'failed', error: { code: expect.any(String) } })
    expect(await problem('POST', `/instance/${id}/cancel`)).toMatchObject({ status: 409, code: 'INSTANCE_ENDED' })
    const { instanceId } = await admin.post<{ instanceId: number }>(`/instance/${id}/retry`)
    expect(await ended(instanceId)).toMatchObject({ cause: 'retry', retryOf: id })
    expect(await problem('POST', `/instance/${id}/retry`)).toMatchObject({ status: 409, code: 'INSTANCE_ALREADY_RETRIED' })
    expect(await admin.get(`/instance/${id}`)).toMatchObject({ retriedBy: instanceId })
    for (const verb of ['cancel', 'retry']) expect((await problem('POST', `/instance/99999/${verb}`)).code).toBe('INSTANCE_NOT_FOUND')
  })

  it('that have not ended are not retried', async () => {
    const task = await newTask('long', { handler: { kind: 'shell', script: 'sleep 600' } })
    const id = await run(task.id)
    expect(await problem('POST', `/instance/${id}/retry`)).toMatchObject({ status: 409, code: 'INSTANCE_NOT_ENDED' })
    await admin.post(`/instance/${id}/cancel`)
    expect((await ended(id)).state).toBe('canceled')
  })

  it('are listed by filter, and read on by cursor', async () => {
    const task = await newTask('listed', { handler: { kind: 'shell', script: 'true' } })
    const ids = [await run(task.id), await run(task.id), await run(task.id)]
    for (const id of ids) await ended(id)
    const first = await admin.get<List<InstanceListItem>>(`/instance?taskId=${task.id}&pageSize=2&state=succeeded,failed&cause=manual`)
    expect(first).toMatchObject({ total: 3, pageSize: 2, items: [{ id: ids[2] }, { id: ids[1] }], nextCursor: expect.any(String) })
    expect(await admin.get(`/instance?taskId=${task.id}&pageSize=2&cursor=${String(first.nextCursor)}`)).toMatchObject({
      items: [{ id: ids[0] }],
      nextCursor: null,
    })
    expect(await admin.get(`/instance?taskId=${task.id}&state=failed`)).toMatchObject({ items: [], total: 0 })
    expect((await problem('GET', '/instance?state=happy')).status).toBe(400)
    expect((await problem('GET', '/instance?cursor=x')).status).toBe(400)
    expect(paths(await problem('GET', '/instance?from=today'))).toEqual({ from: 'BAD_FORMAT' })
  })
})

describe('executors', () => {
  it('are listed, looked at, drained and resumed', async () => {
    const { items } = await admin.get<List<Executor>>(`/executor?groupId=${home}&state=online`)
    expect(items).toMatchObject([
      {
        name: 'tester',
        state: 'online',
        groupName: 'default',
        transport: 'stream',
        handlers: expect.arrayContaining([expect.objectContaining({ name: 'shell', kind: 'builtIn' })]),
      },
    ])
    const id = items[0]?.id ?? 0
    expect(await admin.post(`/executor/${id}/drain`)).toMatchObject({ id, state: 'draining' })
    expect((await admin.get<List<Executor>>('/executor?state=draining')).total).toBe(1)
    expect(await admin.post(`/executor/${id}/resume`)).toMatchObject({ id, state: 'online' })
    expect(await admin.get(`/executor/${id}`)).toMatchObject({ id, inFlight: 0, running: [] })
    expect(await problem('DELETE', `/executor/${id}`)).toMatchObject({ status: 409, code: 'EXECUTOR_ONLINE' })
  })

  it('that do not exist are 404', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/drain'],
      ['POST', '/resume'],
      ['DELETE', ''],
    ] as const)
      expect((await problem(method, `/executor/99999${path}`)).code).toBe('EXECUTOR_NOT_FOUND')
    expect(paths(await problem('GET', '/executor?state=asleep'))).toEqual({ state: 'NOT_ALLOWED_VALUE' })
  })
})

describe('tokens', () => {
  it('are shown once, listed without their value, and end when they are revoked', async () => {
    const made = await admin.post<Token & { token: string }>('/token', { kind: 'executor', name: 'laptop', groupIds: [home] })
    expect(made.token).toMatch(/^twe_\d+_[\w-]{43}$/)
    const list = await admin.call<List<Token>>('GET', '/token')
    expect(list.body.items.map(({ name }) => name)).toContain('laptop')
    expect(JSON.stringify(list.body)).not.toContain(made.token)
    const executor = new ApiClient(api.url, made.token)
    const body = {
      appName: 'default',
      name: 'laptop',
      protocol: { min: 1, max: 1 },
      version: '1',
      capacity: 1,
      handlers: [],
      host: 'h',
      pid: 1,
    }
    expect((await executor.call('POST', '/executor/register', body)).status).toBe(200)
    expect(paths((await executor.call<Problem>('POST', '/executor/register', { ...body, capacity: 0, handlers: [{}] })).body)).toEqual({
      capacity: 'TOO_SMALL',
      'handlers.0.name': 'REQUIRED',
    })
    const paramsSchema = { type: 'object', properties: { from: { type: 'integer' } }, required: ['from'] }
    const typed = { ...body, handlers: [{ name: 'laptop-sync', kind: 'named', description: 'copies', paramsSchema }] }
    expect((await executor.call('POST', '/executor/register', typed)).status).toBe(200)
    const { items } = await admin.get<{ items: unknown[] }>(`/group/${home}/handler`)
    expect(items).toContainEqual({ name: 'laptop-sync', description: 'copies', paramsSchema })
    const long = { ...body, handlers: [{ name: 'x', paramsSchema: { title: 'x'.repeat(20_000) } }] }
    expect(paths((await executor.call<Problem>('POST', '/executor/register', long)).body)).toEqual({
      'handlers.0.paramsSchema': 'TOO_LONG',
    })
    expect((await problem('GET', '/group/99999/handler')).status).toBe(404)
    await admin.delete(`/token/${made.id}`)
    expect((await executor.call('POST', '/executor/register', body)).status).toBe(401)
    expect((await problem('DELETE', '/token/99999')).code).toBe('TOKEN_NOT_FOUND')
  })

  it('refuse what is wrong', async () => {
    expect(paths(await problem('POST', '/token', { kind: 'session', groupIds: [] }))).toEqual({ kind: 'NOT_ALLOWED_VALUE' })
    expect(paths(await problem('POST', '/token', { kind: 'executor', groupIds: [] }))).toEqual({ groupIds: 'TOO_SHORT' })
    expect(
      paths(await problem('POST', '/token', { kind: 'executor', groupIds: [home, 99_999], expiresAt: '2020-01-01T00:00:00Z' })),
    ).toEqual({ 'groupIds.1': 'UNKNOWN_REFERENCE', expiresAt: 'TOO_SMALL' })
  })
})
