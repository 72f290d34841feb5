import type { TimerHandle } from '@tickwheel/core'
import type { SeriesCursor } from '../store/series.ts'
import { seriesSchedule, type SeriesSchedule } from '../store/spans.ts'

/** A series that is due within the horizon, armed in the wheel. */
export interface ArmedSeries {
  cursor: SeriesCursor
  schedule: SeriesSchedule
  timer: TimerHandle | null
  /** its instants are being settled: no sweep touches it */
  isFiring: boolean
}

/** The series that are due within the horizon. What lies further off is in the store alone, so memory holds what is near, not what exists. */
export class SeriesTable {
  readonly #armed = new Map<number, ArmedSeries>()

  get size(): number {
    return this.#armed.size
  }

  get(seriesId: number): ArmedSeries | null {
    return this.#armed.get(seriesId) ?? null
  }

  /** Takes a cursor as the store has it. Throws `BrokenData` when its schedule is not sound. */
  put(cursor: SeriesCursor): ArmedSeries {
    const before = this.#armed.get(cursor.seriesId)
    const schedule = seriesSchedule(cursor.spans)
    if (before !== undefined) {
      before.cursor = cursor
      before.schedule = schedule
      return before
    }
    const armed: ArmedSeries = { cursor, schedule, timer: null, isFiring: false }
    this.#armed.set(cursor.seriesId, armed)
    return armed
  }

  remove(seriesId: number): ArmedSeries | null {
    const armed = this.#armed.get(seriesId)
    this.#armed.delete(seriesId)
    return armed ?? null
  }

  /** Series of some slots. */
  ofSlots(slots: ReadonlySet<number>): number[] {
    return [...this.#armed].filter(([, { cursor }]) => slots.has(cursor.slot)).map(([seriesId]) => seriesId)
  }

  /** Series whose instants are not being settled now. */
  idle(): number[] {
    return [...this.#armed].filter(([, armed]) => !armed.isFiring).map(([seriesId]) => seriesId)
  }
}
