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

/** Who was online, and since which start: what a newcomer is told from. */
export function startsOf(rows: readonly Executor[]): ReadonlyMap<number, string> {
  return new Map(rows.filter((row) => row.state === 'online').map((row) => [row.id, row.registeredAt]))
}

/** An executor of the group that has come online, or has started anew, since `known`. The same name is the same executor coming back. */
export function newcomer(rows: readonly Executor[], groupId: number, known: ReadonlyMap<number, string>): Executor | null {
  return rows.find((row) => row.groupId === groupId && row.state === 'online' && known.get(row.id) !== row.registeredAt) ?? null
}

const FEW_ADDRESSES = 3

/** The first addresses without their scheme, and that there are more: `10.0.0.5:9999, 10.0.0.6:9999, …` */
export function shownAddresses(addresses: readonly string[]): string {
  const shown = addresses.slice(0, FEW_ADDRESSES).map((address) => address.replace(/^https?:\/\//, ''))
  return [...shown, ...(addresses.length > FEW_ADDRESSES ? ['…'] : [])].join(', ')
}
