import type { GroupId, Scope } from '../ids.ts'
import { PERMISSIONS } from './permission.ts'
import type { Permission } from './permission.ts'

/** One binding of a caller, with its role opened up: these permissions in these groups. */
export type Grant = {
  readonly role: string
  readonly permissions: ReadonlySet<Permission>
  readonly groups: 'all' | readonly GroupId[]
  /** What the answer to "why can she?" names, as `user 7 in all groups`. */
  readonly binding: string
}

/** `by` names the role and the binding that allow it, null when nothing does. */
export type Verdict = { readonly allowed: boolean; readonly by: string | null }

/**
 * Whether a caller with these grants may do something in a group. Rights are the union of the grants; there are no denials.
 * `groupId` is null for what belongs to no group (a new group, the list of users): that needs a grant on all groups, and so does every
 * permission of scope `all`, whatever the group.
 */
export function may(grants: readonly Grant[], permission: Permission, groupId: GroupId | null): Verdict {
  const allowing = grants.find((grant) => grant.permissions.has(permission) && reaches(grant, permission, groupId))
  return allowing === undefined ? { allowed: false, by: null } : { allowed: true, by: `${allowing.role}: ${allowing.binding}` }
}

/** The groups in which a caller has a permission, ascending: what a query over rows of groups is given. Empty when in none. */
export function visibleScope(grants: readonly Grant[], permission: Permission): Scope {
  const having = grants.filter((grant) => grant.permissions.has(permission))
  if (having.some((grant) => grant.groups === 'all')) return 'all'
  if (PERMISSIONS[permission] === 'all') return []
  const groups = new Set(having.flatMap((grant) => (grant.groups === 'all' ? [] : grant.groups)))
  return [...groups].sort((a, b) => a - b)
}

/** Whether a scope includes a group. */
export function isInScope(scope: Scope, groupId: GroupId): boolean {
  return scope === 'all' || scope.includes(groupId)
}

function reaches({ groups }: Grant, permission: Permission, groupId: GroupId | null): boolean {
  if (groups === 'all') return true
  return PERMISSIONS[permission] === 'group' && groupId !== null && groups.includes(groupId)
}
