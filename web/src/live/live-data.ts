import type { Executor, InstanceListItem } from '@tickwheel/contract'

/** The runs in an event of `group:*` or `group:ID`. */
export function runsIn(data: unknown): readonly InstanceListItem[] {
  return hasRuns(data) ? data.instances : []
}

/** The executors in an event of `executor`: those that are or have changed, and the numbers of those that are gone. */
export function executorsIn(data: unknown): { readonly executors: readonly Executor[]; readonly removed: readonly number[] } {
  return hasExecutors(data) ? data : { executors: [], removed: [] }
}

/** Whether an event of `task` names this task. */
export function namesTask(data: unknown, id: number): boolean {
  return typeof data === 'object' && data !== null && 'ids' in data && Array.isArray(data.ids) && data.ids.includes(id)
}

function hasRuns(data: unknown): data is { instances: InstanceListItem[] } {
  return typeof data === 'object' && data !== null && 'instances' in data && Array.isArray(data.instances)
}

function hasExecutors(data: unknown): data is { executors: Executor[]; removed: number[] } {
  return typeof data === 'object' && data !== null && 'executors' in data && Array.isArray(data.executors) && 'removed' in data && Array.isArray(data.removed)
}
