import { PHASE } from '@tickwheel/core'
import type { Database, ReadTx, Tx } from './database.ts'
import { inSlots } from './in-slots.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { FLOW_LANE } from './run-writes.ts'
import type { OpenInstanceRow } from './schema.ts'

/** Open rows of the given slots, by id, from `after` on: what a new owner takes into memory. At most `limit`. */
export async function openRunsOfSlots(
  db: Database,
  slots: ReadonlySet<number>,
  after: number,
  limit: number,
): Promise<{ rows: OpenInstanceRow[]; last: number | null }> {
  if (slots.size === 0) return { rows: [], last: null }
  const here = inSlots(slots)
  const rows = await db.read((tx) =>
    tx.all<OpenInstanceRow>(`SELECT * FROM open_instance WHERE id > ?${here.sql} ORDER BY id LIMIT ?`, [after, ...here.params, limit]),
  )
  return { rows, last: rows.length < limit ? null : (rows.at(-1)?.id ?? null) }
}

/** The heads of the lanes: queued runs of the given slots, 200 for each group. */
export async function laneHeads(db: Database, groupIds: readonly number[], slots: ReadonlySet<number>): Promise<OpenInstanceRow[]> {
  if (slots.size === 0) return []
  const here = inSlots(slots)
  return db.read(async (tx) => {
    const heads: OpenInstanceRow[] = []
    for (const groupId of groupIds)
      heads.push(
        ...(await tx.all<OpenInstanceRow>(
          `SELECT * FROM open_instance WHERE phase = 2 AND lane = ?${here.sql} ORDER BY rank_at LIMIT 200`,
          [groupId, ...here.params],
        )),
      )
    return heads
  })
}

/**
 * Runs of the given slots in a phase that are past their `rank_at`, soonest first. Of the queued ones (2) runs of workflows; of
 * those that run (4) all but these, which `dueFlows` gives.
 */
export async function pastRank(
  db: Database,
  slots: ReadonlySet<number>,
  { phase, now, limit }: { phase: 1 | 2 | 3 | 4; now: number; limit: number },
): Promise<OpenInstanceRow[]> {
  if (slots.size === 0) return []
  const here = inSlots(slots)
  // a dispatch that nobody has accepted or wants to cancel is looked at by the node that holds the link
  const known = phase === PHASE.dispatched ? ' AND (accepted_at IS NOT NULL OR cancel_at IS NOT NULL)' : ''
  return db.read((tx) =>
    tx.all<OpenInstanceRow>(
      `SELECT * FROM open_instance WHERE phase = ? AND lane = ? AND rank_at <= ?${here.sql}${known} ORDER BY rank_at LIMIT ?`,
      [phase, phase === PHASE.queued ? FLOW_LANE : 0, now, ...here.params, limit],
    ),
  )
}

/** Attempts at some executors that are past their `rank_at`, whatever their slot: not accepted yet, or to be cancelled. Soonest first. */
export async function unansweredAt(db: Database, executorIds: readonly number[], now: number, limit: number): Promise<OpenInstanceRow[]> {
  return db.read(async (tx) => {
    const rows: OpenInstanceRow[] = []
    for (const part of partsOf(executorIds, 1000)) {
      const list = listOfNumbers(part)
      for (const phase of [PHASE.dispatched, PHASE.running])
        rows.push(
          ...(await tx.all<OpenInstanceRow>(
            `SELECT * FROM open_instance WHERE phase = ? AND lane = 0 AND rank_at <= ? AND executor_id IN ${list.sql} AND (accepted_at IS NULL OR cancel_at IS NOT NULL) ORDER BY rank_at LIMIT ?`,
            [phase, now, ...list.params, limit],
          )),
        )
    }
    return rows
  })
}

/** Every attempt that some executors should have. */
export async function attemptsAt(db: Database, executorIds: readonly number[]): Promise<OpenInstanceRow[]> {
  return db.read(async (tx) => {
    const rows: OpenInstanceRow[] = []
    for (const part of partsOf(executorIds, 1000)) {
      const list = listOfNumbers(part)
      rows.push(
        ...(await tx.all<OpenInstanceRow>(
          `SELECT * FROM open_instance WHERE phase IN (3, 4) AND executor_id IN ${list.sql} ORDER BY id`,
          list.params,
        )),
      )
    }
    return rows
  })
}

/** How many attempts are in flight at each executor. */
export async function countInFlight(db: Database): Promise<Map<number, number>> {
  const rows = await db.read((tx) =>
    tx.all<{ executor_id: number; n: number }>(
      'SELECT executor_id, COUNT(*) AS n FROM open_instance WHERE phase IN (3, 4) GROUP BY executor_id',
    ),
  )
  return new Map(rows.map((row) => [row.executor_id, row.n]))
}

/** Some open rows by id. */
export async function openRunsById(db: Database, ids: readonly number[]): Promise<OpenInstanceRow[]> {
  return db.read(async (tx) => {
    const rows: OpenInstanceRow[] = []
    for (const part of partsOf(ids, 1000)) rows.push(...(await readOpen(tx, part)))
    return rows
  })
}

export async function readOpen(tx: ReadTx, ids: readonly number[]): Promise<OpenInstanceRow[]> {
  if (ids.length === 0) return []
  const list = listOfNumbers([...ids].sort((a, b) => a - b))
  return tx.all<OpenInstanceRow>(`SELECT * FROM open_instance WHERE id IN ${list.sql} ORDER BY id`, list.params)
}

/** Reads open rows that this transaction will change. `updateFree`: those that another transaction has locked are left out. */
export async function lockOpen(tx: Tx, ids: readonly number[], how: 'update' | 'updateFree'): Promise<OpenInstanceRow[]> {
  if (ids.length === 0) return []
  const list = listOfNumbers([...ids].sort((a, b) => a - b))
  return tx.all<OpenInstanceRow>(`SELECT * FROM open_instance WHERE id IN ${list.sql} ORDER BY id${tx.locks[how]}`, list.params)
}

/** Which of these runs has attempts at an executor whose boot is older than the given one. */
export async function openRunsOfExecutor(db: Database, executorId: number, beforeBoot: number): Promise<OpenInstanceRow[]> {
  return db.read((tx) =>
    tx.all<OpenInstanceRow>('SELECT * FROM open_instance WHERE phase IN (3, 4) AND executor_id = ? AND boot_id < ? ORDER BY id', [
      executorId,
      beforeBoot,
    ]),
  )
}
