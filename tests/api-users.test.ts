import type { Account, Binding, Group, Instance, Me, Problem, RightsWhy, Role, Session, Task, Token, Workflow } from '@tickwheel/contract'
import Sqlite from 'better-sqlite3'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'
import { makePerson, PASSWORD } from './person.fixture.ts'

/* Accounts, roles and API tokens over HTTP. Which call needs what stands in `access-walk.test.ts`. */
let api: ApiServer
let home: number
let other: number

beforeAll(async () => {
  api = await openApi()
  home = (await api.admin.get<{ items: Group[] }>('/group')).items[0]?.id ?? 0
  other = (await api.admin.post<Group>('/group', { name: 'other', appName: 'other' })).id
})
afterAll(async () => {
  await api.close()
})

const ADMIN: Binding = { role: 'admin', groupIds: null }
const FIRST = 'a road to the sea'
let made = 0
const named = (what: string): string => `${what}-${(made += 1)}`
const makeUser = async (bindings: readonly Binding[] = [], username = named('user')): Promise<Account> =>
  api.admin.post<Account>('/user', { username, password: FIRST, bindings })
const edited = async (userId: number, change: Partial<Account>, by = api.admin): Promise<{ status: number; body: Account & Problem }> => {
  const { displayName, disabled, bindings, version } = { ...(await api.admin.get<Account>(`/user/${userId}`)), ...change }
  return by.call('PUT', `/user/${userId}`, { displayName, disabled, bindings, version })
}
const accountOf = async (username: string): Promise<Account> => {
  const { items } = await api.admin.get<{ items: Account[] }>(`/user?keyword=${username}`)
  const found = items.find((account) => account.username === username)
  if (found === undefined) throw new Error(`${username} is there`)
  return found
}
const may = async (client: ApiClient): Promise<Me> => client.get<Me>('/auth/me')

interface AuditRow {
  readonly action: string
  readonly actor_kind: string
  readonly actor_id: number
  readonly resource_key: string
  readonly before: string | null
  readonly after: string | null
}
function auditOf(kind: string, id: number): AuditRow[] {
  const db = new Sqlite(join(api.dataDir, 'tickwheel.db'), { readonly: true })
  try {
    return db.prepare('SELECT * FROM audit WHERE resource_kind = ? AND resource_id = ? ORDER BY id').all(kind, id) as AuditRow[]
  } finally {
    db.close()
  }
}

describe('accounts', () => {
  it('are made, read, listed, changed and deleted, each with its entry in the audit log', async () => {
    const user = await makeUser([{ role: 'viewer', groupIds: [home] }], 'Ann.Smith')
    expect(user).toMatchObject({
      username: 'Ann.Smith',
      displayName: '',
      disabled: false,
      mustChangePassword: true,
      bindings: [{ role: 'viewer', groupIds: [home] }],
      version: 1,
      lastLoginAt: null,
    })
    expect(await api.admin.get(`/user/${user.id}`)).toEqual(user)
    expect(await api.admin.get('/user?keyword=ANN')).toMatchObject({ items: [{ id: user.id }], total: 1 })
    expect(await api.admin.get('/user?role=Viewer&disabled=false')).toMatchObject({ items: [{ id: user.id }], total: 1 })
    expect(await api.admin.get('/user?role=nothing')).toMatchObject({ items: [], total: 0 })
    const after = await edited(user.id, { displayName: 'Ann', bindings: [{ role: 'developer', groupIds: null }] })
    expect(after.body).toMatchObject({ displayName: 'Ann', version: 2, bindings: [{ role: 'developer', groupIds: null }] })
    expect(await edited(user.id, { version: 1 })).toMatchObject({ status: 409, body: { code: 'STALE_VERSION', params: { version: 2 } } })
    await api.admin.put(`/user/${user.id}/password`, { password: PASSWORD })
    await api.admin.delete(`/user/${user.id}`)
    expect((await api.admin.call('GET', `/user/${user.id}`)).status).toBe(404)
    const log = auditOf('user', user.id)
    expect(log.map(({ action, actor_kind: kind, resource_key: key }) => [action, kind, key])).toEqual(
      ['user:create', 'user:edit', 'user:password', 'user:delete'].map((action) => [action, 'user', 'Ann.Smith']),
    )
    expect([JSON.parse(log[1]?.before ?? ''), JSON.parse(log[1]?.after ?? '')]).toEqual([
      { displayName: '', bindings: [{ role: 'viewer', groupIds: [home] }] },
      { displayName: 'Ann', bindings: [{ role: 'developer', groupIds: null }] },
    ])
    expect(JSON.stringify(log)).not.toContain(PASSWORD)
  })

  it('are refused with every wrong field', async () => {
    await makeUser([], 'taken')
    const refused = async (body: unknown): Promise<unknown[]> =>
      ((await api.admin.call<Problem>('POST', '/user', body)).body.errors ?? []).map(({ path, code }) => `${path} ${code}`)
    expect(await refused({ username: 'TAKEN', password: FIRST })).toEqual(['username NAME_TAKEN'])
    expect(await refused({ username: 'a b', password: FIRST })).toEqual(['username BAD_FORMAT'])
    expect(await refused({ username: 'carpenter', password: 'Carpenter' })).toEqual(['password PASSWORD_TOO_WEAK'])
    const bindings = [
      { role: 'nothing', groupIds: null },
      { role: 'viewer', groupIds: [home, 99_999] },
    ]
    expect(await refused({ username: 'new', password: FIRST, bindings })).toEqual([
      'bindings.0.role UNKNOWN_REFERENCE',
      'bindings.1.groupIds.1 UNKNOWN_REFERENCE',
    ])
  })

  it('have to change a password that somebody else has set, to another one', async () => {
    const user = await makeUser([ADMIN])
    const first = await ApiClient.signIn(api.url, user.username, FIRST)
    expect(await first.call('GET', '/task')).toMatchObject({ status: 403, body: { code: 'PASSWORD_CHANGE_REQUIRED' } })
    expect(await first.call('PUT', '/auth/password', { current: FIRST, next: FIRST })).toMatchObject({
      status: 422,
      body: { code: 'PASSWORD_TOO_WEAK', params: { rule: 'same' } },
    })
    const changed = await first.put<Session>('/auth/password', { current: FIRST, next: PASSWORD })
    expect(changed.user.mustChangePassword).toBe(false)
    const client = new ApiClient(api.url, changed.token)
    expect((await client.call('GET', '/task')).status).toBe(200)
    await api.admin.put(`/user/${user.id}/password`, { password: FIRST })
    expect((await client.call('GET', '/task')).status).toBe(401)
    expect((await api.admin.get<Account>(`/user/${user.id}`)).mustChangePassword).toBe(true)
  })

  it('lose their sessions and live connections when they are disabled, and do not get them back', async () => {
    const client = await makePerson(api, 'leaver', [{ role: 'viewer', groupIds: null }])
    const { id } = await accountOf('leaver')
    await using live = await new LiveClient(api.url, client.token).open()
    await live.hear('ready')
    expect((await edited(id, { disabled: true })).status).toBe(200)
    expect((await client.call('GET', '/task')).status).toBe(401)
    expect(await waitFor(() => live.closed)).toMatchObject({ code: 4401 })
    expect((await edited(id, { disabled: false })).status).toBe(200)
    expect((await client.call('GET', '/task')).status).toBe(401)
  })

  it('of the last administrator stay as they are: not deleted, disabled or demoted', async () => {
    const admin = await accountOf('admin')
    const others = (await api.admin.get<{ items: Account[] }>('/user?role=admin&pageSize=200')).items.filter(({ id }) => id !== admin.id)
    for (const { id } of others) await api.admin.delete(`/user/${id}`)
    const limited = await makeUser([{ role: 'admin', groupIds: [home] }])
    const disabled = await makeUser([ADMIN])
    await edited(disabled.id, { disabled: true })
    const last = { status: 409, body: { code: 'LAST_ADMIN' } }
    expect(await api.admin.call('DELETE', `/user/${admin.id}`)).toMatchObject(last)
    expect(await edited(admin.id, { disabled: true })).toMatchObject(last)
    expect(await edited(admin.id, { bindings: [] })).toMatchObject(last)
    expect(await edited(admin.id, { bindings: [{ role: 'admin', groupIds: [home] }] })).toMatchObject(last)
    expect((await edited(admin.id, { displayName: 'The Administrator' })).status).toBe(200)
    expect((await edited(disabled.id, { disabled: false })).status).toBe(200)
    expect((await edited(disabled.id, { disabled: true })).status).toBe(200)
    expect(limited.bindings).toHaveLength(1)
  })

  it('are changed only by who has every right that they have and get', async () => {
    const role = await api.admin.post<Role>('/role', { name: 'people', permissions: ['group:view', 'task:view', 'user:view', 'user:edit'] })
    const clerk = await makePerson(api, 'clerk', [{ role: role.name, groupIds: null }])
    const admin = await accountOf('admin')
    const lacks = (permission: string): object => ({ status: 403, body: { code: 'FORBIDDEN', params: { permission } } })
    expect(await clerk.call('PUT', `/user/${admin.id}/password`, { password: PASSWORD })).toMatchObject(lacks('group:edit'))
    expect(await clerk.call('DELETE', `/user/${admin.id}`)).toMatchObject(lacks('group:edit'))
    const body = { username: 'friend', password: FIRST, bindings: [{ role: 'viewer', groupIds: [home] }] }
    expect(await clerk.call('POST', '/user', body)).toMatchObject({
      status: 403,
      body: { params: { permission: 'task:viewParams', groupId: home } },
    })
    const friend = await clerk.post<Account>('/user', { ...body, bindings: [{ role: 'people', groupIds: [home] }] })
    expect(await edited(friend.id, { bindings: [ADMIN] }, clerk)).toMatchObject(lacks('group:edit'))
    expect((await edited(friend.id, { displayName: 'Friend' }, clerk)).status).toBe(200)
  })
})

describe('roles', () => {
  it('are listed with the built-in ones, made, changed for all who have them, and deleted when nobody has them', async () => {
    const role = await api.admin.post<Role>('/role', { name: 'Night shift', permissions: ['task:view'] })
    expect(role).toMatchObject({ name: 'Night shift', builtIn: false, permissions: ['task:view'], userCount: 0, version: 1 })
    const { items } = await api.admin.get<{ items: Role[] }>('/role')
    expect(items.slice(0, 4).map(({ name, builtIn, id }) => [name, builtIn, id])).toEqual(
      ['viewer', 'operator', 'developer', 'admin'].map((name) => [name, true, null]),
    )
    const client = await makePerson(api, 'watcher', [{ role: 'night shift', groupIds: [home] }])
    expect((await may(client)).grants.groups).toEqual({ [home]: ['task:view'] })
    expect((await client.call('GET', '/group')).body).toMatchObject({ total: 0 })
    await api.admin.put(`/role/${role.id}`, { name: 'Day shift', permissions: ['task:view', 'group:view'], version: 1 })
    expect((await client.call('GET', '/group')).body).toMatchObject({ total: 1 })
    expect(await api.admin.call('DELETE', `/role/${role.id}`)).toMatchObject({
      status: 409,
      body: { code: 'ROLE_IN_USE', params: { users: 1, tokens: 0, names: 'watcher' } },
    })
    const account = await accountOf('watcher')
    expect(account.bindings).toEqual([{ role: 'Day shift', groupIds: [home] }])
    await edited(account.id, { bindings: [] })
    await api.admin.delete(`/role/${role.id}`)
    expect(auditOf('role', role.id ?? 0).map(({ action }) => action)).toEqual(['role:create', 'role:edit', 'role:delete'])
  })

  it('take no name that is taken, no permission that there is not, and none that their maker lacks', async () => {
    const refused = async (client: ApiClient, body: unknown) => client.call<Problem>('POST', '/role', body)
    expect(await refused(api.admin, { name: 'Admin', permissions: [] })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'name', code: 'NAME_TAKEN' }] },
    })
    expect(await refused(api.admin, { name: 'x', permissions: ['task:fly'] })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'permissions.0', code: 'NOT_ALLOWED_VALUE' }] },
    })
    const role = await api.admin.post<Role>('/role', { name: 'role makers', permissions: ['role:view', 'role:edit'] })
    const maker = await makePerson(api, 'maker', [{ role: role.name, groupIds: null }])
    const more = { name: role.name, permissions: ['role:view', 'role:edit', 'system:edit'], version: 1 }
    expect(await maker.call('PUT', `/role/${role.id}`, more)).toMatchObject({
      status: 403,
      body: { params: { permission: 'system:edit' } },
    })
    expect(await refused(maker, { name: 'x', permissions: ['task:view'] })).toMatchObject({ status: 403 })
  })
})

describe('why somebody may', () => {
  it('is answered with the bindings and roles', async () => {
    const client = await makePerson(api, 'asker', [
      { role: 'viewer', groupIds: null },
      { role: 'developer', groupIds: [home] },
    ])
    const { id } = await accountOf('asker')
    const why = async (query: string): Promise<RightsWhy> => api.admin.get<RightsWhy>(`/user/${id}/why?${query}`)
    expect(await why(`permission=task:view&groupId=${home}`)).toMatchObject({
      allowed: true,
      by: [
        { role: 'viewer', groupIds: null },
        { role: 'developer', groupIds: [home] },
      ],
    })
    expect(await why(`permission=task:edit&groupId=${other}`)).toMatchObject({ allowed: false, by: [] })
    expect((await why(`permission=task:edit&groupId=${other}`)).roles).toEqual(expect.arrayContaining(['developer', 'admin']))
    expect(await why('permission=system:edit')).toMatchObject({ allowed: false, roles: ['admin'] })
    expect(await client.get<RightsWhy>(`/auth/why?permission=task:edit&groupId=${home}`)).toMatchObject({
      allowed: true,
      by: [{ role: 'developer', groupIds: [home] }],
    })
    await edited(id, { disabled: true })
    expect(await why(`permission=task:view&groupId=${home}`)).toMatchObject({ allowed: false, disabled: true })
    const me = await may(api.admin)
    expect(me).toMatchObject({ token: null, bindings: [{ role: 'admin', groupIds: null }] })
    expect(me.grants.all).toContain('system:edit')
  })
})

describe('API tokens', () => {
  const makeToken = async (owner: ApiClient, bindings: readonly Binding[], more: object = {}): Promise<Token & { token: string }> =>
    owner.post<Token & { token: string }>('/token', { kind: 'api', name: named('token'), bindings, ...more })

  it('do what their bindings say, as far as their owner may do it now', async () => {
    const owner = await makePerson(api, 'owner', [{ role: 'developer', groupIds: null }])
    const { id } = await accountOf('owner')
    const made = await makeToken(owner, [{ role: 'viewer', groupIds: [home] }])
    expect(made.token).toMatch(new RegExp(`^twk_${made.id}_[\\w-]{43}$`))
    expect(Date.parse(made.expiresAt ?? '') - Date.parse(made.createdAt)).toBe(90 * 86_400_000)
    const client = new ApiClient(api.url, made.token)
    expect(await may(client)).toMatchObject({ user: { username: 'owner' }, token: { id: made.id, name: made.name }, grants: { all: [] } })
    expect(await client.get('/group')).toMatchObject({ items: [{ id: home }], total: 1 })
    await edited(id, { bindings: [{ role: 'developer', groupIds: [other] }] })
    expect(await client.get('/group')).toMatchObject({ items: [], total: 0 })
    await edited(id, { bindings: [{ role: 'admin', groupIds: [home] }] })
    expect((await may(client)).grants.groups[String(home)]).not.toContain('task:edit')
    await edited(id, { disabled: true })
    expect((await client.call('GET', '/group')).status).toBe(401)
    await edited(id, { disabled: false })
    expect((await client.call('GET', '/group')).status).toBe(200)
    await api.admin.put(`/user/${id}/password`, { password: FIRST })
    expect(await client.call('GET', '/group')).toMatchObject({ status: 403, body: { code: 'PASSWORD_CHANGE_REQUIRED' } })
    await api.admin.delete(`/user/${id}`)
    expect((await client.call('GET', '/group')).status).toBe(401)
  })

  it('show their value once, their last use, and are gone at once when they are revoked', async () => {
    const made = await makeToken(api.admin, [ADMIN])
    const client = new ApiClient(api.url, made.token)
    await using live = await new LiveClient(api.url, made.token).open()
    await live.hear('ready')
    expect((await client.call('GET', '/task')).status).toBe(200)
    const listed = await api.admin.call<{ items: Token[] }>('GET', '/token?kind=api&live=true')
    expect(JSON.stringify(listed.body)).not.toContain(made.token.slice(-43))
    expect(listed.body.items.find(({ id }) => id === made.id)?.lastUsedAt).not.toBeNull()
    expect((await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${made.token}` } })).status).toBe(200)
    await api.admin.delete(`/token/${made.id}`)
    expect((await client.call('GET', '/task')).status).toBe(401)
    expect(await waitFor(() => live.closed)).toMatchObject({ code: 4401 })
    expect(auditOf('token', made.id).map(({ action }) => action)).toEqual(['token:create', 'token:use', 'token:revoke'])
  })

  it('are their owners, and others see and revoke them with token:view and token:edit', async () => {
    const [one, two] = [await makePerson(api, 'one', [{ role: 'viewer', groupIds: null }]), await makePerson(api, 'two', [])]
    const made = await makeToken(one, [{ role: 'viewer', groupIds: null }])
    expect(await one.get('/token')).toMatchObject({ items: [{ id: made.id, owner: { username: 'one' } }], total: 1 })
    expect(await two.get('/token')).toMatchObject({ items: [], total: 0 })
    expect(await two.call('DELETE', `/token/${made.id}`)).toMatchObject({ status: 404, body: { code: 'TOKEN_NOT_FOUND' } })
    const role = await api.admin.post<Role>('/role', { name: 'token readers', permissions: ['token:view'] })
    const reader = await makePerson(api, 'reader', [{ role: role.name, groupIds: null }])
    expect((await reader.get<{ items: Token[] }>('/token?kind=api')).items.map(({ id }) => id)).toContain(made.id)
    expect(await reader.call('DELETE', `/token/${made.id}`)).toMatchObject({ status: 403, body: { params: { permission: 'token:edit' } } })
    await one.delete(`/token/${made.id}`)
    expect(await one.get('/token?live=true')).toMatchObject({ items: [], total: 0 })
  })

  it('live a year at most, give no more than their maker has, and make no others', async () => {
    const viewer = await makePerson(api, 'viewer', [{ role: 'viewer', groupIds: [home] }])
    const refused = async (client: ApiClient, more: object) =>
      client.call<Problem>('POST', '/token', { kind: 'api', name: 'x', bindings: [{ role: 'viewer', groupIds: [home] }], ...more })
    const at = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()
    expect(await refused(viewer, { expiresAt: at(366) })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'expiresAt', code: 'TOO_LARGE' }] },
    })
    expect(await refused(viewer, { expiresAt: at(-1) })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'expiresAt', code: 'TOO_SMALL' }] },
    })
    expect((await refused(viewer, { expiresAt: at(364) })).status).toBe(201)
    expect(await refused(viewer, { bindings: [{ role: 'operator', groupIds: [home] }] })).toMatchObject({
      status: 403,
      body: { params: { permission: 'task:run' } },
    })
    expect(await refused(viewer, { bindings: [{ role: 'viewer', groupIds: [other] }] })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'bindings.0.groupIds.0', code: 'UNKNOWN_REFERENCE' }] },
    })
    const rateLimit = { read: { capacity: 10, refillPerSecond: 0.01 } }
    expect(await refused(viewer, { rateLimit })).toMatchObject({ status: 403, body: { params: { permission: 'token:edit' } } })
    const made = await makeToken(api.admin, [ADMIN], { rateLimit })
    expect(made.rateLimit).toEqual(rateLimit)
    const limited = new ApiClient(api.url, made.token)
    const answers = await Promise.all(Array.from({ length: 12 }, () => limited.call<Problem>('GET', '/group')))
    expect(answers[0]?.headers.get('ratelimit-limit')).toBe('10')
    expect(answers.filter(({ status }) => status === 429).map(({ body }) => body.code)).toEqual(['RATE_LIMITED', 'RATE_LIMITED'])
    // what it has no budget of its own for is as configured
    expect((await limited.call('PUT', '/group/1', {})).headers.get('ratelimit-limit')).not.toBe('10')
    const token = await makeToken(api.admin, [ADMIN])
    const client = new ApiClient(api.url, token.token)
    expect(await refused(client, {})).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
    expect((await client.call('PUT', '/auth/password', { current: 'admin123', next: PASSWORD })).status).toBe(403)
    expect((await client.call('POST', '/token', { kind: 'executor', groupIds: [home] })).status).toBe(201)
  })

  it('are the actor and the cause of what they do, and of a workflow that they save their owner is the editor', async () => {
    const owner = await makePerson(api, 'robot-owner', [{ role: 'developer', groupIds: null }])
    const token = await makeToken(owner, [{ role: 'developer', groupIds: [home] }])
    const client = new ApiClient(api.url, token.token)
    const task = await client.post<Task>('/task', {
      groupId: home,
      name: named('task'),
      schedule: { kind: 'manual' },
      handler: { kind: 'named', name: 'sync' },
    })
    const { instanceId } = await client.post<{ instanceId: number }>(`/task/${task.id}/trigger`, {}, { 'idempotency-key': 'k' })
    const byOwner = await owner.post<{ instanceId: number }>(`/task/${task.id}/trigger`, {}, { 'idempotency-key': 'k' })
    expect(byOwner.instanceId).not.toBe(instanceId)
    expect(await client.get<Instance>(`/instance/${instanceId}`)).toMatchObject({
      cause: 'api',
      actor: { kind: 'token', id: token.id, name: token.name },
    })
    expect(await client.get<Instance>(`/instance/${byOwner.instanceId}`)).toMatchObject({ cause: 'manual', actor: { kind: 'user' } })
    expect(auditOf('task', task.id)[0]).toMatchObject({ action: 'task:create', actor_kind: 'token', actor_id: token.id })
    const workflow = await client.post<Workflow>('/workflow', {
      groupId: home,
      name: named('flow'),
      schedule: { kind: 'manual' },
      steps: [{ key: 'one', kind: 'task', task: `default/${task.name}` }],
      edges: [],
    })
    const { items } = await client.get<{ items: { savedBy: { id: number } | null }[] }>(`/workflow/${workflow.id}/version`)
    expect(items[0]?.savedBy?.id).toBe((await accountOf('robot-owner')).id)
  })
})
