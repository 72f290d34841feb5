import type { Database } from './database.ts'
import type { NodeRow, SlotRow } from './schema.ts'

const KEPT_MS = 86_400_000
const REPLACED_KEPT_MS = 60_000
const SUCCESSORS_AT_ONCE = 200

/** What a process tells of itself with each beat. The instant of the beat is the database's. */
export type NodeBeatRow = Omit<NodeRow, 'beat_at'>

/** Writes that a process lives, as of the clock of the database; its row is made if it is not there. */
export async function beatNode(db: Database, node: NodeBeatRow): Promise<void> {
  await db.write('rest', async (tx) => {
    const at = await tx.now()
    const matched = await tx.run('UPDATE node SET beat_at = ?, connection_ids = ?, facts = ? WHERE run_id = ?', [
      at,
      node.connection_ids,
      node.facts,
      node.run_id,
    ])
    if (matched === 0) await tx.insert('node', [{ ...node, beat_at: at }])
  })
}

/** Nodes and slots at one instant of the database's clock. */
export interface ClusterRows {
  readonly now: number
  readonly nodes: readonly NodeRow[]
  readonly slots: readonly SlotRow[]
}

export async function readCluster(db: Database): Promise<ClusterRows> {
  return db.read(async (tx) => ({
    now: await tx.now(),
    nodes: await tx.all<NodeRow>('SELECT * FROM node ORDER BY run_id'),
    slots: await tx.all<SlotRow>('SELECT * FROM slot ORDER BY id'),
  }))
}

/** An orderly leave: the process is gone and its slots are free, in one step. */
export async function leaveCluster(db: Database, runId: number): Promise<void> {
  await db.write('rest', async (tx) => {
    await tx.run('UPDATE slot SET owner_run = NULL WHERE owner_run = ?', [runId])
    await tx.run('DELETE FROM node WHERE run_id = ?', [runId])
  })
}

/** Every other process is known to be gone: its slots are free. For a process that is alone on its store. */
export async function evictOthers(db: Database, runId: number): Promise<void> {
  await db.write('rest', async (tx) => {
    await tx.run('UPDATE slot SET owner_run = NULL WHERE owner_run <> ?', [runId])
    await tx.run('DELETE FROM node WHERE run_id <> ?', [runId])
  })
}

/**
 * Forgets processes that beat no more and own nothing: a day after their last beat, or after a minute where a node of the same name lives. How many.
 * `successors`: names of nodes that live.
 */
export async function pruneNodes(db: Database, successors: readonly string[]): Promise<number> {
  return db.write('rest', async (tx) => {
    const now = await tx.now()
    const names = successors.slice(0, SUCCESSORS_AT_ONCE)
    const replaced = names.length === 0 ? '' : ` OR name IN (${names.map(() => '?').join(', ')})`
    return tx.run(
      `DELETE FROM node WHERE beat_at < ? AND (beat_at < ?${replaced}) AND run_id NOT IN (SELECT owner_run FROM slot WHERE owner_run IS NOT NULL)`,
      [now - REPLACED_KEPT_MS, now - KEPT_MS, ...names],
    )
  })
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
