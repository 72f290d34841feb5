import { createConnection, type Connection as Driver, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import type { Compilable } from 'kysely'
import { DuplicateKey, StoreAway, type Locks, type Tx, type Value, type Watch } from '../database.ts'
import type { Schema, Table } from '../schema.ts'
import { batched, inserts, type Statement } from './mysql-statements.ts'
import type { MysqlAddress } from './mysql-url.ts'
import { values } from './values.ts'

export interface ConnectionOptions {
  readonly address: MysqlAddress
  readonly counterLane: number
  readonly watch: Watch
  readonly isolation: 'READ COMMITTED' | 'REPEATABLE READ'
  /** a statement that takes longer ends with its connection */
  readonly limitMs: number
  /** instead of the clock of the database; for tests */
  readonly now?: (() => number) | undefined
}

/** Thrown inside a transaction that the database has chosen to fail: run again from the start, it may well succeed. */
export class LockLost extends Error {
  constructor(cause: unknown) {
    super('a lock was lost to another transaction', { cause })
    this.name = 'LockLost'
  }
}

const LOCKS: Locks = { share: ' LOCK IN SHARE MODE', update: ' FOR UPDATE', updateFree: ' FOR UPDATE SKIP LOCKED' }
const CONNECT_MS = 5000
const STATEMENTS_KEPT = 200
/**
 * `ANSI_QUOTES`: Kysely's queries quote names as SQLite does. `wait_timeout`: a frozen process keeps its locks for ten seconds at most. Transactions
 * begin with their first statement.
 */
const SESSION = [
  "SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', time_zone = '+00:00', wait_timeout = 10, innodb_lock_wait_timeout = 2, autocommit = 0",
  'SET NAMES utf8mb4 COLLATE utf8mb4_bin',
]

/** One connection. It serves one transaction at a time; once broken it stays so. */
export class MysqlConnection implements Tx {
  readonly locks = LOCKS
  readonly counterLane: number
  readonly watch: Watch
  readonly #driver: Driver
  readonly #limitMs: number
  readonly #now: (() => number) | undefined
  #isBroken = false

  private constructor(driver: Driver, { counterLane, watch, limitMs, now }: ConnectionOptions) {
    this.#driver = driver
    this.#limitMs = limitMs
    this.#now = now
    this.counterLane = counterLane
    this.watch = watch
    // the driver's own object tells of the end of an idle connection
    driver.on('error', () => {
      this.#isBroken = true
    })
  }

  /** Throws `StoreAway`. */
  static async open(options: ConnectionOptions): Promise<MysqlConnection> {
    const driver = await createConnection({
      ...options.address,
      charset: 'UTF8MB4_BIN',
      timezone: 'Z',
      decimalNumbers: true,
      supportBigNumbers: false,
      connectTimeout: CONNECT_MS,
      maxPreparedStatements: STATEMENTS_KEPT,
      flags: ['FOUND_ROWS'],
    }).catch((error: unknown) => {
      throw new StoreAway(error)
    })
    const connection = new MysqlConnection(driver, options)
    for (const statement of [...SESSION, `SET SESSION TRANSACTION ISOLATION LEVEL ${options.isolation}`]) await connection.run(statement)
    return connection
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  get threadId(): number {
    return this.#driver.threadId
  }

  async rows<Row>(built: Compilable<Row>): Promise<Row[]> {
    const { sql, parameters } = built.compile()
    return this.all<Row>(sql, values(parameters))
  }

  async first<Row>(built: Compilable<Row>): Promise<Row | null> {
    return (await this.rows(built))[0] ?? null
  }

  async lock<Row>(built: Compilable<Row>): Promise<Row[]> {
    const { sql, parameters } = built.compile()
    return this.all<Row>(sql + LOCKS.update, values(parameters))
  }

  async all<Row>(sql: string, params: readonly Value[] = []): Promise<Row[]> {
    const [rows] = await this.#guarded(() => this.#driver.query<RowDataPacket[]>(sql, params.map(bound)))
    return rows as Row[]
  }

  async now(): Promise<number> {
    if (this.#now !== undefined) return this.#now()
    const [row] = await this.all<{ at: number }>('SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS `at`')
    return row?.at ?? 0
  }

  async execute(built: Compilable<unknown>): Promise<number> {
    const { sql, parameters } = built.compile()
    return this.run(sql, values(parameters))
  }

  async run(sql: string, params: readonly Value[] = []): Promise<number> {
    const [result] = await this.#guarded(() => this.#driver.query<ResultSetHeader>(sql, params.map(bound)))
    return result.affectedRows
  }

  async runMany(sql: string, rows: readonly (readonly Value[])[]): Promise<number> {
    const statements = rows.length > 1 ? batched(sql, rows) : null
    let matched = 0
    for (const one of statements ?? rows.map((params): Statement => ({ sql, params }))) matched += await this.run(one.sql, one.params)
    return matched
  }

  async insert<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<void> {
    await this.#insert('INSERT', table, rows)
  }

  async insertNew<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<number> {
    return this.#insert('INSERT IGNORE', table, rows)
  }

  /** Throws `StoreAway` when its outcome is not known; the connection is broken then. */
  async commit(): Promise<void> {
    try {
      await this.#guarded(() => this.#driver.commit())
    } catch (error) {
      this.destroy()
      throw error instanceof StoreAway ? error : new StoreAway(error)
    }
  }

  /** Never throws: a connection that cannot roll back is ended, and the server rolls back for it. */
  async rollback(): Promise<void> {
    if (this.#isBroken) return
    await this.#guarded(() => this.#driver.rollback()).catch(() => this.destroy())
  }

  /** Whether it still answers. */
  async ping(): Promise<void> {
    await this.#guarded(() => this.#driver.ping()).catch(() => this.destroy())
  }

  destroy(): void {
    this.#isBroken = true
    this.#driver.destroy()
  }

  async end(): Promise<void> {
    if (this.#isBroken) return
    this.#isBroken = true
    await this.#driver.end().catch(() => this.#driver.destroy())
  }

  async #insert<T extends Table>(verb: string, table: T, rows: readonly Schema[T][]): Promise<number> {
    let inserted = 0
    for (const { sql, params, isPrepared } of inserts(
      verb,
      table,
      rows.map((row): Readonly<Record<string, Value>> => ({ ...row })),
    )) {
      inserted += isPrepared ? await this.#runPrepared(sql, params) : await this.run(sql, params)
    }
    return inserted
  }

  async #runPrepared(sql: string, params: readonly Value[]): Promise<number> {
    const [result] = await this.#guarded(() => this.#driver.execute<ResultSetHeader>(sql, params.map(bound)))
    return result.affectedRows
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBroken) throw new StoreAway(new Error('the connection has ended'))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.destroy()
        reject(new StoreAway(new Error(`no answer within ${this.#limitMs} ms`)))
      }, this.#limitMs)
    })
    try {
      return await Promise.race([work(), late])
    } catch (error) {
      throw this.#judged(error)
    } finally {
      clearTimeout(timer)
    }
  }

  #judged(error: unknown): unknown {
    const known = judge(error)
    if (known instanceof StoreAway && isFatal(error)) this.destroy()
    return known
  }
}

function bound(value: Value): string | number | Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}

const DUPLICATE = 1062
const LOST = new Set([1205, 1213])
/**
 * Too many connections, shutdown, disk or table full, read-only, killed, a statement interrupted or out of time: nothing is wrong with the statement.
 */
const AWAY = new Set([
  1021, 1040, 1053, 1114, 1129, 1152, 1159, 1160, 1161, 1203, 1226, 1290, 1317, 1792, 1836, 1927, 1969, 3024, 3169, 4031,
])

/** A taken key, a lost lock, and a store that cannot be reached, told from other errors. */
function judge(error: unknown): unknown {
  if (error instanceof StoreAway || !(error instanceof Error)) return error
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0
  if (errno === DUPLICATE) return new DuplicateKey(error)
  if (LOST.has(errno)) return new LockLost(error)
  return AWAY.has(errno) || isFatal(error) ? new StoreAway(error) : error
}

function isFatal(error: unknown): boolean {
  return error instanceof Error && 'fatal' in error && error.fatal === true
}
