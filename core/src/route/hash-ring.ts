import type { ExecutorId } from '../ids.ts'
import { hashInteger } from '../slot/hash.ts'

/** Places of each executor on the ring: with 320 the share of one differs from the mean by about 5 % (one standard deviation). */
const POINTS_EACH = 320

/**
 * A ring of consistent hashing (Karger et al., 1997): every executor stands at many points, a key belongs to the first executor clockwise of it. Which
 * points are its own depends on its id alone, so that an executor that leaves or joins moves no key but its own.
 */
export class HashRing {
  readonly #ids: readonly ExecutorId[]
  /** ascending; each is a hash × 2^20 + the index of the executor in `#ids` */
  readonly #points: Float64Array

  /** At most 2^20 executors; their order does not matter. */
  constructor(executorIds: readonly ExecutorId[]) {
    this.#ids = executorIds.toSorted((a, b) => a - b)
    this.#points = new Float64Array(this.#ids.length * POINTS_EACH)
    let at = 0
    this.#ids.forEach((executorId, index) => {
      for (let point = 1; point <= POINTS_EACH; point++) this.#points[at++] = hashInteger(executorId, point) * 2 ** 20 + index
    })
    this.#points.sort()
  }

  get size(): number {
    return this.#points.length
  }

  /** All executors, in the order in which a key meets them clockwise. */
  from(key: string): ExecutorId[] {
    const { length } = this.#points
    const met = new Set<ExecutorId>()
    const start = this.#firstFrom(hashText(key) * 2 ** 20)
    for (let step = 0; step < length && met.size < this.#ids.length; step++) {
      const executorId = this.#ids[(this.#points[(start + step) % length] ?? 0) % 2 ** 20]
      if (executorId !== undefined) met.add(executorId)
    }
    return [...met]
  }

  #firstFrom(hash: number): number {
    let low = 0
    let high = this.#points.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#points[middle] ?? 0) < hash) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** 32 bits of a text: FNV-1a over its UTF-16 units (Fowler, Noll, Vo), mixed once more, because FNV leaves the last units in the low bits. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hashInteger(hash >>> 0, text.length)
}
