import type { Database } from '../store/database.ts'
import { holdSeries } from '../store/fire.ts'
import { dueRevisions, seriesById, type SeriesCursor } from '../store/series.ts'
import type { Clock } from './clock.ts'
import type { Definitions } from './definitions.ts'
import type { SeriesTable } from './series-table.ts'
import type { SlotKeeper } from './slot-keeper.ts'
import type { Timekeeper } from './timekeeper.ts'

/** How far ahead series are loaded into the wheel, and how often. */
const HORIZON_MS = 60_000
const LOAD_EVERY_MS = 20_000
const AT_ONCE = 200_000

export interface LoaderOptions {
  readonly db: Database
  readonly clock: Clock
  readonly keeper: SlotKeeper
  readonly table: SeriesTable
  readonly timekeeper: Timekeeper
  readonly definitions: Definitions
  readonly onHeld: (seriesId: number, error: unknown) => void
}

/**
 * Brings series that are due within the horizon into the wheel: every 20 s what lies ahead, every second what is overdue and no wheel knows, and at once
 * what a command has changed. Its reads are counted by time, not by tasks.
 */
export class Loader {
  readonly #options: LoaderOptions
  #loadedAt = -Infinity

  constructor(options: LoaderOptions) {
    this.#options = options
  }

  /** One round of the sweep. */
  async sweep(): Promise<void> {
    const { clock } = this.#options
    const isLoadDue = clock.monotonic() - this.#loadedAt >= LOAD_EVERY_MS
    if (isLoadDue) this.#loadedAt = clock.monotonic()
    await this.#take(clock.now() + (isLoadDue ? HORIZON_MS : 0))
  }

  /** Series that were changed by a command, or overtaken: as the store has them now. */
  async hint(seriesIds: readonly number[]): Promise<void> {
    const found = await seriesById(this.#options.db, seriesIds)
    const known = new Set(found.map((cursor) => cursor.seriesId))
    for (const id of seriesIds) if (!known.has(id)) this.forget(id)
    await this.#arm(found)
  }

  /** The series is no longer this node's, or has no next instant. */
  forget(seriesId: number): void {
    const armed = this.#options.table.remove(seriesId)
    if (armed?.timer != null) this.#options.timekeeper.cancel(armed.timer)
  }

  /** Slots are another node's now. */
  forgetSlots(slots: ReadonlySet<number>): void {
    for (const seriesId of this.#options.table.ofSlots(slots)) this.forget(seriesId)
  }

  /** Loads the whole horizon with the next sweep: slots have come. */
  expect(): void {
    this.#loadedAt = -Infinity
  }

  /** Forgets every series that is not being fired, and loads the horizon again with the next sweep. */
  reset(): void {
    for (const seriesId of this.#options.table.idle()) this.forget(seriesId)
    this.#loadedAt = -Infinity
  }

  /** Puts the timer of a series at its next instant; beyond the horizon it leaves memory. */
  rearm(seriesId: number): void {
    const { table, timekeeper, clock } = this.#options
    const armed = table.get(seriesId)
    if (armed === null) return
    if (armed.timer !== null) timekeeper.cancel(armed.timer)
    armed.timer = null
    if (armed.cursor.nextDueAt > clock.now() + HORIZON_MS) table.remove(seriesId)
    else armed.timer = timekeeper.arm(armed.cursor.nextDueAt, seriesId)
  }

  async #take(until: number): Promise<void> {
    const { db, keeper, table } = this.#options
    const due = await dueRevisions(db, [...keeper.slots], until, AT_ONCE)
    const unknown = due.filter(({ id, revision }) => {
      const armed = table.get(id)
      return armed === null || (!armed.isFiring && armed.cursor.revision < revision)
    })
    for (let from = 0; from < unknown.length; from += 1000) {
      await this.#arm(
        await seriesById(
          db,
          unknown.slice(from, from + 1000).map((row) => row.id),
        ),
      )
    }
  }

  async #arm(cursors: readonly SeriesCursor[]): Promise<void> {
    const { keeper, table, definitions } = this.#options
    const mine = cursors.filter((cursor) => keeper.slots.has(cursor.slot) && table.get(cursor.seriesId)?.isFiring !== true)
    await definitions.load(mine.flatMap((cursor) => cursor.spans.map((span) => ({ taskId: cursor.taskId, version: span.taskVersion }))))
    for (const cursor of mine) {
      const known = table.get(cursor.seriesId)
      if (known !== null && (known.isFiring || known.cursor.revision > cursor.revision)) continue
      await this.#armOne(cursor)
    }
  }

  async #armOne(cursor: SeriesCursor): Promise<void> {
    try {
      this.#options.table.put(cursor)
      this.rearm(cursor.seriesId)
    } catch (error) {
      await holdSeries(this.#options.db, cursor.seriesId, this.#options.clock.now(), 'brokenSchedule')
      this.#options.onHeld(cursor.seriesId, error)
    }
  }
}
