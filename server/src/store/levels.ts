import { AppError } from '@tickwheel/contract'
import type { Tx } from './database.ts'

/** The schema level whose programs know limits, shards, routing beyond the first two strategies, and executors without a stream. */
export const EXECUTORS_LEVEL = 4
/** The schema level whose programs know the access tokens of single groups for XXL-JOB executors. */
export const FLEET_LEVEL = 6

/** The schema level whose programs know workflows. */
export const WORKFLOWS_LEVEL = 5

/** The schema level whose programs know runs that are split by their handler. */
export const MAP_LEVEL = 7

/** The schema level whose programs know backfills. */
export const BACKFILL_LEVEL = 8

/** The schema level whose programs know roles and bindings. */
export const ACCESS_LEVEL = 9
/** The schema level whose programs know alarms. */
export const ALARMS_LEVEL = 11
/** The schema level whose programs know calendars. */
export const CALENDARS_LEVEL = 13
/** The schema level whose programs know variables and secrets. */
export const VARIABLES_LEVEL = 10

/** The schema level whose programs know bulk operations. */
export const BULK_LEVEL = 14

/** A node that has written no beat for so long does not decide anything any more. */
const LIVE_MS = 10_000

/** What a person wants that nodes of an older release would not keep to. `what` ends "node x runs version y, which cannot …"; `remedy` is beside an upgrade. */
export interface LevelNeed {
  readonly what: string
  readonly remedy: string
}

/**
 * Refuses with 409 `NODE_TOO_OLD`, naming the oldest, while a live node is below a schema level, and keeps programs below it from opening the store from
 * now on: one that came later would take what it does not know for damage. `now`: by the clock of the database.
 */
export async function requireLevel(tx: Tx, level: number, now: number, { what, remedy }: LevelNeed): Promise<void> {
  const older = await findOlderNode(tx, level, now)
  if (older === null) return keepOut(tx, level)
  throw new AppError(
    'NODE_TOO_OLD',
    `node ${older.name} runs version ${older.version}, which cannot ${what}: upgrade or stop it first, or ${remedy}`,
    {
      params: { node: older.name, version: older.version, level: older.level, neededLevel: level },
    },
  )
}

/** The oldest of the live nodes below a schema level; null: there is none. `now`: by the clock of the database. */
export async function findOlderNode(
  tx: Tx,
  level: number,
  now: number,
): Promise<{ readonly name: string; readonly version: string; readonly level: number } | null> {
  const [older] = await tx.all<{ name: string; version: string; level: number }>(
    'SELECT name, version, level FROM node WHERE level < ? AND beat_at > ? ORDER BY level, run_id LIMIT 1',
    [level, now - LIVE_MS],
  )
  return older ?? null
}

/** Keeps programs below a schema level from opening the store from now on. */
export async function keepOut(tx: Tx, level: number): Promise<void> {
  const [oldest] = await tx.all<{ value: string }>("SELECT value FROM meta WHERE `key` = 'oldest_reader'")
  if (Number(oldest?.value ?? 0) < level) await tx.run("UPDATE meta SET value = ? WHERE `key` = 'oldest_reader'", [String(level)])
}
