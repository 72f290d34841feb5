/** People, roles and tokens as a company has them, and what they did, for the pictures of the pages of access. */
import type { Account, Group, Role, Task } from '@tickwheel/contract'
import { ApiClient } from '../tests/kit/api-client.ts'
import type { ServerProcess } from '../tests/kit/server-process.ts'

const FIRST = 'a first password'
const LONG = 'maria.fernandez-castellanos@subsidiary.example.com'

/** Makes accounts with roles in the groups that are there, tokens, changes and refusals. */
export async function fillAccess(server: ServerProcess): Promise<void> {
  const admin = await server.signIn()
  const groups = (await admin.get<{ items: Group[] }>('/group')).items
  const first = groups[0]?.id ?? 1
  const some = groups.slice(0, 3).map((group) => group.id)
  await admin.post<Role>('/role', {
    name: 'Release managers of the billing platform',
    description: 'May start releases and see why they failed.',
    permissions: ['group:view', 'task:view', 'task:run', 'task:editScript', 'instance:view', 'instance:viewLogs'],
  })
  await admin.post<Role>('/role', { name: '审计员', description: '查看审计日志', permissions: ['group:view', 'audit:view'] })
  const users = [
    {
      username: 'wang.lei',
      displayName: '王磊',
      bindings: [
        { role: 'developer', groupIds: [first] },
        { role: 'viewer', groupIds: null },
      ],
    },
    {
      username: LONG,
      displayName: 'María Fernández Castellanos, night shift of the second operations team',
      bindings: [
        { role: 'operator', groupIds: some },
        { role: 'Release managers of the billing platform', groupIds: [first] },
      ],
    },
    { username: 'new.colleague', bindings: [{ role: 'viewer', groupIds: [first] }] },
    { username: 'left', displayName: 'Has left', bindings: [] },
  ]
  const made = new Map<string, Account>()
  for (const user of users) made.set(user.username, await admin.post<Account>('/user', { ...user, password: FIRST }))
  const left = made.get('left')
  if (left !== undefined)
    await admin.put(`/user/${left.id}`, { displayName: 'Has left', bindings: [], disabled: true, version: left.version })
  await admin.post('/token', { kind: 'api', name: 'deploy pipeline', bindings: [{ role: 'operator', groupIds: [first] }] })
  const soon = new Date(Date.now() + 3 * 86_400_000).toISOString()
  await admin.post('/token', { kind: 'api', name: 'grafana', bindings: [{ role: 'viewer', groupIds: null }], expiresAt: soon })
  await act(server, admin, first)
}

async function act(server: ServerProcess, admin: ApiClient, groupId: number): Promise<void> {
  const base = { groupId, name: 'audited task', schedule: { kind: 'cron', expression: '0 0 2 * * *' }, tags: ['finance'] }
  const handler = (script: string) => ({ handler: { kind: 'shell', script } })
  const task = await admin.post<Task>('/task', { ...base, ...handler('echo one\necho two\n') })
  const changed = { ...base, schedule: { kind: 'cron', expression: '0 30 2 * * *' }, tags: ['finance', 'night'], timeoutMs: 60_000 }
  await admin.put(`/task/${task.id}`, { ...changed, ...handler('echo one\necho three\n'), version: task.version })
  const wang = await person(server, 'wang.lei')
  await wang.post(`/task/${task.id}/trigger`, {})
  const colleague = await person(server, 'new.colleague')
  for (let time = 0; time < 3; time += 1) await colleague.call('POST', `/task/${task.id}/trigger`, {})
  for (let time = 0; time < 4; time += 1)
    await new ApiClient(server.url).call('POST', '/auth/login', { username: 'root', password: 'guess' })
}

async function person(server: ServerProcess, username: string): Promise<ApiClient> {
  const first = await server.signIn(username, FIRST)
  const next = `a password of ${username.slice(0, 4)}'s own`
  const { token } = await first.put<{ token: string }>('/auth/password', { current: FIRST, next })
  return new ApiClient(server.url, token)
}

/** What the pages of access show once they are filled. */
export async function accessShots(admin: ApiClient) {
  const wang = (await admin.get<{ items: Account[] }>('/user?keyword=wang.lei')).items[0]
  const asked = `user=${String(wang?.id)}&group=${String(wang?.bindings[0]?.groupIds?.[0])}`
  return [
    ...ACCESS_SHOTS,
    { name: 'rights', path: `/rights?permission=task:edit&${asked}` },
    { name: 'rights-denied', path: `/rights?permission=user:edit&${asked}` },
  ]
}

const ACCESS_SHOTS = [
  { name: 'users', path: '/user' },
  { name: 'user-new', path: '/user', clicks: ['.page-head .el-button--primary', '.bindings-editor > .el-button'] },
  { name: 'user', path: '/user?q=maria', clicks: ['.users-table .name'] },
  { name: 'user-menu', path: '/user', clicks: ['.users-table .el-table__row:nth-child(3) .icon-button'] },
  {
    name: 'user-reset',
    path: '/user',
    clicks: ['.users-table .el-table__row:nth-child(3) .icon-button', '.el-dropdown-menu__item:nth-child(2)'],
  },
  { name: 'roles', path: '/role' },
  { name: 'role-new', path: '/role', clicks: ['.page-head .el-button--primary'] },
  { name: 'tokens', path: '/token' },
  { name: 'tokens-executor', path: '/token?kind=executor' },
  { name: 'token-new', path: '/token', clicks: ['.page-head .el-button--primary'] },
  { name: 'rights-empty', path: '/rights' },
  { name: 'account', path: '/account' },
  { name: 'audit', path: '/audit' },
  { name: 'audit-entry', path: '/audit?action=task:edit', clicks: ['.audit-table .action'], shows: '.version-diff' },
  { name: 'audit-created', path: '/audit?action=task:create', clicks: ['.audit-table .action'], shows: '.values' },
  { name: 'audit-refused', path: '/audit?outcome=refused' },
  { name: 'audit-nothing', path: '/audit?q=nothing-like-this' },
  { name: 'audit-export', path: '/audit', clicks: ['.page-head .el-dropdown button'] },
  { name: 'phone-users', path: '/user', isPhone: true },
  { name: 'phone-user-new', path: '/user', isPhone: true, clicks: ['.page-head .el-button--primary', '.bindings-editor > .el-button'] },
  { name: 'phone-roles', path: '/role', isPhone: true },
  { name: 'phone-audit', path: '/audit', isPhone: true },
] as const
