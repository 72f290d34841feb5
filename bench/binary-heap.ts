export type HeapTimer = { readonly dueAt: number; readonly payload: number; position: number }

/** The peer of the wheel: a plain binary heap of timer objects. Each knows its position, so that cancelling is real and O(log n), not a flag. */
export class BinaryHeap {
  readonly #timers: HeapTimer[] = []

  get size(): number {
    return this.#timers.length
  }

  insert(dueAt: number, payload: number): HeapTimer {
    const timer = { dueAt, payload, position: this.#timers.length }
    this.#timers.push(timer)
    this.#up(timer)
    return timer
  }

  cancel(timer: HeapTimer): boolean {
    if (timer.position < 0) return false
    this.#removeAt(timer.position)
    return true
  }

  advance(now: number, fire: (payload: number, dueAt: number) => void): number {
    let fired = 0
    for (let first = this.#timers[0]; first !== undefined && first.dueAt <= now; first = this.#timers[0]) {
      this.#removeAt(0)
      fire(first.payload, first.dueAt)
      fired++
    }
    return fired
  }

  #removeAt(position: number): void {
    const removed = this.#timers[position]
    const last = this.#timers.pop()
    if (removed === undefined || last === undefined) return
    removed.position = -1
    if (last === removed) return
    this.#put(last, position)
    this.#up(last)
    this.#down(last)
  }

  #up(timer: HeapTimer): void {
    let position = timer.position
    while (position > 0) {
      const parent = this.#timers[(position - 1) >> 1]
      if (parent === undefined || parent.dueAt <= timer.dueAt) break
      this.#put(parent, position)
      position = (position - 1) >> 1
    }
    this.#put(timer, position)
  }

  #down(timer: HeapTimer): void {
    let position = timer.position
    for (let child = this.#smallerChild(position); child !== undefined && child.dueAt < timer.dueAt; child = this.#smallerChild(position)) {
      const childPosition = child.position
      this.#put(child, position)
      position = childPosition
    }
    this.#put(timer, position)
  }

  #smallerChild(position: number): HeapTimer | undefined {
    const left = this.#timers[position * 2 + 1]
    const right = this.#timers[position * 2 + 2]
    return left !== undefined && right !== undefined && right.dueAt < left.dueAt ? right : left
  }

  #put(timer: HeapTimer, position: number): void {
    this.#timers[position] = timer
    timer.position = position
  }
}
