import type { Scope } from '@tickwheel/core'
import { listOfNumbers } from './list.ts'

/** Whether rows of a group may be seen. */
export function isVisible(scope: Scope, groupId: number): boolean {
  return scope === 'all' || scope.some((visible) => visible === groupId)
}

/** The groups that a query is narrowed to: null, all; an empty list, none (then ask nothing: `IN ()` is not SQL everywhere). */
export function groupsOf(scope: Scope, only: number | undefined): readonly number[] | null {
  if (only !== undefined) return isVisible(scope, only) ? [only] : []
  return scope === 'all' ? null : scope
}

/** Which rows of groups a query is narrowed to: null, of all groups. */
export type GroupFilter = readonly number[] | null

/** More numbers than a statement takes as parameters are written into it. */
const MOST_PARAMS = 1000

/** ` AND <column> IN (…)`, or nothing where all groups are meant. An empty list of groups asks for what no row has. */
export function groupSql(column: string, groups: GroupFilter): { readonly sql: string; readonly params: readonly number[] } {
  if (groups === null) return { sql: '', params: [] }
  if (groups.length === 0) return { sql: ' AND 1 = 0', params: [] }
  if (groups.length > MOST_PARAMS) return { sql: ` AND ${column} IN (${groups.map(Number).join(', ')})`, params: [] }
  const list = listOfNumbers(groups)
  return { sql: ` AND ${column} IN ${list.sql}`, params: list.params }
}
