import { CAUSE, latenessBucket, LATENESS_BUCKETS } from '@tickwheel/core'
import type { Tx } from './database.ts'
import type { OpenInstanceRow } from './schema.ts'

/**
 * What is counted for each group and hour. Outcomes count under their own code (1–6); starts under `start` and the bucket of their lateness (20–80). A
 * number is never used again for something else.
 */
export const METRIC = { fired: 10, skipped: 11, start: 20 } as const

/** The metrics of starts are below this. */
export const STARTS_END = METRIC.start + LATENESS_BUCKETS

export interface Count {
  readonly groupId: number
  readonly metric: number
  readonly n: number
}

const HOUR_MS = 3_600_000

/** The hour in which something counts, epoch ms. */
export function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}

/**
 * How late a run starts, as it is counted: of runs that a schedule fired, the first try, by the lateness against their instant. What an attempt starts that
 * came after a failure says nothing of the scheduler, and what combines shards is no start.
 */
export function startCounts(
  { cause, due_at: dueAt, tries, reduce, group_id: groupId }: Pick<OpenInstanceRow, 'cause' | 'due_at' | 'tries' | 'reduce' | 'group_id'>,
  startedAt: number,
): Count[] {
  if (cause !== CAUSE.schedule || dueAt === null || tries > 0 || reduce !== null) return []
  return [{ groupId, metric: METRIC.start + latenessBucket(startedAt - dueAt), n: 1 }]
}

/** Adds to the counters of the hour, in the transaction that makes the counted rows. Counts of one key are summed first, keys sorted. */
export async function addCounts(tx: Tx, at: number, counts: readonly Count[]): Promise<void> {
  const sums = new Map<string, Count>()
  for (const count of counts) {
    const key = `${count.groupId}:${count.metric}`
    sums.set(key, { ...count, n: count.n + (sums.get(key)?.n ?? 0) })
  }
  const hour = hourOf(at)
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
