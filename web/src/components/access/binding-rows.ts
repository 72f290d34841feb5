import { BUILT_IN_ROLES } from '@tickwheel/core'
import type { Binding } from '@tickwheel/contract'
import { t } from '../../locales/text.ts'

/** One line of the editor. `id` keeps its place while others are removed. */
export interface BindingRow {
  readonly id: number
  role: string
  isEverywhere: boolean
  groupIds: number[]
}

/** A role that can be chosen. */
export interface RoleChoice {
  readonly name: string
  readonly permissions: readonly string[]
}

export const BUILT_IN_CHOICES: readonly RoleChoice[] = Object.entries(BUILT_IN_ROLES).map(([name, permissions]) => ({ name, permissions: [...permissions] }))

let lastId = 0

export function rowsOf(bindings: readonly Binding[]): BindingRow[] {
  return bindings.map(({ role, groupIds }) => newRow(role, groupIds))
}

export function newRow(role = '', groupIds: readonly number[] | null = []): BindingRow {
  lastId += 1
  return { id: lastId, role, isEverywhere: groupIds === null, groupIds: [...(groupIds ?? [])] }
}

/** What is wrong before it is sent, by the row: its sentence. */
export function problemsOf(rows: readonly BindingRow[]): ReadonlyMap<number, string> {
  return new Map(
    rows.flatMap((row): [number, string][] => {
      if (row.role === '') return [[row.id, t('access.bindings.roleMissing')]]
      return row.isEverywhere || row.groupIds.length > 0 ? [] : [[row.id, t('access.bindings.groupsMissing')]]
    }),
  )
}

/** The rows as they are sent; two of one role in some groups are one. */
export function bindingsOf(rows: readonly BindingRow[]): Binding[] {
  const merged = new Map<string, Set<number> | null>()
  for (const { role, isEverywhere, groupIds } of rows) {
    const known = merged.get(role)
    if (isEverywhere || known === null) merged.set(role, null)
    else merged.set(role, new Set([...(known ?? []), ...groupIds]))
  }
  return [...merged].map(([role, groups]) => ({ role, groupIds: groups === null ? null : [...groups].sort((a, b) => a - b) }))
}
