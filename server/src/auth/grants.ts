import { ALL_PERMISSIONS, BUILT_IN_ROLES, visibleScope, type Grant, type Permission } from '@tickwheel/core'
import type { Me } from '@tickwheel/contract'
import type { SignedIn } from './sessions.ts'

/** What a signed-in user may do. In this version an administrator may do everything, and nobody else anything. */
export function grantsOf(user: Pick<SignedIn, 'userId' | 'isAdmin'>): readonly Grant[] {
  if (!user.isAdmin) return []
  return [{ role: 'admin', permissions: BUILT_IN_ROLES.admin, groups: 'all', binding: `user ${user.userId} in all groups` }]
}

/** The grants as the console is told them: permissions on all groups, and on single groups by id. */
export function describeGrants(grants: readonly Grant[]): Me['grants'] {
  const all = ALL_PERMISSIONS.filter((permission) => visibleScope(grants, permission) === 'all')
  const groups: Record<string, Permission[]> = {}
  for (const permission of ALL_PERMISSIONS) {
    const scope = visibleScope(grants, permission)
    if (scope === 'all') continue
    for (const groupId of scope) (groups[String(groupId)] ??= []).push(permission)
  }
  return { all, groups }
}
