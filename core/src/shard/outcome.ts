import { OUTCOMES, type Outcome } from '../instance/state.ts'

/** How many shards ended how; what is absent is 0. */
export type ShardCounts = Readonly<Partial<Record<Outcome, number>>>

/** How many shards have ended. */
export function endedShards(counts: ShardCounts): number {
  return OUTCOMES.reduce((sum, outcome) => sum + (counts[outcome] ?? 0), 0)
}

/** The counts with some more ends. */
export function addShards(counts: ShardCounts, outcomes: readonly Outcome[]): ShardCounts {
  const sum: Partial<Record<Outcome, number>> = { ...counts }
  for (const outcome of outcomes) sum[outcome] = (sum[outcome] ?? 0) + 1
  return sum
}

/**
 * How a parent ends when no shard is open any more: as its shards did. Succeeded if all of them did, also where somebody asked to cancel too late;
 * canceled where that stopped some of them or kept some from being made; else failed.
 */
export function outcomeOfParent({
  total,
  counts,
  isCanceled,
}: {
  total: number
  counts: ShardCounts
  isCanceled: boolean
}): 'succeeded' | 'failed' | 'canceled' {
  if ((counts.succeeded ?? 0) === total) return 'succeeded'
  return isCanceled ? 'canceled' : 'failed'
}
