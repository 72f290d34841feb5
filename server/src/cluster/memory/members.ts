import type { Members, NodeBeat } from '../members.ts'

/** The nodes of one process: itself. `now`: monotonic ms. */
export class MemoryMembers implements Members {
  readonly #nodes = new Map<number, { readonly node: NodeBeat; readonly until: number }>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  async beat(node: NodeBeat, ttlMs: number): Promise<void> {
    this.#nodes.set(node.runId, { node, until: this.#now() + ttlMs })
  }

  async leave(runId: number): Promise<void> {
    this.#nodes.delete(runId)
  }

  async alive(): Promise<readonly NodeBeat[]> {
    const now = this.#now()
    for (const [runId, { until }] of this.#nodes) if (until <= now) this.#nodes.delete(runId)
    return [...this.#nodes.values()].map(({ node }) => node).sort((a, b) => a.runId - b.runId)
  }
}
