import type { LogPage } from '@tickwheel/contract'
import type { Database, ReadTx, Tx } from './database.ts'
import { instantOfId } from './ids.ts'
import { bodyOf, type ChunkRow } from './log-chunk.ts'
import { PageReader, textOf, type ChunkSource } from './log-page.ts'
import type { AttemptLogEnd, LogChunk, LogEnd, LogStore, ReadOptions } from './logs.ts'
import type { LogChunkRow, LogEndRow } from './schema.ts'

const PRUNE_BATCH = 200

/**
 * Logs of runs in tables of the database, where several nodes must see them. They have connections of their own (lane `logs`), so that the volume of
 * logs delays no firing; their partitions go by month.
 */
export class TableLogs implements LogStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Repeats are rare: all at once first, and one by one only when some were there already, to tell which. */
  async append(chunks: readonly LogChunk[], ends: readonly AttemptLogEnd[] = []): Promise<boolean[]> {
    const isAllNew = await this.#db
      .write('logs', async (tx) => {
        const rows: LogChunkRow[] = []
        for (const chunk of chunks) rows.push(await rowOf(tx, chunk, rows))
        if ((await tx.insertNew('log_chunk', rows)) !== rows.length) throw new Repeated()
        await tx.insertNew('log_end', ends.map(endRow))
        return true
      })
      .catch(falseWhenRepeated)
    return isAllNew
      ? chunks.map(() => true)
      : this.#db.write('logs', async (tx) => {
          const isNew: boolean[] = []
          for (const chunk of chunks) isNew.push((await tx.insertNew('log_chunk', [await rowOf(tx, chunk, [])])) === 1)
          await tx.insertNew('log_end', ends.map(endRow))
          return isNew
        })
  }

  async read(instanceId: number, options: ReadOptions): Promise<LogPage> {
    return this.#db.read((tx) => new PageReader(new Chunks(tx), instanceId, options).read())
  }

  stream(instanceId: number): AsyncGenerator<string> {
    return textOf(this, instanceId)
  }

  async prune(beforeId: number): Promise<boolean> {
    return this.#db.write('logs', async (tx) => {
      const chunks = await tx.all<{ instance_id: number; attempt: number; first_seq: number }>(
        `SELECT instance_id, attempt, first_seq FROM log_chunk WHERE instance_id < ? ORDER BY instance_id, attempt, first_seq LIMIT ${PRUNE_BATCH}`,
        [beforeId],
      )
      await tx.runMany(
        'DELETE FROM log_chunk WHERE instance_id = ? AND attempt = ? AND first_seq = ?',
        chunks.map((row) => [row.instance_id, row.attempt, row.first_seq]),
      )
      const ends = await tx.all<{ instance_id: number; attempt: number }>(
        `SELECT instance_id, attempt FROM log_end WHERE instance_id < ? ORDER BY instance_id, attempt LIMIT ${PRUNE_BATCH}`,
        [beforeId],
      )
      await tx.runMany(
        'DELETE FROM log_end WHERE instance_id = ? AND attempt = ?',
        ends.map((row) => [row.instance_id, row.attempt]),
      )
      return chunks.length === PRUNE_BATCH || ends.length === PRUNE_BATCH
    })
  }

  async size(): Promise<null> {
    return null
  }

  close(): void {
    // the connections are the store's
  }
}

class Repeated extends Error {}

function endRow({ instanceId, attempt, lines, bytes, dropped }: AttemptLogEnd): LogEndRow {
  return { instance_id: instanceId, attempt, lines, bytes, dropped }
}

function falseWhenRepeated(error: unknown): false {
  if (error instanceof Repeated) return false
  throw error
}

/** A chunk without lines, which says how many were dropped, has the instant of the line before. */
async function rowOf(
  tx: Tx,
  { instanceId, attempt, firstSeq, lines, dropped = 0 }: LogChunk,
  sameCommit: readonly LogChunkRow[],
): Promise<LogChunkRow> {
  const { codec, bytes, body } = bodyOf(lines)
  const before = sameCommit.findLast((row) => row.instance_id === instanceId && row.attempt === attempt && row.first_seq < firstSeq)
  const at = lines.at(-1)?.[0] ?? before?.at ?? (await lastAt(tx, instanceId, attempt, firstSeq)) ?? instantOfId(instanceId)
  return { instance_id: instanceId, attempt, first_seq: firstSeq, lines: lines.length, bytes, dropped, at, codec, body }
}

async function lastAt(tx: ReadTx, instanceId: number, attempt: number, firstSeq: number): Promise<number | undefined> {
  const [row] = await tx.all<{ at: number }>(
    'SELECT `at` FROM log_chunk WHERE instance_id = ? AND attempt = ? AND first_seq < ? ORDER BY first_seq DESC LIMIT 1',
    [instanceId, attempt, firstSeq],
  )
  return row?.at
}

/** The chunks of the store as one transaction sees them. */
class Chunks implements ChunkSource {
  readonly #tx: ReadTx

  constructor(tx: ReadTx) {
    this.#tx = tx
  }

  async newestAttempt(instanceId: number): Promise<number> {
    const newest = await Promise.all(
      ['log_chunk', 'log_end'].map((table) =>
        this.#tx.all<{ attempt: number | null }>(`SELECT MAX(attempt) AS attempt FROM ${table} WHERE instance_id = ?`, [instanceId]),
      ),
    )
    return Math.max(...newest.map(([row]) => row?.attempt ?? 0))
  }

  async chunkBegin(instanceId: number, attempt: number, seq: number): Promise<number> {
    const [row] = await this.#tx.all<{ first_seq: number | null }>(
      'SELECT MAX(first_seq) AS first_seq FROM log_chunk WHERE instance_id = ? AND attempt = ? AND first_seq <= ?',
      [instanceId, attempt, seq],
    )
    return row?.first_seq ?? 0
  }

  async chunks(instanceId: number, attempt: number, firstSeq: number, limit: number): Promise<ChunkRow[]> {
    return this.#tx.all<ChunkRow>(
      'SELECT attempt, first_seq, dropped, `at`, codec, body FROM log_chunk WHERE instance_id = ? AND attempt >= ? AND (attempt > ? OR first_seq >= ?) ORDER BY attempt, first_seq LIMIT ?',
      [instanceId, attempt, attempt, firstSeq, limit],
    )
  }

  async endOf(instanceId: number, attempt: number): Promise<LogEnd | null> {
    const [row] = await this.#tx.all<LogEnd>('SELECT `lines`, bytes, dropped FROM log_end WHERE instance_id = ? AND attempt = ?', [
      instanceId,
      attempt,
    ])
    return row ?? null
  }
}
