import { createOccupancy, firstOccupied, isOccupied, occupy, vacate } from './occupancy.ts'
import type { Occupancy } from './occupancy.ts'

declare const handleBrand: unique symbol

/**
 * Names one inserted timer for as long as it is in the wheel: place in the arrays in the low 26 bits, generation of that place above them.
 * Never 0. Once the timer has fired or was cancelled the handle is stale for ever (a place would have to be reused 2^27 times to match again).
 */
export type TimerHandle = number & { readonly [handleBrand]: true }

const NODE_BITS = 26
const NODE_LIMIT = 2 ** NODE_BITS
const NODE_MASK = NODE_LIMIT - 1
const GENERATION_MASK = 2 ** (53 - NODE_BITS) - 1

/**
 * One timer is one record of 32 bytes, half a cache line: with a million of them in random order what costs is memory touched, not work
 * done. (Links, facts and generations in arrays of their own took 28 bytes and fired a fifth slower.) The record seen as 32-bit words
 * and as doubles, both over one buffer:
 *
 *   words    0 next   1 previous   2 generation   3 unused   4–7 the doubles
 *   doubles                                                  2 dueAt   3 payload
 */
const WORDS = 8
const DOUBLES = 4
const PREVIOUS = 1
const GENERATION = 2
const DUE_AT = 2
const PAYLOAD = 3
const RECORD_BYTES = 32

/**
 * Doubly linked lists of timers in typed arrays: 32 bytes a timer and nothing for the garbage collector to walk.
 *
 * The first `listCount` nodes are not timers but the ring ends of the lists, so a node is unlinked without asking which list it is in,
 * and a list that has become empty is recognised by both its neighbours being the same node. That node's number is the list's number.
 * Freed nodes are chained through their `next`. Everything is O(1), but for growing, which doubles the buffer and copies it.
 */
export class TimerLists {
  readonly #listCount: number
  readonly #occupancy: Occupancy
  #words: Int32Array<ArrayBuffer>
  #doubles: Float64Array<ArrayBuffer>
  /** Nodes that fit, the ring ends included. */
  #nodes: number
  #firstFree = 0
  #unusedFrom: number
  #size = 0

  constructor(listCount: number, capacity: number) {
    this.#listCount = listCount
    this.#occupancy = createOccupancy(listCount)
    this.#unusedFrom = listCount
    this.#nodes = listCount + Math.max(1, capacity)
    const buffer = new ArrayBuffer(this.#nodes * RECORD_BYTES)
    this.#words = new Int32Array(buffer)
    this.#doubles = new Float64Array(buffer)
    for (let list = 0; list < listCount; list++) this.#words[list * WORDS] = this.#words[list * WORDS + PREVIOUS] = list
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#words.byteLength + this.#occupancy.byteLength
  }

  /** Takes a node for a timer; it is in no list until `append`. */
  allocate(dueAt: number, payload: number): number {
    const node = this.#takeFree()
    this.#doubles[node * DOUBLES + DUE_AT] = dueAt
    this.#doubles[node * DOUBLES + PAYLOAD] = payload
    this.#size++
    return node
  }

  /** Gives a node back, after `remove`. Its handle is stale from here on. */
  release(node: number): void {
    this.#words[node * WORDS + GENERATION] = ((this.#words[node * WORDS + GENERATION] ?? 0) + 1) & GENERATION_MASK
    this.#words[node * WORDS] = this.#firstFree
    this.#firstFree = node
    this.#size--
  }

  dueAt(node: number): number {
    return this.#doubles[node * DOUBLES + DUE_AT] ?? 0
  }

  payload(node: number): number {
    return this.#doubles[node * DOUBLES + PAYLOAD] ?? 0
  }

  handleOf(node: number): TimerHandle {
    return ((this.#words[node * WORDS + GENERATION] ?? 0) * NODE_LIMIT + node) as TimerHandle
  }

  /** The node that a handle names, or 0 when it is stale. */
  nodeOf(handle: TimerHandle): number {
    const node = handle & NODE_MASK
    if (node < this.#listCount || node >= this.#unusedFrom) return 0
    return this.#words[node * WORDS + GENERATION] === (handle - node) / NODE_LIMIT ? node : 0
  }

  append(list: number, node: number): void {
    const words = this.#words
    const last = words[list * WORDS + PREVIOUS] ?? 0
    if (last === list) occupy(this.#occupancy, list)
    words[node * WORDS] = list
    words[node * WORDS + PREVIOUS] = last
    words[last * WORDS] = node
    words[list * WORDS + PREVIOUS] = node
  }

  /** Unlinks a node from whatever list it is in. */
  remove(node: number): void {
    const words = this.#words
    const next = words[node * WORDS] ?? 0
    const previous = words[node * WORDS + PREVIOUS] ?? 0
    words[previous * WORDS] = next
    words[next * WORDS + PREVIOUS] = previous
    if (next === previous) vacate(this.#occupancy, next)
  }

  /** The first node of a list; the list's own number when it is empty. */
  first(list: number): number {
    return this.#words[list * WORDS] ?? 0
  }

  isEmpty(list: number): boolean {
    return !isOccupied(this.#occupancy, list)
  }

  /** The first list in `from` (inclusive) to `to` (exclusive) that holds a timer, or -1. */
  firstOccupied(from: number, to: number): number {
    return firstOccupied(this.#occupancy, from, to)
  }

  #takeFree(): number {
    const free = this.#firstFree
    if (free === 0) return this.#takeUnused()
    this.#firstFree = this.#words[free * WORDS] ?? 0
    return free
  }

  #takeUnused(): number {
    if (this.#unusedFrom === this.#nodes) this.#grow()
    return this.#unusedFrom++
  }

  #grow(): void {
    const timers = this.#nodes - this.#listCount
    const nodes = Math.min(this.#listCount + timers * 2, NODE_LIMIT)
    if (nodes === this.#nodes) throw new RangeError(`A timing wheel holds at most ${timers} timers; cancel some or use a second wheel.`)
    const words = new Int32Array(nodes * WORDS)
    words.set(this.#words)
    this.#nodes = nodes
    this.#words = words
    this.#doubles = new Float64Array(words.buffer)
  }
}
