import { AppError } from '@tickwheel/contract'
import { endBulk, Overtaken, runningBulks, settleRefused, waitingItems, type RefusedItem } from '../store/bulk-items.ts'
import type { Database } from '../store/database.ts'
import type { BulkItemRow, BulkRow } from '../store/schema.ts'
import type { BulkHands, Handled } from './bulk-hands.ts'
import type { Clock } from './clock.ts'
import { isStoreAway, Pump } from './pump.ts'
import type { RestoreGuard } from './restore-guard.ts'
import type { SlotKeeper } from './slot-keeper.ts'

/** Operations that one turn looks at. Beyond these the newest wait until older ones are done. */
const LOOKED_AT = 100
/** Items of one operation before it is the next one's turn. */
const BATCH = 50
/** Items of a batch that are carried out at once. */
const AT_ONCE = 8
/** So often is an item begun that fails in a way that nobody expected. */
const TRIES = 3

export interface BulkWorkerOptions {
  readonly db: Database
  readonly clock: Clock
  readonly keeper: SlotKeeper
  readonly guard: RestoreGuard
  readonly hands: BulkHands
  /** some of its items were settled, or it has ended */
  readonly onChanged: (bulkIds: readonly number[]) => void
  readonly onBroken: (bulkId: number, targetId: number, error: unknown) => void
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

/** How far an operation is, as far as this process has seen: what it has forgotten it finds again. */
interface Pace {
  /** items up to this place were looked at in this round */
  after: number
  /** something could not be done yet: nothing more is tried before the next sweep */
  isResting: boolean
  /** how often items have failed in a way that nobody expected, by place */
  readonly tries: Map<number, number>
}

/**
 * The stage of bulk operations: carries out their items, a batch of each in turn. Which items there are was written when an operation was accepted, and each
 * is settled in the commit that carries it out; so whoever owns the slot next goes on, and nothing is done twice.
 */
export class BulkWorker {
  readonly #options: BulkWorkerOptions
  readonly #pump: Pump
  #paces = new Map<number, Pace>()

  constructor(options: BulkWorkerOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  kick(): void {
    this.#pump.kick()
  }

  /** Once a second: what could not be done is tried again. */
  sweep(): void {
    for (const pace of this.#paces.values()) pace.isResting = false
    this.kick()
  }

  async #turn(): Promise<boolean> {
    const { db, keeper, guard, onChanged } = this.#options
    if (!keeper.isTrusted || guard.isHeld) return false
    const running = await runningBulks(db, keeper.slots, LOOKED_AT)
    this.#paces = new Map(
      running.map(({ id }) => [id, this.#paces.get(id) ?? { after: 0, isResting: false, tries: new Map<number, number>() }]),
    )
    let isMore = false
    for (const bulk of running) {
      const pace = this.#paces.get(bulk.id)
      if (pace === undefined || pace.isResting || !keeper.slots.has(bulk.slot)) continue
      if (await this.#batch(bulk, pace)) isMore = true
      onChanged([bulk.id])
    }
    return isMore
  }

  /** True: there is more to do for it at once. */
  async #batch(bulk: BulkRow, pace: Pace): Promise<boolean> {
    const { db, clock } = this.#options
    const items = await waitingItems(db, bulk.id, pace.after, BATCH)
    const last = items.at(-1)
    if (last === undefined && pace.after === 0) {
      await endBulk(db, bulk.id, clock.now())
      return false
    }
    pace.after = last?.place ?? 0
    const handled = await this.#carryOut(bulk, pace, items)
    await this.#settleRefused(bulk, handled)
    const ways = [...handled.values()]
    if (ways.includes('overtaken')) return false
    pace.isResting = ways.includes('waits')
    return !pace.isResting
  }

  /** What became of the items, by their places. */
  async #carryOut(bulk: BulkRow, pace: Pace, items: readonly BulkItemRow[]): Promise<Map<number, Handled>> {
    const handled = new Map<number, Handled>()
    let isOvertaken = false
    const left = items.values()
    const work = async (): Promise<void> => {
      for (const item of left) {
        if (isOvertaken) return
        const way = await this.#one(bulk, pace, item)
        handled.set(item.place, way)
        isOvertaken ||= way === 'overtaken'
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return handled
  }

  async #settleRefused(bulk: BulkRow, handled: ReadonlyMap<number, Handled>): Promise<void> {
    const { db, keeper } = this.#options
    const refused = [...handled].flatMap(([place, way]): RefusedItem[] => (way instanceof AppError ? [{ place, problem: way }] : []))
    try {
      await settleRefused(db, { bulk, fences: keeper.fencesOf([bulk.slot]) }, refused)
    } catch (error) {
      // whoever has it now finds them again, and refuses them again
      if (!(error instanceof Overtaken)) throw error
    }
  }

  async #one(bulk: BulkRow, pace: Pace, item: BulkItemRow): Promise<Handled> {
    const { hands, keeper, onBroken } = this.#options
    if (!keeper.slots.has(bulk.slot)) return 'overtaken'
    try {
      return await hands.carryOut(bulk, item, keeper.fencesOf([bulk.slot]))
    } catch (error) {
      if (isStoreAway(error)) throw error
      const tries = (pace.tries.get(item.place) ?? 0) + 1
      pace.tries.set(item.place, tries)
      onBroken(bulk.id, item.target_id, error)
      if (tries < TRIES) return 'waits'
      return new AppError('INTERNAL', 'Something went wrong that nobody expected: the log of the server says what.')
    }
  }
}
