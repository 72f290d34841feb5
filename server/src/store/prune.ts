import { OUTCOME } from '@tickwheel/core'
import { BACKFILL_STAGE } from './backfill-rows.ts'
import { BULK_STAGE } from './bulk-rows.ts'
import { METRIC } from './counters.ts'
import type { Database, Tx, Value } from './database.ts'
import { listOfNumbers } from './list.ts'
import type { Table } from './schema.ts'

/** How many rows one transaction deletes. */
export const PRUNE_BATCH = 500

/** Groups that have ended runs, one step of the index each. */
export async function groupsWithEndedRuns(db: Database): Promise<number[]> {
  return db.read(async (tx) => {
    const groups: number[] = []
    for (let after = 0; ;) {
      const [row] = await tx.all<{ group_id: number | null }>('SELECT MIN(group_id) AS group_id FROM instance WHERE group_id > ?', [after])
      if (row === undefined || row.group_id === null) return groups
      groups.push(row.group_id)
      after = row.group_id
    }
  })
}

/**
 * Deletes runs of a group with an outcome and ids below `beforeId`, with their attempts, payloads, retry links and steps. How many runs went; fewer than
 * `PRUNE_BATCH`: that was all.
 */
export async function pruneRuns(
  db: Database,
  { groupId, outcome, beforeId }: { groupId: number; outcome: number; beforeId: number },
): Promise<number> {
  return db.write('rest', async (tx) => {
    const rows = await tx.all<{ id: number }>(
      `SELECT id FROM instance WHERE group_id = ? AND outcome = ? AND id < ? ORDER BY id LIMIT ${PRUNE_BATCH}`,
      [groupId, outcome, beforeId],
    )
    if (rows.length === 0) return 0
    const list = listOfNumbers(rows.map((row) => row.id))
    for (const table of ['workflow_run', 'step_run']) await tx.run(`DELETE FROM ${table} WHERE run_id IN ${list.sql}`, list.params)
    for (const table of ['attempt', 'payload', 'retry_link'])
      await tx.run(`DELETE FROM ${table} WHERE instance_id IN ${list.sql}`, list.params)
    await tx.run(`DELETE FROM instance WHERE id IN ${list.sql}`, list.params)
    return rows.length
  })
}

export const ALL_OUTCOMES: readonly number[] = Object.values(OUTCOME)
/** Ends that are kept longer: what a person may still want to explain. */
export const FAILURES: ReadonlySet<number> = new Set([OUTCOME.failed, OUTCOME.timedOut, OUTCOME.lost])

/** Deletes the oldest firings due before an instant; how many. */
export async function pruneFirings(db: Database, before: number): Promise<number> {
  return deleteBatch(db, { table: 'firing', keys: ['due_at', 'series_id'], where: 'due_at < ?', params: [before] })
}

export async function pruneFoldedHours(db: Database, before: number): Promise<number> {
  return deleteBatch(db, { table: 'firing_hour', keys: ['hour_at', 'series_id'], where: 'hour_at < ?', params: [before] })
}

/** Deletes skips that ended before an instant, of series with ids in `(after, …]`. `next`: the series to go on after; null: all were looked at. */
export async function pruneSkips(db: Database, before: number, after: number): Promise<{ deleted: number; next: number | null }> {
  return db.write('rest', async (tx) => {
    const rows = await tx.all<{ series_id: number; from_at: number; to_at: number }>(
      `SELECT series_id, from_at, to_at FROM skip WHERE series_id > ? ORDER BY series_id, from_at LIMIT ${PRUNE_BATCH}`,
      [after],
    )
    const last = rows.at(-1)
    const old = rows.filter((row) => row.to_at < before)
    await tx.runMany(
      'DELETE FROM skip WHERE series_id = ? AND from_at = ?',
      old.map((row) => [row.series_id, row.from_at]),
    )
    if (last === undefined || rows.length < PRUNE_BATCH) return { deleted: old.length, next: null }
    const isWholeSeries = rows[0]?.series_id === last.series_id
    return { deleted: old.length, next: isWholeSeries ? (old.length > 0 ? after : last.series_id) : last.series_id - 1 }
  })
}

export async function pruneAudit(db: Database, beforeId: number, before: number): Promise<number> {
  return deleteBatch(db, { table: 'audit', keys: ['id'], where: 'id < ? AND at < ?', params: [beforeId, before] })
}

/**
 * Deletes a batch of the oldest backfill that ended before an instant: its instants first, then itself. Its runs go as all runs do. True: there is more.
 */
export async function pruneBackfills(db: Database, before: number): Promise<boolean> {
  return db.write('rest', async (tx) => {
    const [old] = await tx.all<{ id: number; task_id: number }>(
      `SELECT id, task_id FROM backfill WHERE stage IN (${BACKFILL_STAGE.done}, ${BACKFILL_STAGE.canceled}) AND ended_at < ? ORDER BY id LIMIT 1`,
      [before],
    )
    if (old === undefined) return false
    const rows = await tx.all<{ due_at: number }>(
      `SELECT due_at FROM backfill_run WHERE task_id = ? AND backfill_id = ? ORDER BY due_at LIMIT ${PRUNE_BATCH}`,
      [old.task_id, old.id],
    )
    await tx.runMany(
      'DELETE FROM backfill_run WHERE task_id = ? AND due_at = ? AND backfill_id = ?',
      rows.map((row) => [old.task_id, row.due_at, old.id]),
    )
    if (rows.length === PRUNE_BATCH) return true
    await tx.run('DELETE FROM backfill_plan WHERE backfill_id = ?', [old.id])
    await tx.run('DELETE FROM backfill WHERE id = ?', [old.id])
    return true
  })
}

/** Deletes a batch of the oldest bulk operation that ended before an instant: its items first, then itself. True: there is more. */
export async function pruneBulks(db: Database, before: number): Promise<boolean> {
  return db.write('rest', async (tx) => {
    const [old] = await tx.all<{ id: number }>(
      `SELECT id FROM bulk WHERE stage IN (${BULK_STAGE.done}, ${BULK_STAGE.canceled}) AND ended_at < ? ORDER BY id LIMIT 1`,
      [before],
    )
    if (old === undefined) return false
    const rows = await tx.all<{ place: number }>(`SELECT place FROM bulk_item WHERE bulk_id = ? ORDER BY place LIMIT ${PRUNE_BATCH}`, [
      old.id,
    ])
    await tx.runMany(
      'DELETE FROM bulk_item WHERE bulk_id = ? AND place = ?',
      rows.map(({ place }) => [old.id, place]),
    )
    if (rows.length < PRUNE_BATCH) await tx.run('DELETE FROM bulk WHERE id = ?', [old.id])
    return true
  })
}

/** Answers that are kept for repeats of a call. */
export async function pruneRequestKeys(db: Database, before: number): Promise<number> {
  return deleteBatch(db, { table: 'request_key', keys: ['key_hash'], where: 'at < ?', params: [before] })
}

/** Sign-ins that cannot be used any more. */
export async function pruneSessions(db: Database, before: number): Promise<number> {
  return deleteBatch(db, { table: 'session', keys: ['id'], where: 'expires_at < ?', params: [before] })
}

/** Tokens that were revoked, or expired, before an instant, with what they were bound to. The audit log still names them. */
export async function pruneTokens(db: Database, before: number): Promise<number> {
  return db.write('rest', async (tx) => {
    const rows = await tx.all<{ id: number }>('SELECT id FROM token WHERE revoked_at < ? OR expires_at < ? ORDER BY id LIMIT ?', [
      before,
      before,
      PRUNE_BATCH,
    ])
    await tx.runMany(
      "DELETE FROM access_binding WHERE holder_kind = 'token' AND holder_id = ?",
      rows.map(({ id }) => [id]),
    )
    await tx.runMany(
      'DELETE FROM token WHERE id = ?',
      rows.map(({ id }) => [id]),
    )
    return rows.length
  })
}

export async function pruneCounters(db: Database, before: number): Promise<number> {
  return deleteBatch(db, { table: 'counter', keys: ['hour_at', 'group_id', 'metric', 'lane'], where: 'hour_at < ?', params: [before] })
}

const LOOKED_BACK_MS = 3 * 86_400_000

/** How late runs started before an instant: there are many more of these than of other counters. Hours of three days before it are looked at. */
export async function pruneStarts(db: Database, before: number): Promise<number> {
  return deleteBatch(db, {
    table: 'counter',
    keys: ['hour_at', 'group_id', 'metric', 'lane'],
    where: 'hour_at >= ? AND hour_at < ? AND metric >= ?',
    params: [before - LOOKED_BACK_MS, before, METRIC.start],
  })
}

/** Runs behind incidents that were opened before a run id. */
export async function pruneIncidentRuns(db: Database, beforeId: number): Promise<number> {
  return deleteBatch(db, { table: 'incident_run', keys: ['incident_id', 'instance_id'], where: 'incident_id < ?', params: [beforeId] })
}

/** Incidents that are over and were opened before a run id. */
export async function pruneIncidents(db: Database, beforeId: number): Promise<number> {
  return deleteBatch(db, { table: 'incident', keys: ['id'], where: 'id < ? AND state = 3', params: [beforeId] })
}

/** Messages that were left before a run id and are not waiting to be sent. */
export async function pruneDeliveries(db: Database, beforeId: number): Promise<number> {
  return deleteBatch(db, { table: 'delivery', keys: ['id'], where: 'id < ? AND state <> 1', params: [beforeId] })
}

/** What rules remember of tasks that have not told of themselves since an instant. */
export async function pruneTracks(db: Database, before: number): Promise<number> {
  return deleteBatch(db, { table: 'alarm_track', keys: ['rule_id', 'task_id'], where: 'updated_at < ?', params: [before] })
}

interface Batch {
  readonly table: Table
  readonly keys: readonly string[]
  readonly where: string
  readonly params: readonly Value[]
}

/** Reads keys, then deletes by key: a delete with a limit is not SQL everywhere, and one without would hold its locks for long. */
async function deleteBatch(db: Database, { table, keys, where, params }: Batch): Promise<number> {
  return db.write('rest', async (tx: Tx) => {
    const columns = keys.join(', ')
    const rows = await tx.all<Readonly<Record<string, Value>>>(
      `SELECT ${columns} FROM ${table} WHERE ${where} ORDER BY ${columns} LIMIT ${PRUNE_BATCH}`,
      params,
    )
    await tx.runMany(
      `DELETE FROM ${table} WHERE ${keys.map((key) => `${key} = ?`).join(' AND ')}`,
      rows.map((row) => keys.map((key) => row[key] ?? null)),
    )
    return rows.length
  })
}
