/* Bulk operations over HTTP: through a kill -9 in the middle, as people with rights here and there, and told live. */
import type { Bulk, BulkItem, BulkItemPage, BulkPreview, Group, InstanceListItem, Problem, Task } from '@tickwheel/contract'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openApi } from './api.fixture.ts'
import type { ApiClient } from './kit/api-client.ts'
import { GENEROUS_BUDGETS, homeGroup } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'
import { makePerson } from './person.fixture.ts'

const TASKS = 100

/** Without an executor the runs that are made stay, to be counted. */
async function serve(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const server = await startServer({ dataDir, env: { ...GENEROUS_BUDGETS, TICKWHEEL_EMBEDDED_EXECUTOR: 'false', ...env } })
  onTestFinished(async () => void (await server.program.kill()))
  return server
}

async function makeTasks(client: ApiClient, groupId: number, names: readonly string[]): Promise<Task[]> {
  const body = { groupId, schedule: { kind: 'manual' }, handler: { kind: 'named', name: 'sync' } }
  return Promise.all(names.map((name) => client.post<Task>('/task', { ...body, name })))
}

const view = (client: ApiClient, id: number): Promise<Bulk> => client.get<Bulk>(`/bulk/${String(id)}`)

async function allItems(client: ApiClient, id: number): Promise<BulkItem[]> {
  return (await client.get<BulkItemPage>(`/bulk/${String(id)}/item?pageSize=200`)).items
}

async function ended(client: ApiClient, id: number): Promise<Bulk> {
  return waitFor(async () => ((await view(client, id)).state === 'running' ? null : view(client, id)), {
    what: `the end of bulk operation ${String(id)}`,
    timeoutMs: 60_000,
  })
}

it('carries out each item once, through a kill -9 in the middle', { timeout: 120_000 }, async () => {
  const dataDir = tempDir()
  // there is no room for all of its runs: it cannot come to its end before it is killed
  const server = await serve(dataDir, { TICKWHEEL_OPEN_RUNS_MAX: '70' })
  const admin = await server.signIn()
  const names = Array.from({ length: TASKS }, (_, n) => `task ${String(n)}`)
  const tasks = await makeTasks(admin, await homeGroup(admin), names)
  const body = { kind: 'task', action: 'trigger', filter: { scheduleKind: 'manual' } }
  expect(await admin.post<BulkPreview>('/bulk/preview', body)).toMatchObject({ total: TASKS, refused: 0 })
  const start = async (): Promise<number> => (await admin.post<{ bulkId: number }>('/bulk', body, { 'Idempotency-Key': 'once' })).bulkId
  const id = await start()
  expect(await start()).toBe(id)
  await waitFor(async () => (await view(admin, id)).done > 0, { what: 'some items' })
  await server.program.kill()

  const again = await (await serve(dataDir)).signIn()
  expect(await ended(again, id)).toMatchObject({ state: 'done', total: TASKS, done: TASKS, failed: 0 })
  const runs = (await again.get<{ items: InstanceListItem[] }>('/instance?pageSize=200')).items
  expect(runs.map((run) => run.taskId).sort()).toEqual(tasks.map((task) => task.id).sort())
  expect(new Set((await allItems(again, id)).map((item) => item.runId))).toEqual(new Set(runs.map((run) => run.id)))
})

describe('people of one group', () => {
  it('do it to what they may, are told of each where they may not, and see their own operations alone', async () => {
    await using api = await openApi()
    const [a, b] = [
      await api.admin.post<Group>('/group', { name: 'a', appName: 'app-a' }),
      await api.admin.post<Group>('/group', { name: 'b', appName: 'app-b' }),
    ]
    const [mine] = await makeTasks(api.admin, a.id, ['mine'])
    const [hidden] = await makeTasks(api.admin, b.id, ['hidden'])
    const bindings = [{ role: 'operator', groupIds: [a.id] }]
    const operator = await makePerson(api, 'operator', bindings)
    const other = await makePerson(api, 'other', bindings)
    const viewer = await makePerson(api, 'viewer', [{ role: 'viewer', groupIds: null }])
    const both = await makePerson(api, 'both', [...bindings, { role: 'viewer', groupIds: [b.id] }])
    const run = { kind: 'task', action: 'trigger', filter: {} }

    for (const path of ['/bulk', '/bulk/preview'])
      expect(await viewer.call<Problem>('POST', path, run)).toMatchObject({ status: 403, body: { params: { permission: 'task:run' } } })
    expect(await operator.post<BulkPreview>('/bulk/preview', run)).toMatchObject({ total: 1, items: [{ name: 'mine' }] })
    expect(await both.post<BulkPreview>('/bulk/preview', run)).toMatchObject({ total: 2, refused: 1 })

    const begin = async (client: ApiClient, body: unknown): Promise<number> => (await client.post<{ bulkId: number }>('/bulk', body)).bulkId
    const id = await begin(operator, { kind: 'task', action: 'trigger', ids: [mine?.id, hidden?.id] })
    expect(await ended(operator, id)).toMatchObject({ done: 1, failed: 1, isOwn: true, actor: { name: 'operator' } })
    const found = await allItems(operator, id)
    expect(found).toMatchObject([
      { targetId: hidden?.id, name: '', groupName: '', state: 'failed', problem: { code: 'TASK_NOT_FOUND' } },
      { targetId: mine?.id, name: 'mine', groupName: 'a', state: 'done' },
    ])
    const half = await begin(both, run)
    expect(await ended(both, half)).toMatchObject({ done: 1, failed: 1 })
    expect((await allItems(both, half))[0]?.problem).toMatchObject({ code: 'FORBIDDEN', params: { permission: 'task:run' } })

    const lists = async (client: ApiClient): Promise<number> => (await client.get<{ total: number }>('/bulk')).total
    expect([await lists(operator), await lists(other), await lists(both), await lists(api.admin)]).toEqual([1, 0, 1, 2])
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/item'],
      ['POST', '/cancel'],
    ] as const)
      expect(await other.call<Problem>(method, `/bulk/${String(id)}${path}`)).toMatchObject({
        status: 404,
        body: { code: 'BULK_NOT_FOUND' },
      })
    expect(await view(api.admin, id)).toMatchObject({ isOwn: false })
    expect((await api.admin.call<Problem>('POST', `/bulk/${String(id)}/cancel`)).body.code).toBe('BULK_ENDED')

    await using live = await new LiveClient(api.url, other.token).open()
    live.send({ type: 'subscribe', id: 1, topic: `bulk:${String(id)}` })
    expect(await live.hear('error', 1)).toMatchObject({ code: 'BULK_NOT_FOUND' })
    await using own = await new LiveClient(api.url, operator.token).open()
    own.send({ type: 'subscribe', id: 1, topic: `bulk:${String(id)}` })
    expect(await own.hear('event', 1)).toMatchObject({ data: { id, state: 'done', done: 1 } })
  })

  it('is refused what has no meaning, with the field and the remedy', async () => {
    await using api = await openApi()
    const errors = async (body: unknown): Promise<unknown> => {
      const { status, body: answer } = await api.admin.call<Problem>('POST', '/bulk', body)
      return [status, answer.errors?.map(({ path, code }) => [path, code])]
    }
    expect(await errors({ kind: 'task', action: 'start', filter: { groupId: 1, page: 2 } })).toEqual([
      400,
      [['filter.page', 'UNKNOWN_FIELD']],
    ])
    expect(await errors({ kind: 'instance', action: 'start', filter: {} })).toEqual([400, [['action', 'NOT_ALLOWED_VALUE']]])
    expect(await errors({ kind: 'task', action: 'start', ids: [] })).toEqual([400, [['ids', 'TOO_SHORT']]])
    expect(await errors({ kind: 'task', action: 'start', ids: Array.from({ length: 10_001 }, (_, n) => n + 1) })).toEqual([
      400,
      [['ids', 'TOO_LONG']],
    ])
    expect(await errors({ kind: 'task', action: 'start' })).toEqual([422, [['ids', 'BULK_IDS_OR_FILTER']]])
    expect(await errors({ kind: 'task', action: 'start', filter: {}, cancelRunning: true })).toEqual([
      400,
      [['cancelRunning', 'NOT_ALLOWED_VALUE']],
    ])
    expect(await errors({ kind: 'task', action: 'start', filter: {} })).toEqual([422, [['filter', 'BULK_NOTHING']]])
  })
})
