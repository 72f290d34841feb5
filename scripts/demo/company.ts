import type { Binding, GroupCreate, SecretCreate, VariableCreate } from '@tickwheel/contract'

/* The company that the demo shows: its groups, the people who work there and the executors that they run. It does not exist. */

/** The password of everybody in the demo. */
export const PASSWORD = 'a wheel that ticks'

export const GROUPS: readonly GroupCreate[] = [
  { name: '数据平台', appName: 'data-platform', description: '数仓、画像与搜索索引。Warehouse, profiles, search.' },
  { name: '订单中心', appName: 'order-center', description: '下单、关单、库存与大促' },
  {
    name: 'Payments & settlement (Europe, Middle East and Africa)',
    appName: 'payments-emea',
    description: 'Card acquiring, SEPA and the daily settlement files.',
  },
  { name: 'Growth', appName: 'growth', description: 'Campaigns, mailings and the numbers about them.' },
]

export interface DemoExecutor {
  readonly app: string
  readonly name: string
  readonly capacity: number
  readonly labels?: Readonly<Record<string, string>>
  readonly host: string
  /** it left so many days ago, and has not come back */
  readonly leftDaysAgo?: number
}

export const EXECUTORS: readonly DemoExecutor[] = [
  { app: 'default', name: 'ops-shanghai-01', capacity: 12, labels: { region: 'cn-east' }, host: 'ops-shanghai-01' },
  { app: 'default', name: 'ops-frankfurt-01', capacity: 8, labels: { region: 'eu-central' }, host: 'ops-frankfurt-01' },
  { app: 'data-platform', name: 'etl-beijing-01', capacity: 4, labels: { region: 'cn-north' }, host: 'etl-beijing-01' },
  { app: 'data-platform', name: 'etl-frankfurt-02', capacity: 8, labels: { region: 'eu-central', gpu: 'yes' }, host: 'etl-frankfurt-02' },
  {
    app: 'data-platform',
    name: 'etl-batch-nightly-k8s-7d9f6c5b8-x2lqn.data-platform.svc.cluster.local',
    capacity: 16,
    host: 'k8s-node-117',
  },
  { app: 'order-center', name: '订单-上海-01', capacity: 10, labels: { zone: 'a' }, host: 'order-sh-01' },
  { app: 'order-center', name: '订单-上海-02', capacity: 10, labels: { zone: 'b' }, host: 'order-sh-02' },
  { app: 'growth', name: 'growth-01', capacity: 6, host: 'growth-01' },
  { app: 'payments-emea', name: 'settlement-dublin', capacity: 2, host: 'settlement-dublin', leftDaysAgo: 2 },
]

export interface Person {
  readonly username: string
  readonly displayName: string
  /** groups by their appName; null: all */
  readonly roles: readonly { readonly role: string; readonly apps: readonly string[] | null }[]
  readonly hasLeft?: true
}

export const PEOPLE: readonly Person[] = [
  { username: 'chen.jing', displayName: '陈静', roles: [{ role: 'admin', apps: null }] },
  {
    username: 'wang.lei',
    displayName: '王磊',
    roles: [
      { role: 'developer', apps: ['data-platform', 'order-center'] },
      { role: 'viewer', apps: null },
    ],
  },
  { username: 'li.na', displayName: '李娜', roles: [{ role: 'operator', apps: null }] },
  {
    username: 'maria.fernandez-castellanos@subsidiary.example.com',
    displayName: 'María Fernández Castellanos, night shift of the second operations team',
    roles: [
      { role: 'operator', apps: ['payments-emea', 'growth', 'default'] },
      { role: 'Release managers of the billing platform', apps: ['payments-emea'] },
    ],
  },
  { username: 'han.meimei', displayName: '韩梅梅', roles: [{ role: 'viewer', apps: null }] },
  { username: 'new.colleague', displayName: '', roles: [{ role: 'viewer', apps: ['growth'] }] },
  { username: 'auditor', displayName: '审计', roles: [{ role: '审计员', apps: null }] },
  { username: 'tom.becker', displayName: 'Tom Becker (left)', roles: [], hasLeft: true },
]

export const ROLES = [
  {
    name: 'Release managers of the billing platform',
    description: 'May start releases and see why they failed.',
    permissions: ['group:view', 'task:view', 'task:run', 'task:editScript', 'instance:view', 'instance:viewLogs'],
  },
  { name: '审计员', description: '查看审计日志', permissions: ['group:view', 'audit:view'] },
] as const

export const VARIABLES: readonly (VariableCreate & { readonly app?: string })[] = [
  { groupId: null, name: 'REPORT_FOLDER', value: '/srv/reports', description: 'where reports are written' },
  { groupId: null, name: 'REGION', value: 'eu-central-1' },
  { groupId: null, app: 'default', name: 'DB_HOST', value: 'db-primary.internal:3306', description: '主库地址' },
  { groupId: null, app: 'data-platform', name: 'WAREHOUSE', value: 'warehouse_v7', description: '数仓当前版本' },
]

export const SECRETS: readonly (SecretCreate & { readonly app?: string })[] = [
  { groupId: null, app: 'default', name: 'DB_PASSWORD', value: 'only-for-the-demo', description: '备份账号的密码' },
  { groupId: null, name: 'REPORT_TOKEN', value: 'only-for-the-demo-2', description: 'of the report service' },
]

export function bindingsOf({ roles }: Person, groupIdOf: (app: string) => number): Binding[] {
  return roles.map(({ role, apps }) => ({ role, groupIds: apps === null ? null : apps.map(groupIdOf) }))
}

/** The calendar of those who work on the working days of mainland China. */
export const WORKDAYS = '中国大陆工作日'
