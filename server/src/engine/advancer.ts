import type { Database } from '../store/database.ts'
import type { RunIds } from '../store/ids.ts'
import type { RunChange } from '../store/report.ts'
import { advance, pendingSignals } from '../store/signals.ts'
import type { Clock } from './clock.ts'
import type { Events } from './events.ts'
import { Pump } from './pump.ts'
import type { SlotKeeper } from './slot-keeper.ts'

const AT_ONCE = 500

export interface AdvancerOptions {
  readonly db: Database
  readonly clock: Clock
  readonly keeper: SlotKeeper
  readonly events: Events
  readonly ids: RunIds
  /** parents whose shards have ended */
  readonly onChanges: (changes: readonly RunChange[]) => void
  /** runs of backfills have ended: there is room for more */
  readonly onBackfilled: () => void
  /** series whose cursor was set: arm them */
  readonly onSeries: (seriesIds: readonly number[]) => Promise<void>
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

/**
 * The advance stage: applies what the ends of runs left for others: the next instant of a fixedDelay, a `once` that is done, failures in a row, a parent of
 * shards, a backfill that has room for more.
 */
export class Advancer {
  readonly #options: AdvancerOptions
  readonly #pump: Pump

  constructor(options: AdvancerOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  kick(): void {
    this.#pump.kick()
  }

  async #turn(): Promise<boolean> {
    const { db, keeper, events, ids, clock } = this.#options
    const signals = await pendingSignals(db, keeper.slots, AT_ONCE)
    if (signals.length === 0) return false
    const firstId = await ids.take(signals.length)
    const { seriesIds, tasks, changes, hasBackfilled } = await advance(db, { signals, firstId, at: clock.now() })
    events.emit(tasks.map((task) => ({ kind: 'taskChanged', ...task })))
    if (changes.length > 0) this.#options.onChanges(changes)
    if (hasBackfilled) this.#options.onBackfilled()
    if (seriesIds.length > 0) await this.#options.onSeries(seriesIds)
    return signals.length === AT_ONCE
  }
}
