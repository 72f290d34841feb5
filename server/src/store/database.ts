import type { RuleIndex } from '@tickwheel/core'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, type Compilable } from 'kysely'
import type { CalendarShelf } from './calendar-shelf.ts'
import type { StoreSizes } from './dialect/sizes.ts'
import type { Column, TableSpec } from './dialect/table.ts'
import type { Schema, Table } from './schema.ts'

export type Value = string | number | Uint8Array | null

/**
 * Builds queries, executes nothing: `tx.rows(query.selectFrom('task').selectAll())`. The text that it compiles is valid for SQLite and MySQL
 * once quoted by the dialect that executes it.
 */
export const query = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/**
 * What this process has at hand, so that transactions read less: what alarm rules watch for, as it was read last, and versions of calendars, which never
 * change.
 */
export interface Watch {
  rules: RuleIndex
  readonly calendars: CalendarShelf
}

/** Reads of one consistent view of the store. */
export interface ReadTx {
  /** the same for every transaction of this process on this store */
  readonly watch: Watch
  /** All rows of a query that `query` built. */
  rows<Row>(built: Compilable<Row>): Promise<Row[]>
  first<Row>(built: Compilable<Row>): Promise<Row | null>
  /** Hand-written SQL for the hottest statements; `?` placeholders; identifiers that are reserved words in backquotes. */
  all<Row>(sql: string, params?: readonly Value[]): Promise<Row[]>
  /** The clock of the database as of now, epoch ms. */
  now(): Promise<number>
}

/**
 * What is put behind a `SELECT` whose rows this transaction relies on, in lock order: `share` (nobody may change them meanwhile), `update` (this
 * transaction will), `updateFree` (likewise, leaving out rows that another transaction has locked). Empty on SQLite, where the whole store is locked.
 */
export interface Locks {
  readonly share: string
  readonly update: string
  readonly updateFree: string
}

/** A transaction that writes. It commits when the function returns and rolls back when it throws. */
export interface Tx extends ReadTx {
  readonly locks: Locks
  /** Which of the rows of one counter this transaction adds to: each connection has its own, so that no two transactions wait for one row. */
  readonly counterLane: number
  /** Runs a write that `query` built; how many rows it matched. */
  execute(built: Compilable<unknown>): Promise<number>
  run(sql: string, params?: readonly Value[]): Promise<number>
  /** The same statement for many rows of parameters, in order; how many rows matched in all. */
  runMany(sql: string, rows: readonly (readonly Value[])[]): Promise<number>
  /** Inserts rows; MySQL batches them into multi-row statements. Throws `DuplicateKey`. */
  insert<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<void>
  /** Inserts rows, leaving out those whose key exists already; how many went in. */
  insertNew<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<number>
  /** Reads rows that this transaction will change, locked in key order (SQLite: the whole store is). */
  lock<Row>(built: Compilable<Row>): Promise<Row[]>
}

/** Lanes have separate connections on MySQL, so that one lock wait stalls one of them; on SQLite there is one writer. `logs` is used where logs are in the database. */
export type Lane = 'fire' | 'report' | 'rest' | 'logs'

/** How a database makes the tables, and what it keeps. */
export interface Dialect {
  /** logs of runs are in the database, not in files beside it */
  readonly keepsLogs: boolean
  /** the statements that make a table; harmless where it exists, if a migration cannot be rolled back */
  render(spec: TableSpec): string[]
  hasTable(tx: ReadTx, name: string): Promise<boolean>
  hasColumn(tx: ReadTx, table: string, column: string): Promise<boolean>
  /** What the store takes, found out in a bounded time. */
  sizes(tx: ReadTx): Promise<StoreSizes>
  /** the statement that adds a column */
  renderColumn(table: string, name: string, column: Column): string
  /** Runs a change of the schema while no other process does; in a transaction where the database has that for tables. */
  exclusively<T>(work: (tx: Tx) => Promise<T>): Promise<T>
}

/**
 * The store. A write is a function over plain data that is safe to run twice: on deadlock or lock time-out it is run again, three times at most.
 * Nothing but store functions and pure functions of core may run inside.
 * Throws `StoreAway` when the store cannot be reached.
 */
export interface Database {
  readonly dialect: Dialect
  read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T>
  write<T>(lane: Lane, work: (tx: Tx) => Promise<T>): Promise<T>
  /** The clock of the database, epoch ms: the origin of cluster time. */
  now(): Promise<number>
  /** Gives a bounded part of what deletions have freed back to the file system; true: there is more. Absent where the database does it by itself. */
  compact?(): Promise<boolean>
  /** How the server knows the connections that may hold locks for this process. Absent where there is no server. */
  connectionIds?(): readonly number[]
  /** Ends connections of this database at the server, so that a process that froze inside a transaction holds no lock any more. Absent where there is no server. */
  endConnections?(ids: readonly number[]): Promise<void>
  close(): Promise<void>
}

export class StoreAway extends Error {
  constructor(cause: unknown) {
    super('the store cannot be reached', { cause })
    this.name = 'StoreAway'
  }
}

export class DuplicateKey extends Error {
  constructor(cause: unknown) {
    super('a row with this key exists already', { cause })
    this.name = 'DuplicateKey'
  }
}
