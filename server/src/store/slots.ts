import type { Database, Tx } from './database.ts'
import { listOfNumbers } from './list.ts'

/** What a transaction of a slot owner names: the fence that it holds for each slot. */
export type Fences = ReadonlyMap<number, number>

/**
 * Locks the slots (shared) and gives those whose fence is still the caller's. Another fence: someone else owns the slot since, and everything that
 * was decided for it from memory must be dropped.
 */
export async function heldSlots(tx: Tx, fences: Fences): Promise<Set<number>> {
  const slots = [...fences.keys()].sort((a, b) => a - b)
  if (slots.length === 0) return new Set()
  const list = listOfNumbers(slots)
  const rows = await tx.all<{ id: number; fence: number }>(
    `SELECT id, fence FROM slot WHERE id IN ${list.sql} ORDER BY id${tx.locks.share}`,
    list.params,
  )
  return new Set(rows.filter((row) => fences.get(row.id) === row.fence).map((row) => row.id))
}

/** Writes the row of this process start. */
export async function addNode(
  db: Database,
  node: { runId: number; name: string; url: string; version: string; level: number; at: number },
): Promise<void> {
  await db.write('rest', (tx) =>
    tx.insert('node', [
      {
        run_id: node.runId,
        name: node.name,
        url: node.url,
        roles: 'api,scheduler',
        version: node.version,
        level: node.level,
        connection_ids: '',
        beat_at: node.at,
      },
    ]),
  )
}

export async function beatNode(db: Database, runId: number, at: number): Promise<void> {
  await db.write('rest', (tx) => tx.run('UPDATE node SET beat_at = ? WHERE run_id = ?', [at, runId]))
}

export interface NodeSeen {
  readonly runId: number
  readonly name: string
  readonly beatAt: number
}

/** Processes that have written a beat since an instant. */
export async function nodesSeen(db: Database, since: number): Promise<NodeSeen[]> {
  const rows = await db.read((tx) =>
    tx.all<{ run_id: number; name: string; beat_at: number }>('SELECT run_id, name, beat_at FROM node WHERE beat_at > ?', [since]),
  )
  return rows.map((row) => ({ runId: row.run_id, name: row.name, beatAt: row.beat_at }))
}

/** Rows of processes that have been gone for a day are forgotten. */
export async function pruneNodes(db: Database, before: number): Promise<number> {
  return db.write('rest', (tx) =>
    tx.run('DELETE FROM node WHERE beat_at < ? AND run_id NOT IN (SELECT owner_run FROM slot WHERE owner_run IS NOT NULL)', [before]),
  )
}

/** Takes slots for a process: each gets a larger fence. The fences that now hold. */
export async function takeSlots(db: Database, runId: number, slots: readonly number[], at: number): Promise<Map<number, number>> {
  return db.write('rest', async (tx) => {
    await tx.runMany(
      'UPDATE slot SET owner_run = ?, fence = fence + 1, taken_at = ? WHERE id = ?',
      slots.map((slot) => [runId, at, slot]),
    )
    const rows = await tx.all<{ id: number; fence: number }>('SELECT id, fence FROM slot WHERE owner_run = ?', [runId])
    return new Map(rows.map((row) => [row.id, row.fence]))
  })
}

/** An orderly leave: the slots are free at once. */
export async function releaseSlots(db: Database, runId: number): Promise<void> {
  await db.write('rest', async (tx) => {
    await tx.run('UPDATE slot SET owner_run = NULL WHERE owner_run = ?', [runId])
    await tx.run('DELETE FROM node WHERE run_id = ?', [runId])
  })
}
