import type {
  Account,
  AlarmChannel,
  AlarmDelivery,
  AlarmRule,
  Binding,
  Group,
  Incident,
  Registered,
  Role,
  Secret,
  Task,
  Token,
  Variable,
  Workflow,
  WorkflowRun,
  Calendar,
} from '@tickwheel/contract'
import { BUILT_IN_ROLES, id as brand, type BuiltInRole, type Grant, type Permission } from '@tickwheel/core'
import { openApi, type ApiServer } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'
import { makePerson, PASSWORD } from './person.fixture.ts'

/** A word that stands in everything of the group `b`, and nowhere else. */
export const MARK = 'zebra'

/** A group with one of everything that belongs to groups. */
export interface Place {
  readonly word: string
  readonly group: Group
  readonly task: Task
  readonly workflow: Workflow
  readonly instanceId: number
  readonly workflowRunId: number
  readonly executorId: number
  readonly executorToken: string
  readonly executorTokenId: number
  readonly executorSession: string
  readonly alarmRuleId: number
  readonly incidentId: number
  readonly channelId: number
  readonly deliveryId: number
  readonly variableId: number
  readonly secretId: number
  readonly calendarId: number
}

/** Somebody who calls, and what they may do by the table of roles: what the server finds out is compared with it. */
export interface Principal {
  readonly name: string
  readonly client: ApiClient
  readonly grants: readonly Grant[]
  /** a person can do what a token cannot */
  readonly isPerson: boolean
  /** signs in again, for a call that ends the session */
  readonly again: () => Promise<ApiClient>
}

export interface AccessWorld extends AsyncDisposable {
  readonly api: ApiServer
  readonly a: Place
  readonly b: Place
  readonly principals: readonly Principal[]
  /** an account of nobody, a role and a token of somebody: what calls are aimed at */
  readonly target: { readonly user: Account; readonly role: Role; readonly token: Token }
}

/** Roles that people make: who runs and reads no parameters, and who edits but has no shell on the executors. */
const CUSTOM: Readonly<Record<string, readonly Permission[]>> = {
  runner: ['group:view', 'task:view', 'task:run', 'instance:view', 'workflow:view'],
  editor: ['group:view', 'task:view', 'task:edit', 'workflow:view', 'workflow:edit', 'executor:view', 'user:view'],
}

/** A server with the groups `a` and `b`, and people with every role in all groups, in one of them, and without any. */
export async function openAccessWorld(): Promise<AccessWorld> {
  const api = await openApi()
  const [a, b] = [await makePlace(api, 'alpha'), await makePlace(api, MARK)]
  await callAcross(api, { from: b, to: a })
  for (const [name, permissions] of Object.entries(CUSTOM)) await api.admin.post<Role>('/role', { name, permissions })
  const user = await api.admin.post<Account>('/user', {
    username: 'target',
    password: PASSWORD,
    bindings: [{ role: 'viewer', groupIds: [a.group.id] }],
  })
  const role = await api.admin.post<Role>('/role', { name: 'target role', permissions: ['task:view'] })
  const token = await api.admin.post<Token>('/token', { kind: 'api', name: 'target token', bindings: [{ role: 'viewer', groupIds: null }] })

  const grantsOf = (bindings: readonly Binding[]): Grant[] =>
    bindings.map(({ role: name, groupIds }) => ({
      role: name,
      permissions: isBuiltIn(name) ? BUILT_IN_ROLES[name] : new Set(CUSTOM[name]),
      groups: groupIds === null ? 'all' : groupIds.map((groupId) => brand<'group'>(groupId)),
      binding: '',
    }))
  const person = async (name: string, bindings: readonly Binding[]): Promise<Principal> => {
    const username = name.replaceAll(' ', '-')
    const client = await makePerson(api, username, bindings)
    const again = async (): Promise<ApiClient> => ApiClient.signIn(api.url, username, PASSWORD)
    return { name, client, grants: grantsOf(bindings), isPerson: true, again }
  }
  const apiToken = async (owner: Principal, bindings: readonly Binding[]): Promise<Principal> => {
    const made = await owner.client.post<{ token: string }>('/token', { kind: 'api', name: `of ${owner.name}`, bindings })
    const client = new ApiClient(api.url, made.token)
    return { name: `token of ${owner.name}`, client, grants: grantsOf(bindings), isPerson: false, again: async () => client }
  }

  const principals: Principal[] = []
  for (const name of Object.keys(BUILT_IN_ROLES)) {
    principals.push(await person(`${name} of all`, [{ role: name, groupIds: null }]))
    principals.push(await person(`${name} of a`, [{ role: name, groupIds: [a.group.id] }]))
  }
  principals.push(await person('runner of a', [{ role: 'runner', groupIds: [a.group.id] }]))
  principals.push(await person('editor of all', [{ role: 'editor', groupIds: null }]))
  principals.push(
    await person('viewer of all and developer of b', [
      { role: 'viewer', groupIds: null },
      { role: 'developer', groupIds: [b.group.id] },
    ]),
  )
  principals.push(await person('developer of b', [{ role: 'developer', groupIds: [b.group.id] }]))
  principals.push(await person('nobody', []))
  const owner = principals.find(({ name }) => name === 'developer of all')
  if (owner === undefined) throw new Error('there is a developer of all groups')
  principals.push(await apiToken(owner, [{ role: 'developer', groupIds: [a.group.id] }]))

  return {
    api,
    a,
    b,
    principals,
    target: { user, role, token },
    [Symbol.asyncDispose]: async () => api.close(),
  }
}

function isBuiltIn(name: string): name is BuiltInRole {
  return Object.hasOwn(BUILT_IN_ROLES, name)
}

/** A workflow of one group that runs a task and a workflow of the other: what runs there does not say for whom. */
async function callAcross({ admin }: ApiServer, { from, to }: { from: Place; to: Place }): Promise<void> {
  const workflow = await admin.post<Workflow>('/workflow', {
    groupId: from.group.id,
    name: `${from.word} caller`,
    schedule: { kind: 'manual' },
    steps: [
      { key: `${from.word}Task`, kind: 'task', task: `${to.group.name}/${to.task.name}` },
      { key: `${from.word}Flow`, kind: 'subWorkflow', workflow: `${to.group.name}/${to.workflow.name}` },
    ],
    edges: [],
  })
  const { workflowRunId } = await admin.post<{ workflowRunId: number }>(`/workflow/${workflow.id}/trigger`, {})
  const both = async (): Promise<boolean> => {
    const { stepRuns } = await admin.get<WorkflowRun>(`/workflow-run/${workflowRunId}`)
    return stepRuns.some(({ instanceId }) => instanceId !== null) && stepRuns.some(({ workflowRunId: of }) => of !== null)
  }
  await waitFor(both, { what: 'a run of the task and one of the workflow' })
}

/** Everything of a group carries its word: names, descriptions, scripts, parameters, labels. */
async function makePlace({ admin, url }: ApiServer, word: string): Promise<Place> {
  const group = await admin.post<Group>('/group', { name: `${word} group`, appName: `${word}-app`, description: `${word} things` })
  const task = await admin.post<Task>('/task', {
    groupId: group.id,
    name: `${word} task`,
    description: `${word} does it`,
    tags: [`${word} tag`],
    owner: `${word} owner`,
    params: `{"${word}":1}`,
    schedule: { kind: 'manual' },
    handler: { kind: 'shell', script: `echo ${word}` },
  })
  const workflow = await admin.post<Workflow>('/workflow', {
    groupId: group.id,
    name: `${word} workflow`,
    schedule: { kind: 'manual' },
    steps: [
      { key: 'ask', kind: 'approval', prompt: `${word} go on?` },
      { key: 'do', kind: 'task', task: `${word} group/${word} task` },
    ],
    edges: [{ from: 'ask', to: 'do' }],
  })
  const token = await admin.post<Token & { token: string }>('/token', { kind: 'executor', name: `${word} token`, groupIds: [group.id] })
  const registered = await joinExecutor(url, token.token, { word, name: `${word}-executor` })
  const { instanceId } = await admin.post<{ instanceId: number }>(`/task/${task.id}/trigger`, { params: `{"${word}":2}` })
  const { workflowRunId } = await admin.post<{ workflowRunId: number }>(`/workflow/${workflow.id}/trigger`, {})
  await waitFor(async () => {
    const run = await admin.get<WorkflowRun>(`/workflow-run/${workflowRunId}`)
    return run.stepRuns.some(({ key, state }) => key === 'ask' && (state === 'waiting' || state === 'running')) ? run : null
  })
  const variable = await admin.post<Variable>('/variable', { groupId: group.id, name: `${word}_variable`, value: word })
  const secret = await admin.post<Secret>('/secret', { groupId: group.id, name: `${word}_secret`, value: `${word} secret` })
  const calendar = await admin.post<Calendar>('/calendar', {
    groupId: group.id,
    name: `${word} calendar`,
    rules: { weekend: [7], days: [{ from: '2026-10-01', kind: 'off', name: `${word} day` }], blackouts: [] },
  })
  return {
    word,
    group,
    task,
    workflow,
    instanceId,
    workflowRunId,
    executorId: registered.executorId,
    executorToken: token.token,
    executorTokenId: token.id,
    executorSession: registered.sessionToken,
    variableId: variable.id,
    secretId: secret.id,
    calendarId: calendar.id,
    ...(await makeIncident(admin, group, word)),
  }
}

/** Where nobody listens. */
export const channelTo = (groupId: number, name: string) => ({
  groupId,
  name,
  settings: { kind: 'slack', url: `http://127.0.0.1:9/${name.replaceAll(' ', '-')}` },
})

/** A channel, an alarm rule, an incident of it (a task that takes no more triggers) and the message about it. */
async function makeIncident(
  admin: ApiClient,
  group: Group,
  word: string,
): Promise<Pick<Place, 'alarmRuleId' | 'incidentId' | 'channelId' | 'deliveryId'>> {
  const channel = await admin.post<AlarmChannel>('/alarm/channel', channelTo(group.id, `${word} channel`))
  const rule = await admin.post<AlarmRule>('/alarm/rule', {
    groupId: group.id,
    name: `${word} rule`,
    conditions: [{ event: 'queueFull' }],
    channelIds: [channel.id],
  })
  const task = await admin.post<Task>('/task', {
    groupId: group.id,
    name: `${word} full`,
    schedule: { kind: 'manual' },
    handler: { kind: 'shell', script: `echo ${word}` },
    overlap: { policy: 'queue', max: 1 },
  })
  const incident = await waitFor(
    async () => {
      await admin.call('POST', `/task/${task.id}/trigger`, {})
      return (await admin.get<{ items: Incident[] }>(`/alarm/incident?groupId=${group.id}`)).items[0] ?? null
    },
    { what: 'an incident' },
  )
  const delivery = await waitFor(
    async () => (await admin.get<{ items: AlarmDelivery[] }>(`/alarm/delivery?channelId=${channel.id}`)).items[0] ?? null,
    { what: 'a message' },
  )
  return { alarmRuleId: rule.id, incidentId: incident.id, channelId: channel.id, deliveryId: delivery.id }
}

/** Registers an executor of a group, which opens no stream. */
export async function joinExecutor(url: string, token: string, { word, name }: { word: string; name: string }): Promise<Registered> {
  return new ApiClient(url, token).post<Registered>('/executor/register', {
    appName: `${word}-app`,
    name,
    protocol: { min: 1, max: 1 },
    version: '1',
    capacity: 1,
    handlers: [{ name: `${word}Handler`, kind: 'named' }],
    labels: { zone: word },
    host: `${word}-host`,
    pid: 1,
  })
}
