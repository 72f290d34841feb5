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

/** Every grant that allows something in a group, in their order: the whole answer to "why can she?". None: she may not. */
export function allowing(grants: readonly Grant[], permission: Permission, groupId: GroupId | null): readonly Grant[] {
  return grants.filter((grant) => grant.permissions.has(permission) && reaches(grant, permission, groupId))
}

/** What a token may do: what its own grants and those of its owner both allow. One grant for each pair that has something in common. */
export function cutGrants(own: readonly Grant[], owners: readonly Grant[]): readonly Grant[] {
  return own.flatMap((grant) => owners.flatMap((limit) => common(grant, limit) ?? []))
}

function common(grant: Grant, limit: Grant): Grant | null {
  const permissions = grant.permissions.intersection(limit.permissions)
  const groups = commonScope(grant.groups, limit.groups)
  return permissions.size === 0 || (groups !== 'all' && groups.length === 0) ? null : { ...grant, permissions, groups }
}

function commonScope(one: Scope, other: Scope): Scope {
  if (one === 'all') return other
  return other === 'all' ? one : one.filter((groupId) => other.includes(groupId))
}

/**
 * The first permission of a role that somebody lacks who wants to give it, or take it away, in these groups, and in which of them (null: in all, now and later); null: nothing is
 * lacking. A permission of scope `all` has no effect in a role that is bound to single groups, and is not asked for there.
 */
export function lacking(
  grants: readonly Grant[],
  { permissions, groups }: Pick<Grant, 'permissions' | 'groups'>,
): { readonly permission: Permission; readonly groupId: GroupId | null } | null {
  for (const permission of permissions) {
    const scope = visibleScope(grants, permission)
    if (scope === 'all' || (groups !== 'all' && PERMISSIONS[permission] === 'all')) continue
    if (groups === 'all') return { permission, groupId: null }
    const groupId = groups.find((wanted) => !scope.includes(wanted))
    if (groupId !== undefined) return { permission, groupId }
  }
  return null
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
