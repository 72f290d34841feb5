import type {
  Account,
  AlarmChannel,
  AlarmRule,
  Binding,
  Calendar,
  Role,
  RouteId,
  Secret,
  Task,
  Variable,
  Workflow,
} from '@tickwheel/contract'
import { channelTo, joinExecutor, type AccessWorld, type Place } from './access-world.fixture.ts'

/** What a call is aimed at, in one of the two groups of the world. */
export interface Aim {
  readonly world: AccessWorld
  readonly place: Place
}

/**
 * How a call of the contract is made by the walk: with a body that is valid, so that nothing is refused before its rights are judged.
 * Every call has an entry: the table does not compile while one is missing.
 */
export interface Entry {
  /** what `:id` of the path is, and whose group decides; absent where the path has none */
  readonly of?: (aim: Aim) => number
  /** the group that the body names decides, and what the caller must have there */
  readonly inBody?: true
  /** is about no group: the permission in any of them will do */
  readonly isAnywhere?: true
  /** needs the permission in all groups, whatever it is about */
  readonly needsAll?: true
  readonly query?: (aim: Aim) => string
  readonly body?: (aim: Aim) => unknown
  /** what it needs for what it is asked, beside the permission of the route, in the same group */
  readonly also?: 'task:editScript' | 'executor:view'
  /** something of its own for a call that will succeed, and destroy it */
  readonly fresh?: (aim: Aim) => Promise<number>
  /** what a call that is allowed may answer; a 2xx, 409 and 422 always may */
  readonly passes?: readonly number[]
  /** ends the session */
  readonly isLast?: true
  /** judged by the handler, and tried in tests of their own: the walk asks only for a credential */
  readonly isOwn?: true
}

const group: Entry['of'] = ({ place }) => place.group.id
const task: Entry['of'] = ({ place }) => place.task.id
const workflow: Entry['of'] = ({ place }) => place.workflow.id
const instance: Entry['of'] = ({ place }) => place.instanceId
const workflowRun: Entry['of'] = ({ place }) => place.workflowRunId
const executor: Entry['of'] = ({ place }) => place.executorId
const user: Entry['of'] = ({ world }) => world.target.user.id
const alarmRule: Entry['of'] = ({ place }) => place.alarmRuleId
const channel: Entry['of'] = ({ place }) => place.channelId
const delivery: Entry['of'] = ({ place }) => place.deliveryId
const incident: Entry['of'] = ({ place }) => place.incidentId
const variable: Entry['of'] = ({ place }) => place.variableId
const calendar: Entry['of'] = ({ place }) => place.calendarId
const secret: Entry['of'] = ({ place }) => place.secretId
const role: Entry['of'] = ({ world }) => world.target.role.id ?? 0

const NOTHING: Entry = {}
const PUBLIC: Entry = { passes: [400, 401] }
const BY_EXECUTORS: Entry = { passes: [400] }
const at = (): string => 'at=2026-11-22T00:00:00Z'
const dates = () => ({ from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' })
let made = 0
const named = (): string => `made-${(made += 1)}`

const taskBody = ({ place }: Aim) => ({
  groupId: place.group.id,
  name: named(),
  schedule: { kind: 'manual' },
  handler: { kind: 'shell', script: 'true' },
})
const flowBody = ({ place }: Aim) => ({
  groupId: place.group.id,
  name: named(),
  schedule: { kind: 'manual' },
  steps: [{ key: 'ask', kind: 'approval', prompt: 'Go on?' }],
  edges: [],
})
const ruleBody = ({ place }: Aim) => ({
  groupId: place.group.id,
  name: named(),
  conditions: [{ event: 'failed' }],
  channelIds: [],
})
const channelBody = ({ place }: Aim) => channelTo(place.group.id, named())
const variableBody = ({ place }: Aim) => ({ groupId: place.group.id, name: named().replace('-', '_'), value: 'x' })
const secretBody = ({ place }: Aim) => ({ groupId: place.group.id, name: named().replace('-', '_'), value: 'not to be seen' })
const bulkBody = ({ place }: Aim) => ({ kind: 'task', action: 'trigger', ids: [place.task.id] })
const RULES = { weekend: [6, 7], days: [], blackouts: [] }
const calendarBody = ({ place }: Aim) => ({ groupId: place.group.id, name: named(), rules: RULES })
const bindings = ({ place }: Aim): readonly Binding[] => [{ role: 'viewer', groupIds: [place.group.id] }]
const STALE = { version: 999 }
const PASSWORD = 'a road to the sea'

export const WALK: Readonly<Record<RouteId, Entry>> = {
  login: PUBLIC,
  refresh: PUBLIC,
  loginHint: NOTHING,
  me: NOTHING,
  whyMe: { query: () => 'permission=task:view' },
  logout: { isLast: true },
  changePassword: { body: () => ({ current: 'not this', next: PASSWORD }), passes: [400] },

  listGroups: NOTHING,
  getGroup: { of: group },
  createGroup: { needsAll: true, body: () => ({ name: named(), appName: `app-${named()}` }) },
  updateGroup: { of: group, body: ({ place }) => ({ name: place.group.name, appName: place.group.appName, ...STALE }) },
  deleteGroup: { of: group },
  listHandlers: { of: group, also: 'executor:view' },

  listTasks: NOTHING,
  createTask: { inBody: true, body: (aim) => ({ ...taskBody(aim), handler: { kind: 'named', name: 'sync' } }) },
  getTask: { of: task },
  updateTask: { of: task, also: 'task:editScript', body: (aim) => ({ ...taskBody(aim), ...STALE }) },
  deleteTask: { of: task, fresh: async (aim) => (await aim.world.api.admin.post<Task>('/task', taskBody(aim))).id },
  startTask: { of: task },
  stopTask: { of: task },
  triggerTask: { of: task, body: () => ({}) },
  nextFirings: { of: task },
  previewRoute: { of: task },
  listTaskVersions: { of: task },
  restoreTaskVersion: { of: task, also: 'task:editScript' },
  listFirings: { of: task },
  why: { of: task, query: at },
  previewSchedule: { body: () => ({ schedule: { kind: 'fixedRate', everyMs: 1000 } }) },

  listInstances: NOTHING,
  getInstance: { of: instance },
  compareInstance: { of: instance },
  cancelInstance: {
    of: instance,
    fresh: async ({ world, place }) =>
      (await world.api.admin.post<{ instanceId: number }>(`/task/${place.task.id}/trigger`, {})).instanceId,
  },
  retryInstance: { of: instance },
  readLogs: { of: instance },
  rawLogs: { of: instance },
  listEvents: { of: instance },
  listShards: { of: instance },

  listWorkflows: NOTHING,
  createWorkflow: { inBody: true, body: flowBody },
  validateWorkflow: { body: flowBody },
  getWorkflow: { of: workflow },
  updateWorkflow: { of: workflow, body: (aim) => ({ ...flowBody(aim), ...STALE }) },
  deleteWorkflow: { of: workflow, fresh: async (aim) => (await aim.world.api.admin.post<Workflow>('/workflow', flowBody(aim))).id },
  startWorkflow: { of: workflow },
  stopWorkflow: { of: workflow },
  triggerWorkflow: { of: workflow, body: () => ({}) },
  nextWorkflowFirings: { of: workflow },
  listWorkflowFirings: { of: workflow },
  whyWorkflow: { of: workflow, query: at },
  listWorkflowVersions: { of: workflow },
  getWorkflowVersion: { of: workflow },
  restoreWorkflowVersion: { of: workflow },
  workflowGrid: { of: workflow },

  listWorkflowRuns: NOTHING,
  getWorkflowRun: { of: workflowRun },
  getStep: { of: workflowRun },
  listStepItems: { of: workflowRun },
  cancelWorkflowRun: {
    of: workflowRun,
    fresh: async ({ world, place }) =>
      (await world.api.admin.post<{ workflowRunId: number }>(`/workflow/${place.workflow.id}/trigger`, {})).workflowRunId,
  },
  pauseWorkflowRun: { of: workflowRun },
  resumeWorkflowRun: { of: workflowRun },
  retryWorkflowRun: { of: workflowRun, body: () => ({}) },
  approveStep: { of: workflowRun, body: () => ({}) },
  rejectStep: { of: workflowRun, body: () => ({}) },
  completeStep: { of: workflowRun, body: () => ({ reason: 'as the walk wants' }) },

  backfillTask: { of: task, body: dates },
  previewTaskBackfill: { of: task, body: dates },
  backfillWorkflow: { of: workflow, body: dates },
  previewWorkflowBackfill: { of: workflow, body: dates },
  listBackfills: NOTHING,
  getBackfill: { isOwn: true },
  listBackfillRuns: { isOwn: true },
  cancelBackfill: { isOwn: true },

  startBulk: { isOwn: true, body: bulkBody },
  previewBulk: { isOwn: true, body: bulkBody },
  listBulks: NOTHING,
  getBulk: { isOwn: true },
  listBulkItems: { isOwn: true },
  cancelBulk: { isOwn: true },

  registerExecutor: BY_EXECUTORS,
  heartbeat: BY_EXECUTORS,
  reportRuns: BY_EXECUTORS,
  readShardResults: { ...BY_EXECUTORS, query: () => 'instanceId=1&attempt=1' },
  listExecutors: NOTHING,
  listUnclaimed: NOTHING,
  getExecutor: { of: executor },
  drainExecutor: { of: executor },
  resumeExecutor: { of: executor },
  deleteExecutor: {
    of: executor,
    fresh: async ({ world, place: { word, executorToken } }) =>
      (await joinExecutor(world.api.url, executorToken, { word, name: named() })).executorId,
  },

  listTokens: NOTHING,
  createToken: { isOwn: true, body: ({ place }) => ({ kind: 'executor', groupIds: [place.group.id] }) },
  revokeToken: { isOwn: true, of: ({ world }) => world.target.token.id },

  listUsers: NOTHING,
  getUser: { of: user },
  createUser: { body: (aim) => ({ username: named(), password: PASSWORD, bindings: bindings(aim) }) },
  updateUser: { of: user, body: (aim) => ({ displayName: 'T', disabled: false, bindings: bindings(aim), ...STALE }) },
  resetPassword: { of: user, body: () => ({ password: PASSWORD }) },
  deleteUser: {
    of: user,
    fresh: async ({ world }) => (await world.api.admin.post<Account>('/user', { username: named(), password: PASSWORD })).id,
  },
  whyUser: { of: user, query: () => 'permission=task:view' },

  listRoles: NOTHING,
  getRole: { of: role },
  createRole: { body: () => ({ name: named(), permissions: ['task:view'] }) },
  updateRole: { of: role, body: () => ({ name: 'target role', permissions: ['task:view'], ...STALE }) },
  deleteRole: {
    of: role,
    fresh: async ({ world }) => (await world.api.admin.post<Role>('/role', { name: named(), permissions: ['task:view'] })).id ?? 0,
  },

  listAlarmRules: NOTHING,
  getAlarmRule: { of: alarmRule },
  createAlarmRule: { inBody: true, body: ruleBody },
  updateAlarmRule: { of: alarmRule, body: (aim) => ({ ...ruleBody(aim), ...STALE }) },
  deleteAlarmRule: {
    of: alarmRule,
    fresh: async (aim) => (await aim.world.api.admin.post<AlarmRule>('/alarm/rule', ruleBody(aim))).id,
  },
  silenceAlarmRule: { of: alarmRule, body: () => ({ until: null }) },
  listIncidents: NOTHING,
  getIncident: { of: incident },
  listIncidentRuns: { of: incident },
  acknowledgeIncident: { of: incident },
  silenceIncident: { of: incident, body: () => ({ until: null }) },
  closeIncident: { of: incident },

  listAlarmChannels: NOTHING,
  getAlarmChannel: { of: channel },
  createAlarmChannel: { inBody: true, body: channelBody },
  updateAlarmChannel: { of: channel, body: (aim) => ({ ...channelBody(aim), ...STALE }) },
  deleteAlarmChannel: {
    of: channel,
    fresh: async (aim) => (await aim.world.api.admin.post<AlarmChannel>('/alarm/channel', channelBody(aim))).id,
  },
  testAlarmChannel: { of: channel },
  previewAlarmMessage: { isAnywhere: true, body: () => ({ language: 'en' }) },
  listAlarmDeliveries: NOTHING,
  retryAlarmDelivery: { of: delivery },

  listVariables: NOTHING,
  listReferences: NOTHING,
  createVariable: { inBody: true, body: variableBody },
  getVariable: { of: variable },
  updateVariable: { of: variable, body: () => ({ value: 'y', ...STALE }) },
  deleteVariable: {
    of: variable,
    fresh: async (aim) => (await aim.world.api.admin.post<Variable>('/variable', variableBody(aim))).id,
  },
  listVariableUses: { of: variable },
  listSecrets: NOTHING,
  createSecret: { inBody: true, body: secretBody },
  getSecretKeys: NOTHING,
  rotateSecrets: NOTHING,
  getSecret: { of: secret },
  updateSecret: { of: secret, body: () => STALE },
  deleteSecret: { of: secret, fresh: async (aim) => (await aim.world.api.admin.post<Secret>('/secret', secretBody(aim))).id },
  listSecretUses: { of: secret },

  listCalendars: NOTHING,
  createCalendar: { inBody: true, body: calendarBody },
  listCalendarPresets: NOTHING,
  getCalendar: { of: calendar },
  updateCalendar: { of: calendar, body: () => ({ name: named(), rules: RULES, ...STALE }) },
  deleteCalendar: {
    of: calendar,
    fresh: async (aim) => (await aim.world.api.admin.post<Calendar>('/calendar', calendarBody(aim))).id,
  },
  listCalendarVersions: { of: calendar },
  listCalendarUses: { of: calendar },
  calendarImpact: { of: calendar, body: () => ({ rules: RULES }) },
  taskImpact: { of: task, body: () => ({ schedule: { kind: 'manual' } }) },
  workflowImpact: { of: workflow, body: () => ({ schedule: { kind: 'manual' } }) },

  getCompleteness: NOTHING,
  getDashboard: NOTHING,
  listFindings: NOTHING,
  listRecoveries: NOTHING,
  listAudit: NOTHING,
  getAuditEntry: { isOwn: true },
  exportAudit: { isOwn: true },

  search: { query: () => 'q=e' },
  exportDocument: { isOwn: true },
  applyDocument: { isOwn: true, body: () => ({ tickwheel: 1 }) },

  getStorage: NOTHING,
  getCluster: NOTHING,
  resumeFiring: { body: () => ({ how: 'replay' }) },
  healthz: NOTHING,
  readyz: NOTHING,
  metrics: NOTHING,
  openapi: NOTHING,
}
