import { AppError } from '@tickwheel/contract'
import type { ReadTx } from './database.ts'

/** A node that has written no beat for so long does not fire any more. */
const LIVE_MS = 10_000

/**
 * Refuses what nodes below a schema level would not keep to, while one of them lives: `NODE_TOO_OLD`. `now`: the clock of the database, epoch ms.
 */
export async function requireLevel(tx: ReadTx, level: number, now: number): Promise<void> {
  const [older] = await tx.all<{ name: string; version: string; level: number }>(
    'SELECT name, version, level FROM node WHERE level < ? AND beat_at > ? ORDER BY level, run_id LIMIT 1',
    [level, now - LIVE_MS],
  )
  if (older === undefined) return
  throw new AppError(
    'NODE_TOO_OLD',
    `node ${older.name} runs version ${older.version}, which does not know this: upgrade or stop it first`,
    {
      params: { node: older.name, version: older.version, level: older.level, neededLevel: level },
    },
  )
}
