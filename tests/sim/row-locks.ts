import type { Compilable } from 'kysely'
import type { Locks, Tx, Value, Watch } from '../../server/src/store/database.ts'
import type { Schema, Table } from '../../server/src/store/schema.ts'

type Mode = 'share' | 'update'

/** What a transaction that stands still keeps others from: rows by `table:key`. */
export interface Hold {
  readonly connectionId: number
  readonly rows: ReadonlyMap<string, Mode>
}

/** A row that this transaction needs is held by another. */
export class MustWait extends Error {
  constructor(row: string) {
    super(`${row} is locked`)
    this.name = 'MustWait'
  }
}

/** Row locks as MySQL has them, as far as a frozen transaction makes others feel them. SQLite, which runs the statements, has none. */
export class RowLocks {
  readonly #holds = new Set<Hold>()

  get isFree(): boolean {
    return this.#holds.size === 0
  }

  add(hold: Hold): void {
    this.#holds.add(hold)
  }

  remove(hold: Hold): boolean {
    return this.#holds.delete(hold)
  }

  /** Whether the hold still stands. */
  has(hold: Hold): boolean {
    return this.#holds.has(hold)
  }

  /** The server ends connections: what they held is free. */
  end(connectionIds: readonly number[]): void {
    for (const hold of [...this.#holds]) if (connectionIds.includes(hold.connectionId)) this.#holds.delete(hold)
  }

  isTaken(row: string, mode: Mode): boolean {
    for (const hold of this.#holds) {
      const held = hold.rows.get(row)
      if (held === 'update' || (held === 'share' && mode === 'update')) return true
    }
    return false
  }
}

/** Comments that a locking read carries, so that what it would lock can be told from its text. */
const MARKS: Locks = { share: ' /*share*/', update: ' /*update*/', updateFree: ' /*free*/' }

/** A transaction that takes note of the rows that it locks, and cannot have those that are held. */
export class LockingTx implements Tx {
  readonly locks = MARKS
  readonly taken = new Map<string, Mode>()
  readonly #tx: Tx
  readonly #held: RowLocks

  constructor(tx: Tx, held: RowLocks) {
    this.#tx = tx
    this.#held = held
  }

  get watch(): Watch {
    return this.#tx.watch
  }

  get counterLane(): number {
    return this.#tx.counterLane
  }

  now(): Promise<number> {
    return this.#tx.now()
  }

  async rows<Row>(built: Compilable<Row>): Promise<Row[]> {
    return this.#tx.rows(built)
  }

  async first<Row>(built: Compilable<Row>): Promise<Row | null> {
    return this.#tx.first(built)
  }

  async lock<Row>(built: Compilable<Row>): Promise<Row[]> {
    const rows = await this.#tx.lock(built)
    return this.#lockRows(built.compile().sql, rows, 'update', false)
  }

  async all<Row>(sql: string, params?: readonly Value[]): Promise<Row[]> {
    const rows = await this.#tx.all<Row>(sql, params)
    if (sql.endsWith(MARKS.share)) return this.#lockRows(sql, rows, 'share', false)
    if (sql.endsWith(MARKS.update)) return this.#lockRows(sql, rows, 'update', false)
    if (sql.endsWith(MARKS.updateFree)) return this.#lockRows(sql, rows, 'update', true)
    return rows
  }

  async execute(built: Compilable<unknown>): Promise<number> {
    return this.#tx.execute(built)
  }

  async run(sql: string, params: readonly Value[] = []): Promise<number> {
    this.#lockWritten(sql, params)
    return this.#tx.run(sql, params)
  }

  async runMany(sql: string, rows: readonly (readonly Value[])[]): Promise<number> {
    for (const row of rows) this.#lockWritten(sql, row)
    return this.#tx.runMany(sql, rows)
  }

  async insert<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<void> {
    await this.#tx.insert(table, rows)
  }

  async insertNew<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<number> {
    return this.#tx.insertNew(table, rows)
  }

  #lockRows<Row>(sql: string, rows: Row[], mode: Mode, leavesOut: boolean): Row[] {
    const table = /from\s+[`"]?(\w+)/i.exec(sql)?.[1] ?? ''
    return rows.filter((row) => {
      const key = keyOf(row)
      if (key === null) return true
      const name = `${table}:${key}`
      if (leavesOut && this.#held.isTaken(name, mode)) return false
      this.#take(name, mode)
      return true
    })
  }

  /** An update of one row by its key. */
  #lockWritten(sql: string, params: readonly Value[]): void {
    const table = /^UPDATE\s+[`"]?(\w+)/i.exec(sql)?.[1]
    if (table === undefined) return
    if (/WHERE (id|run_id) = \?$/.test(sql)) this.#take(`${table}:${String(params.at(-1))}`, 'update')
    const literal = /WHERE name = '(\w+)'$/.exec(sql)?.[1]
    if (literal !== undefined) this.#take(`${table}:${literal}`, 'update')
  }

  #take(row: string, mode: Mode): void {
    if (this.#held.isTaken(row, mode)) throw new MustWait(row)
    if (this.taken.get(row) !== 'update') this.taken.set(row, mode)
  }
}

function keyOf(row: unknown): string | null {
  if (typeof row !== 'object' || row === null) return null
  if ('id' in row) return String(row.id)
  return 'run_id' in row ? String(row.run_id) : null
}
