import { routes, type AuditEntry, type AuditListItem, type Group, type Problem, type RouteId } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'

/* The audit log as the calls give it: every call that changes something leaves an entry, found by the id of the request. */
let api: ApiServer
let client: ApiClient
let home: number

beforeAll(async () => {
  api = await openApi({ TICKWHEEL_EXECUTOR_HEARTBEAT_MS: '100', TICKWHEEL_EXECUTOR_DEAD_MS: '1000' })
  client = api.admin
  home = (await client.get<{ items: Group[] }>('/group')).items[0]?.id ?? 0
})
afterAll(() => api.close())

/** Calls that write nothing of a person's, each with its reason. A new call belongs here or into the walk below. */
const NO_ENTRY: Readonly<Partial<Record<RouteId, string>>> = {
  refresh: 'renews a session every few minutes; a replay is an entry (server/src/auth/auth.test.ts)',
  registerExecutor: 'what executors say of themselves, by the second',
  heartbeat: 'as above',
  reportRuns: 'as above: runs keep their own trace',
  previewSchedule: 'changes nothing',
  validateWorkflow: 'changes nothing',
  previewAlarmMessage: 'changes nothing',
  previewTaskBackfill: 'changes nothing',
  previewWorkflowBackfill: 'changes nothing',
  previewBulk: 'changes nothing',
  cancelBulk: 'an entry in server/src/engine/bulk.test.ts: it needs one that waits',
  calendarImpact: 'changes nothing',
  taskImpact: 'changes nothing',
  workflowImpact: 'changes nothing',
  backfillTask: 'an entry in server/src/engine/backfill.test.ts: it needs a past',
  backfillWorkflow: 'as above',
  cancelBackfill: 'as above',
  retryAlarmDelivery:
    'an entry in server/src/store/deliveries.ts, tried in tests/api-alarm-channels.test.ts: it needs one that was given up',
  rotateSecrets: 'an entry of each step that sealed something anew: here nothing is sealed with an earlier key',
  resumeFiring: 'an entry in server/src/store/held.test.ts: it needs a store that was restored',
}

const walked = new Set<RouteId>()

/** Makes a call that must succeed, and whose request must have left exactly the entries with these actions. */
async function leaves<Body>(
  callId: RouteId,
  { to = {}, body, actions }: { to?: object; body?: unknown; actions: string[] },
): Promise<Body> {
  const route = routes.find((one) => one.id === callId)
  if (route === undefined) throw new Error(`there is no call ${callId}`)
  const path = route.path.replace(/:(\w+)/g, (_all, name: string) => String(new Map(Object.entries(to)).get(name)))
  const answer = await client.call<Body>(route.method, path, body)
  expect({ status: answer.status, body: answer.body }, callId).toMatchObject({ status: route.status })
  if (callId === 'changePassword') client = new ApiClient(api.url, (answer.body as { token: string }).token)
  const found = await listed(`/audit?keyword=${answer.headers.get('x-request-id') ?? ''}`)
  expect(
    found.items.map((item) => item.action),
    callId,
  ).toEqual(actions)
  walked.add(callId)
  return answer.body
}

async function listed(path: string): Promise<{ items: AuditListItem[]; total: number }> {
  return client.get<{ items: AuditListItem[]; total: number }>(path)
}

const manual = { schedule: { kind: 'manual' }, handler: { kind: 'shell', script: 'sleep 600' } }
const asks = { schedule: { kind: 'manual' }, steps: [{ key: 'ask', kind: 'approval', prompt: 'Go on?' }], edges: [] }

describe('every call that changes something leaves an entry', () => {
  it('of groups, executors and their tokens', async () => {
    const group = await leaves<Group>('createGroup', { body: { name: 'g', appName: 'gg' }, actions: ['group:create'] })
    await leaves('updateGroup', { to: group, body: { name: 'h', appName: 'gg', version: group.version }, actions: ['group:edit'] })
    const token = await leaves<{ id: number }>('createToken', {
      body: { kind: 'executor', groupIds: [group.id] },
      actions: ['token:create'],
    })
    await leaves('revokeToken', { to: token, actions: ['token:revoke'] })
    await leaves('deleteGroup', { to: group, actions: ['group:delete'] })
    const executor = await api.join()
    const [row] = (await client.get<{ items: { id: number }[] }>('/executor')).items
    await leaves('drainExecutor', { to: row ?? {}, actions: ['executor:drain'] })
    await leaves('resumeExecutor', { to: row ?? {}, actions: ['executor:resume'] })
    await executor.stop({ graceMs: 0 })
    await waitFor(async () => ((await client.get<{ state: string }>(`/executor/${row?.id}`)).state === 'offline' ? true : undefined))
    await leaves('deleteExecutor', { to: row ?? {}, actions: ['executor:delete'] })
  })

  it('of tasks and their runs', async () => {
    const task = await leaves<{ id: number }>('createTask', { body: { groupId: home, name: 't', ...manual }, actions: ['task:create'] })
    await leaves('updateTask', { to: task, body: { groupId: home, name: 'u', ...manual, version: 1 }, actions: ['task:edit'] })
    await leaves('restoreTaskVersion', { to: { ...task, version: 1 }, body: { version: 2 }, actions: ['task:restore'] })
    const { instanceId } = await leaves<{ instanceId: number }>('triggerTask', { to: task, body: {}, actions: ['task:run'] })
    await leaves('cancelInstance', { to: { id: instanceId }, actions: ['instance:cancel'] })
    await leaves('startBulk', { body: { kind: 'instance', action: 'cancel', ids: [instanceId] }, actions: ['bulk:start'] })
    const retry = await leaves<{ instanceId: number }>('retryInstance', { to: { id: instanceId }, actions: ['instance:retry'] })
    await client.post(`/instance/${retry.instanceId}/cancel`)
    const every = { schedule: { kind: 'fixedRate', everyMs: 3_600_000 }, handler: manual.handler }
    await client.put(`/task/${task.id}`, { groupId: home, name: 'u', ...every, version: 3 })
    await leaves('startTask', { to: task, actions: ['task:start'] })
    await leaves('stopTask', { to: task, actions: ['task:stop'] })
    await leaves('deleteTask', { to: task, actions: ['task:delete'] })
  })

  it('of a document: one for each thing, and one for an export', async () => {
    const tasks = [{ group: 'default', name: 'of a document', ...manual }]
    await leaves('applyDocument', { body: { tickwheel: 1, tasks }, actions: ['task:create'] })
    await leaves('exportDocument', { actions: ['document:export'] })
  })

  it('of workflows and their runs', async () => {
    const flow = await leaves<{ id: number }>('createWorkflow', {
      body: { groupId: home, name: 'f', ...asks },
      actions: ['workflow:create'],
    })
    await leaves('updateWorkflow', { to: flow, body: { groupId: home, name: 'f2', ...asks, version: 1 }, actions: ['workflow:edit'] })
    await leaves('restoreWorkflowVersion', { to: { ...flow, version: 1 }, body: { version: 2 }, actions: ['workflow:restore'] })
    const run = async (): Promise<{ id: number; key: string }> => {
      const { workflowRunId } = await leaves<{ workflowRunId: number }>('triggerWorkflow', {
        to: flow,
        body: {},
        actions: ['workflow:run'],
      })
      await waitFor(async () => {
        const { stepRuns } = await client.get<{ stepRuns: { state: string }[] }>(`/workflow-run/${workflowRunId}`)
        return stepRuns[0]?.state === 'waiting' ? true : undefined
      })
      return { id: workflowRunId, key: 'ask' }
    }
    const first = await run()
    await leaves('pauseWorkflowRun', { to: first, actions: ['workflow:pause'] })
    await leaves('resumeWorkflowRun', { to: first, actions: ['workflow:resume'] })
    await leaves('approveStep', { to: first, body: {}, actions: ['workflow:approve'] })
    await leaves('rejectStep', { to: await run(), body: {}, actions: ['workflow:reject'] })
    const byHand = { groupId: home, name: 'by hand', schedule: { kind: 'manual' }, edges: [] }
    const work = { key: 'work', kind: 'task', inline: { handler: manual.handler } }
    const other = await client.post<{ id: number }>('/workflow', { ...byHand, steps: [work] })
    const { workflowRunId } = await client.post<{ workflowRunId: number }>(`/workflow/${other.id}/trigger`, {})
    const step = { id: workflowRunId, key: 'work' }
    await leaves('completeStep', { to: step, body: { reason: 'done' }, actions: ['workflow:complete'] })
    const last = await run()
    await leaves('cancelWorkflowRun', { to: last, actions: ['workflow:cancel'] })
    await waitFor(async () =>
      (await client.get<{ endedAt: string | null }>(`/workflow-run/${last.id}`)).endedAt === null ? undefined : true,
    )
    const again = await leaves<{ workflowRunId: number }>('retryWorkflowRun', { to: last, body: {}, actions: ['workflow:retry'] })
    await client.post(`/workflow-run/${again.workflowRunId}/cancel`)
    const every = { ...asks, schedule: { kind: 'fixedRate', everyMs: 3_600_000 } }
    await client.put(`/workflow/${flow.id}`, { groupId: home, name: 'f2', ...every, version: 3 })
    await leaves('startWorkflow', { to: flow, actions: ['workflow:start'] })
    await leaves('stopWorkflow', { to: flow, actions: ['workflow:stop'] })
    await waitFor(async () => ((await client.call('DELETE', `/workflow/${flow.id}?cancelRunning=true`)).status === 204 ? true : undefined))
    const gone = await listed('/audit?action=workflow:delete')
    expect(gone.items).toMatchObject([{ resource: { id: flow.id } }])
    walked.add('deleteWorkflow')
  })

  it('of alarms, their channels and incidents', async () => {
    const rule = { name: 'full', groupId: home, conditions: [{ event: 'queueFull' }], channelIds: [] }
    const made = await leaves<{ id: number; version: number }>('createAlarmRule', { body: rule, actions: ['alarm:create'] })
    const task = await client.post<{ id: number }>('/task', {
      groupId: home,
      name: 'full',
      ...manual,
      overlap: { policy: 'queue', max: 1 },
    })
    const incident = await waitFor(async () => {
      await client.call('POST', `/task/${task.id}/trigger`, {})
      return (await client.get<{ items: { id: number }[] }>('/alarm/incident')).items[0]
    })
    const until = new Date(Date.now() + 3_600_000).toISOString()
    await leaves('acknowledgeIncident', { to: incident, actions: ['alarm:acknowledge'] })
    await leaves('silenceIncident', { to: incident, body: { until }, actions: ['alarm:silence'] })
    await leaves('closeIncident', { to: incident, actions: ['alarm:close'] })
    await leaves('silenceAlarmRule', { to: made, body: { until }, actions: ['alarm:silence'] })
    const { version } = await client.get<{ version: number }>(`/alarm/rule/${made.id}`)
    await leaves('updateAlarmRule', { to: made, body: { ...rule, name: 'fuller', version }, actions: ['alarm:edit'] })
    await leaves('deleteAlarmRule', { to: made, actions: ['alarm:delete'] })
    const channel = { name: 'c', groupId: home, settings: { kind: 'slack', url: 'http://127.0.0.1:9/not-to-be-seen' } }
    const first = await leaves<{ id: number; version: number }>('createAlarmChannel', { body: channel, actions: ['alarm:create'] })
    const second = { ...channel, name: 'd', version: first.version }
    await leaves('updateAlarmChannel', { to: first, body: second, actions: ['alarm:edit'] })
    await leaves('testAlarmChannel', { to: first, actions: ['alarm:test'] })
    await leaves('deleteAlarmChannel', { to: first, actions: ['alarm:delete'] })
    const { items } = await listed('/audit?action=alarm:*')
    const entries = await Promise.all(items.map(async ({ id }) => client.get<AuditEntry>(`/audit/${id}`)))
    expect(JSON.stringify(entries)).not.toContain('not-to-be-seen')
  })

  it('of variables and secrets', async () => {
    const variable = await leaves<{ id: number }>('createVariable', {
      body: { groupId: home, name: 'V', value: 'seen' },
      actions: ['variable:create'],
    })
    await leaves('updateVariable', { to: variable, body: { value: 'changed', version: 1 }, actions: ['variable:edit'] })
    await leaves('deleteVariable', { to: variable, actions: ['variable:delete'] })
    const hidden = { groupId: home, name: 'S', value: 'not to be seen' }
    const secret = await leaves<{ id: number }>('createSecret', { body: hidden, actions: ['secret:create'] })
    await leaves('updateSecret', { to: secret, body: { value: 'nor this one', version: 1 }, actions: ['secret:edit'] })
    await leaves('deleteSecret', { to: secret, actions: ['secret:delete'] })
    const { items } = await listed('/audit?action=secret:*')
    const entries = await Promise.all(items.map(async ({ id }) => client.get<AuditEntry>(`/audit/${id}`)))
    expect(JSON.stringify(entries)).not.toMatch(/not to be seen|nor this one/)
  })

  it('of calendars', async () => {
    const rules = { weekend: [6, 7], days: [], blackouts: [] }
    const calendar = await leaves<{ id: number }>('createCalendar', {
      body: { groupId: home, name: 'C', rules },
      actions: ['calendar:create'],
    })
    await leaves('updateCalendar', {
      to: calendar,
      body: { name: 'D', rules: { ...rules, weekend: [7] }, version: 1 },
      actions: ['calendar:edit'],
    })
    await leaves('deleteCalendar', { to: calendar, actions: ['calendar:delete'] })
  })

  it('of accounts, their passwords, and roles', async () => {
    const permissions = ['task:view']
    const role = await leaves<{ id: number }>('createRole', { body: { name: 'r', permissions }, actions: ['role:create'] })
    await leaves('updateRole', { to: role, body: { name: 'q', permissions, version: 1 }, actions: ['role:edit'] })
    await leaves('deleteRole', { to: role, actions: ['role:delete'] })
    const given = { username: 'ann', password: 'a first password' }
    const user = await leaves<{ id: number }>('createUser', { body: given, actions: ['user:create'] })
    const more = { displayName: 'Ann', disabled: false, bindings: [{ role: 'viewer', groupIds: null }], version: 1 }
    await leaves('updateUser', { to: user, body: more, actions: ['user:edit'] })
    await leaves('resetPassword', { to: user, body: { password: 'a second password' }, actions: ['user:password'] })
    await leaves('deleteUser', { to: user, actions: ['user:delete'] })
    const { items } = await listed('/audit?resourceKind=user&resourceId=' + String(user.id))
    const entries = await Promise.all(items.map(async ({ id }) => client.get<AuditEntry>(`/audit/${id}`)))
    expect(JSON.stringify(entries)).not.toMatch(/first password|second password/)
  })

  it('of signing in and out', async () => {
    const admin = { username: 'admin', password: 'admin123' }
    await leaves('login', { body: admin, actions: ['auth:login'] })
    const password = { current: 'admin123', next: 'a better one than that' }
    await leaves('changePassword', { body: password, actions: ['auth:password'] })
    const stays = client
    client = await ApiClient.signIn(api.url, 'admin', password.next)
    const left = await client.call('POST', '/auth/logout')
    client = stays
    const found = await listed(`/audit?keyword=${left.headers.get('x-request-id') ?? ''}`)
    expect(found.items.map((item) => item.action)).toEqual(['auth:logout'])
    walked.add('logout')
  })

  it('and there is no other call', () => {
    const writing = routes.filter(({ method }) => method !== 'GET').map(({ id }): RouteId => id)
    const unknown = writing.filter((id) => !walked.has(id) && NO_ENTRY[id] === undefined)
    expect(unknown, 'a new call: walk it above, or say in NO_ENTRY why it leaves no entry').toEqual([])
  })
})

describe('the audit log', () => {
  it('shows an entry with what was changed, and 404 for one that there is not', async () => {
    const { items } = await listed('/audit?action=group:edit')
    expect(items).toMatchObject([{ changed: ['name'], actor: { kind: 'user', name: 'admin' }, outcome: 'done' }])
    const entry = await client.get<AuditEntry>(`/audit/${items[0]?.id}`)
    expect(entry).toMatchObject({ before: { name: 'g' }, after: { name: 'h' } })
    const missing = await client.call<Problem>('GET', '/audit/1')
    expect([missing.status, missing.body.code]).toEqual([404, 'AUDIT_ENTRY_NOT_FOUND'])
  })

  it('is exported as CSV and as JSON lines, and says so itself', async () => {
    const csv = await client.call<string>('GET', '/audit/export?action=group:*')
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(csv.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-\d{8}T\d{6}Z\.csv"$/)
    const lines = csv.body.split('\r\n')
    expect(lines[0]).toMatch(/^"id","at","actorKind"/)
    expect(lines).toHaveLength(6)
    const response = await fetch(`${api.url}/api/v1/audit/export?format=jsonl&action=group:*`, {
      headers: { authorization: `Bearer ${client.token}` },
    })
    const entries = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEntry)
    expect(entries.map((entry) => entry.action)).toEqual(['group:delete', 'group:edit', 'group:create', 'group:create'])
    const { items } = await listed('/audit?action=audit:export')
    const notes = await Promise.all(items.map(async ({ id }) => (await client.get<AuditEntry>(`/audit/${id}`)).after))
    expect(notes).toEqual([
      { action: 'group:*', format: 'jsonl', entries: 4 },
      { action: 'group:*', entries: 4 },
    ])
  })
})
