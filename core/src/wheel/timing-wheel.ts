import { TimerLists } from './timer-lists.ts'
import type { TimerHandle } from './timer-lists.ts'

export type { TimerHandle } from './timer-lists.ts'

/**
 * A hierarchical timing wheel after Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP 1987), scheme 7: insert, cancel and
 * the cost of a tick do not grow with the number of timers. A timer is an instant and an integer in typed arrays (32 bytes), not a closure.
 *
 * How it works. Time is cut into ticks (10 ms). Level 0 has a list for each tick, level 1 for each 256 ticks, level 2 for each 256² and so
 * on; five levels of 10 ms reach 348 years. A timer waits in the lowest level that is open for its instant and moves down one level as that
 * instant comes near. Entering a tick spreads its list over the tick's milliseconds, so timers fire in order of (dueAt, insertion), exactly
 * when `now >= dueAt`, never before.
 *
 * Moving down is spread over time, so that no tick is long. Each level is a ring of 512 lists, two turns of 256: the turn that the wheel is
 * in, and the next. During a turn the parent's list for the next turn is moved down ahead of time, 4,096 timers for each tick that
 * is entered. `#openUntil[level]` is the tick up to which a level accepts new timers: it includes the next turn only once the parents have
 * nothing more to send there. That is what keeps timers of one instant in the order in which they were inserted.
 *
 * Empty ticks are skipped with one bit for each list, so a jump over a year costs as much as a jump over a tick.
 *
 * Instants are integers in milliseconds since the epoch, not negative; fractions of a `dueAt` are rounded up, of a `now` down.
 */
export class TimingWheel {
  readonly #lists: TimerLists
  readonly #tickMs: number
  readonly #movesPerTick: number
  readonly #openUntil = new Float64Array(LEVELS)
  #tick: number
  /** Everything due before this instant has fired; what is due at it fires on the next `advance` that reaches it. */
  #reachedAt: number
  #isAdvancing = false

  constructor({ startAt, tickMs = 10, capacity = 1024, movesPerTick = 4096 }: TimingWheelOptions) {
    if (!(startAt >= 0 && startAt <= Number.MAX_SAFE_INTEGER))
      throw new RangeError(`A wheel starts at an instant in milliseconds, got ${startAt}.`)
    if (!(Number.isInteger(tickMs) && tickMs >= 1 && tickMs <= 1000))
      throw new RangeError(`A tick is 1 to 1000 whole milliseconds, got ${tickMs}.`)
    this.#tickMs = tickMs
    this.#movesPerTick = movesPerTick
    this.#lists = new TimerLists(MILLISECONDS + tickMs, capacity)
    this.#reachedAt = Math.floor(startAt)
    this.#tick = Math.floor(this.#reachedAt / tickMs)
    this.#openAll()
  }

  /** How many timers wait. */
  get size(): number {
    return this.#lists.size
  }

  /** Memory held by the wheel's arrays. */
  get bytes(): number {
    return this.#lists.bytes + this.#openUntil.byteLength
  }

  /** The instant up to which the wheel has been advanced. */
  get reachedAt(): number {
    return this.#reachedAt
  }

  /**
   * Arms a timer. `payload` is any safe integer of the caller's choosing and comes back when the timer fires; it need not be unique.
   * An instant that has passed is allowed: the timer fires on the next `advance`. When armed from inside `advance` it counts as due one
   * millisecond after the instant being fired: in the same `advance` if that lies before its `now`, else in the next. So a timer that
   * arms itself again and again cannot hold `advance` for ever. Throws RangeError for an instant that is not a number.
   */
  insert(dueAt: number, payload: number): TimerHandle {
    if (!(dueAt <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`A timer is due at an instant in milliseconds, got ${dueAt}.`)
    const due = Math.ceil(dueAt)
    const node = this.#lists.allocate(due, payload)
    this.#place(node, due)
    return this.#lists.handleOf(node)
  }

  /** Takes a timer out, in O(1). False when it has fired or was cancelled before. May be called from inside `advance`, also for timers that are due. */
  cancel(handle: TimerHandle): boolean {
    const node = this.#lists.nodeOf(handle)
    if (node === 0) return false
    this.#lists.remove(node)
    this.#lists.release(node)
    return true
  }

  /**
   * Fires every timer due at or before `now`, in order of (dueAt, insertion), and returns how many; after `limit` of them it stops, and the
   * next call goes on from there. Timers armed in the past fire after those that were already due at the instant reached.
   * A `now` before the instant reached does nothing, so after a backward step of the clock nothing fires until it has caught up
   * (see `rewind`). If `fire` throws, that timer counts as fired, the error passes through and the wheel stays usable.
   * Calling it from inside `fire` throws.
   */
  advance(now: number, fire: (payload: number, dueAt: number) => void, limit: number = Infinity): number {
    if (this.#isAdvancing) throw new Error('TimingWheel.advance was called from inside its own callback; arm a timer instead.')
    if (!(now >= this.#reachedAt)) return 0
    this.#isAdvancing = true
    try {
      return this.#fireUntil(Math.floor(now), fire, limit)
    } finally {
      this.#isAdvancing = false
    }
  }

  /**
   * The instant at which `advance` should be called next, null when no timer waits. Never later than the first due instant, and exact for
   * timers of the current tick. It can be earlier: at the start of the tick in which a timer is due, and where timers want to be moved
   * down a level ahead of time.
   */
  nextDueAt(): number | null {
    if (this.#lists.size === 0) return null
    const millisecond = this.#lists.firstOccupied(MILLISECONDS, MILLISECONDS + this.#tickMs)
    if (millisecond >= 0) return Math.max(this.#reachedAt, this.#tick * this.#tickMs + millisecond - MILLISECONDS)
    return this.#nextTickWithWork() * this.#tickMs
  }

  /**
   * Sets the wheel back to an earlier instant, keeping all timers: for a backward step of the clock that is too large to wait out.
   * The only operation that is O(timers). Does nothing when `now` is not before the instant reached. Must not be called from inside `advance`.
   */
  rewind(now: number): void {
    if (this.#isAdvancing) throw new Error('TimingWheel.rewind was called from inside advance; call it between two advances.')
    if (!(now >= 0 && now < this.#reachedAt)) return
    const nodes = this.#takeAll()
    this.#reachedAt = Math.floor(now)
    this.#tick = Math.floor(this.#reachedAt / this.#tickMs)
    this.#openAll()
    for (const node of nodes) this.#place(node, this.#lists.dueAt(node))
  }

  #fireUntil(now: number, fire: (payload: number, dueAt: number) => void, limit: number): number {
    const lastTick = Math.floor(now / this.#tickMs)
    let fired = this.#fireTick(now, fire, limit)
    while (this.#tick < lastTick && fired < limit) {
      this.#enter(Math.min(this.#nextOccupiedTick(), lastTick))
      fired += this.#fireTick(now, fire, limit - fired)
    }
    return fired
  }

  /** Fires what is due in the current tick up to `now`. Stopped by `limit`, the wheel stays at the instant it fired last. */
  #fireTick(now: number, fire: (payload: number, dueAt: number) => void, limit: number): number {
    const tickAt = this.#tick * this.#tickMs
    const end = MILLISECONDS + Math.min(this.#tickMs, now - tickAt + 1)
    let fired = 0
    while (fired < limit) {
      const list = this.#firstDue(tickAt, end)
      this.#reachedAt = tickAt + (list < 0 ? end - 1 : list) - MILLISECONDS
      if (list < 0) return fired
      fired += this.#fireList(list, fire, limit - fired)
    }
    return fired
  }

  #firstDue(tickAt: number, end: number): number {
    return this.#lists.firstOccupied(MILLISECONDS + Math.max(0, this.#reachedAt - tickAt), end)
  }

  /** The head is read afresh each time, because `fire` may cancel any timer and arm others. */
  #fireList(list: number, fire: (payload: number, dueAt: number) => void, limit: number): number {
    const lists = this.#lists
    let fired = 0
    for (let node = lists.first(list); node !== list && fired < limit; node = lists.first(list)) {
      const dueAt = lists.dueAt(node)
      const payload = lists.payload(node)
      lists.remove(node)
      lists.release(node)
      fired++
      fire(payload, dueAt)
    }
    return fired
  }

  #place(node: number, dueAt: number): void {
    const earliest = this.#isAdvancing ? this.#reachedAt + 1 : this.#reachedAt
    const instant = dueAt > earliest ? dueAt : earliest
    const tick = Math.floor(instant / this.#tickMs)
    this.#lists.append(tick === this.#tick ? MILLISECONDS + instant - tick * this.#tickMs : this.#listOf(tick), node)
  }

  #listOf(tick: number): number {
    const openUntil = this.#openUntil
    for (let level = 0; level < LEVELS; level++) if (tick < (openUntil[level] ?? 0)) return listOf(level, blockOf(level, tick))
    return listOf(LEVELS - 1, blockOf(LEVELS - 1, (openUntil[LEVELS - 1] ?? 0) - 1))
  }

  /** Makes `tick` the current one. No timer may be due before it. */
  #enter(tick: number): void {
    this.#tick = tick
    this.#reachedAt = tick * this.#tickMs
    this.#openUntil[LEVELS - 1] = endOfNextTurn(LEVELS - 1, tick)
    for (let level = LEVELS - 2; level >= 0; level--) this.#moveDownTo(level, tick)
    this.#spread(listOf(0, tick))
  }

  /** Moves down what belongs to this turn of `level` and was not moved in time, then a share of what belongs to the next turn. */
  #moveDownTo(level: number, tick: number): void {
    const thisTurn = blockOf(level + 1, tick)
    const endOfThis = (thisTurn + 1) * spanOf(level + 1)
    if ((this.#openUntil[level] ?? 0) < endOfThis) this.#openUntil[level] = endOfThis
    this.#moveDown(listOf(level + 1, thisTurn), Infinity)

    const endOfNext = endOfThis + spanOf(level + 1)
    if (this.#openUntil[level] === endOfNext || (this.#openUntil[level + 1] ?? 0) < endOfNext) return
    this.#openUntil[level] = endOfNext
    this.#moveDown(listOf(level + 1, thisTurn + 1), this.#movesPerTick)
    if (!this.#lists.isEmpty(listOf(level + 1, thisTurn + 1))) this.#openUntil[level] = endOfThis
  }

  #moveDown(from: number, most: number): void {
    const lists = this.#lists
    if (lists.isEmpty(from)) return
    let node = lists.first(from)
    for (let moved = 0; node !== from && moved < most; moved++) {
      lists.remove(node)
      lists.append(this.#listOf(Math.max(this.#tick, Math.floor(lists.dueAt(node) / this.#tickMs))), node)
      node = lists.first(from)
    }
  }

  /** Puts the timers of the tick just entered into the lists of its milliseconds; what is overdue into the first. */
  #spread(from: number): void {
    const lists = this.#lists
    if (lists.isEmpty(from)) return
    for (let node = lists.first(from); node !== from; node = lists.first(from)) {
      lists.remove(node)
      lists.append(MILLISECONDS + Math.max(0, lists.dueAt(node) - this.#reachedAt), node)
    }
  }

  /** The first tick after the current one whose list, or whose block's list, holds a timer. */
  #nextOccupiedTick(): number {
    let found = Infinity
    for (let level = 0; level < LEVELS; level++) {
      found = Math.min(found, this.#nextOccupiedBlock(level) * spanOf(level))
      if (found < (blockOf(level + 1, this.#tick) + 1) * spanOf(level + 1)) return found
    }
    return found
  }

  /** As above, but where a block is occupied the start of the block before it, when moving its timers down begins. */
  #nextTickWithWork(): number {
    let found = this.#nextOccupiedBlock(0)
    for (let level = 1; level < LEVELS; level++) found = Math.min(found, (this.#nextOccupiedBlock(level) - 1) * spanOf(level))
    return Math.max(found, this.#tick + 1)
  }

  #nextOccupiedBlock(level: number): number {
    const from = blockOf(level, this.#tick) + 1
    const first = listOf(level, from)
    const ringStart = level * RING
    const ahead = this.#lists.firstOccupied(first, ringStart + RING)
    if (ahead >= 0) return from + ahead - first
    const wrapped = this.#lists.firstOccupied(ringStart, first)
    return wrapped >= 0 ? from + wrapped - first + RING : Infinity
  }

  #openAll(): void {
    for (let level = 0; level < LEVELS; level++) this.#openUntil[level] = endOfNextTurn(level, this.#tick)
  }

  /** From the milliseconds up through the levels: the order of insertion among timers of one instant. */
  #takeAll(): number[] {
    const lists = this.#lists
    const nodes: number[] = []
    const takeFrom = (list: number): void => {
      for (let node = lists.first(list); node !== list; node = lists.first(list)) {
        lists.remove(node)
        nodes.push(node)
      }
    }
    for (let millisecond = 0; millisecond < this.#tickMs; millisecond++) takeFrom(MILLISECONDS + millisecond)
    for (let list = 0; list < MILLISECONDS; list++) takeFrom(list)
    return nodes
  }
}

export type TimingWheelOptions = {
  /** The instant the wheel begins at, milliseconds since the epoch. */
  readonly startAt: number
  /** Length of a tick, 1 to 1000. Default 10. */
  readonly tickMs?: number
  /** Timers to make room for. The wheel doubles its arrays when it needs more, and never shrinks them. Default 1024. */
  readonly capacity?: number
  /** Timers moved down ahead of time, for each level and tick. The default of 4,096 takes about 0.1 ms and in 256 ticks empties a list of a million. */
  readonly movesPerTick?: number
}

const LEVELS = 5
const TURN_BITS = 8
/** Two turns: the one the wheel is in and the next. */
const RING = 2 ** (TURN_BITS + 1)
/** The lists of the current tick's milliseconds stand behind those of all levels. */
const MILLISECONDS = LEVELS * RING

const SPANS = Float64Array.from({ length: LEVELS + 1 }, (_, level) => 2 ** (TURN_BITS * level))

/** Ticks in one block of a level. */
function spanOf(level: number): number {
  return SPANS[level] ?? 0
}

function blockOf(level: number, tick: number): number {
  return Math.floor(tick / spanOf(level))
}

/** Blocks may exceed 32 bits; `&` takes them modulo 2^32, which keeps the low bits right. */
function listOf(level: number, block: number): number {
  return level * RING + (block & (RING - 1))
}

function endOfNextTurn(level: number, tick: number): number {
  return (blockOf(level + 1, tick) + 2) * spanOf(level + 1)
}
