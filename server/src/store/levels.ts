import { AppError } from '@tickwheel/contract'
import type { ReadTx } from './database.ts'

/** The schema level whose programs know limits, shards, routing beyond the first two strategies, and executors without a stream. */
export const EXECUTORS_LEVEL = 4

/** A node that has written no beat for so long does not fire any more. */
const LIVE_MS = 10_000

/**
 * Refuses what nodes below a schema level would not keep to, while one of them lives: 409 `NODE_TOO_OLD`. `what`: what such a node cannot do, for the
 * message. `now` is the database's clock.
 */
export async function requireLevel(tx: ReadTx, level: number, now: number, what: string): Promise<void> {
  const [older] = await tx.all<{ name: string; version: string; level: number }>(
    'SELECT name, version, level FROM node WHERE level < ? AND beat_at > ? ORDER BY level, run_id LIMIT 1',
    [level, now - LIVE_MS],
  )
  if (older === undefined) return
  throw new AppError('NODE_TOO_OLD', `node ${older.name} runs version ${older.version}, which ${what}`, {
    params: { node: older.name, version: older.version, level: older.level, neededLevel: level },
  })
}
