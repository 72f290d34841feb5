import type { Compilable } from 'kysely'
import type { Locks, Tx, Value, Watch } from '../../server/src/store/database.ts'
import type { Schema, Table } from '../../server/src/store/schema.ts'

const SHOWN = 400

/** A transaction whose writes can be read in the trace. */
export class TellingTx implements Tx {
  readonly #tx: Tx
  readonly #tell: (text: string) => void

  constructor(tx: Tx, tell: (text: string) => void) {
    this.#tx = tx
    this.#tell = tell
  }

  get locks(): Locks {
    return this.#tx.locks
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

  rows<Row>(built: Compilable<Row>): Promise<Row[]> {
    return this.#tx.rows(built)
  }

  first<Row>(built: Compilable<Row>): Promise<Row | null> {
    return this.#tx.first(built)
  }

  lock<Row>(built: Compilable<Row>): Promise<Row[]> {
    return this.#tx.lock(built)
  }

  all<Row>(sql: string, params?: readonly Value[]): Promise<Row[]> {
    return this.#tx.all(sql, params)
  }

  async execute(built: Compilable<unknown>): Promise<number> {
    const { sql, parameters } = built.compile()
    const matched = await this.#tx.execute(built)
    this.#write(`${sql} ← ${JSON.stringify(parameters)}: ${matched}`)
    return matched
  }

  async run(sql: string, params: readonly Value[] = []): Promise<number> {
    const matched = await this.#tx.run(sql, params)
    if (!sql.includes('sim_')) this.#write(`${sql} ← ${JSON.stringify(params)}: ${matched}`)
    return matched
  }

  async runMany(sql: string, rows: readonly (readonly Value[])[]): Promise<number> {
    const matched = await this.#tx.runMany(sql, rows)
    for (const row of rows.slice(0, 10)) this.#write(`${sql} ← ${JSON.stringify(row)}`)
    return matched
  }

  async insert<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<void> {
    await this.#tx.insert(table, rows)
    for (const row of rows) this.#write(`insert ${table} ${JSON.stringify(row)}`)
  }

  async insertNew<T extends Table>(table: T, rows: readonly Schema[T][]): Promise<number> {
    const matched = await this.#tx.insertNew(table, rows)
    for (const row of rows) this.#write(`insert ${table} ${JSON.stringify(row)}`)
    return matched
  }

  #write(text: string): void {
    if (/counter|audit|beat|raise|id_block/.test(text.slice(0, 40))) return
    this.#tell(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
  }
}
