import { CAUSE, OUTCOMES } from '@tickwheel/core'
import type { ReadTx } from '../../../server/src/store/database.ts'
import type { InstanceRow } from '../../../server/src/store/schema.ts'
import { itemsIn, mapKey } from '../map-tasks.ts'

/**
 * Shards, at the end: each shard of a run that was split exists once and has ended once, a shard has its parent, and the parent's end is what its shards'
 * ends make of it, counted here and not by the engine.
 */
export async function shardFaults(tx: ReadTx): Promise<string[]> {
  const rows = await tx.all<InstanceRow>('SELECT * FROM instance ORDER BY id')
  const shards = rows.filter((row) => row.cause === CAUSE.shard)
  const byParent = Map.groupBy(shards, (row) => row.parent_id)
  const parents = new Map(
    rows.filter((row) => row.first_child_id !== null && row.shard_part?.startsWith('{"fanOut"') !== true).map((row) => [row.id, row]),
  )
  return [
    ...[...parents.values()].flatMap((parent) => parentFaults(parent, byParent.get(parent.id) ?? [])),
    ...shards.filter((row) => !parents.has(row.parent_id ?? 0)).map((row) => `shard ${row.id} has no parent`),
  ].map((fault) => `shards: ${fault}`)
}

function parentFaults(parent: InstanceRow, shards: readonly InstanceRow[]): string[] {
  const total = parent.shard_total ?? 0
  const counts: Record<string, number> = {}
  for (const shard of shards) {
    const outcome = OUTCOMES[shard.outcome - 1] ?? ''
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  const { shards: told, ...toldCounts } = JSON.parse(parent.result ?? '{}') as Record<string, number>
  if (parent.mapped !== null)
    return [...placeFaults(parent, shards), ...mappedFaults(parent, shards), ...countFaults(parent, { told, toldCounts, counts })]
  const expected = counts['succeeded'] === total ? 'succeeded' : parent.cancel_at === null ? 'failed' : 'canceled'
  const outcome = OUTCOMES[parent.outcome - 1]
  return [
    ...placeFaults(parent, shards),
    ...countFaults(parent, { told, toldCounts, counts }),
    ...(outcome === expected ? [] : [`run ${parent.id} ended as ${outcome}, and its shards make it ${expected}`]),
    ...(parent.attempt === 0 && parent.executor_id === null ? [] : [`run ${parent.id} was split and sent`]),
  ]
}

function placeFaults(parent: InstanceRow, shards: readonly InstanceRow[]): string[] {
  const [total, first] = [parent.shard_total ?? 0, parent.first_child_id ?? 0]
  return [
    ...shards
      .filter((row, index) => row.id !== first + index || row.shard_index !== index)
      .map((row) => `shard ${row.id} is not in its place`),
    ...(shards.length === total || parent.cancel_at !== null ? [] : [`run ${parent.id} has ${shards.length} of ${total} shards`]),
  ]
}

interface Counted {
  readonly told: number | undefined
  readonly toldCounts: Readonly<Record<string, number>>
  readonly counts: Readonly<Record<string, number>>
}

/** What the attempt says that combines results is its own. */
function countFaults(parent: InstanceRow, { told, toldCounts, counts }: Counted): string[] {
  if (parent.reduce === 2 || (told === parent.shard_total && same(toldCounts, counts))) return []
  return [`run ${parent.id} says ${parent.result}, and its shards ${JSON.stringify(counts)}`]
}

/** Every item that one attempt of the run has split off is a shard, once, and none of another attempt's is. */
function mappedFaults(parent: InstanceRow, shards: readonly InstanceRow[]): string[] {
  const attempt = Number(shards[0]?.shard_key?.split('/')[1] ?? 0)
  const isWhole = parent.shard_total === itemsIn(parent.id)
  const state = OUTCOMES[parent.outcome - 1]
  return [
    ...(isWhole ? [] : [`run ${parent.id} was split into ${itemsIn(parent.id)}, and has ${parent.shard_total} shards`]),
    ...shards
      .filter((row, index) => row.shard_key !== mapKey({ instanceId: parent.id, attempt }, index))
      .map((row) => `shard ${row.id} is of item ${row.shard_key}`),
    ...(parent.reduce === 1 && state !== 'canceled' ? [`run ${parent.id} ended as ${state}, and nothing was combined`] : []),
    ...(parent.reduce === 2 && parent.attempt <= attempt && state !== 'canceled' ? [`run ${parent.id} combined nothing`] : []),
  ]
}

function same(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every((name) => (one[name] ?? 0) === (other[name] ?? 0))
}
