import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Config } from './config/schema.ts'
import { StartProblem } from './config/start-problem.ts'
import { openMysql } from './store/dialect/mysql.ts'
import { isMysqlUrl, parseMysqlUrl } from './store/dialect/mysql-url.ts'
import { openSqlite } from './store/dialect/sqlite.ts'
import type { Database } from './store/database.ts'
import { FolderLocked, lockFolder } from './store/folder-lock.ts'
import { TableLogs } from './store/log-table.ts'
import { FileLogs, type LogStore } from './store/logs.ts'
import { migrate, StoreTooNew } from './store/migrate.ts'
import { nodesSeen } from './store/nodes.ts'

export interface OpenStore {
  readonly db: Database
  readonly logs: LogStore
  /** what a person should know of how the database is set up */
  readonly warnings: readonly string[]
  /** Closes the store and lets other processes have the folder. */
  close(): Promise<void>
}

/**
 * Takes the data folder for this process alone and opens the store: in it, or in the database that the settings name, at the level of this program.
 * Throws `StartProblem`.
 */
export async function openStore(config: Config): Promise<OpenStore> {
  const folder = resolve(config.dataDir)
  makeWritable(folder)
  const held = lock(folder)
  try {
    const { url } = config.database
    const opened = isMysqlUrl(url)
      ? await openOnMysql(url, { mayBeMany: config.redis.url !== '' })
      : await openOnSqlite(url === '' ? join(folder, 'tickwheel.db') : resolve(url.slice('sqlite:'.length)), folder)
    return {
      ...opened,
      close: async () => {
        opened.logs.close()
        await opened.db.close()
        held.release()
      },
    }
  } catch (error) {
    held.release()
    throw error
  }
}

type Opened = Omit<OpenStore, 'close'>

async function openOnSqlite(path: string, folder: string): Promise<Opened> {
  try {
    makeWritable(dirname(path))
    const db = openSqlite({ path, now: () => Date.now() })
    await migrate(db)
    return { db, logs: new FileLogs({ directory: folder }), warnings: [] }
  } catch (error) {
    throw problemOf(error, path)
  }
}

async function openOnMysql(url: string, { mayBeMany }: { mayBeMany: boolean }): Promise<Opened> {
  const { host, port, database } = parseMysqlUrl(url)
  const db = openMysql({ url })
  try {
    await migrate(db)
    await db.makePartitions(await db.now())
    if (!mayBeMany) await mustBeAlone(db)
    return { db, logs: new TableLogs(db), warnings: await db.warnings() }
  } catch (error) {
    await db.close()
    throw problemOf(error, `mysql://${host}:${port}/${database}`)
  }
}

const SEEN_WITHIN_MS = 60_000
const WATCHED_MS = 3000
const LOOK_EVERY_MS = 250

/**
 * One process for a database where no Redis is named, because hints between nodes would be lost and each would limit calls for itself. A beat that moves on is a live process; one that stands still was
 * killed. Beats are compared with themselves, so that clocks need not agree.
 */
async function mustBeAlone(db: Database): Promise<void> {
  const before = new Map((await nodesSeen(db, (await db.now()) - SEEN_WITHIN_MS)).map((node) => [node.runId, node.beatAt]))
  const until = performance.now() + WATCHED_MS
  while (before.size > 0 && performance.now() < until) {
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS))
    const alive = (await nodesSeen(db, 0)).find((node) => before.get(node.runId) !== undefined && before.get(node.runId) !== node.beatAt)
    if (alive === undefined) continue
    throw new StartProblem(
      `Another Tickwheel server (${alive.name}) uses this database, and several on one database need Redis: set TICKWHEEL_REDIS_URL on every node, or stop the other one first.`,
    )
  }
}

function makeWritable(folder: string): void {
  try {
    makeFolder(folder)
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new StartProblem(
      `The data folder ${folder} cannot be written to (${reasonOf(error)}): give this user the right to, or name another folder by TICKWHEEL_DATA_DIR.`,
      error,
    )
  }
}

// Not `recursive`: under /proc, where a folder can neither be found nor made, Node.js 24 then tries for ever.
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}

function lock(folder: string): { release(): void } {
  try {
    return lockFolder(folder)
  } catch (error) {
    if (error instanceof FolderLocked)
      throw new StartProblem(
        `Another Tickwheel process uses the data folder ${folder}: stop it first, or give this one its own by TICKWHEEL_DATA_DIR.`,
        error,
      )
    throw new StartProblem(
      `The data folder ${folder} cannot be locked (${reasonOf(error)}): it must be on a local disk and writable.`,
      error,
    )
  }
}

function problemOf(error: unknown, path: string): Error {
  if (error instanceof StartProblem) return error
  if (error instanceof StoreTooNew) return new StartProblem(`${path}: ${error.message}.`, error)
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return new StartProblem(`The store ${path} cannot be opened: ${reasonOf(cause)}.`, error)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
