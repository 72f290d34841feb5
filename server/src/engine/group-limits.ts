import type { Database } from '../store/database.ts'
import { readGroupLimits, type GroupFull } from '../store/group-limits.ts'
import type { OpenRuns } from './open-runs.ts'

/** How many attempts of a group are in flight, of how many that may be. */
export interface Fullness {
  readonly used: number
  readonly max: number
}

/**
 * The limits of groups as far as they are known here, so that nothing is tried that cannot go. What may go is decided by the transaction alone
 * (`store/group-limits.ts`); this memory may be a second old, and saves work only.
 */
export class GroupLimits {
  readonly #db: Database
  readonly #runs: OpenRuns
  #limits = new Map<number, number>()
  /** groups of which a transaction has found all places taken, until somebody says that one is free, or a second has passed */
  readonly #full = new Map<number, Fullness>()

  constructor(db: Database, runs: OpenRuns) {
    this.#db = db
    this.#runs = runs
  }

  async refresh(): Promise<void> {
    this.#limits = await readGroupLimits(this.#db)
  }

  /** A transaction has found that these have one, which is not known here yet. */
  learn(groupIds: Iterable<number>): void {
    for (const groupId of groupIds) if (!this.#limits.has(groupId)) this.#limits.set(groupId, Infinity)
  }

  has(groupId: number): boolean {
    return this.#limits.has(groupId)
  }

  /** Attempts that may still be dispatched here as far as is known. */
  room(groupId: number): number {
    if (this.#full.has(groupId)) return 0
    return Math.max(0, (this.#limits.get(groupId) ?? Infinity) - this.#runs.inFlightOfGroup(groupId))
  }

  /** What is known of a group of which nothing may go; null: something may. */
  fullness(groupId: number): Fullness | null {
    const found = this.#full.get(groupId)
    if (found !== undefined) return found
    const max = this.#limits.get(groupId) ?? Infinity
    const used = this.#runs.inFlightOfGroup(groupId)
    return used >= max ? { used, max } : null
  }

  note({ groupId, used, max }: GroupFull): void {
    this.#full.set(groupId, { used, max })
  }

  /** A place may be free again. */
  freed(groupId: number): void {
    this.#full.delete(groupId)
  }

  lookAgain(): void {
    this.#full.clear()
  }
}
