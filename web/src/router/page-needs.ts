import type { Permission } from '@tickwheel/core'

/** Who may do one thing to many, and who may read what others have done. */
const BULK: readonly Permission[] = ['task:toggle', 'task:run', 'task:delete', 'workflow:toggle', 'workflow:run', 'workflow:delete', 'instance:cancel', 'instance:retry', 'audit:view']

/**
 * What one must be allowed, in some group at least, to open a page: one of these. In the order in which a first page is looked for. A page that is not
 * named here may be opened by everybody who has signed in.
 */
export const PAGE_NEEDS: Readonly<Record<string, readonly Permission[]>> = {
  dashboard: ['task:view', 'workflow:view', 'instance:view', 'executor:view', 'alarm:view'], tasks: ['task:view'], workflows: ['workflow:view'], runs: ['instance:view'], executors: ['executor:view'], groups: ['group:view'],
  users: ['user:view'], roles: ['role:view'], tokens: ['token:view', 'executor:enroll'], rights: ['user:view'], audit: ['audit:view'], system: ['system:view'], 'system-storage': ['system:view'], 'system-transfer': ['task:edit', 'workflow:edit', 'group:edit'],
  alarms: ['alarm:view'], incident: ['alarm:view'], 'alarm-rules': ['alarm:view'], 'alarm-channels': ['alarm:view'], 'alarm-deliveries': ['alarm:view'], variables: ['variable:view'],
  'task-new': ['task:edit'], 'task-edit': ['task:edit'], task: ['task:view'], 'workflow-new': ['workflow:edit'], 'workflow-edit': ['workflow:edit'], workflow: ['workflow:view'],
  bulks: BULK, bulk: BULK,
  calendars: ['calendar:view'], 'calendar-new': ['calendar:edit'], calendar: ['calendar:view'],
  run: ['instance:view'], 'workflow-runs': ['workflow:view'], 'workflow-run': ['workflow:view'],
}

/** Pages without a thing of their own: where somebody can begin. */
const FIRST_PAGES = ['dashboard', 'tasks', 'workflows', 'runs', 'alarms', 'executors', 'groups', 'variables', 'calendars', 'users', 'roles', 'tokens', 'audit', 'system'] as const

type May = (permission: Permission) => boolean

export function mayOpen(page: string, may: May): boolean {
  const needs = PAGE_NEEDS[page]
  return needs === undefined || needs.some((permission) => may(permission))
}

/** Where somebody begins who may not open the start page: their account, where that says what they may do, when there is nothing else. */
export function firstPage(may: May): string {
  return FIRST_PAGES.find((page) => mayOpen(page, may)) ?? 'account'
}
