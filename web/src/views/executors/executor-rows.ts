import type { Executor } from '@tickwheel/contract'

const ORDER: Record<Executor['state'], number> = { online: 0, draining: 1, offline: 2 }

/** The list with what was told live: changed ones in place, new ones added, gone ones left out; by group, then state, then name. */
export function mergeExecutors(rows: readonly Executor[], told: { readonly executors: readonly Executor[]; readonly removed: readonly number[] }): Executor[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  for (const executor of told.executors) byId.set(executor.id, executor)
  for (const id of told.removed) byId.delete(id)
  return sortExecutors([...byId.values()])
}

export function sortExecutors(rows: readonly Executor[]): Executor[] {
  return rows.toSorted((a, b) => ORDER[a.state] - ORDER[b.state] || a.groupName.localeCompare(b.groupName) || a.name.localeCompare(b.name))
}

/** An executor of the group that is online and was not among those known before. */
export function newcomer(rows: readonly Executor[], groupId: number, known: ReadonlySet<number>): Executor | null {
  return rows.find((row) => row.groupId === groupId && row.state === 'online' && !known.has(row.id)) ?? null
}
