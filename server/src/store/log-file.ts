import Sqlite from 'better-sqlite3'
import { guard } from './dialect/sqlite.ts'
import { bodyOf, type ChunkRow } from './log-chunk.ts'
import type { AttemptLogEnd, LogChunk, LogEnd } from './logs.ts'
import { instantOfId } from './ids.ts'

const PRUNE_BATCH = 200

const TABLES = `
CREATE TABLE IF NOT EXISTS log_chunk (
  instance_id INTEGER NOT NULL, attempt INTEGER NOT NULL, first_seq INTEGER NOT NULL, lines INTEGER NOT NULL, bytes INTEGER NOT NULL, dropped INTEGER NOT NULL, at INTEGER NOT NULL,
  codec INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (instance_id, attempt, first_seq)
);
CREATE TABLE IF NOT EXISTS log_end (
  instance_id INTEGER NOT NULL, attempt INTEGER NOT NULL, lines INTEGER NOT NULL, bytes INTEGER NOT NULL, dropped INTEGER NOT NULL, PRIMARY KEY (instance_id, attempt)
) WITHOUT ROWID`

/** One month of logs. `synchronous` NORMAL: a killed process loses nothing, a power failure may lose the last lines. */
export class LogFile {
  readonly #db: Sqlite.Database
  readonly #insert: Sqlite.Statement
  readonly #lastAt: Sqlite.Statement<unknown[], { at: number }>
  readonly #chunks: Sqlite.Statement<unknown[], ChunkRow>
  readonly #begin: Sqlite.Statement<unknown[], { first_seq: number | null }>
  readonly #newest: Sqlite.Statement<unknown[], { attempt: number | null }>
  readonly #insertEnd: Sqlite.Statement
  readonly #end: Sqlite.Statement<unknown[], LogEnd>
  readonly #prunes: readonly Sqlite.Statement[]

  constructor(path: string) {
    this.#db = guard(() => openFile(path))
    this.#insert = this.#db.prepare(
      'INSERT OR IGNORE INTO log_chunk (instance_id, attempt, first_seq, lines, bytes, dropped, at, codec, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    this.#lastAt = this.#db.prepare(
      'SELECT at FROM log_chunk WHERE instance_id = ? AND attempt = ? AND first_seq < ? ORDER BY first_seq DESC LIMIT 1',
    )
    this.#chunks = this.#db.prepare(
      'SELECT attempt, first_seq, dropped, at, codec, body FROM log_chunk WHERE instance_id = ? AND (attempt, first_seq) >= (?, ?) ORDER BY attempt, first_seq LIMIT ?',
    )
    this.#begin = this.#db.prepare(
      'SELECT MAX(first_seq) AS first_seq FROM log_chunk WHERE instance_id = ? AND attempt = ? AND first_seq <= ?',
    )
    this.#newest = this.#db.prepare(
      'SELECT MAX(attempt) AS attempt FROM (SELECT attempt FROM log_chunk WHERE instance_id = ? UNION ALL SELECT attempt FROM log_end WHERE instance_id = ?)',
    )
    this.#insertEnd = this.#db.prepare('INSERT OR IGNORE INTO log_end (instance_id, attempt, lines, bytes, dropped) VALUES (?, ?, ?, ?, ?)')
    this.#end = this.#db.prepare('SELECT lines, bytes, dropped FROM log_end WHERE instance_id = ? AND attempt = ?')
    this.#prunes = [
      this.#db.prepare(`DELETE FROM log_chunk WHERE rowid IN (SELECT rowid FROM log_chunk WHERE instance_id < ? LIMIT ${PRUNE_BATCH})`),
      this.#db.prepare(
        `DELETE FROM log_end WHERE (instance_id, attempt) IN (SELECT instance_id, attempt FROM log_end WHERE instance_id < ? LIMIT ${PRUNE_BATCH})`,
      ),
    ]
  }

  /** Writes chunks and ends in one transaction; which of the chunks were new. */
  append(chunks: readonly LogChunk[], ends: readonly AttemptLogEnd[]): boolean[] {
    return guard(() =>
      this.#db.transaction(() => {
        for (const { instanceId, attempt, lines, bytes, dropped } of ends) this.#insertEnd.run(instanceId, attempt, lines, bytes, dropped)
        return chunks.map((chunk) => this.#appendOne(chunk))
      })(),
    )
  }

  endOf(instanceId: number, attempt: number): LogEnd | null {
    return guard(() => this.#end.get(instanceId, attempt)) ?? null
  }

  /** The newest attempt that has written or ended; 0: none. */
  newestAttempt(instanceId: number): number {
    return guard(() => this.#newest.get(instanceId, instanceId))?.attempt ?? 0
  }

  /** `firstSeq` of the chunk that a line is in, or would follow; 0: none. */
  chunkBegin(instanceId: number, attempt: number, seq: number): number {
    return guard(() => this.#begin.get(instanceId, attempt, seq))?.first_seq ?? 0
  }

  /** Chunks from a key on, in order. */
  chunks(instanceId: number, attempt: number, firstSeq: number, limit: number): ChunkRow[] {
    return guard(() => this.#chunks.all(instanceId, attempt, firstSeq, limit))
  }

  /** True: there is more to delete. */
  prune(beforeId: number): boolean {
    return guard(() => {
      const deleted = this.#prunes.map((statement) => statement.run(beforeId).changes)
      this.#db.pragma(`incremental_vacuum(${PRUNE_BATCH * 16})`)
      return deleted.some((count) => count === PRUNE_BATCH)
    })
  }

  close(): void {
    this.#db.close()
  }

  #appendOne(chunk: LogChunk): boolean {
    const { instanceId, attempt, firstSeq, lines, dropped = 0 } = chunk
    const { codec, bytes, body } = bodyOf(lines)
    const at = lines.at(-1)?.[0] ?? this.#lastAt.get(instanceId, attempt, firstSeq)?.at ?? instantOfId(instanceId)
    return this.#insert.run(instanceId, attempt, firstSeq, lines.length, bytes, dropped, at, codec, body).changes > 0
  }
}

function openFile(path: string): Sqlite.Database {
  const db = new Sqlite(path)
  db.pragma('auto_vacuum = INCREMENTAL')
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.pragma('busy_timeout = 5000')
  db.pragma('cache_size = -8192')
  db.exec(TABLES)
  return db
}
