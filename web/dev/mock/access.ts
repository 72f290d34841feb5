/** Accounts, roles, tokens and the audit log of the mock: enough for every page of access. */
import type { Account, AuditEntry, RightsWhy, Role, Token } from '@tickwheel/contract'
import { BUILT_IN_ROLES, isPermission } from '@tickwheel/core'
import type { MockAnswer, MockRequest } from './answer.ts'
import type { World } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

export interface MockAccess {
  readonly users: Account[]
  readonly roles: Role[]
  readonly tokens: Token[]
  readonly audit: AuditEntry[]
}

export function accessOf(now: number): MockAccess {
  const ago = (ms: number) => new Date(now - ms).toISOString()
  const user = (id: number, username: string, more: Partial<Account> = {}): Account => ({
    id, username, displayName: '', disabled: false, mustChangePassword: false, bindings: [], version: 1, createdAt: ago(40 * DAY), passwordAt: ago(40 * DAY), lastLoginAt: ago(3 * HOUR), ...more,
  })
  const users = [
    user(1, 'admin', { displayName: '', bindings: [{ role: 'admin', groupIds: null }], lastLoginAt: ago(60_000) }),
    user(2, 'wang.lei', { displayName: '王磊', bindings: [{ role: 'developer', groupIds: [1] }, { role: 'viewer', groupIds: null }] }),
    user(3, 'maria.fernandez-castellanos@subsidiary.example.com', { displayName: 'María Fernández Castellanos, night shift of the second operations team', bindings: [{ role: 'operator', groupIds: [1, 2] }, { role: 'Release managers of the billing platform', groupIds: [1] }] }),
    user(4, 'new.colleague', { mustChangePassword: true, lastLoginAt: null, bindings: [{ role: 'viewer', groupIds: [2] }] }),
    user(5, 'left.last.year', { disabled: true, lastLoginAt: ago(300 * DAY) }),
  ]
  const builtIn = Object.entries(BUILT_IN_ROLES).map(([name, permissions]): Role => ({
    id: null, name, description: '', builtIn: true, permissions: [...permissions], userCount: users.filter((one) => one.bindings.some((binding) => binding.role === name)).length, tokenCount: name === 'viewer' ? 1 : 0, version: null, createdAt: null, updatedAt: null,
  }))
  const custom = (id: number, name: string, userCount: number): Role => ({ id, name, description: 'May trigger releases, and see why they failed.', builtIn: false, permissions: ['task:view', 'task:run', 'instance:view', 'instance:viewLogs', 'task:editScript'], userCount, tokenCount: 0, version: 1, createdAt: ago(DAY), updatedAt: ago(DAY) })
  const roles = [...builtIn, custom(21, 'Release managers of the billing platform', 1), custom(22, 'nobody-has-it', 0)]
  const token = (id: number, more: Partial<Token>): Token => ({ id, kind: 'api', name: '', groupIds: [], bindings: [], owner: { id: 1, username: 'admin' }, rateLimit: null, createdAt: ago(10 * DAY), expiresAt: ago(-80 * DAY), lastUsedAt: ago(HOUR), revokedAt: null, ...more })
  const tokens = [
    token(31, { name: 'deploy pipeline', bindings: [{ role: 'operator', groupIds: [1] }] }),
    token(32, { name: 'grafana', bindings: [{ role: 'viewer', groupIds: null }], expiresAt: ago(-3 * DAY), owner: { id: 2, username: 'wang.lei' } }),
    token(33, { name: 'old importer', bindings: [{ role: 'viewer', groupIds: null }], revokedAt: ago(DAY), lastUsedAt: null }),
    token(34, { kind: 'executor', name: 'billing', groupIds: [1], expiresAt: null }),
  ]
  return { users, roles, tokens, audit: entriesOf(ago) }
}

function entriesOf(ago: (ms: number) => string): AuditEntry[] {
  const entry = (id: number, at: number, more: Partial<AuditEntry>): AuditEntry => ({
    id, at: ago(at), actor: { kind: 'user', id: 1, name: 'admin' }, ip: '10.20.3.4', requestId: `req-${id}`, action: 'task:edit', resource: { kind: 'task', id: 1, key: 'billing/nightly-invoices' }, groupId: 1, groupName: 'billing', outcome: 'done', code: null, count: 1, before: null, after: null, ...more,
  })
  return [
    entry(109, 60_000, { before: { schedule: { kind: 'cron', expression: '0 0 2 * * *' }, timeoutMs: 0, tags: ['finance'] }, after: { schedule: { kind: 'cron', expression: '0 30 2 * * *' }, timeoutMs: 60_000, tags: ['finance', 'night'] } }),
    entry(108, 5 * 60_000, { actor: { kind: 'user', id: 4, name: 'new.colleague' }, action: 'task:run', outcome: 'refused', code: 'FORBIDDEN', count: 3, resource: { kind: 'task', id: 1, key: '#1' } }),
    entry(107, HOUR, { action: 'task:create', after: { name: 'nightly-invoices', handler: { kind: 'http', headers: { Authorization: '***' } }, params: { length: 12_000, sha256: 'ab'.repeat(32) } } }),
    entry(106, 2 * HOUR, { actor: { kind: 'token', id: 31, name: 'deploy pipeline' }, ip: '2001:db8::17', action: 'workflow:edit', resource: { kind: 'workflow', id: 5, key: 'billing/a workflow with quite a long name that does not fit into its column' }, before: { steps: [{ key: 'a' }] }, after: { steps: [{ key: 'a' }, { key: 'b' }] } }),
    entry(105, 3 * HOUR, { actor: { kind: 'system', id: null, name: 'tickwheel' }, ip: '', requestId: '', action: 'task:pause', after: { failures: 5 } }),
    entry(104, 4 * HOUR, { actor: { kind: 'user', id: null, name: '' }, action: 'auth:login', outcome: 'refused', code: 'INVALID_CREDENTIALS', count: 214, groupId: null, groupName: null, resource: { kind: 'user', id: null, key: '' }, ip: '198.51.100.77' }),
    entry(103, 5 * HOUR, { action: 'group:delete', resource: { kind: 'group', id: 7, key: 'old reports' }, groupId: 7, groupName: null, before: { name: 'old reports', appName: 'old-reports' } }),
    entry(102, 6 * HOUR, { action: 'auth:login', resource: { kind: 'user', id: 1, key: 'admin' }, groupId: null, groupName: null }),
    entry(101, 7 * HOUR, { action: 'audit:export', resource: { kind: 'audit', id: null, key: '' }, groupId: null, groupName: null, after: { format: 'csv', entries: 90 } }),
  ]
}

const worlds = new WeakMap<World, MockAccess>()

/** The answer of a call about access, null where it is not about that. */
export function accessAnswer(world: World, { method, path, query, body }: MockRequest): MockAnswer | null {
  const access = worlds.get(world) ?? accessOf(world.now)
  worlds.set(world, access)
  const [resource = '', part] = path.slice(1).split('/')
  const number = Number(part)
  const page = (items: readonly unknown[]) => ({ status: 200, body: { items, total: items.length, page: 1, pageSize: 50, nextCursor: null } })
  if (resource === 'audit') {
    if (part === 'export') return { status: 200, body: 'id\r\n' }
    if (part !== undefined) return oneOf(access.audit, number, 'AUDIT_ENTRY_NOT_FOUND')
    const found = access.audit.filter((one) => (query.get('outcome') ?? one.outcome) === one.outcome && (query.get('keyword') === null || one.resource.key.includes(query.get('keyword') ?? '')))
    return page(found.map(({ before, after, ...facts }) => ({ ...facts, changed: [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])] })))
  }
  if (method !== 'GET') return resource === 'user' || resource === 'role' ? changed(access, resource, number, method, body) : null
  if (resource === 'user' && path.endsWith('/why')) return { status: 200, body: whyOf(access, number, query) }
  if (resource === 'user') return part === undefined ? page(access.users.filter((one) => one.username.includes(query.get('keyword') ?? ''))) : oneOf(access.users, number, 'USER_NOT_FOUND')
  if (resource === 'role') return page(access.roles)
  if (resource !== 'token') return null
  return page(access.tokens.filter((one) => (query.get('kind') ?? one.kind) === one.kind && (query.get('live') === null || one.revokedAt === null) && (query.get('userId') === null || String(one.owner?.id) === query.get('userId'))))
}

function oneOf(items: readonly { readonly id: number }[], id: number, code: string): MockAnswer {
  const found = items.find((one) => one.id === id)
  return found === undefined ? { status: 404, body: { type: 'about:blank', title: code, status: 404, detail: code, code } } : { status: 200, body: found }
}

function changed(access: MockAccess, resource: 'user' | 'role', id: number, method: string, body: unknown): MockAnswer {
  const items: { id: number | null }[] = resource === 'user' ? access.users : access.roles
  const index = items.findIndex((one) => one.id === id)
  const given = typeof body === 'object' && body !== null ? body : {}
  if (method === 'DELETE') items.splice(index, 1)
  if (method === 'POST') return { status: 201, body: { id: 99, username: '', name: '', bindings: [], permissions: [], ...given } }
  return method === 'PUT' ? { status: 200, body: { ...items[index], ...given } } : { status: 204, body: null }
}

function whyOf(access: MockAccess, id: number, query: URLSearchParams): RightsWhy {
  const permission = query.get('permission') ?? ''
  const groupId = query.get('groupId') === null ? null : Number(query.get('groupId'))
  const user = access.users.find((one) => one.id === id)
  const having = access.roles.filter((role) => role.permissions.some((one) => one === permission)).map((role) => role.name)
  const by = (user?.bindings ?? []).filter((binding) => having.includes(binding.role) && (binding.groupIds === null || (groupId !== null && binding.groupIds.includes(groupId))))
  return { permission: isPermission(permission) ? permission : 'task:view', groupId, allowed: by.length > 0 && user?.disabled !== true, by, disabled: user?.disabled === true, roles: having }
}
