import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Config } from './config/schema.ts'
import { StartProblem } from './config/start-problem.ts'
import { openSqlite, renderSqlite } from './store/dialect/sqlite.ts'
import type { Database } from './store/database.ts'
import { FolderLocked, lockFolder } from './store/folder-lock.ts'
import { migrate, StoreTooNew } from './store/migrate.ts'

export interface OpenStore {
  readonly db: Database
  /** Closes the store and lets other processes have the folder. */
  close(): Promise<void>
}

/** Takes the data folder for this process alone and opens the store in it, at the level of this program. Throws `StartProblem`. */
export async function openStore(config: Config): Promise<OpenStore> {
  const folder = resolve(config.dataDir)
  makeWritable(folder)
  const held = lock(folder)
  const path = config.database.url === '' ? join(folder, 'tickwheel.db') : resolve(config.database.url.slice('sqlite:'.length))
  try {
    makeWritable(dirname(path))
    const db = openSqlite({ path, now: () => Date.now() })
    await migrate(db, renderSqlite)
    return {
      db,
      close: async () => {
        await db.close()
        held.release()
      },
    }
  } catch (error) {
    held.release()
    throw problemOf(error, path)
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
