import type { Database } from '../store/database.ts'
import {
  deleteFirings,
  firingsAfter,
  firstHourWithFirings,
  FOLDED_ABOVE,
  foldedSeries,
  foldedUntil,
  HOUR_MS,
  hourCheck,
  insertFolded,
  isLinked,
  setFoldedUntil,
  type HourCheck,
  type LedgerPosition,
} from '../store/fold.ts'
import type { FiringHourRow, FiringRow } from '../store/schema.ts'

const DAY_MS = 24 * HOUR_MS
const ROWS_READ = 5000
const ROWS_DELETED = 1000

/**
 * Folds the firing ledger: an hour older than a day, of a series that fired more than 60 times in it, becomes one row. Each hour goes through three
 * passes in the order of the ledger, a few thousand rows a step:
 *
 *   count ──▶ verify ──▶ write the hours ──▶ delete their rows ──▶ the next hour with firings
 *
 * Only what was verified is folded: every firing names the instant before it, that one has a firing or a skip, and the schedule in force says that
 * nothing was due between. A series that does not pass keeps its rows. An interrupted fold begins the hour again; hours that are written are not
 * verified again, only their rows go.
 */
export class Folder {
  readonly #db: Database
  #pass: Pass = { kind: 'begin' }
  /** series that fired often enough and did not pass the check, since the start of the process */
  #unverified = 0

  constructor(db: Database) {
    this.#db = db
  }

  get unverified(): number {
    return this.#unverified
  }

  /** Does a bounded piece of work; true: there is more to do now. */
  async step(now: number): Promise<boolean> {
    const next = await this.#work(this.#pass, now)
    this.#pass = next ?? { kind: 'begin' }
    return next !== null
  }

  async #work(pass: Pass, now: number): Promise<Pass | null> {
    switch (pass.kind) {
      case 'begin':
        return this.#begin(now)
      case 'count':
        return this.#count(pass)
      case 'verify':
        return this.#verify(pass)
      case 'delete':
        return this.#delete(pass)
    }
  }

  async #begin(now: number): Promise<Pass | null> {
    const hourAt = await firstHourWithFirings(this.#db, await foldedUntil(this.#db))
    if (hourAt === null || hourAt + HOUR_MS > now - DAY_MS) return null
    return { kind: 'count', hourAt, position: beginOf(hourAt), counts: new Map() }
  }

  async #count(pass: CountPass): Promise<Pass | null> {
    const rows = await this.#read(pass)
    for (const row of rows) pass.counts.set(row.series_id, (pass.counts.get(row.series_id) ?? 0) + 1)
    if (rows.length === ROWS_READ) return { ...pass, position: endOf(rows, pass.position) }
    const frequent = [...pass.counts].flatMap(([seriesId, count]) => (count > FOLDED_ABOVE ? [seriesId] : []))
    const written = await foldedSeries(this.#db, pass.hourAt)
    const fresh = frequent.filter((seriesId) => !written.has(seriesId))
    if (fresh.length === 0 && written.size === 0) return this.#finish(pass.hourAt)
    if (fresh.length === 0) return { kind: 'delete', hourAt: pass.hourAt, position: beginOf(pass.hourAt), series: written }
    const chains = new Map<number, Chain>()
    for (const seriesId of fresh)
      chains.set(seriesId, { check: await hourCheck(this.#db, seriesId, pass.hourAt), rows: null, isBroken: false })
    return { kind: 'verify', hourAt: pass.hourAt, position: beginOf(pass.hourAt), chains, written }
  }

  async #verify(pass: VerifyPass): Promise<Pass> {
    const rows = await this.#read(pass)
    for (const row of rows) extend(pass.chains.get(row.series_id), row, pass.hourAt)
    if (rows.length === ROWS_READ) return { ...pass, position: endOf(rows, pass.position) }
    const sound = [...pass.chains.values()].flatMap((chain) =>
      chain.rows !== null && !chain.isBroken && chain.check.isSettled ? [chain.rows] : [],
    )
    this.#unverified += pass.chains.size - sound.length
    for (let from = 0; from < sound.length; from += ROWS_DELETED) await insertFolded(this.#db, sound.slice(from, from + ROWS_DELETED))
    return {
      kind: 'delete',
      hourAt: pass.hourAt,
      position: beginOf(pass.hourAt),
      series: new Set([...pass.written, ...sound.map((row) => row.series_id)]),
    }
  }

  async #delete(pass: DeletePass): Promise<Pass | null> {
    const rows = await this.#read(pass)
    const folded = rows.filter((row) => pass.series.has(row.series_id))
    for (let from = 0; from < folded.length; from += ROWS_DELETED) await deleteFirings(this.#db, folded.slice(from, from + ROWS_DELETED))
    return rows.length === ROWS_READ ? { ...pass, position: endOf(rows, pass.position) } : this.#finish(pass.hourAt)
  }

  async #finish(hourAt: number): Promise<Pass> {
    await setFoldedUntil(this.#db, hourAt + HOUR_MS)
    return { kind: 'begin' }
  }

  async #read({ hourAt, position }: CountPass | VerifyPass | DeletePass): Promise<FiringRow[]> {
    return firingsAfter(this.#db, position, hourAt + HOUR_MS, ROWS_READ)
  }
}

type Pass = { readonly kind: 'begin' } | CountPass | VerifyPass | DeletePass

interface CountPass {
  readonly kind: 'count'
  readonly hourAt: number
  readonly position: LedgerPosition
  readonly counts: Map<number, number>
}

interface VerifyPass {
  readonly kind: 'verify'
  readonly hourAt: number
  readonly position: LedgerPosition
  readonly chains: ReadonlyMap<number, Chain>
  readonly written: ReadonlySet<number>
}

interface DeletePass {
  readonly kind: 'delete'
  readonly hourAt: number
  readonly position: LedgerPosition
  readonly series: ReadonlySet<number>
}

/** The firings of one series in the hour, as far as they have been read. */
interface Chain {
  readonly check: HourCheck
  rows: FiringHourRow | null
  isBroken: boolean
}

function extend(chain: Chain | undefined, row: FiringRow, hourAt: number): void {
  if (chain === undefined) return
  if (!isLinked(row, chain.rows?.last_due_at ?? null, chain.check)) chain.isBroken = true
  const { rows } = chain
  chain.rows =
    rows === null
      ? {
          hour_at: hourAt,
          series_id: row.series_id,
          fired: 1,
          first_due_at: row.due_at,
          last_due_at: row.due_at,
          first_id: row.instance_id,
          last_id: row.instance_id,
        }
      : {
          ...rows,
          fired: rows.fired + 1,
          last_due_at: row.due_at,
          first_id: Math.min(rows.first_id, row.instance_id),
          last_id: Math.max(rows.last_id, row.instance_id),
        }
}

function beginOf(hourAt: number): LedgerPosition {
  return { dueAt: hourAt, seriesId: 0 }
}

function endOf(rows: readonly FiringRow[], position: LedgerPosition): LedgerPosition {
  const last = rows.at(-1)
  return last === undefined ? position : { dueAt: last.due_at, seriesId: last.series_id }
}
