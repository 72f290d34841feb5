import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

/** Thrown when another process holds the folder. */
export class FolderLocked extends Error {
  constructor(folder: string) {
    super(`another process uses ${folder}`)
    this.name = 'FolderLocked'
  }
}

/**
 * Makes this process the only one on a data folder: an exclusive transaction on a small database, held until `release`. The operating system drops it
 * when the process dies, however it dies; a file with a process id in it would have to be believed. Throws `FolderLocked`.
 */
export function lockFolder(folder: string): { release(): void } {
  const db = new Sqlite(join(folder, 'lock.db'), { timeout: 0 })
  try {
    db.pragma('journal_mode = DELETE')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    throw error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY') ? new FolderLocked(folder) : error
  }
  return { release: () => db.close() }
}
