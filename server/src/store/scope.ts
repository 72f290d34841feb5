import type { Scope } from '@tickwheel/core'

/** Whether rows of a group may be seen. */
export function isVisible(scope: Scope, groupId: number): boolean {
  return scope === 'all' || scope.some((visible) => visible === groupId)
}

/** The groups that a query is narrowed to: null, all; an empty list, none (then ask nothing: `IN ()` is not SQL everywhere). */
export function groupsOf(scope: Scope, only: number | undefined): readonly number[] | null {
  if (only !== undefined) return isVisible(scope, only) ? [only] : []
  return scope === 'all' ? null : scope
}
