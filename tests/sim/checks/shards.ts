import { CAUSE, OUTCOMES } from '@tickwheel/core'
import type { ReadTx } from '../../../server/src/store/database.ts'
import type { InstanceRow } from '../../../server/src/store/schema.ts'

/**
 * Shards, at the end: each shard of a run that was split exists once and has ended once, a shard has its parent, and the parent's end is what its shards'
 * ends make of it, counted here and not by the engine.
 */
export async function shardFaults(tx: ReadTx): Promise<string[]> {
  const rows = await tx.all<InstanceRow>('SELECT * FROM instance ORDER BY id')
  const shards = rows.filter((row) => row.cause === CAUSE.shard)
  const byParent = Map.groupBy(shards, (row) => row.parent_id)
  const parents = new Map(rows.filter((row) => row.first_child_id !== null).map((row) => [row.id, row]))
  return [
    ...[...parents.values()].flatMap((parent) => parentFaults(parent, byParent.get(parent.id) ?? [])),
    ...shards.filter((row) => !parents.has(row.parent_id ?? 0)).map((row) => `shard ${row.id} has no parent`),
  ].map((fault) => `shards: ${fault}`)
}

function parentFaults(parent: InstanceRow, shards: readonly InstanceRow[]): string[] {
  const total = parent.shard_total ?? 0
  const first = parent.first_child_id ?? 0
  const counts: Record<string, number> = {}
  for (const shard of shards) {
    const outcome = OUTCOMES[shard.outcome - 1] ?? ''
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  const { shards: told, ...toldCounts } = JSON.parse(parent.result ?? '{}') as Record<string, number>
  const expected = counts['succeeded'] === total ? 'succeeded' : parent.cancel_at === null ? 'failed' : 'canceled'
  const outcome = OUTCOMES[parent.outcome - 1]
  return [
    ...shards
      .filter((row, index) => row.id !== first + index || row.shard_index !== index)
      .map((row) => `shard ${row.id} is not in its place`),
    ...(shards.length === total || parent.cancel_at !== null ? [] : [`run ${parent.id} has ${shards.length} of ${total} shards`]),
    ...(told === total && same(toldCounts, counts)
      ? []
      : [`run ${parent.id} says ${parent.result}, and its shards ${JSON.stringify(counts)}`]),
    ...(outcome === expected ? [] : [`run ${parent.id} ended as ${outcome}, and its shards make it ${expected}`]),
    ...(parent.attempt === 0 && parent.executor_id === null ? [] : [`run ${parent.id} was split and sent`]),
  ]
}

function same(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every((name) => (one[name] ?? 0) === (other[name] ?? 0))
}
