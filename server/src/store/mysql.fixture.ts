import { afterAll, inject } from 'vitest'
import type { Database } from './database.ts'
import { openMysql, type MysqlDatabase } from './dialect/mysql.ts'
import { firstRows, migrate, tablesOf } from './migrate.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** of the private MariaDB of a run of tests, without a database's name; null: there is no MariaDB on this machine */
    mariaDbUrl: string | null
  }
}

/** Whether the tests of this file run on MySQL (vitest's project `mysql`). */
export const IS_MYSQL = process.env.TICKWHEEL_TEST_STORE === 'mysql'

let file: Promise<MysqlDatabase> | null = null
let lent: Lent | null = null
let clock: () => number = () => 0

/** The database of this test file, emptied. The store that was given out before it is closed: what is left over of an earlier test finds no store. */
export async function emptyMysqlStore(now: () => number): Promise<Database> {
  clock = now
  file ??= openOwn(() => clock())
  const real = await file
  await lent?.close()
  await empty(real)
  lent = new Lent(real)
  return lent
}

async function openOwn(now: () => number): Promise<MysqlDatabase> {
  const db = await bareMysqlStore(now)
  await migrate(db)
  await db.makePartitions(now())
  afterAll(async () => {
    await lent?.close()
    await db.close()
  })
  return db
}

/** A new database without a table. Whoever asks for it closes it. */
export async function bareMysqlStore(now: () => number): Promise<MysqlDatabase> {
  const base = inject('mariaDbUrl')
  if (base === null) throw new Error('there is no MariaDB')
  const name = `t_${process.pid}_${Math.random().toString(36).slice(2, 10)}`
  const server = openMysql({ url: `${base}mysql` })
  await server.write('rest', (tx) => tx.run(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`))
  await server.close()
  return openMysql({ url: base + name, now })
}

/** As after the migrations. */
async function empty(db: MysqlDatabase): Promise<void> {
  await db.write('rest', async (tx) => {
    tx.watch.calendars.clear()
    for (const { name } of tablesOf(db.dialect)) {
      if (name === 'slot') await tx.run('UPDATE slot SET fence = 0, owner_run = NULL, taken_at = 0')
      else if (name === 'id_block') await tx.run('UPDATE id_block SET next_id = 1')
      else if (name === 'meta') await tx.run("DELETE FROM meta WHERE `key` NOT IN ('schema_level', 'oldest_reader')")
      else await tx.run(`DELETE FROM \`${name}\``)
    }
    await tx.insert('reckoner', firstRows.reckoner)
  })
}

/** A store that can be taken back, once what it does just now has ended. */
class Lent implements Database {
  readonly #real: Database
  readonly #busy = new Set<Promise<unknown>>()
  #isClosed = false

  constructor(real: Database) {
    this.#real = real
  }

  get dialect(): Database['dialect'] {
    return this.#real.dialect
  }

  read: Database['read'] = async (work) => this.#whileOpen(() => this.#real.read(work))
  write: Database['write'] = async (lane, work) => this.#whileOpen(() => this.#real.write(lane, work))

  async now(): Promise<number> {
    return this.#real.now()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled([...this.#busy])
  }

  async #whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new Error('this store was closed')
    const done = work()
    this.#busy.add(done)
    try {
      return await done
    } finally {
      this.#busy.delete(done)
    }
  }
}
