import { ALL_PERMISSIONS } from './permission.ts'
import type { Permission } from './permission.ts'

const VIEW: readonly Permission[] = [
  'group:view',
  'task:view',
  'task:viewParams',
  'instance:view',
  'instance:viewLogs',
  'workflow:view',
  'workflow:viewParams',
  'executor:view',
  'calendar:view',
  'variable:view',
  'alarm:view',
]

const OPERATE: readonly Permission[] = [
  'task:run',
  'task:toggle',
  'instance:cancel',
  'instance:retry',
  'workflow:run',
  'workflow:toggle',
  'workflow:operate',
  'executor:operate',
  'alarm:operate',
]

const DEVELOP: readonly Permission[] = [
  'task:runWithParams',
  'task:edit',
  'task:editScript',
  'task:delete',
  'workflow:runWithParams',
  'workflow:edit',
  'workflow:delete',
  'calendar:edit',
  'calendar:delete',
  'variable:edit',
  'variable:delete',
  'alarm:edit',
  'alarm:delete',
  'secret:view',
]

/**
 * The roles that are built in and cannot be edited. A developer does not approve what developers build (`workflow:approve`).
 * An admin has everything, and the permissions of scope `all` take effect only where the role is bound to all groups.
 */
export const BUILT_IN_ROLES = {
  viewer: new Set(VIEW),
  operator: new Set<Permission>([...VIEW, ...OPERATE, 'workflow:approve']),
  developer: new Set([...VIEW, ...OPERATE, ...DEVELOP]),
  admin: new Set(ALL_PERMISSIONS),
} as const satisfies Record<string, ReadonlySet<Permission>>

export type BuiltInRole = keyof typeof BUILT_IN_ROLES
