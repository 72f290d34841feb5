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
 * Doubly linked lists of timers in typed arrays: 28 bytes a timer and nothing for the garbage collector to walk.
 *
 * The first `listCount` nodes are not timers but the ring ends of the lists, so a node is unlinked without asking which list it is in,
 * and a list that has become empty is recognised by both its neighbours being the same node. That node's number is the list's number.
 * Freed nodes are chained through their `next`. Everything is O(1), but for growing, which doubles the arrays and copies them.
 */
export class TimerLists {
  readonly #listCount: number
  readonly #occupancy: Occupancy
  /** [next, previous] of each node, side by side so that unlinking touches one cache line. */
  #links: Int32Array<ArrayBuffer>
  /** [dueAt, payload] of each node. */
  #facts: Float64Array<ArrayBuffer>
  #generations: Int32Array<ArrayBuffer>
  #firstFree = 0
  #unusedFrom: number
  #size = 0

  constructor(listCount: number, capacity: number) {
    this.#listCount = listCount
    this.#occupancy = createOccupancy(listCount)
    this.#unusedFrom = listCount
    const nodes = listCount + Math.max(1, capacity)
    this.#links = new Int32Array(nodes * 2)
    this.#facts = new Float64Array(nodes * 2)
    this.#generations = new Int32Array(nodes)
    for (let list = 0; list < listCount; list++) this.#links[list * 2] = this.#links[list * 2 + 1] = list
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#links.byteLength + this.#facts.byteLength + this.#generations.byteLength + this.#occupancy.byteLength
  }

  /** Takes a node for a timer; it is in no list until `append`. */
  allocate(dueAt: number, payload: number): number {
    const node = this.#takeFree()
    this.#facts[node * 2] = dueAt
    this.#facts[node * 2 + 1] = payload
    this.#size++
    return node
  }

  /** Gives a node back, after `remove`. Its handle is stale from here on. */
  release(node: number): void {
    this.#generations[node] = ((this.#generations[node] ?? 0) + 1) & GENERATION_MASK
    this.#links[node * 2] = this.#firstFree
    this.#firstFree = node
    this.#size--
  }

  dueAt(node: number): number {
    return this.#facts[node * 2] ?? 0
  }

  payload(node: number): number {
    return this.#facts[node * 2 + 1] ?? 0
  }

  handleOf(node: number): TimerHandle {
    return ((this.#generations[node] ?? 0) * NODE_LIMIT + node) as TimerHandle
  }

  /** The node that a handle names, or 0 when it is stale. */
  nodeOf(handle: TimerHandle): number {
    const node = handle & NODE_MASK
    if (node < this.#listCount || node >= this.#unusedFrom) return 0
    return this.#generations[node] === (handle - node) / NODE_LIMIT ? node : 0
  }

  append(list: number, node: number): void {
    const links = this.#links
    const last = links[list * 2 + 1] ?? 0
    if (last === list) occupy(this.#occupancy, list)
    links[node * 2] = list
    links[node * 2 + 1] = last
    links[last * 2] = node
    links[list * 2 + 1] = node
  }

  /** Unlinks a node from whatever list it is in. */
  remove(node: number): void {
    const links = this.#links
    const next = links[node * 2] ?? 0
    const previous = links[node * 2 + 1] ?? 0
    links[previous * 2] = next
    links[next * 2 + 1] = previous
    if (next === previous) vacate(this.#occupancy, next)
  }

  /** The first node of a list; the list's own number when it is empty. */
  first(list: number): number {
    return this.#links[list * 2] ?? 0
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
    this.#firstFree = this.#links[free * 2] ?? 0
    return free
  }

  #takeUnused(): number {
    if (this.#unusedFrom === this.#generations.length) this.#grow()
    return this.#unusedFrom++
  }

  #grow(): void {
    const timers = this.#generations.length - this.#listCount
    const nodes = Math.min(this.#listCount + timers * 2, NODE_LIMIT)
    if (nodes === this.#generations.length)
      throw new RangeError(`A timing wheel holds at most ${timers} timers; cancel some or use a second wheel.`)
    this.#links = enlarged(this.#links, new Int32Array(nodes * 2))
    this.#facts = enlarged(this.#facts, new Float64Array(nodes * 2))
    this.#generations = enlarged(this.#generations, new Int32Array(nodes))
  }
}

function enlarged<Numbers extends Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(from: Numbers, into: Numbers): Numbers {
  into.set(from)
  return into
}
