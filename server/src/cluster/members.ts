/** What a node tells the others each second, beside its row in the database. */
export interface NodeBeat {
  readonly runId: number
  readonly name: string
  readonly url: string
  /** consoles watch on it: events of other nodes are sent there */
  readonly isWatching: boolean
}

/** The nodes as they see each other through Redis. Who owns what is decided by the rows in the database. */
export interface Members {
  /** Says that this node lives; it is forgotten `ttlMs` later unless it says so again. Throws `ClusterAway`. */
  beat(node: NodeBeat, ttlMs: number): Promise<void>
  leave(runId: number): Promise<void>
  /** In the order of their run ids. Throws `ClusterAway`. */
  alive(): Promise<readonly NodeBeat[]>
}
