import type { Account, Binding, Role, RouteId, Task, Workflow } from '@tickwheel/contract'
import { joinExecutor, type AccessWorld, type Place } from './access-world.fixture.ts'

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

  listAudit: NOTHING,
  getAuditEntry: { isOwn: true },
  exportAudit: { isOwn: true },

  getCluster: NOTHING,
  resumeFiring: { body: () => ({ how: 'replay' }) },
  healthz: NOTHING,
  readyz: NOTHING,
  metrics: NOTHING,
  openapi: NOTHING,
}
