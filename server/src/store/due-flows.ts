import { inSlots } from './in-slots.ts'
import type { Database, ReadTx } from './database.ts'
import { partsOf, type SqlList } from './list.ts'
import { readOpen } from './open-runs.ts'
import { FLOW_LANE } from './run-writes.ts'
import type { OpenInstanceRow } from './schema.ts'
import { readSignals } from './signals.ts'

/** A run of a workflow that is to be looked at. */
export interface DueFlow {
  readonly runId: number
  /** as it is now; null: it has ended */
  readonly row: OpenInstanceRow | null
  /** signals of what its steps ran and has ended */
  readonly signalIds: readonly number[]
}

/**
 * Runs of workflows of the given slots that are to be looked at now, in one read: those for which a step has ended, oldest first, then those past their
 * `rank_at`, soonest first. Of each at most `limit`; `isMore`: there may be others.
 */
export async function dueFlows(
  db: Database,
  slots: ReadonlySet<number>,
  { now, limit }: { now: number; limit: number },
): Promise<{ readonly flows: readonly DueFlow[]; readonly isMore: boolean }> {
  if (slots.size === 0) return { flows: [], isMore: false }
  const here = inSlots(slots)
  return db.read(async (tx) => {
    const signals = await readSignals(tx, here, { steps: true, limit })
    const past = await pastRankIds(tx, here, { now, limit })
    const signalsOf = Map.groupBy(signals, (signal) => signal.target_id)
    const ids = [...new Set([...signalsOf.keys(), ...past])]
    const rows = new Map<number, OpenInstanceRow>()
    for (const part of partsOf(ids, 1000)) for (const row of await readOpen(tx, part)) rows.set(row.id, row)
    return {
      flows: ids.map((runId) => ({
        runId,
        row: rows.get(runId) ?? null,
        signalIds: (signalsOf.get(runId) ?? []).map((signal) => signal.id),
      })),
      isMore: signals.length === limit || past.length === limit,
    }
  })
}

async function pastRankIds(tx: ReadTx, here: SqlList, { now, limit }: { now: number; limit: number }): Promise<number[]> {
  const rows = await tx.all<{ id: number }>(
    `SELECT id FROM open_instance WHERE phase = 4 AND lane = ? AND rank_at <= ?${here.sql} ORDER BY rank_at LIMIT ?`,
    [FLOW_LANE, now, ...here.params, limit],
  )
  return rows.map((row) => row.id)
}
