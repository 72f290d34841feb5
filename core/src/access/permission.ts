/**
 * Every permission there is and where it applies. `group`: in the group of the thing, or in all groups where the thing belongs to none
 * (creating a group, a calendar of nobody). `all`: only for whoever has it in all groups.
 */
export const PERMISSIONS = {
  'group:view': 'group',
  'group:edit': 'group',
  'task:view': 'group',
  'task:viewParams': 'group',
  'task:edit': 'group',
  'task:editScript': 'group',
  'task:delete': 'group',
  'task:run': 'group',
  'task:runWithParams': 'group',
  'task:toggle': 'group',
  'instance:view': 'group',
  'instance:viewLogs': 'group',
  'instance:cancel': 'group',
  'instance:retry': 'group',
  'workflow:view': 'group',
  'workflow:viewParams': 'group',
  'workflow:edit': 'group',
  'workflow:delete': 'group',
  'workflow:run': 'group',
  'workflow:runWithParams': 'group',
  'workflow:toggle': 'group',
  'workflow:operate': 'group',
  'workflow:approve': 'group',
  'executor:view': 'group',
  'executor:operate': 'group',
  'executor:enroll': 'group',
  'calendar:view': 'group',
  'calendar:edit': 'group',
  'calendar:delete': 'group',
  'variable:view': 'group',
  'variable:edit': 'group',
  'variable:delete': 'group',
  'alarm:view': 'group',
  'alarm:edit': 'group',
  'alarm:delete': 'group',
  'alarm:operate': 'group',
  'secret:view': 'group',
  'secret:edit': 'group',
  'secret:delete': 'group',
  'user:view': 'all',
  'user:edit': 'all',
  'role:view': 'all',
  'role:edit': 'all',
  'token:view': 'all',
  'token:edit': 'all',
  'audit:view': 'group',
  'system:view': 'all',
  'system:edit': 'all',
} as const satisfies Record<string, 'group' | 'all'>

export type Permission = keyof typeof PERMISSIONS

/** Every permission, in the order of the table. */
export const ALL_PERMISSIONS: readonly Permission[] = Object.keys(PERMISSIONS).filter(isPermission)

/** Whether a text from outside names a permission. */
export function isPermission(text: string): text is Permission {
  return Object.hasOwn(PERMISSIONS, text)
}
