import type { Executor, Group, Instance, InstanceListItem, LogPage, Session, Task, TaskListItem } from '@tickwheel/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'

/*
 * The mission's 21 calls, by method and path, in the order in which a person would make them.
 */
const CALLS = [
  'POST /auth/login',
  'POST /auth/logout',
  'GET /group',
  'POST /group',
  'PUT /group/:id',
  'DELETE /group/:id',
  'GET /task',
  'POST /task',
  'PUT /task/:id',
  'DELETE /task/:id',
  'POST /task/:id/start',
  'POST /task/:id/stop',
  'POST /task/:id/trigger',
  'GET /instance',
  'GET /instance/:id',
  'POST /instance/:id/cancel',
  'POST /instance/:id/retry',
  'GET /instance/:id/logs',
  'POST /executor/register',
  'POST /executor/heartbeat',
  'GET /executor',
]

interface List<Item> {
  readonly items: readonly Item[]
  readonly total: number
}

const walked = new Set<string>()
let api: ApiServer

beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  await api.close()
})

async function walk<Body>(
  client: ApiClient,
  call: string,
  { id, query = '', body, status = 200 }: { id?: number; query?: string; body?: unknown; status?: number } = {},
): Promise<Body> {
  const [method = '', path = ''] = call.split(' ')
  walked.add(call)
  const answer = await client.call<Body>(method, path.replace(':id', String(id)) + query, body)
  expect(answer.status, `${call}: ${JSON.stringify(answer.body)}`).toBe(status)
  return answer.body
}

it('answers the 21 calls of the mission', async () => {
  const { token } = await walk<Session>(api.anonymous, 'POST /auth/login', { body: { username: 'admin', password: 'admin123' } })
  const admin = new ApiClient(api.url, token)

  const group = await walk<Group>(admin, 'POST /group', { body: { name: 'Billing', appName: 'billing' }, status: 201 })
  expect(group).toMatchObject({ name: 'Billing', appName: 'billing', version: 1, taskCount: 0, executorCount: 0 })
  expect((await walk<List<Group>>(admin, 'GET /group')).items.map(({ name }) => name)).toEqual(['Billing', 'default'])
  expect(await walk(admin, 'PUT /group/:id', { id: group.id, body: { name: 'Invoices', appName: 'billing', version: 1 } })).toMatchObject({
    name: 'Invoices',
    version: 2,
  })

  const { token: executorToken } = await admin.post<{ token: string }>('/token', { kind: 'executor', groupIds: [group.id] })
  const registered = await walk<{ executorId: number; bootId: number; sessionToken: string }>(
    new ApiClient(api.url, executorToken),
    'POST /executor/register',
    {
      body: {
        appName: 'billing',
        name: 'far',
        protocol: { min: 1, max: 1 },
        version: '1',
        capacity: 3,
        handlers: [{ name: 'syncOrders' }],
        host: 'far',
        pid: 5,
      },
    },
  )
  const beat = { executorId: registered.executorId, running: [], load: { cpu: 0.1, memory: 1000, running: 0, queued: 0 } }
  expect(await walk(new ApiClient(api.url, registered.sessionToken), 'POST /executor/heartbeat', { body: beat })).toEqual({
    cancel: [],
    unknown: [],
  })
  expect((await walk<List<Executor>>(admin, 'GET /executor')).items).toMatchObject([
    { id: registered.executorId, name: 'far', groupName: 'Invoices', state: 'online', capacity: 3 },
  ])

  await api.join()
  const [home] = (await admin.get<List<Group>>('/group?keyword=default')).items
  const definition = {
    groupId: home?.id,
    name: 'hello',
    schedule: { kind: 'cron', expression: '0 0 2 1 1 ?', timezone: 'Asia/Shanghai' },
    handler: { kind: 'shell', script: 'echo hello; echo there' },
  }
  const task = await walk<Task>(admin, 'POST /task', { body: definition, status: 201 })
  expect(task).toMatchObject({ name: 'hello', enabled: false, version: 1, nextFireAt: null })
  expect(await walk(admin, 'PUT /task/:id', { id: task.id, body: { ...definition, description: 'greets', version: 1 } })).toMatchObject({
    description: 'greets',
    version: 2,
  })
  expect((await walk<Task>(admin, 'POST /task/:id/start', { id: task.id })).nextFireAt).toMatch(/-12-31T18:00:00\.000Z$/)
  expect((await walk<List<TaskListItem>>(admin, 'GET /task', { query: '?keyword=HELL' })).items).toMatchObject([
    { id: task.id, enabled: true },
  ])
  expect(await walk(admin, 'POST /task/:id/stop', { id: task.id })).toMatchObject({ enabled: false, nextFireAt: null })

  const { instanceId } = await walk<{ instanceId: number }>(admin, 'POST /task/:id/trigger', { id: task.id, body: {}, status: 202 })
  const ended = await waitFor(async () => {
    const instance = await walk<Instance>(admin, 'GET /instance/:id', { id: instanceId })
    return instance.endedAt === null ? undefined : instance
  })
  expect(ended).toMatchObject({ state: 'succeeded', cause: 'manual', attempt: 1, taskVersion: 2 })
  const log = await walk<LogPage>(admin, 'GET /instance/:id/logs', { id: instanceId })
  expect(log.lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual(['hello', 'there'])
  expect(log.end).toBe(true)
  const again = await walk<{ instanceId: number }>(admin, 'POST /instance/:id/retry', { id: instanceId, status: 202 })
  expect(
    (await walk<List<InstanceListItem>>(admin, 'GET /instance', { query: `?taskId=${String(task.id)}` })).items.map(({ id }) => id),
  ).toEqual([again.instanceId, instanceId])

  const long = await admin.post<Task>('/task', {
    groupId: home?.id,
    name: 'long',
    schedule: { kind: 'manual' },
    handler: { kind: 'shell', script: 'sleep 600' },
  })
  const running = await admin.post<{ instanceId: number }>(`/task/${String(long.id)}/trigger`, {})
  await waitFor(async () => (await admin.get<Instance>(`/instance/${String(running.instanceId)}`)).state === 'running')
  await walk(admin, 'POST /instance/:id/cancel', { id: running.instanceId })
  const canceled = await waitFor(async () => {
    const instance = await admin.get<Instance>(`/instance/${String(running.instanceId)}`)
    return instance.endedAt === null ? undefined : instance
  })
  expect(canceled.state).toBe('canceled')

  await waitFor(async () => (await admin.get<Instance>(`/instance/${String(again.instanceId)}`)).endedAt !== null)
  await walk(admin, 'DELETE /task/:id', { id: task.id, status: 204 })
  await walk(admin, 'DELETE /group/:id', { id: group.id, status: 204 })
  await walk(admin, 'POST /auth/logout', { status: 204 })
  expect((await admin.call('GET', '/auth/me')).status).toBe(401)

  expect(CALLS).toHaveLength(21)
  expect([...walked].toSorted()).toEqual(CALLS.toSorted())
})
