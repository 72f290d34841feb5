import type { Account, Executor, Instance, Task, WorkflowListItem, WorkflowRunListItem } from '@tickwheel/contract'
import type { ApiClient } from '../tests/kit/api-client.ts'
import { WORKDAYS } from './demo/company.ts'
import { taskOf } from './demo/present.ts'

interface Items<Item> {
  readonly items: readonly Item[]
}

/** A picture of a page. */
export interface Shot {
  /** of which route of the console */
  readonly route: string
  readonly name: string
  readonly path: string | ((world: World) => Promise<string>)
  /** CSS selectors that are clicked, one after the other */
  readonly clicks?: readonly string[]
  /** CSS selector of what must be seen before the picture is taken */
  readonly shows?: string
  /** 390 px wide */
  readonly isPhone?: true
  /** who has signed in; null: nobody; default: an admin */
  readonly as?: string | null
  /** on a store with nothing in it */
  readonly isEmpty?: true
}

/** Where in the demo is what a picture shows. */
export class World {
  readonly #api: ApiClient

  constructor(api: ApiClient) {
    this.#api = api
  }

  async task(name: string): Promise<string> {
    return `/task/${String((await taskOf(this.#api, name)).id)}`
  }

  async run(name: string, state: Instance['state'] | 'waiting,queued'): Promise<string> {
    const task: Task = await taskOf(this.#api, name)
    return `/run/${String(await this.#first(`/instance?taskId=${String(task.id)}&state=${state}`))}`
  }

  async workflow(name: string): Promise<string> {
    return `/workflow/${String(await this.#workflowId(name))}`
  }

  async workflowRun(name: string, state: WorkflowRunListItem['state']): Promise<string> {
    return `/workflow-run/${String(await this.#first(`/workflow-run?workflowId=${String(await this.#workflowId(name))}&state=${state}`))}`
  }

  async incident(): Promise<string> {
    return `/alarm/incident/${String(await this.#first('/alarm/incident?state=recovered'))}`
  }

  async calendar(name: string): Promise<string> {
    return `/calendar/${String(await this.#first(`/calendar?keyword=${encodeURIComponent(name)}`))}`
  }

  async bulk(): Promise<string> {
    return `/bulk/${String(await this.#first('/bulk'))}`
  }

  async executor(name: string): Promise<string> {
    const { items } = await this.#api.get<Items<Executor>>('/executor?pageSize=100')
    return `/executor?executor=${String(items.find((one) => one.name === name)?.id)}`
  }

  /** When a firing of a task was skipped last. */
  async skippedAt(name: string): Promise<string> {
    const { items } = await this.#api.get<{ items: { kind: string; fromAt: string }[] }>(`${await this.task(name)}/firing`)
    return items.find(({ kind }) => kind === 'skipped')?.fromAt ?? new Date().toISOString()
  }

  async rights(permission: string): Promise<string> {
    const { items } = await this.#api.get<Items<Account>>('/user?keyword=wang.lei')
    const user = items[0]
    return `/rights?permission=${permission}&user=${String(user?.id)}&group=${String(user?.bindings[0]?.groupIds?.[0])}`
  }

  async #workflowId(name: string): Promise<number> {
    const { items } = await this.#api.get<Items<WorkflowListItem>>(`/workflow?keyword=${encodeURIComponent(name)}`)
    return items[0]?.id ?? 0
  }

  async #first(path: string): Promise<number> {
    const { items } = await this.#api.get<Items<{ id: number }>>(path)
    if (items[0] === undefined) throw new Error(`the demo has nothing for ${path}`)
    return items[0].id
  }
}

const BACKUP = '数据库每日备份'
const QUALITY = '数据质量检查'
const POLLER = 'slow poller'
const REBUILD = '重建商品搜索索引'
const SCORE = '用户画像打分'
const ETL = 'etl-orders-to-warehouse'
const INTAKE = '每日订单入仓'
const RELEASE = 'release of the storefront'
const PRIMARY = '.page-head .el-button--primary'
const MORE = '.buttons .el-dropdown button'
const VIEWER = 'han.meimei'

const task =
  (name: string, rest = '') =>
  async (world: World) =>
    `${await world.task(name)}${rest}`
const run =
  (name: string, state: Parameters<World['run']>[1], rest = '') =>
  async (world: World) =>
    `${await world.run(name, state)}${rest}`

/** Every page of the console, with what a person meets there. */
export const SHOTS: readonly Shot[] = [
  { route: 'login', name: 'login', path: '/login', as: null },
  { route: 'login', name: 'login-refused', path: '/login', as: null, clicks: ['button[type="submit"]'], shows: '.el-form-item__error' },
  { route: 'password', name: 'password', path: '/password' },
  { route: 'dashboard', name: 'dashboard', path: '/dashboard' },
  { route: 'dashboard', name: 'dashboard-empty', path: '/dashboard', isEmpty: true },
  { route: 'tasks', name: 'tasks', path: '/task' },
  { route: 'tasks', name: 'tasks-empty', path: '/task', isEmpty: true },
  { route: 'tasks', name: 'tasks-nothing', path: '/task?q=nothing-like-this' },
  { route: 'tasks', name: 'tasks-selected', path: '/task', clicks: ['.el-table__header .el-checkbox'] },
  { route: 'tasks', name: 'tasks-viewer', path: '/task', as: VIEWER },
  { route: 'tasks', name: 'task-menu', path: '/task', clicks: ['.el-table__row .el-dropdown button'] },
  { route: 'task-new', name: 'task-new', path: '/task/new' },
  { route: 'task-new', name: 'task-new-refused', path: '/task/new', clicks: [PRIMARY], shows: '.el-form-item__error' },
  { route: 'task-edit', name: 'task-edit', path: task(BACKUP, '/edit') },
  { route: 'task-edit', name: 'task-edit-script', path: task(QUALITY, '/edit'), clicks: ['.fold-row:nth-of-type(2) button'] },
  { route: 'task', name: 'task', path: task(QUALITY) },
  { route: 'task', name: 'task-long-name', path: task(ETL) },
  { route: 'task', name: 'task-viewer', path: task(QUALITY), as: VIEWER },
  { route: 'task', name: 'task-firings', path: task(POLLER, '?tab=firings') },
  { route: 'task', name: 'task-why', path: async (world) => `${await world.task(POLLER)}?tab=why&at=${await world.skippedAt(POLLER)}` },
  { route: 'task', name: 'task-settings', path: task(BACKUP, '?tab=settings') },
  { route: 'task', name: 'task-trigger', path: task(BACKUP), clicks: [MORE, '.el-dropdown-menu__item'] },
  { route: 'task', name: 'task-versions', path: task(BACKUP), clicks: [MORE, '.el-dropdown-menu__item:nth-child(3)'] },
  {
    route: 'task',
    name: 'task-backfill',
    path: task('每小时指标汇总'),
    clicks: [MORE, '.el-dropdown-menu__item:nth-child(2)'],
    shows: '[data-backfill]',
  },
  { route: 'task', name: 'task-delete', path: task(BACKUP), clicks: [MORE, '.el-dropdown-menu__item.is-danger'] },
  { route: 'workflows', name: 'workflows', path: '/workflow' },
  { route: 'workflows', name: 'workflows-empty', path: '/workflow', isEmpty: true },
  { route: 'workflow-new', name: 'workflow-new', path: '/workflow/new' },
  { route: 'workflow', name: 'workflow', path: (world) => world.workflow(INTAKE) },
  { route: 'workflow-edit', name: 'workflow-edit', path: async (world) => `${await world.workflow(RELEASE)}/edit` },
  { route: 'runs', name: 'runs', path: '/run' },
  { route: 'runs', name: 'runs-empty', path: '/run', isEmpty: true },
  { route: 'runs', name: 'runs-problems', path: '/run?state=failed,timedOut,lost' },
  { route: 'runs', name: 'runs-waiting', path: '/run?state=waiting,queued' },
  { route: 'run', name: 'run-running', path: run(REBUILD, 'running') },
  { route: 'run', name: 'run-failed', path: run(QUALITY, 'failed') },
  { route: 'run', name: 'run-failed-attempts', path: run(QUALITY, 'failed', '?tab=attempts') },
  { route: 'run', name: 'run-succeeded', path: run(ETL, 'succeeded', '?tab=result') },
  { route: 'run', name: 'run-waiting', path: run('FX rates', 'waiting,queued') },
  { route: 'run', name: 'run-shards', path: run(SCORE, 'succeeded') },
  { route: 'run', name: 'run-viewer', path: run(REBUILD, 'running'), as: VIEWER },
  { route: 'bulks', name: 'bulks', path: '/bulk' },
  { route: 'bulks', name: 'bulks-empty', path: '/bulk', isEmpty: true },
  { route: 'bulk', name: 'bulk', path: (world) => world.bulk() },
  {
    route: 'tasks',
    name: 'bulk-dialog',
    path: '/task',
    clicks: ['.el-table__header .el-checkbox', '.bulk-bar .buttons .el-button:last-child'],
    shows: '.names li',
  },
  { route: 'workflow-runs', name: 'workflow-runs', path: '/workflow-run' },
  { route: 'workflow-run', name: 'workflow-run', path: (world) => world.workflowRun(INTAKE, 'succeeded') },
  { route: 'workflow-run', name: 'workflow-run-running', path: (world) => world.workflowRun(RELEASE, 'running') },
  { route: 'executors', name: 'executors', path: '/executor' },
  { route: 'executors', name: 'executors-empty', path: '/executor', isEmpty: true },
  { route: 'executors', name: 'executor', path: (world) => world.executor('etl-beijing-01') },
  { route: 'executors', name: 'executor-add', path: '/executor', clicks: [PRIMARY] },
  { route: 'groups', name: 'groups', path: '/group' },
  { route: 'groups', name: 'group-new', path: '/group', clicks: [PRIMARY] },
  { route: 'variables', name: 'variables', path: '/variable' },
  { route: 'variables', name: 'variables-empty', path: '/variable', isEmpty: true },
  { route: 'variables', name: 'variable-new', path: '/variable', clicks: [PRIMARY] },
  { route: 'variables', name: 'variables-secrets', path: '/variable?kind=secret' },
  { route: 'calendars', name: 'calendars', path: '/calendar' },
  { route: 'calendars', name: 'calendars-empty', path: '/calendar', isEmpty: true },
  { route: 'calendar-new', name: 'calendar-new', path: '/calendar/new' },
  { route: 'calendar', name: 'calendar', path: (world) => world.calendar(WORKDAYS) },
  { route: 'calendar', name: 'calendar-viewer', path: (world) => world.calendar(WORKDAYS), as: VIEWER },
  { route: 'task-edit', name: 'task-edit-calendar', path: task('优惠券过期提醒', '/edit') },
  { route: 'alarms', name: 'alarm-incidents', path: '/alarm' },
  { route: 'alarms', name: 'alarm-incidents-empty', path: '/alarm', isEmpty: true },
  { route: 'incident', name: 'alarm-incident', path: (world) => world.incident() },
  { route: 'alarm-rules', name: 'alarm-rules', path: '/alarm/rule' },
  { route: 'alarm-rules', name: 'alarm-rule-new', path: '/alarm/rule?new=1' },
  { route: 'alarm-channels', name: 'alarm-channels', path: '/alarm/channel' },
  { route: 'alarm-channels', name: 'alarm-channel-new', path: '/alarm/channel?new=1' },
  { route: 'alarm-deliveries', name: 'alarm-deliveries', path: '/alarm/delivery' },
  { route: 'users', name: 'users', path: '/user' },
  { route: 'users', name: 'user-new', path: '/user', clicks: [PRIMARY, '.bindings-editor > .el-button'] },
  { route: 'users', name: 'user', path: '/user?q=maria', clicks: ['.users-table .name'] },
  { route: 'roles', name: 'roles', path: '/role' },
  { route: 'roles', name: 'role-new', path: '/role', clicks: [PRIMARY] },
  { route: 'tokens', name: 'tokens', path: '/token' },
  { route: 'tokens', name: 'tokens-executor', path: '/token?kind=executor' },
  { route: 'tokens', name: 'token-new', path: '/token', clicks: [PRIMARY] },
  { route: 'rights', name: 'rights', path: (world) => world.rights('task:edit') },
  { route: 'rights', name: 'rights-denied', path: (world) => world.rights('user:edit') },
  { route: 'rights', name: 'rights-empty', path: '/rights' },
  { route: 'audit', name: 'audit', path: '/audit' },
  { route: 'audit', name: 'audit-entry', path: '/audit?action=task:edit', clicks: ['.audit-table .action'], shows: '.version-diff' },
  { route: 'audit', name: 'audit-refused', path: '/audit?outcome=refused' },
  { route: 'account', name: 'account', path: '/account' },
  { route: 'system', name: 'system', path: '/system' },
  { route: 'system-storage', name: 'system-storage', path: '/system/storage' },
  { route: 'system-transfer', name: 'system-transfer', path: '/system/transfer' },
  { route: 'not-found', name: 'not-found', path: '/nowhere' },
  { route: 'dashboard', name: 'phone-dashboard', path: '/dashboard', isPhone: true },
  { route: 'tasks', name: 'phone-tasks', path: '/task', isPhone: true },
  { route: 'tasks', name: 'phone-menu', path: '/task', isPhone: true, clicks: ['.top-bar .menu'] },
  { route: 'task', name: 'phone-task', path: task(QUALITY), isPhone: true },
  { route: 'runs', name: 'phone-runs', path: '/run', isPhone: true },
  { route: 'run', name: 'phone-run', path: run(QUALITY, 'failed'), isPhone: true },
  { route: 'executors', name: 'phone-executors', path: '/executor', isPhone: true },
  { route: 'alarms', name: 'phone-alarm-incidents', path: '/alarm', isPhone: true },
  { route: 'calendar', name: 'phone-calendar', path: (world) => world.calendar(WORKDAYS), isPhone: true },
  { route: 'users', name: 'phone-users', path: '/user', isPhone: true },
]

/** Pages of which there is no picture: routes that no shot names. */
export function routesWithoutShot(routes: readonly string[]): string[] {
  const shown = new Set(SHOTS.map(({ route }) => route))
  return routes.filter((route) => !shown.has(route))
}
