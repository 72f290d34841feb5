import type { TraceEntry } from '@tickwheel/core'

/** The bulk operation that a command is an item of. */
export interface InBulk {
  readonly id: number
  readonly total: number
}

/** What the trace of a run tells of it. */
export function inBulk(bulk: InBulk | undefined, at: number): TraceEntry[] {
  return bulk === undefined ? [] : [{ reason: 'inBulk', at, facts: { bulk: bulk.id, total: bulk.total } }]
}
