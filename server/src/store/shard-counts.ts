import type { ShardCounts } from '@tickwheel/core'
import { parseJson } from './definition.ts'
import type { RunFacts } from './schema.ts'

/** How many shards of a run have ended how, as far as their ends were applied. */
export function countsOfParent(row: Pick<RunFacts, 'children_ended'>): ShardCounts {
  const value = row.children_ended === null ? null : parseJson(row.children_ended)
  return typeof value === 'object' && value !== null ? value : {}
}
