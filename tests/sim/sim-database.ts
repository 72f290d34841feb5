import type { Chance } from '../kit/chance.ts'
import { StoreAway, type Database } from '../../server/src/store/database.ts'
import { openSqlite } from '../../server/src/store/dialect/sqlite.ts'
import { firstRows, migrate, tablesOf } from '../../server/src/store/migrate.ts'
import { RowLocks } from './row-locks.ts'
import type { Timeline } from './timeline.ts'
import { addWatch, resetWatch } from './watch.ts'

/** 2026-11-22T08:00:00.000Z, a Sunday: where the clock of the database stands when the timeline is at 0. */
export const T0 = Date.UTC(2026, 10, 22, 8)

/** All slots as they were read last, and what they were then. */
export interface SlotsRead {
  version: number
  rows: readonly unknown[]
}

interface Real {
  readonly db: Database
  clock: () => number
}

/** Emptied stores of plays that are over: making one costs more than a play. */
const spare: Real[] = []

/** The database that the nodes share: real SQL on SQLite in memory, one transaction an instant; row locks and connections as MySQL has them. */
export class SimDatabase {
  readonly locks = new RowLocks()
  readonly slots: SlotsRead = { version: -1, rows: [] }
  readonly #real: Real
  readonly #timeline: Timeline
  /** how far its clock is from where the timeline would have it */
  #shift = 0
  #lastConnection = 0
  /** connections that the server has ended */
  readonly #ended = new Set<number>()
  isAway = false

  private constructor(real: Real, timeline: Timeline) {
    this.#real = real
    this.#timeline = timeline
    real.clock = () => this.now()
  }

  static async create(timeline: Timeline): Promise<SimDatabase> {
    return new SimDatabase(spare.pop() ?? (await make()), timeline)
  }

  /** The store as it is, without anything between. */
  get real(): Database {
    return this.#real.db
  }

  now(): number {
    return T0 + this.#timeline.now + this.#shift
  }

  /** How far its clock is ahead of the timeline, ms since the epoch. */
  get offset(): number {
    return T0 + this.#shift
  }

  jump(ms: number): void {
    this.#shift += ms
  }

  connect(): number {
    this.#lastConnection += 1
    return this.#lastConnection
  }

  endConnections(ids: readonly number[]): void {
    for (const id of ids) this.#ended.add(id)
    this.locks.end(ids)
  }

  isEnded(connectionId: number): boolean {
    return this.#ended.has(connectionId)
  }

  /** Gives the store back for another play. */
  async giveBack(): Promise<void> {
    await empty(this.#real.db)
    spare.push(this.#real)
  }
}

async function make(): Promise<Real> {
  const real: Real = { db: openSqlite({ path: ':memory:', now: () => real.clock() }), clock: () => T0 }
  await migrate(real.db)
  await addWatch(real.db)
  await empty(real.db)
  return real
}

async function empty(db: Database): Promise<void> {
  await db.write('rest', async (tx) => {
    tx.watch.calendars.clear()
    const planted = await tx.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'plant%'")
    for (const { name } of planted) await tx.run(`DROP TRIGGER ${name}`)
    for (const { name } of tablesOf({ keepsLogs: false })) await tx.run(`DELETE FROM \`${name}\``)
    await tx.insert('meta', firstRows.meta)
    await tx.insert('slot', firstRows.slot)
    await tx.insert('id_block', firstRows.id_block)
    await tx.insert('reckoner', firstRows.reckoner)
    await resetWatch(tx)
  })
}

/** How long a call takes each way when nothing is wrong, ms. */
export function latency(chance: Chance): number {
  const one = chance.next()
  return one < 0.7 ? 0 : one < 0.95 ? 1 : chance.between(1, 8)
}

export function away(why: string): StoreAway {
  return new StoreAway(why)
}
