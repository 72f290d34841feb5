import { FINDING, FINDINGS, VERDICT, type Finding } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import { firingsAfter, type LedgerPosition } from '../store/fold.ts'
import type { RunIds } from '../store/ids.ts'
import {
  addFindings,
  closeOverdue,
  fillCounts,
  firedRuns,
  firingsAt,
  foldedHours,
  overdueCursors,
  pruneReckoned,
  readReckoner,
  seriesBehind,
  seriesToReckon,
  writeReckoning,
  type LedgerKey,
  type OverdueCursor,
  type ReckonerState,
  type Totals,
} from '../store/reckon.ts'
import type { FindingRow, FiringHourRow, FiringRow, VerdictRow } from '../store/schema.ts'
import type { Clock } from './clock.ts'
import { findingRow, keyText, SeriesWalk } from './series-walk.ts'

/** What is due is settled, as a rule, so long after: younger entries are left for the next step. */
export const SETTLE_MS = 30_000
/** Firings of one step, and of how many series at most. */
const ROWS_READ = 5000
const SERIES_AT_ONCE = 1000
/** Series of one page of the round that finds what came late. */
const SERIES_READ = 1000
/** Series of which the chain is walked in one step of that round. */
const SERIES_WALKED = 200
const ROUND_EVERY_MS = 300_000
/** What is overdue is looked for so often; twice in a row, and a minute apart, is a finding. */
const OVERDUE_EVERY_MS = 60_000
const OVERDUE_MS = 120_000
const OVERDUE_READ = 100
/** While cursors are overdue, nothing younger is reckoned, for so long: late entries are then met in their order. */
const WAIT_FOR_LATE_MS = 600_000
const LOOK_EVERY_MS = 5000
/** Instants of one series that are looked up by key at once, rounds of it, and keys of one round. */
const KEYS_OF_SERIES = 200
const LATE_ROUNDS = 50
const KEYS_AT_ONCE = 1000
/** Findings that one step writes; the figures count all. */
const FINDINGS_WRITTEN = 100
const FOLDED_AFTER_MS = 20 * 3_600_000
const KEPT_MS = 400 * 86_400_000

export interface Incomplete {
  readonly kind: Finding
  readonly taskId: number
  readonly groupId: number
  readonly seriesId: number
  readonly fromAt: number
  readonly toAt: number
  readonly n: number
}

export interface ReckonerOptions {
  readonly db: Database
  readonly clock: Pick<Clock, 'monotonic'>
  readonly ids: RunIds
  /** something was found, after it was written: for an alarm. At most 100 a step. */
  readonly onIncomplete: (found: readonly Incomplete[]) => void
}

/**
 * Proves the ledger: recomputes, from the schedules as they were in force, what must have become of every instant, and holds the entries against it.
 *
 * It walks the ledger in the order of time, half a minute behind, and for each series the chain of its entries: each must be the next due instant after the
 * one before, name it, and have its run. What came late is looked up by key where the chain has a gap. A slow round over all series finds what no later
 * entry tells of: entries that came late, skips alone, and a cursor that is past the last entry. Cursors that stand on an instant that has passed are found
 * by the index.
 *
 * It shares nothing with what fires but the store and the schedules: no memory, no loop, its reads go by the lane of the readers. Position and verdicts are
 * kept in one transaction a step, which another that does the same makes void.
 */
export class Reckoner {
  readonly #options: ReckonerOptions
  #round: { after: number; startedAt: number; pending: number[] } | null = null
  #roundEndedAt = -Infinity
  #lookedAt = -Infinity
  #isLate = false
  #overdueAt = -Infinity
  #overdue = new Map<number, { readonly cursor: OverdueCursor; readonly since: number }>()

  constructor(options: ReckonerOptions) {
    this.#options = options
  }

  /** Does a bounded piece of work; true: there is more to do now. */
  async step(now: number): Promise<boolean> {
    const state = await readReckoner(this.#options.db, now)
    await this.#lookForOverdue(now)
    if (await this.#scan(state, now)) return true
    return this.#late(now)
  }

  // ── in the order of time ──

  async #scan(state: ReckonerState, now: number): Promise<boolean> {
    const { db } = this.#options
    const until = await this.#horizon(state, now)
    const { position } = state
    if (until <= position.dueAt) return false
    const read = await firingsAfter(db, position, until, ROWS_READ)
    const firings = ofSeries(read, SERIES_AT_ONCE)
    const last = firings.at(-1)
    const isFull = read.length === ROWS_READ || firings.length < read.length
    if (last === undefined && until - position.dueAt < LOOK_EVERY_MS) return false
    const to: LedgerPosition =
      isFull && last !== undefined ? { dueAt: last.due_at, seriesId: last.series_id } : { dueAt: until, seriesId: 0 }
    const bySeries = Map.groupBy(firings, (row) => row.series_id)
    const items = (await seriesToReckon(db, [...bySeries.keys()])).map((series) => {
      const own = bySeries.get(series.seriesId) ?? []
      const lastAt = own.at(-1)?.due_at ?? 0
      return new SeriesWalk(series, { sinceAt: state.sinceAt, firings: own, beforeAt: lastAt, endAt: null })
    })
    return this.#reckon(items, { state, position: to, now, isMore: isFull })
  }

  /** Up to where entries are expected to be there: not past what is overdue, or late entries would be met out of their order. */
  async #horizon({ position }: ReckonerState, now: number): Promise<number> {
    if (now - this.#lookedAt >= LOOK_EVERY_MS || now < this.#lookedAt) {
      this.#lookedAt = now
      this.#isLate = (await overdueCursors(this.#options.db, now - SETTLE_MS, 1)).length > 0
    }
    return this.#isLate ? Math.min(now - SETTLE_MS, Math.max(position.dueAt, now - WAIT_FOR_LATE_MS)) : now - SETTLE_MS
  }

  // ── series after series ──

  /** One step of the round over all series; false: it rests. */
  async #late(now: number): Promise<boolean> {
    const { db } = this.#options
    if (this.#round === null) {
      if (now - this.#roundEndedAt < ROUND_EVERY_MS && now >= this.#roundEndedAt) return false
      this.#round = { after: 0, startedAt: now, pending: [] }
      await pruneReckoned(db, now - KEPT_MS)
    }
    const round = this.#round
    if (round.pending.length === 0) {
      const page = await seriesBehind(db, round.after, SERIES_READ)
      round.pending.push(...page.behind)
      round.after = page.next ?? Infinity
    }
    const ids = round.pending.splice(0, SERIES_WALKED)
    if (ids.length > 0) await this.#walkLate(ids, now)
    if (round.pending.length > 0 || round.after !== Infinity) return true
    this.#round = null
    this.#roundEndedAt = now
    return false
  }

  async #walkLate(ids: readonly number[], now: number): Promise<void> {
    const { db } = this.#options
    const state = await readReckoner(db, now)
    const until = state.position.dueAt - 1
    const items = (await seriesToReckon(db, ids)).map((series) => {
      const { lastDueAt } = series
      const beforeAt = Math.min(lastDueAt, until) + 1
      return new SeriesWalk(series, { sinceAt: state.sinceAt, firings: [], beforeAt, endAt: lastDueAt <= until ? lastDueAt : null })
    })
    await this.#reckon(items, { state, position: state.position, now, isMore: false })
  }

  // ── what has passed, and nobody settles ──

  async #lookForOverdue(now: number): Promise<void> {
    const { db, clock } = this.#options
    const monotonic = clock.monotonic()
    if (monotonic - this.#overdueAt < OVERDUE_EVERY_MS) return
    this.#overdueAt = monotonic
    const cursors = await overdueCursors(db, now - OVERDUE_MS, OVERDUE_READ)
    const before = this.#overdue
    this.#overdue = new Map(
      cursors.map((cursor) => {
        const seen = before.get(cursor.seriesId)
        const isSame = seen?.cursor.revision === cursor.revision && seen.cursor.dueAt === cursor.dueAt
        return [cursor.seriesId, { cursor, since: isSame ? seen.since : monotonic }]
      }),
    )
    const found = [...this.#overdue.values()].filter(({ since }) => monotonic - since >= OVERDUE_EVERY_MS)
    const fresh = await addFindings(
      db,
      found.map(({ cursor }) => findingRow('overdue', cursor, { fromAt: cursor.dueAt, toAt: cursor.dueAt, n: 1, foundAt: now, facts: {} })),
    )
    await closeOverdue(db, FINDING.overdue, now, OVERDUE_READ)
    this.#tell(fresh)
  }

  // ── a step ──

  async #reckon(items: readonly SeriesWalk[], step: StepFacts): Promise<boolean> {
    const { db, ids } = this.#options
    await this.#fillGaps(items, step.now)
    await this.#checkRuns(items, step.now)
    const { state, now, position } = step
    const found = items.map((item) => item.outcome(now))
    const findings = found.flatMap((one) => one.findings).slice(0, FINDINGS_WRITTEN)
    const recoveries = found.flatMap((one) => one.recoveries)
    const verdicts = summed(found.flatMap((one) => one.verdicts))
    const isWritten = await writeReckoning(db, {
      revision: state.revision,
      position,
      at: now,
      states: found.flatMap((one) => one.states),
      verdicts,
      findings,
      recoveries,
      recoveryId: recoveries.length === 0 ? 0 : await ids.take(recoveries.length),
      totals: totalsOf(verdicts),
    })
    // another has done it: the next step reads where that one stands
    if (!isWritten) return true
    await fillCounts(
      db,
      found.flatMap((one) => one.counts),
    )
    this.#tell(findings)
    return step.isMore
  }

  /** Entries that are not among those which were read: late ones, and hours that were folded. */
  async #fillGaps(items: readonly SeriesWalk[], now: number): Promise<void> {
    const { db } = this.#options
    let open = items
    for (let round = 0; round < LATE_ROUNDS; round += 1) {
      const asked = new Map<SeriesWalk, LedgerKey[]>()
      let room = KEYS_AT_ONCE
      for (const item of open) {
        if (room === 0) break
        const keys = item.unknownKeys(Math.min(room, KEYS_OF_SERIES))
        if (keys.length > 0) asked.set(item, keys)
        room -= keys.length
      }
      if (asked.size === 0) return
      const rows = Map.groupBy(await firingsAt(db, [...asked.values()].flat()), (row) => row.series_id)
      for (const [item, keys] of asked) {
        const own = rows.get(item.seriesId) ?? []
        const hours = own.length === keys.length ? [] : await this.#foldedOf(item, keys, now)
        item.add(keys, own, hours)
      }
      open = open.filter((item) => item.unknownKeys(1).length > 0)
    }
    for (const item of open) item.cutAtUnknown()
  }

  async #foldedOf(item: SeriesWalk, keys: readonly LedgerKey[], now: number): Promise<FiringHourRow[]> {
    const first = keys[0]?.dueAt ?? now
    if (first > now - FOLDED_AFTER_MS) return []
    return foldedHours(this.#options.db, item.seriesId, first, keys.at(-1)?.dueAt ?? first)
  }

  async #checkRuns(items: readonly SeriesWalk[], now: number): Promise<void> {
    const { db } = this.#options
    const before = items.flatMap((item) => item.delayKeys())
    const previous = new Map(
      (await inParts(before, KEYS_AT_ONCE, (keys) => firingsAt(db, keys))).map((row) => [keyText(row.due_at, row.series_id), row]),
    )
    const ids = items.flatMap((item) => item.firings.map((row) => row.instance_id))
    const runs = await firedRuns(db, [...new Set([...ids, ...[...previous.values()].map((row) => row.instance_id)])])
    for (const item of items) item.check(runs, previous, now)
  }

  #tell(findings: readonly FindingRow[]): void {
    if (findings.length === 0) return
    this.#options.onIncomplete(
      findings.map((row) => ({
        kind: kindOf(row.kind),
        taskId: row.task_id,
        groupId: row.group_id,
        seriesId: row.series_id,
        fromAt: row.from_at,
        toAt: row.to_at,
        n: row.n,
      })),
    )
  }
}

interface StepFacts {
  readonly state: ReckonerState
  readonly position: LedgerPosition
  readonly now: number
  readonly isMore: boolean
}

/** The first rows, of at most so many series. */
function ofSeries(rows: readonly FiringRow[], most: number): readonly FiringRow[] {
  const seen = new Set<number>()
  const end = rows.findIndex((row) => seen.add(row.series_id).size > most)
  return end < 0 ? rows : rows.slice(0, end)
}

function kindOf(code: number): Finding {
  return FINDINGS.find((kind) => FINDING[kind] === code) ?? 'broken'
}

function summed(rows: readonly VerdictRow[]): VerdictRow[] {
  const sums = new Map<string, VerdictRow>()
  for (const row of rows) {
    const key = `${row.hour_at}:${row.group_id}:${row.code}`
    sums.set(key, { ...row, n: row.n + (sums.get(key)?.n ?? 0) })
  }
  return [...sums.values()].sort((a, b) => a.hour_at - b.hour_at || a.group_id - b.group_id || a.code - b.code)
}

function totalsOf(verdicts: readonly VerdictRow[]): Totals {
  const of = (isOne: (code: number) => boolean): number => verdicts.reduce((sum, row) => (isOne(row.code) ? sum + row.n : sum), 0)
  const plain: readonly number[] = Object.values(VERDICT)
  return {
    fired: of((code) => code === VERDICT.fired),
    skipped: of((code) => !plain.includes(code)),
    missing: of((code) => code === VERDICT.missing),
    doubled: of((code) => code === VERDICT.doubled),
  }
}

async function inParts<Item, Row>(items: readonly Item[], size: number, read: (part: Item[]) => Promise<Row[]>): Promise<Row[]> {
  const found: Row[] = []
  for (let from = 0; from < items.length; from += size) found.push(...(await read(items.slice(from, from + size))))
  return found
}
