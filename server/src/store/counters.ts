import type { Tx } from './database.ts'

/** What is counted for each group and hour. Outcomes count under their own code (1–6). Never reused. */
export const METRIC = { fired: 10, skipped: 11 } as const

export interface Count {
  readonly groupId: number
  readonly metric: number
  readonly n: number
}

const HOUR_MS = 3_600_000

/** Adds to the counters of the hour, in the transaction that makes the counted rows. Counts of one key are summed first, keys sorted. */
export async function addCounts(tx: Tx, at: number, counts: readonly Count[]): Promise<void> {
  const sums = new Map<string, Count>()
  for (const count of counts) {
    const key = `${count.groupId}:${count.metric}`
    sums.set(key, { ...count, n: count.n + (sums.get(key)?.n ?? 0) })
  }
  const hour = Math.floor(at / HOUR_MS) * HOUR_MS
  const sorted = [...sums.values()].sort((a, b) => a.groupId - b.groupId || a.metric - b.metric)
  for (const { groupId, metric, n } of sorted) {
    const matched = await tx.run('UPDATE counter SET n = n + ? WHERE hour_at = ? AND group_id = ? AND metric = ? AND lane = ?', [
      n,
      hour,
      groupId,
      metric,
      tx.counterLane,
    ])
    if (matched === 0) await tx.insert('counter', [{ hour_at: hour, group_id: groupId, metric, lane: tx.counterLane, n }])
  }
}
