import { activeBackfills, backfilledToCancel, endCanceling, makeBackfillRuns, roomOf } from '../store/backfill-runs.ts'
import { BACKFILL_STAGE } from '../store/backfill-rows.ts'
import type { Database } from '../store/database.ts'
import type { RunIds } from '../store/ids.ts'
import type { BackfillRow, OpenInstanceRow } from '../store/schema.ts'
import type { Clock } from './clock.ts'
import { isStoreAway, Pump } from './pump.ts'
import type { RestoreGuard } from './restore-guard.ts'
import type { SlotKeeper } from './slot-keeper.ts'

/** Backfills that one turn looks at. Beyond these the newest wait until older ones are done. */
const AT_ONCE = 500
const CANCELED_AT_ONCE = 500
/** A backfill whose task cannot be read is looked at again after so long. */
const BROKEN_MS = 60_000

export interface BackfillerOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  readonly keeper: SlotKeeper
  readonly guard: RestoreGuard
  /** whether as many runs are open as may be */
  readonly isFull: () => boolean
  readonly onMade: (rows: readonly OpenInstanceRow[]) => void
  /** cancels runs of a backfill that somebody has canceled with them */
  readonly cancel: (instanceIds: readonly number[]) => Promise<void>
  readonly onBroken: (backfillId: number, error: unknown) => void
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

/**
 * The backfill stage: makes the runs of backfills, as many as each may have at once, and cancels those of one that was canceled with its runs. All that it
 * must know is in the store: how far a backfill is moves in the commit that makes its runs, and how many are open by the signals that their ends leave,
 * which the advancer applies. So whoever owns the slot next goes on.
 */
export class Backfiller {
  readonly #options: BackfillerOptions
  readonly #pump: Pump
  /** backfills that get no run before one of theirs ends, as their rows were then */
  #waiting = new Map<number, string>()
  /** backfills of which something in the store is wrong, until when */
  #broken = new Map<number, number>()

  constructor(options: BackfillerOptions) {
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
    const { db, keeper, guard } = this.#options
    if (!keeper.isTrusted || guard.isHeld) return false
    const active = await activeBackfills(db, keeper.slots, AT_ONCE)
    this.#forget(active)
    let isMore = false
    for (const backfill of active) if (keeper.slots.has(backfill.slot) && (await this.#guarded(backfill))) isMore = true
    return isMore
  }

  /** What is remembered of backfills that are not this node's any more, or not active. */
  #forget(active: readonly BackfillRow[]): void {
    const ids = new Set(active.map((backfill) => backfill.id))
    this.#waiting = new Map([...this.#waiting].filter(([id]) => ids.has(id)))
    this.#broken = new Map([...this.#broken].filter(([id]) => ids.has(id)))
  }

  /** One whose data is wrong does not stop the others. True: there is more to do for it at once. */
  async #guarded(backfill: BackfillRow): Promise<boolean> {
    const now = this.#options.clock.now()
    if ((this.#broken.get(backfill.id) ?? 0) > now) return false
    this.#broken.delete(backfill.id)
    try {
      return backfill.stage === BACKFILL_STAGE.canceling ? await this.#cancelSome(backfill) : await this.#makeSome(backfill)
    } catch (error) {
      if (isStoreAway(error)) throw error
      this.#broken.set(backfill.id, now + BROKEN_MS)
      this.#options.onBroken(backfill.id, error)
      return false
    }
  }

  /** More follows from the ends of these runs alone. */
  async #makeSome(backfill: BackfillRow): Promise<boolean> {
    const { db, clock, ids, keeper, isFull, onMade } = this.#options
    const room = roomOf(backfill)
    const seen = `${backfill.made}/${backfill.open_runs}`
    if (room === 0 || isFull() || this.#waiting.get(backfill.id) === seen) return false
    const firstId = await ids.take(room)
    const fences = keeper.fencesOf([backfill.slot])
    const runs = await makeBackfillRuns(db, { backfill, at: clock.now(), fences, firstId })
    if (runs === null) return false
    if (runs.length === 0) this.#waiting.set(backfill.id, seen)
    else onMade(runs)
    return false
  }

  async #cancelSome(backfill: BackfillRow): Promise<boolean> {
    const { db, cancel } = this.#options
    const runIds = await backfilledToCancel(db, backfill, CANCELED_AT_ONCE)
    if (runIds.length === 0) await endCanceling(db, backfill.id)
    else await cancel(runIds)
    return runIds.length > 0
  }
}
