import type { Database, ReadTx, Tx } from './database.ts'
import { listOfNumbers, partsOf } from './list.ts'
import type { OpenInstanceRow } from './schema.ts'

/** Open rows of the given slots, by id, from `after` on: what a new owner takes into memory. At most `limit`. */
export async function openRunsOfSlots(
  db: Database,
  slots: ReadonlySet<number>,
  after: number,
  limit: number,
): Promise<{ rows: OpenInstanceRow[]; last: number | null }> {
  const rows = await db.read((tx) =>
    tx.all<OpenInstanceRow>('SELECT * FROM open_instance WHERE id > ? ORDER BY id LIMIT ?', [after, limit]),
  )
  return { rows: rows.filter((row) => slots.has(row.slot)), last: rows.length < limit ? null : (rows.at(-1)?.id ?? null) }
}

/** The heads of the lanes: queued runs of the given slots, 200 for each group. */
export async function laneHeads(db: Database, groupIds: readonly number[], slots: ReadonlySet<number>): Promise<OpenInstanceRow[]> {
  return db.read(async (tx) => {
    const heads: OpenInstanceRow[] = []
    for (const groupId of groupIds) {
      heads.push(
        ...(await tx.all<OpenInstanceRow>('SELECT * FROM open_instance WHERE phase = 2 AND lane = ? ORDER BY rank_at LIMIT 200', [
          groupId,
        ])),
      )
    }
    return heads.filter((row) => slots.has(row.slot))
  })
}

/** Runs in a phase that are past their `rank_at`, soonest first. */
export async function pastRank(db: Database, phase: 1 | 3 | 4, now: number, limit: number): Promise<OpenInstanceRow[]> {
  return db.read((tx) =>
    tx.all<OpenInstanceRow>('SELECT * FROM open_instance WHERE phase = ? AND lane = 0 AND rank_at <= ? ORDER BY rank_at LIMIT ?', [
      phase,
      now,
      limit,
    ]),
  )
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
