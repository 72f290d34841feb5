import type { Database } from './database.ts'
import { inSlots } from './in-slots.ts'

export interface OverdueCursor {
  readonly seriesId: number
  readonly taskId: number
  readonly groupId: number
  readonly dueAt: number
}

/** Instants due before an instant (epoch ms) that nobody has settled: their node is behind, or their series is held. */
export async function overdueCursors(
  db: Database,
  slots: ReadonlySet<number>,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<OverdueCursor[]> {
  if (slots.size === 0) return []
  const here = inSlots(slots)
  const rows = await db.read((tx) =>
    tx.all<{ id: number; owner_id: number; group_id: number; next_due_at: number }>(
      `SELECT id, owner_id, group_id, next_due_at FROM series WHERE next_due_at < ?${here.sql} ORDER BY next_due_at LIMIT ?`,
      [before, ...here.params, limit],
    ),
  )
  return rows.map((row) => ({ seriesId: row.id, taskId: row.owner_id, groupId: row.group_id, dueAt: row.next_due_at }))
}
