import type { Lease, Leases } from '../lease.ts'

interface Held {
  readonly owner: number
  readonly until: number
}

/** Leases in the memory of one process. `now`: monotonic ms. */
export class MemoryLeases implements Leases {
  readonly #held = new Map<number, Held>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  async acquire(owner: number, slots: readonly number[], ttlMs: number): Promise<ReadonlySet<number>> {
    return this.#extend(slots, { owner, until: this.#now() + ttlMs }, (holder) => holder === null || holder === owner)
  }

  async renew(owner: number, slots: readonly number[], ttlMs: number): Promise<ReadonlySet<number>> {
    return this.#extend(slots, { owner, until: this.#now() + ttlMs }, (holder) => holder === owner)
  }

  async release(owner: number, slots: readonly number[]): Promise<void> {
    for (const slot of slots) if (this.#holder(slot) === owner) this.#held.delete(slot)
  }

  async holders(): Promise<readonly Lease[]> {
    const now = this.#now()
    return [...this.#held]
      .filter(([, { until }]) => until > now)
      .map(([slot, { owner, until }]) => ({ slot, owner, remainingMs: Math.round(until - now) }))
      .sort((a, b) => a.slot - b.slot)
  }

  #extend(slots: readonly number[], held: Held, mayHave: (holder: number | null) => boolean): ReadonlySet<number> {
    const mine = slots.filter((slot) => mayHave(this.#holder(slot)))
    for (const slot of mine) this.#held.set(slot, held)
    return new Set(mine)
  }

  #holder(slot: number): number | null {
    const held = this.#held.get(slot)
    return held === undefined || held.until <= this.#now() ? null : held.owner
  }
}
