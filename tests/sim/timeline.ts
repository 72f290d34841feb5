import type { Chance } from '../kit/chance.ts'

/** Whoever events belong to: a process, which can die, and can be stopped for a while (SIGSTOP). */
export interface Owner {
  readonly name: string
  readonly isDead: boolean
  readonly isPaused: boolean
}

interface Event {
  at: number
  rank: number
  readonly owner: Owner | null
  readonly call: () => void
  isCanceled: boolean
}

/**
 * Virtual time, in ms since the scene began. Everything that takes time is an event here; events of one instant ring in an order that the seed draws.
 * An event of a dead process is dropped; one of a stopped process waits until it goes on, and then all of them ring at once, in their order.
 * After each event every promise that can settle does, before the next one rings: so a play depends on the seed alone.
 */
export class Timeline {
  readonly #chance: Chance
  readonly #heap: Event[] = []
  readonly #held = new Map<Owner, Event[]>()
  #now = 0
  #rung = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  get now(): number {
    return this.#now
  }

  /** How many events have rung. */
  get rung(): number {
    return this.#rung
  }

  /** Calls back once, `ms` from now; the answer calls it off. */
  after(ms: number, owner: Owner | null, call: () => void): () => void {
    const event = { at: this.#now + Math.max(0, Math.ceil(ms)), rank: this.#chance.next(), owner, call, isCanceled: false }
    this.#push(event)
    return () => {
      event.isCanceled = true
    }
  }

  /** Settles in `ms`; never, if the owner is dead by then. */
  sleep(ms: number, owner: Owner | null): Promise<void> {
    return new Promise((resolve) => this.after(ms, owner, resolve))
  }

  /** Lets time pass until an instant, or until `isDone` says so after an event. */
  async runUntil(at: number, isDone: () => boolean = () => false): Promise<void> {
    await drained()
    for (let next = this.#heap[0]; next !== undefined && next.at <= at; next = this.#heap[0]) {
      this.#pop()
      if (next.isCanceled || next.owner?.isDead === true) continue
      if (next.owner?.isPaused === true) {
        this.#hold(next, next.owner)
        continue
      }
      this.#now = Math.max(this.#now, next.at)
      this.#rung += 1
      next.call()
      await drained()
      if (isDone()) return
    }
    this.#now = Math.max(this.#now, at)
  }

  /** A stopped process goes on: what it missed comes now. */
  release(owner: Owner): void {
    const held = this.#held.get(owner) ?? []
    this.#held.delete(owner)
    // before everything else that is due now
    for (const [index, event] of held.entries()) {
      event.at = this.#now
      event.rank = index / held.length - 1
      this.#push(event)
    }
  }

  #hold(event: Event, owner: Owner): void {
    const held = this.#held.get(owner) ?? []
    this.#held.set(owner, held)
    held.push(event)
  }

  #push(event: Event): void {
    const heap = this.#heap
    let place = heap.push(event) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(event, above)) break
      heap[place] = above
      place = parent
    }
    heap[place] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      if (right !== undefined && isBefore(right, left)) child += 1
      const smaller = heap[child]
      if (smaller === undefined || !isBefore(smaller, last)) break
      heap[place] = smaller
      place = child
    }
    heap[place] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.rank < b.rank)
}

/** Until no promise is left that could settle by itself: a tick runs only when the queue of microtasks is empty. */
function drained(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
