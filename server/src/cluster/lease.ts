/** Who holds the lease of a slot, and for how much longer, ms. */
export interface Lease {
  readonly slot: number
  readonly owner: number
  readonly remainingMs: number
}

/**
 * Leases of slots: the distributed lock that keeps two nodes from doing the same work. Efficiency only: the fence in the database is the safety, so
 * whoever gets `ClusterAway` goes on without. `owner`: the run id of a node. Every promise settles within a second, or rejects with `ClusterAway`.
 */
export interface Leases {
  /** Takes those that are free, or are the caller's already; each then lasts `ttlMs` from now. The ones that the caller has now. */
  acquire(owner: number, slots: readonly number[], ttlMs: number): Promise<ReadonlySet<number>>
  /** Makes those that are still the caller's last `ttlMs` from now; one that has ended, or is another's, is left alone. The ones that were renewed. */
  renew(owner: number, slots: readonly number[], ttlMs: number): Promise<ReadonlySet<number>>
  /** Ends those that are the caller's. */
  release(owner: number, slots: readonly number[]): Promise<void>
  /** Every lease that has not ended. */
  holders(): Promise<readonly Lease[]>
}
