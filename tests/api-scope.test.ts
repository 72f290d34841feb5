import { routes, type Account } from '@tickwheel/contract'
import { isPermission, PERMISSIONS } from '@tickwheel/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { type ApiClient } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'
import { makePerson, PASSWORD } from './person.fixture.ts'
import { LiveClient } from './live-client.fixture.ts'

/*
 * Somebody who is signed in and may do nothing: what is asked of each call, for every role, stands in `access-walk.test.ts`.
 */
let api: ApiServer
let nobody: ApiClient

beforeAll(async () => {
  api = await openApi()
  nobody = await makePerson(api, 'nobody')
})
afterAll(async () => {
  await api.close()
})

describe('somebody without any right', () => {
  const guarded = routes.filter(({ access }) => access.includes(':'))

  it.each(
    guarded
      .filter(
        ({ path, method, access, budget }) =>
          method === 'GET' &&
          budget !== 'heavy' &&
          !path.includes(':id') &&
          !path.startsWith('~') &&
          isPermission(access) &&
          PERMISSIONS[access] === 'group',
      )
      .map(({ path }) => [path]),
  )('GET %s is empty', async (path) => {
    const nothing = path === '/completeness' ? { total: { expected: 0 }, hours: [], groups: [] } : { items: [], total: 0 }
    expect(await nobody.call('GET', path)).toMatchObject({ status: 200, body: nothing })
  })

  it('may not make things, and is told which permission is missing', async () => {
    expect(await nobody.call('POST', '/group', { name: 'a', appName: 'aa' })).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', params: { permission: 'group:edit' } },
    })
    expect(await nobody.call('POST', '/task', {})).toMatchObject({ status: 403, body: { params: { permission: 'task:edit' } } })
    expect(await nobody.call('POST', '/workflow', {})).toMatchObject({ status: 403, body: { params: { permission: 'workflow:edit' } } })
    expect(await nobody.call('POST', '/token', { kind: 'executor', groupIds: [1] })).toMatchObject({
      status: 403,
      body: { params: { permission: 'executor:enroll' } },
    })
    expect(await nobody.call('GET', '/audit/export')).toMatchObject({ status: 403, body: { params: { permission: 'audit:view' } } })
    expect(await nobody.call('GET', '/cluster')).toMatchObject({ status: 403, body: { params: { permission: 'system:view' } } })
    expect(await nobody.call('POST', '/cluster/resume', { how: 'replay' })).toMatchObject({
      status: 403,
      body: { params: { permission: 'system:edit' } },
    })
    expect((await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${String(nobody.token)}` } })).status).toBe(403)
  })

  it('finds no backfill, whichever it is', async () => {
    for (const [method, path] of [
      ['GET', '/backfill/1'],
      ['GET', '/backfill/1/run'],
      ['POST', '/backfill/1/cancel'],
    ] as const)
      expect(await nobody.call(method, path)).toMatchObject({ status: 404, body: { code: 'BACKFILL_NOT_FOUND' } })
  })

  it('finds no bulk operation, and begins none', async () => {
    for (const [method, path] of [
      ['GET', '/bulk/1'],
      ['GET', '/bulk/1/item'],
      ['POST', '/bulk/1/cancel'],
    ] as const)
      expect(await nobody.call(method, path)).toMatchObject({ status: 404, body: { code: 'BULK_NOT_FOUND' } })
    for (const path of ['/bulk', '/bulk/preview'])
      expect(await nobody.call('POST', path, { kind: 'task', action: 'delete', filter: {} })).toMatchObject({
        status: 403,
        body: { params: { permission: 'task:delete' } },
      })
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
      'bulk:1': 'BULK_NOT_FOUND',
    }
    for (const [index, [topic, code]] of Object.entries(codes).entries()) {
      client.send({ type: 'subscribe', id: index + 1, topic })
      expect(await client.hear('error', index + 1)).toMatchObject({ code })
    }
  })

  it('loses its topics when its rights go, and its sessions when its account does', async () => {
    const { items } = await api.admin.get<{ items: Account[] }>('/user?keyword=nobody')
    const [account] = items
    if (account === undefined) throw new Error('the account is there')
    const url = `/user/${account.id}`
    const edit = async (change: Partial<Account>): Promise<void> => {
      const { displayName, disabled, bindings, version } = { ...(await api.admin.get<Account>(url)), ...change }
      await api.admin.put(url, { displayName, disabled, bindings, version })
    }
    await edit({ bindings: [{ role: 'viewer', groupIds: null }] })
    await using client = await new LiveClient(api.url, nobody.token).open()
    client.send({ type: 'subscribe', id: 1, topic: 'task' })
    await client.hear('subscribed', 1)
    await edit({ bindings: [] })
    expect(await client.hear('closed', 1)).toMatchObject({ topic: 'task', code: 'FORBIDDEN' })
    await edit({ disabled: true })
    expect(await waitFor(() => client.closed)).toMatchObject({ code: 4401 })
    expect(await api.anonymous.call('POST', '/auth/login', { username: 'nobody', password: PASSWORD })).toMatchObject({
      status: 401,
      body: { code: 'INVALID_CREDENTIALS' },
    })
  })
})
