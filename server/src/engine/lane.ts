interface Entry {
  readonly rank: number
  readonly id: number
}

/**
 * The queued runs of one group in order of (rank, id): a binary heap with lazy removal. Insert and removal are O(log n); the heap is rebuilt when more
 * than half of it is dead.
 */
export class Lane {
  #heap: Entry[] = []
  readonly #live = new Map<number, Entry>()

  get size(): number {
    return this.#live.size
  }

  push(rank: number, id: number): void {
    const entry = { rank, id }
    this.#live.set(id, entry)
    this.#heap.push(entry)
    this.#up(this.#heap.length - 1)
  }

  remove(id: number): void {
    this.#live.delete(id)
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#live.size) this.#rebuild()
  }

  /** The first ids, in order. Nothing is taken out. */
  first(limit: number): number[] {
    if (limit >= this.#live.size) return [...this.#live.values()].sort(before).map((entry) => entry.id)
    const taken: Entry[] = []
    while (taken.length < limit) {
      const entry = this.#pop()
      if (entry === null) break
      if (this.#live.get(entry.id) === entry) taken.push(entry)
    }
    for (const entry of taken) {
      this.#heap.push(entry)
      this.#up(this.#heap.length - 1)
    }
    return taken.map((entry) => entry.id)
  }

  #rebuild(): void {
    this.#heap = [...this.#live.values()].sort(before)
  }

  #pop(): Entry | null {
    const top = this.#heap[0]
    const last = this.#heap.pop()
    if (top === undefined || last === undefined) return null
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#down(0)
    }
    return top
  }

  #up(from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#swapIfBefore(at, parent)) return
      at = parent
    }
  }

  #down(from: number): void {
    let at = from
    for (;;) {
      const left = 2 * at + 1
      const least = this.#lesser(left, left + 1)
      if (least === null || !this.#swapIfBefore(least, at)) return
      at = least
    }
  }

  #lesser(left: number, right: number): number | null {
    const a = this.#heap[left]
    const b = this.#heap[right]
    if (a === undefined) return null
    return b !== undefined && before(b, a) < 0 ? right : left
  }

  #swapIfBefore(first: number, second: number): boolean {
    const a = this.#heap[first]
    const b = this.#heap[second]
    if (a === undefined || b === undefined || before(a, b) >= 0) return false
    this.#heap[first] = b
    this.#heap[second] = a
    return true
  }
}

function before(a: Entry, b: Entry): number {
  return a.rank - b.rank || a.id - b.id
}
