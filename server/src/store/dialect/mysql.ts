import { RuleIndex } from '@tickwheel/core'
import { CalendarShelf } from '../calendar-shelf.ts'
import type { Database, Dialect, Lane, ReadTx, Tx, Watch } from '../database.ts'
import { StoreAway } from '../database.ts'
import { LockLost, MysqlConnection, type ConnectionOptions } from './mysql-connection.ts'
import type { StoreSizes } from './sizes.ts'
import { MysqlLane } from './mysql-lane.ts'
import { parseMysqlUrl, type MysqlAddress } from './mysql-url.ts'
import { tablesOf } from '../migrate.ts'
import { pastPartitions, readPartitions, renderMysql, renderMysqlColumn, splits, type Partition } from './mysql-schema.ts'

export interface MysqlOptions {
  /** `mysql://user:password@host:port/database`; the database exists */
  readonly url: string
  /** instead of the clock of the database; for tests */
  readonly now?: () => number
  /** how long a statement may take; then its connection is ended. Default 10 s */
  readonly limitMs?: number
}

export interface MysqlDatabase extends Database {
  /** Gives every month up to three ahead of an instant its partition. At start; `compact` does it from then on. */
  makePartitions(now: number): Promise<void>
  /** Drops one empty partition of a month that is over, and makes those that are ahead. */
  compact(): Promise<boolean>
  /** What the server should be set up otherwise for, in words; empty: all is well. */
  warnings(): Promise<string[]>
}

/** Connections of each lane, and for reads. Small: the engine does one thing of a kind at a time. */
const SIZES = { fire: 2, report: 2, rest: 4, logs: 2, read: 4 } as const
/** Counter rows of the lanes begin here; each connection of a lane that writes has its own. */
const COUNTER_LANES = { fire: 10, report: 20, rest: 30, logs: 40 } as const
const COUNTER_LANES_OF_A_NODE = 50
const LIMIT_MS = 10_000
const SCHEMA_LIMIT_MS = 600_000
const SCHEMA_LOCK_SECONDS = 60
const TRIES = 4
/** A change of a table that waits stops every query behind it: it gives up, and is tried again with the next round. */
const WAIT_SHORTLY = 'SET SESSION lock_wait_timeout = 2'

/**
 * MySQL 8 or MariaDB 10.11 as the store. Writes run at READ COMMITTED, with separate connections for each lane; reads see one snapshot. A transaction
 * that loses a lock is run again, three times at most. The outcome of a failed COMMIT is not known: its connection is ended, also at the server.
 */
export function openMysql({ url, now, limitMs = LIMIT_MS }: MysqlOptions): MysqlDatabase {
  return new Mysql(parseMysqlUrl(url), { now, limitMs })
}

class Mysql implements MysqlDatabase {
  readonly dialect: Dialect
  readonly #address: MysqlAddress
  readonly #now: (() => number) | undefined
  readonly #limitMs: number
  readonly #lanes: Readonly<Record<Lane, MysqlLane>>
  readonly #reads: MysqlLane
  readonly #watch: Watch = { rules: RuleIndex.EMPTY, calendars: new CalendarShelf() }
  readonly #tables = tablesOf({ keepsLogs: true })
  /** nodes of one database seldom share counter rows; when they do, they wait for each other */
  readonly #firstCounterLane = COUNTER_LANES_OF_A_NODE * Math.floor(Math.random() * 16)

  constructor(address: MysqlAddress, { now, limitMs }: { now: (() => number) | undefined; limitMs: number }) {
    this.#address = address
    this.#now = now
    this.#limitMs = limitMs
    this.#lanes = { fire: this.#lane('fire'), report: this.#lane('report'), rest: this.#lane('rest'), logs: this.#lane('logs') }
    this.#reads = new MysqlLane(SIZES.read, () => this.#open({ counterLane: 0, isolation: 'REPEATABLE READ' }))
    this.dialect = {
      keepsLogs: true,
      render: renderMysql,
      hasTable,
      hasColumn,
      sizes: mysqlSizes,
      renderColumn: renderMysqlColumn,
      exclusively: (work) => this.#exclusively(work),
    }
  }

  async read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T> {
    return this.#reads.use(async (connection) => {
      await connection.run('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
      try {
        return await work(connection)
      } finally {
        await connection.rollback()
      }
    })
  }

  async write<T>(lane: Lane, work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#lanes[lane].use((connection) => this.#transaction(connection, work))
      } catch (error) {
        if (!(error instanceof LockLost)) throw error
        if (tries >= TRIES) throw new StoreAway(error)
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** tries))
    }
  }

  async now(): Promise<number> {
    return this.#reads.use(async (connection) => {
      const at = await connection.now()
      await connection.rollback()
      return at
    })
  }

  async makePartitions(now: number): Promise<void> {
    await this.#exclusively(async (tx) => {
      await tx.run(WAIT_SHORTLY)
      for (const statement of splits(this.#tables, await readPartitions(tx), now)) await tx.run(statement)
    })
  }

  async compact(): Promise<boolean> {
    const now = await this.now()
    await this.makePartitions(now)
    return this.#exclusively(async (tx) => {
      await tx.run(WAIT_SHORTLY)
      for (const partition of pastPartitions(this.#tables, await readPartitions(tx), now)) {
        if (await hasRows(tx, partition)) continue
        await tx.run(`ALTER TABLE \`${partition.table}\` DROP PARTITION \`${partition.name}\``)
        return true
      }
      return false
    })
  }

  async warnings(): Promise<string[]> {
    const rows = await this.read((tx) =>
      tx.all<{ Variable_name: string; Value: string }>(
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'binlog_format')",
      ),
    )
    const settings = new Map(rows.map((row) => [row.Variable_name.toLowerCase(), row.Value]))
    const flush = settings.get('innodb_flush_log_at_trx_commit')
    return flush === undefined || flush === '1'
      ? []
      : [
          `the database has innodb_flush_log_at_trx_commit=${flush}: what it has acknowledged may be lost when its machine fails, so firings may be lost or doubled; set it to 1`,
        ]
  }

  connectionIds(): readonly number[] {
    return Object.values(this.#lanes).flatMap((lane) => lane.threadIds)
  }

  /** Numbers are given out again after a restart of the server: only connections of this database are ended. */
  async endConnections(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return
    const mine = new Set(this.connectionIds())
    await this.#reads.use(async (connection) => {
      const there = await connection.all<{ id: number }>('SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = DATABASE()')
      await connection.rollback()
      for (const { id } of there)
        if (ids.includes(id) && !mine.has(id)) await connection.run(`KILL ${id}`).catch((error: unknown) => ignoreUnless(StoreAway, error))
    })
  }

  async close(): Promise<void> {
    await Promise.all([...Object.values(this.#lanes), this.#reads].map((lane) => lane.close()))
  }

  #lane(lane: Lane): MysqlLane {
    return new MysqlLane(SIZES[lane], (place) =>
      this.#open({ counterLane: this.#firstCounterLane + COUNTER_LANES[lane] + place, isolation: 'READ COMMITTED' }),
    )
  }

  async #open(options: Pick<ConnectionOptions, 'counterLane' | 'isolation'> & { limitMs?: number }): Promise<MysqlConnection> {
    return MysqlConnection.open({ address: this.#address, watch: this.#watch, limitMs: this.#limitMs, now: this.#now, ...options })
  }

  async #transaction<T>(connection: MysqlConnection, work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      const result = await work(connection)
      await connection.commit()
      return result
    } catch (error) {
      await connection.rollback()
      if (connection.isBroken) void this.#kill(connection.threadId)
      throw error
    }
  }

  /** Ends a connection at the server too, so that it gives up its locks at once. It may be gone already, or the server. */
  async #kill(threadId: number): Promise<void> {
    try {
      const connection = await this.#open({ counterLane: 0, isolation: 'READ COMMITTED' })
      await connection.run(`KILL ${threadId}`).catch(() => undefined)
      await connection.end()
    } catch {
      // the server cannot be reached: its own time-out ends the connection
    }
  }

  /** A lock of the server by name, held by a connection of its own: schema changes of two processes do not meet. */
  async #exclusively<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const connection = await this.#open({ counterLane: 0, isolation: 'READ COMMITTED', limitMs: SCHEMA_LIMIT_MS })
    try {
      const [row] = await connection.all<{ got: number | null }>('SELECT GET_LOCK(?, ?) AS got', [this.#lockName, SCHEMA_LOCK_SECONDS])
      if (row?.got !== 1) throw new StoreAway(new Error('another process changes the schema'))
      return await this.#transaction(connection, work)
    } finally {
      await connection.end()
    }
  }

  get #lockName(): string {
    return `tickwheel schema ${this.#address.database}`.slice(0, 64)
  }
}

async function hasTable(tx: ReadTx, name: string): Promise<boolean> {
  return (
    (await tx.all('SELECT 1 AS is_there FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?', [name]))
      .length > 0
  )
}

/** From what the database keeps of its tables: estimates, which MySQL looks at again once a day, or when its tables have changed by a tenth. */
async function mysqlSizes(tx: ReadTx): Promise<StoreSizes> {
  const rows = await tx.all<Record<'name' | 'n' | 'data_bytes' | 'index_bytes' | 'free_bytes', string | number | null>>(
    "SELECT TABLE_NAME AS name, TABLE_ROWS AS n, DATA_LENGTH AS data_bytes, INDEX_LENGTH AS index_bytes, DATA_FREE AS free_bytes FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'",
  )
  const tables = rows.map((row) => ({
    table: String(row.name),
    rows: Number(row.n ?? 0),
    bytes: Number(row.data_bytes ?? 0),
    indexBytes: Number(row.index_bytes ?? 0),
    isEstimated: true,
  }))
  const freeBytes = rows.reduce((sum, row) => sum + Number(row.free_bytes ?? 0), 0)
  return { tables, totalBytes: tables.reduce((sum, { bytes, indexBytes }) => sum + bytes + indexBytes, freeBytes), freeBytes }
}

async function hasColumn(tx: ReadTx, table: string, column: string): Promise<boolean> {
  return (
    (
      await tx.all(
        'SELECT 1 AS is_there FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = ?',
        [table, column],
      )
    ).length > 0
  )
}

/** A connection that is gone already cannot be ended. */
function ignoreUnless(kind: typeof StoreAway, error: unknown): void {
  if (error instanceof kind) throw error
}

async function hasRows(tx: ReadTx, { table, name }: Partition): Promise<boolean> {
  return (await tx.all(`SELECT 1 AS is_there FROM \`${table}\` PARTITION (\`${name}\`) LIMIT 1`)).length > 0
}
