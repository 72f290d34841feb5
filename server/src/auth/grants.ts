import { ALL_PERMISSIONS, cutGrants, visibleScope, type Grant, type Permission } from '@tickwheel/core'
import type { Me } from '@tickwheel/contract'
import type { ApiTokenFacts } from '../store/api-tokens.ts'
import { bindingOf, grantOf, type BindingFacts } from '../store/bindings.ts'
import type { UserFacts } from '../store/users.ts'

/** Facts are read once and asked for with every call. */
const known = new WeakMap<object, readonly Grant[]>()

/** What an account may do: the union of its bindings. */
export function grantsOf(user: Pick<UserFacts, 'userId' | 'bindings'>): readonly Grant[] {
  return remembered(user.bindings, () => user.bindings.map((binding) => grantOf(binding, { kind: 'user', id: user.userId })))
}

/** What an API token may do: its own bindings, as far as its owner may do that now. */
export function grantsOfToken({ row, bindings, owner }: ApiTokenFacts): readonly Grant[] {
  return remembered(bindings, () => {
    const own = bindings.map((binding) => grantOf(binding, { kind: 'token', id: row.id }))
    return cutGrants(own, grantsOf(owner))
  })
}

function remembered(facts: readonly BindingFacts[], make: () => readonly Grant[]): readonly Grant[] {
  const found = known.get(facts) ?? make()
  known.set(facts, found)
  return found
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

/** The grants one by one, each with the permissions that it gives. */
export function describeBindings(grants: readonly Grant[]): Me['bindings'] {
  return grants.map(({ role, permissions, groups }) => ({
    ...bindingOf({ role, permissions: null, groupIds: groups === 'all' ? null : groups }),
    permissions: ALL_PERMISSIONS.filter((permission) => permissions.has(permission)),
  }))
}
