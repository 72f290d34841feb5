import { RuleIndex } from '@tickwheel/core'
import Sqlite from 'better-sqlite3'
import type { Compilable } from 'kysely'
import { CalendarShelf } from '../calendar-shelf.ts'
import { DuplicateKey, StoreAway, type Database, type Locks, type ReadTx, type Tx, type Value, type Watch } from '../database.ts'
import type { Schema, Table } from '../schema.ts'
import { sqliteSizes } from './sqlite-sizes.ts'
import type { Column, TableSpec } from './table.ts'
import { values } from './values.ts'

/** What a wall clock gives: on SQLite the machine's clock is the database's clock. */
export interface SqliteOptions {
  /** path of the main file, or `:memory:` (one connection then serves reads and writes) */
  readonly path: string
  readonly now: () => number
  /** what is written may be lost with the machine's power, and is written several times as fast: for a store that can be made again; default false */
  readonly isExpendable?: boolean
}

/** SQLite as the store: one writer with group commit, readers on a connection of their own, WAL with synchronous FULL. */
export function openSqlite({ path, now, isExpendable = false }: SqliteOptions): Database {
  const watch: Watch = { rules: RuleIndex.EMPTY, calendars: new CalendarShelf() }
  const writer = new Connection(openWriter(path, isExpendable), now, watch)
  const reader = path === ':memory:' ? writer : new Connection(openReader(path), now, watch)
  const turn = new Turn()
  const readTurn = reader === writer ? turn : new Turn()
  return {
    dialect: {
      keepsLogs: false,
      render: renderSqlite,
      hasTable: async (tx, name) => (await tx.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", [name])).length > 0,
      hasColumn: async (tx, table, column) =>
        (await tx.all('SELECT name FROM pragma_table_info(?) WHERE name = ?', [table, column])).length > 0,
      sizes: sqliteSizes,
      renderColumn: (table, name, column) => `ALTER TABLE \`${table}\` ADD COLUMN ${columnText(name, column)}`,
      exclusively: async (work) => turn.take(() => writer.transaction(work)),
    },
    read: async (work) => readTurn.take(() => reader.snapshot(work)),
    write: async (_lane, work) => turn.take(() => writer.transaction(work)),
    now: async () => now(),
    compact: async () => turn.take(async () => writer.compact()),
    close: async () => {
      await readTurn.take(async () => (reader === writer ? undefined : reader.close()))
      await turn.take(async () => writer.close())
    },
  }
}

function openWriter(path: string, isExpendable: boolean): Sqlite.Database {
  const db = new Sqlite(path)
  db.pragma('auto_vacuum = INCREMENTAL')
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${isExpendable ? 'OFF' : 'FULL'}`)
  db.pragma('busy_timeout = 5000')
  db.pragma('cache_size = -65536')
  db.pragma('temp_store = MEMORY')
  db.pragma('wal_autocheckpoint = 4000')
  return db
}

function openReader(path: string): Sqlite.Database {
  const db = new Sqlite(path, { readonly: true })
  db.pragma('busy_timeout = 5000')
  db.pragma('cache_size = -65536')
  return db
}

/** One after the other, in the order of arrival: SQLite has one writer, and a transaction must not see another's half. */
class Turn {
  #last: Promise<unknown> = Promise.resolve()

  async take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work)
    this.#last = mine.catch(() => undefined)
    return mine
  }
}

const STATEMENTS_KEPT = 500
/** Freed pages are used again by what is written next: only what goes beyond 40 MiB is given back, 2 MiB at a time. */
const FREE_PAGES_KEPT = 10_000
const PAGES_RELEASED = 500

const NO_LOCKS: Locks = { share: '', update: '', updateFree: '' }

class Connection implements Tx {
  readonly locks = NO_LOCKS
  readonly counterLane = 0
  readonly watch: Watch
  readonly #db: Sqlite.Database
  readonly #statements = new Map<string, Sqlite.Statement>()
  readonly #now: () => number

  constructor(db: Sqlite.Database, now: () => number, watch: Watch) {
    this.watch = watch
    this.#db = db
    this.#now = now
  }

  async now(): Promise<number> {
    return this.#now()
  }

  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    this.#exec('BEGIN IMMEDIATE')
    try {
      const result = await work(this)
      this.#exec('COMMIT')
      return result
    } catch (error) {
      if (this.#db.inTransaction) this.#exec('ROLLBACK')
      throw error
    }
  }

  /** One consistent view: everything that was committed before it begins, nothing that comes later. */
  async snapshot<T>(work: (tx: ReadTx) => Promise<T>): Promise<T> {
    this.#exec('BEGIN')
    try {
      return await work(this)
    } finally {
      this.#exec('COMMIT')
    }
  }

  async rows<Row>(built: Compilable<Row>): Promise<Row[]> {
    const { sql, parameters } = built.compile()
    return this.all<Row>(sql, values(parameters))
  }

  async first<Row>(built: Compilable<Row>): Promise<Row | null> {
    const { sql, parameters } = built.compile()
    return (await this.all<Row>(sql, values(parameters)))[0] ?? null
  }

  async lock<Row>(built: Compilable<Row>): Promise<Row[]> {
    return this.rows(built)
  }

  async all<Row>(sql: string, params: readonly Value[] = []): Promise<Row[]> {
    return guard(() => this.#prepare(sql).all(...params) as Row[])
  }

  async execute(built: Compilable<unknown>): Promise<number> {
    const { sql, parameters } = built.compile()
    return this.run(sql, values(parameters))
  }

  async run(sql: string, params: readonly Value[] = []): Promise<number> {
    return guard(() => this.#prepare(sql).run(...params).changes)
  }

  async runMany(sql: string, rows: readonly (readonly Value[])[]): Promise<number> {
    return guard(() => {
      const statement = this.#prepare(sql)
      let changes = 0
      for (const row of rows) changes += statement.run(...row).changes
      return changes
    })
  }

  async insert<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<void> {
    await this.#insert('INSERT', table, rows)
  }

  async insertNew<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<number> {
    return this.#insert('INSERT OR IGNORE', table, rows)
  }

  compact(): boolean {
    return guard(() => {
      if (this.#freePages() <= FREE_PAGES_KEPT) return false
      this.#db.pragma(`incremental_vacuum(${PAGES_RELEASED})`)
      return this.#freePages() > FREE_PAGES_KEPT
    })
  }

  #freePages(): number {
    return Number(this.#db.pragma('freelist_count', { simple: true }))
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  async #insert<T extends Table>(verb: string, table: T, rows: readonly Schema[T][]): Promise<number> {
    const sample = rows[0]
    if (sample === undefined) return 0
    const columns = Object.keys(sample)
    const sql = `${verb} INTO \`${table}\` (${columns.map((column) => `\`${column}\``).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
    return guard(() => {
      const statement = this.#prepare(sql)
      let changes = 0
      for (const row of rows) {
        const record: Readonly<Record<string, Value>> = { ...row }
        changes += statement.run(...columns.map((column) => record[column] ?? null)).changes
      }
      return changes
    })
  }

  #exec(sql: string): void {
    guard(() => this.#db.exec(sql))
  }

  #prepare(sql: string): Sqlite.Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (this.#statements.size >= STATEMENTS_KEPT) this.#statements.clear()
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

const AWAY = new Set(['SQLITE_BUSY', 'SQLITE_IOERR', 'SQLITE_FULL', 'SQLITE_CANTOPEN', 'SQLITE_READONLY'])

/** Tells a taken key and a store that cannot be reached from other errors of SQLite. */
export function guard<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error
    if (error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || error.code === 'SQLITE_CONSTRAINT_UNIQUE') throw new DuplicateKey(error)
    if (AWAY.has(error.code.split('_').slice(0, 2).join('_'))) throw new StoreAway(error)
    throw error
  }
}

/** The statements that make a table on SQLite. One integer key is the rowid; a key of several columns makes the table its own index. */
export function renderSqlite(spec: TableSpec): string[] {
  const columns = Object.entries(spec.columns).map(([name, column]) => columnText(name, column))
  const [only] = spec.primaryKey
  const isRowId = spec.primaryKey.length === 1 && only !== undefined && spec.columns[only] !== undefined && isInteger(spec.columns[only])
  const key = `PRIMARY KEY (${spec.primaryKey.map((column) => `\`${column}\``).join(', ')})`
  return [
    `CREATE TABLE \`${spec.name}\` (\n  ${[...columns, key].join(',\n  ')}\n)${isRowId ? '' : ' WITHOUT ROWID'}`,
    ...spec.unique.map((keys) => indexOf(spec.name, keys, 'UNIQUE ')),
    ...spec.indexes.map((keys) => indexOf(spec.name, keys, '')),
  ]
}

function columnText(name: string, column: Column): string {
  return `\`${name}\` ${sqliteType(column)}${column.nullable ? '' : ' NOT NULL'}`
}

function indexOf(table: string, columns: readonly string[], kind: string): string {
  return `CREATE ${kind}INDEX \`${table}_${columns.join('_')}\` ON \`${table}\` (${columns.map((column) => `\`${column}\``).join(', ')})`
}

function isInteger(column: Column): boolean {
  return column.type === 'int' || column.type === 'big'
}

function sqliteType(column: Column): string {
  switch (column.type) {
    case 'int':
    case 'big':
      return 'INTEGER'
    case 'name':
    case 'text':
    case 'long':
      return 'TEXT'
    case 'blob':
      return 'BLOB'
  }
}
