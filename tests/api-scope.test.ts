import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { routes, type Group, type Problem, type Task, type Workflow } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'

/*
 * Somebody who is signed in and may do nothing: every call of the contract answers by the table "what the caller sees" of the access design. There is no call that
 * makes such a user yet, so the store is told.
 */
let api: ApiServer
let nobody: ApiClient
let task: Task
let workflow: Workflow

beforeAll(async () => {
  api = await openApi()
  const home = (await api.admin.get<{ items: Group[] }>('/group')).items[0]?.id
  task = await api.admin.post<Task>('/task', {
    groupId: home,
    name: 'hidden',
    schedule: { kind: 'manual' },
    handler: { kind: 'shell', script: 'true' },
  })
  workflow = await api.admin.post<Workflow>('/workflow', { groupId: home, ...chain })
  const db = new Sqlite(join(api.dataDir, 'tickwheel.db'))
  db.prepare(
    "INSERT INTO user SELECT 999999, 'nobody', 'nobody', 'Nobody', password_hash, 0, 0, 0, 0, created_at, password_at FROM user WHERE name_key = 'admin'",
  ).run()
  db.close()
  nobody = await ApiClient.signIn(api.url, 'nobody', 'admin123')
})
afterAll(async () => {
  await api.close()
})

const chain = {
  name: 'chain',
  schedule: { kind: 'manual' },
  steps: [{ key: 'ask', kind: 'approval', prompt: 'Go on?' }],
  edges: [],
}
const bodies: Readonly<Record<string, unknown>> = {
  updateGroup: { name: 'x', appName: 'xx', version: 1 },
  updateTask: { groupId: 1, name: 'x', schedule: { kind: 'manual' }, handler: { kind: 'shell', script: 'x' }, version: 1 },
  updateWorkflow: { groupId: 1, ...chain, version: 1 },
  completeStep: { reason: 'x' },
}
const known = (path: string): number => {
  if (path.startsWith('/task')) return task.id
  if (path.startsWith('/workflow/')) return workflow.id
  return path.startsWith('/group') ? task.groupId : 1
}

describe('somebody without any right', () => {
  const guarded = routes.filter(({ access }) => access.includes(':'))

  it.each(
    guarded.filter(({ path }) => path.includes('/:id') && !path.startsWith('/token')).map((route) => [route.method, route.path, route.id]),
  )('%s %s: what exists is not there', async (method, path, id) => {
    const part = path.replace(':version', '1').replace(':key', 'ask')
    const real = part.replace(':id', String(known(path)))
    const query = id === 'why' || id === 'whyWorkflow' ? '?at=2026-11-22T00:00:00Z' : ''
    const answer = await nobody.call<Problem>(method, real + query, bodies[id])
    expect(answer).toMatchObject({ status: 404, body: { code: expect.stringMatching(/_NOT_FOUND$/) } })
    const unknown = await nobody.call<Problem>(method, part.replace(':id', '99999') + query, bodies[id])
    expect({ ...unknown.body, detail: '' }).toEqual({ ...answer.body, detail: '' })
  })

  it.each(
    guarded
      .filter(
        ({ path, method, access, budget }) =>
          method === 'GET' && !path.includes(':id') && !path.startsWith('~') && !access.startsWith('system:') && budget !== 'heavy',
      )
      .map(({ path }) => [path]),
  )('GET %s is empty', async (path) => {
    expect(await nobody.call('GET', path)).toMatchObject({ status: 200, body: { items: [], total: 0 } })
  })

  it('may not make things, and is told which permission is missing', async () => {
    expect(await nobody.call('POST', '/group', { name: 'a', appName: 'aa' })).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', params: { permission: 'group:edit' } },
    })
    expect(await nobody.call('POST', '/task', {})).toMatchObject({ status: 403, body: { params: { permission: 'task:edit' } } })
    expect(await nobody.call('POST', '/workflow', {})).toMatchObject({ status: 403, body: { params: { permission: 'workflow:edit' } } })
    expect(await nobody.call('POST', '/token', {})).toMatchObject({ status: 403, body: { params: { permission: 'executor:enroll' } } })
    expect(await nobody.call('GET', '/audit/export')).toMatchObject({ status: 403, body: { params: { permission: 'audit:view' } } })
    expect(await nobody.call('GET', '/cluster')).toMatchObject({ status: 403, body: { params: { permission: 'system:view' } } })
    expect(await nobody.call('POST', '/cluster/resume', { how: 'replay' })).toMatchObject({
      status: 403,
      body: { params: { permission: 'system:edit' } },
    })
    expect((await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${String(nobody.token)}` } })).status).toBe(403)
  })

  it('may ask who it is, preview schedules and sign out', async () => {
    expect(await nobody.get('/auth/me')).toMatchObject({ user: { username: 'nobody' }, grants: { all: [], groups: {} } })
    expect((await nobody.call('POST', '/schedule/preview', { schedule: { kind: 'fixedRate', everyMs: 1000 } })).status).toBe(200)
  })

  it('is refused every live topic by name', async () => {
    await using client = await new LiveClient(api.url, nobody.token).open()
    const codes = {
      task: 'FORBIDDEN',
      executor: 'FORBIDDEN',
      'group:1': 'GROUP_NOT_FOUND',
      'instance:1': 'INSTANCE_NOT_FOUND',
      'instance:1:logs': 'INSTANCE_NOT_FOUND',
      'workflowRun:1': 'WORKFLOW_RUN_NOT_FOUND',
    }
    for (const [index, [topic, code]] of Object.entries(codes).entries()) {
      client.send({ type: 'subscribe', id: index + 1, topic })
      expect(await client.hear('error', index + 1)).toMatchObject({ code })
    }
  })

  it('loses its topics and its sessions when its rights and its account go', async () => {
    const db = new Sqlite(join(api.dataDir, 'tickwheel.db'))
    // As another node would that takes rights away: it counts that it did (server/src/store/access.ts).
    const take = (change: string): void => {
      db.prepare(`UPDATE user SET ${change} WHERE name_key = 'nobody'`).run()
      db.prepare("INSERT INTO id_block VALUES ('access', 1) ON CONFLICT (name) DO UPDATE SET next_id = next_id + 1").run()
    }
    db.prepare("UPDATE user SET is_admin = 1 WHERE name_key = 'nobody'").run()
    const promoted = await ApiClient.signIn(api.url, 'nobody', 'admin123')
    await using client = await new LiveClient(api.url, promoted.token).open()
    client.send({ type: 'subscribe', id: 1, topic: 'task' })
    await client.hear('subscribed', 1)
    take('is_admin = 0')
    expect(await client.hear('closed', 1)).toMatchObject({ topic: 'task', code: 'FORBIDDEN' })
    take('disabled = 1')
    db.close()
    expect(await waitFor(() => client.closed)).toMatchObject({ code: 4401 })
    expect(await api.anonymous.call('POST', '/auth/login', { username: 'nobody', password: 'admin123' })).toMatchObject({
      status: 401,
      body: { code: 'INVALID_CREDENTIALS' },
    })
  })
})
