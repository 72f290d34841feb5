import { AppError } from '@tickwheel/contract'
import type { ReadTx } from './database.ts'

/** The schema level whose programs know limits, shards, routing beyond the first two strategies, and executors without a stream. */
export const EXECUTORS_LEVEL = 4

/** A node that has written no beat for so long does not decide anything any more. */
const LIVE_MS = 10_000

/** What a person wants that nodes of an older release would not keep to. `what` ends "node x runs version y, which cannot …"; `remedy` is beside an upgrade. */
export interface LevelNeed {
  readonly what: string
  readonly remedy: string
}

/** Refuses with 409 `NODE_TOO_OLD`, naming the oldest, while a live node is below a schema level. `now`: by the clock of the database. */
export async function requireLevel(tx: ReadTx, level: number, now: number, { what, remedy }: LevelNeed): Promise<void> {
  const [older] = await tx.all<{ name: string; version: string; level: number }>(
    'SELECT name, version, level FROM node WHERE level < ? AND beat_at > ? ORDER BY level, run_id LIMIT 1',
    [level, now - LIVE_MS],
  )
  if (older === undefined) return
  throw new AppError(
    'NODE_TOO_OLD',
    `node ${older.name} runs version ${older.version}, which cannot ${what}: upgrade or stop it first, or ${remedy}`,
    {
      params: { node: older.name, version: older.version, level: older.level, neededLevel: level },
    },
  )
}
