import type { Chance } from '../kit/chance.ts'
import type { Compilable } from 'kysely'
import type { Database, Dialect, Lane, ReadTx, Tx, Value, Watch } from '../../server/src/store/database.ts'
import { LockingTx, MustWait, type Hold } from './row-locks.ts'
import { away, latency, type SimDatabase, type SlotsRead } from './sim-database.ts'
import { never, type SimProcess } from './sim-process.ts'
import { TellingTx } from './telling-tx.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'
import { slotsVersion, writtenBy } from './watch.ts'
import type { Rates } from './weather.ts'

/** `refused`: calls fail at once. `silent`: nothing answers, and a call fails after its time limit. */
export type Cut = 'none' | 'refused' | 'silent'

/** A call that nothing answers is given up after this long (MySQL: ten seconds; a socket that is gone is noticed earlier). */
const LIMIT_MS = 5000
const LOCK_WAIT_MS = 2000
const LOOK_AT_LOCK_MS = 100
const TRIES = 3
const LONG_LIST = 64
const ALL_SLOTS = 'SELECT * FROM slot ORDER BY id'
/** Beyond those that end a text. */
const FIRST_CHARACTER = 256
/** `wait_timeout`: the server ends a connection that stands still inside a transaction. */
const STILL_MS = 10_000

type Fate = 'fine' | 'dieInside' | 'dieAfter' | 'awayBefore' | 'awayAfter' | 'freeze'

export interface NodeStoreOptions {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly database: SimDatabase
  readonly owner: SimProcess
  readonly rates: Rates
  readonly trace: Trace
  /** plants a fault: what a transaction sees and does is changed on its way */
  readonly bend?: ((tx: Tx) => Tx) | undefined
}

/** The store as one process reaches it: over a network that fails, in a process that can die or freeze at any call. */
export class NodeStore implements Database {
  readonly #options: NodeStoreOptions
  readonly #connections: Record<Lane, number>
  readonly #holds = new Set<Hold>()
  cut: Cut = 'none'
  /** the process start that writes here, once it is known */
  runId = 0
  #freezeMs: number | null = null

  constructor(options: NodeStoreOptions) {
    this.#options = options
    const { database, owner } = options
    this.#connections = { fire: database.connect(), report: database.connect(), rest: database.connect(), logs: database.connect() }
    owner.onDeath(() => {
      for (const hold of this.#holds) database.locks.remove(hold)
    })
  }

  get dialect(): Dialect {
    return this.#options.database.real.dialect
  }

  async read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T> {
    await this.#go('read')
    const answer = await this.#options.database.real.read((tx) => work(new ShortListTx(tx, this.#options.database.slots)))
    await this.#return('read')
    return answer
  }

  async write<T>(lane: Lane, work: (tx: Tx) => Promise<T>): Promise<T> {
    await this.#go(lane)
    const fate = this.#fate(lane)
    if (fate === 'freeze') await this.#freeze(lane, work)
    const answer = await this.#whenUnlocked(() => this.#transaction(lane, work, fate))
    if (fate === 'dieAfter') return this.#die(`after a commit (${lane})`)
    if (fate === 'awayAfter') return this.#fail(`after a commit (${lane})`)
    const connection = this.#connections[lane]
    await this.#return(lane)
    if (this.#options.database.isEnded(connection)) return this.#reconnect(lane)
    return answer
  }

  async now(): Promise<number> {
    await this.#go('now')
    const at = this.#options.database.now()
    await this.#return('now')
    return at
  }

  connectionIds(): readonly number[] {
    return Object.values(this.#connections)
  }

  async endConnections(ids: readonly number[]): Promise<void> {
    await this.#go('kill')
    const mine = new Set(this.connectionIds())
    const others = ids.filter((id) => !mine.has(id))
    const { chance, rates, trace, database } = this.#options
    const isMissed = chance.next() < rates.killMissed
    trace.line(() => `${this.#name} ends connections ${others.join(' ')}${isMissed ? ', in vain' : ''}`)
    if (!isMissed) database.endConnections(others)
    await this.#return('kill')
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** The process freezes inside its next transaction of a slot owner, for so long. */
  freezeNext(ms: number): void {
    this.#freezeMs = ms
  }

  get #name(): string {
    return this.#options.owner.name
  }

  #cannotReach(): boolean {
    return this.cut !== 'none' || this.#options.database.isAway
  }

  /** On the way to the database. */
  async #go(what: string): Promise<void> {
    const { timeline, chance, owner, rates } = this.#options
    if (owner.isDead) return never()
    if (chance.next() < rates.crash) return this.#die(`before a call of the store (${what})`)
    if (this.#cannotReach()) return this.#unreachable()
    await timeline.sleep(chance.next() < rates.storeSlow ? chance.between(50, 2000) : latency(chance), owner)
    if (this.#cannotReach()) return this.#unreachable()
  }

  /** On the way back. What was committed stays, whether or not the answer arrives. */
  async #return(what: string): Promise<void> {
    const { timeline, chance, owner, rates, trace } = this.#options
    trace.line(() => `${this.#name} ${what}`)
    await timeline.sleep(chance.next() < rates.storeSlow ? chance.between(50, 2000) : latency(chance), owner)
    if (this.#cannotReach()) await this.#unreachable()
  }

  async #unreachable(): Promise<never> {
    const { timeline, chance, owner } = this.#options
    await timeline.sleep(this.cut === 'silent' ? LIMIT_MS : chance.between(0, 5), owner)
    throw away('cut off')
  }

  async #fail(why: string): Promise<never> {
    const { timeline, chance, owner, trace } = this.#options
    await timeline.sleep(chance.between(0, 20), owner)
    trace.line(() => `${this.#name} fails ${why}`)
    throw away(why)
  }

  #die(where: string): Promise<never> {
    this.#options.trace.line(() => `${this.#name} dies ${where}`)
    this.#options.owner.kill()
    return never()
  }

  #fate(lane: Lane): Fate {
    const { chance, rates } = this.#options
    if (this.#freezeMs !== null && lane === 'fire') return 'freeze'
    const one = chance.next()
    const half = chance.next() < 0.5
    if (one < rates.crash) return half ? 'dieInside' : 'dieAfter'
    if (one < rates.crash + rates.storeError) return half ? 'awayBefore' : 'awayAfter'
    return one < rates.crash + rates.storeError + rates.freeze ? 'freeze' : 'fine'
  }

  async #transaction<T>(lane: Lane, work: (tx: Tx) => Promise<T>, fate: Fate): Promise<T> {
    const { database, trace, bend = (tx: Tx) => tx } = this.#options
    const told: string[] = []
    const tellIn = (tx: Tx): Tx => (trace.isKept ? new TellingTx(tx, (text) => told.push(text)) : tx)
    if (database.isEnded(this.#connections[lane])) return this.#reconnect(lane)
    try {
      const result = await database.real.write(lane, async (tx) => {
        await writtenBy(tx, this.runId)
        const done = await work(tellIn(bend(database.locks.isFree ? tx : new LockingTx(tx, database.locks))))
        if (fate === 'dieInside' || fate === 'awayBefore') throw new Undone()
        return done
      })
      for (const text of told) trace.line(() => `${this.#name}   ${text}`)
      return result
    } catch (error) {
      if (!(error instanceof Undone)) throw error
      return fate === 'dieInside' ? this.#die(`inside a transaction (${lane})`) : this.#fail(`before the commit (${lane})`)
    }
  }

  /** Who needs a row that is locked waits for two seconds, three times, as on MySQL. */
  async #whenUnlocked<T>(transaction: () => Promise<T>): Promise<T> {
    const { timeline, owner } = this.#options
    for (let waited = 0; ; waited += LOOK_AT_LOCK_MS) {
      try {
        return await transaction()
      } catch (error) {
        if (!(error instanceof MustWait)) throw error
        if (waited >= TRIES * LOCK_WAIT_MS) throw away(error.message)
      }
      await timeline.sleep(LOOK_AT_LOCK_MS, owner)
      if (this.#cannotReach()) await this.#unreachable()
    }
  }

  /**
   * The process stops inside the transaction: it holds its row locks until its connection is ended, by another node or, after ten seconds, by the server.
   * If nobody does so before it goes on, the transaction goes on too.
   */
  async #freeze<T>(lane: Lane, work: (tx: Tx) => Promise<T>): Promise<void> {
    const { timeline, chance, database, owner, trace } = this.#options
    const rows = await this.#rehearse(lane, work)
    if (rows === null) return
    const hold: Hold = { connectionId: this.#connections[lane], rows }
    const frozenMs = this.#freezeMs ?? chance.between(200, 11_000)
    this.#freezeMs = null
    trace.line(() => `${this.#name} freezes for ${frozenMs} ms inside a transaction (${lane}: ${[...rows.keys()].slice(0, 5).join(' ')})`)
    database.locks.add(hold)
    this.#holds.add(hold)
    owner.pause()
    timeline.after(frozenMs, null, () => owner.continue())
    timeline.after(STILL_MS, null, () => {
      if (database.locks.has(hold)) database.endConnections([hold.connectionId])
    })
    await timeline.sleep(0, owner)
    this.#holds.delete(hold)
    if (!database.locks.remove(hold)) await this.#reconnect(lane)
  }

  /** Which rows the transaction would lock; null: it would not come to its end. Nothing is kept of what it writes. */
  async #rehearse<T>(lane: Lane, work: (tx: Tx) => Promise<T>): Promise<ReadonlyMap<string, 'share' | 'update'> | null> {
    const { database } = this.#options
    const rows: Map<string, 'share' | 'update'>[] = []
    try {
      await database.real.write(lane, async (tx) => {
        const locking = new LockingTx(tx, database.locks)
        await work(locking)
        rows.push(locking.taken)
        throw new Undone()
      })
    } catch {
      return rows[0] ?? null
    }
    return null
  }

  #reconnect(lane: Lane): Promise<never> {
    this.#connections[lane] = this.#options.database.connect()
    return this.#fail(`because its connection was ended (${lane})`)
  }
}

class Undone extends Error {}

/**
 * As the tables are small here, it is quicker to look at every row than to look up two hundred slots: a list of slots is given as one text, a character
 * for each. What is read is the same.
 */
class ShortListTx implements ReadTx {
  readonly #tx: ReadTx
  readonly #read: SlotsRead

  constructor(tx: ReadTx, read: SlotsRead) {
    this.#tx = tx
    this.#read = read
  }

  get watch(): Watch {
    return this.#tx.watch
  }

  rows<Row>(built: Compilable<Row>): Promise<Row[]> {
    return this.#tx.rows(built)
  }

  first<Row>(built: Compilable<Row>): Promise<Row | null> {
    return this.#tx.first(built)
  }

  now(): Promise<number> {
    return this.#tx.now()
  }

  all<Row>(sql: string, params: readonly Value[] = []): Promise<Row[]> {
    return sql === ALL_SLOTS ? this.#slots<Row>() : this.#short<Row>(sql, params)
  }

  /** Every node reads all slots each second; they seldom change. */
  async #slots<Row>(): Promise<Row[]> {
    const version = await slotsVersion(this.#tx)
    const known = this.#read
    if (known.version !== version) {
      known.rows = await this.#tx.all(ALL_SLOTS)
      known.version = version
    }
    return known.rows as Row[]
  }

  #short<Row>(sql: string, params: readonly Value[]): Promise<Row[]> {
    const short = params.length < LONG_LIST ? null : shortened(sql)
    if (short === null) return this.#tx.all(sql, params)
    const { text, from, to } = short
    return this.#tx.all(text, [
      ...params.slice(0, from),
      String.fromCharCode(...params.slice(from, to).map((slot) => FIRST_CHARACTER + Number(slot))),
      ...params.slice(to),
    ])
  }
}

/** A query with its list of slots as one text, which parameters `from` to `to` make up. */
interface Short {
  readonly text: string
  readonly from: number
  readonly to: number
}

const known = new Map<string, Short | null>()
const KNOWN = 1000

function shortened(sql: string): Short | null {
  const before = known.get(sql)
  if (before !== undefined) return before
  if (known.size >= KNOWN) known.clear()
  const short = shorten(sql)
  known.set(sql, short)
  return short
}

function shorten(sql: string): Short | null {
  const start = sql.indexOf(' slot IN (?, ?')
  if (start < 0) return null
  const end = sql.indexOf(')', start)
  const from = sql.slice(0, start).split('?').length - 1
  const to = from + sql.slice(start, end).split('?').length - 1
  return { text: `${sql.slice(0, start)} instr(?, char(${FIRST_CHARACTER} + slot)) > 0${sql.slice(end + 1)}`, from, to }
}
