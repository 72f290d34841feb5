/** One bit for each list of the wheel: set while the list holds a timer. Lets the wheel jump over empty ticks 32 at a time. */
export type Occupancy = Int32Array<ArrayBuffer>

/** Bits for `size` lists, all clear. */
export function createOccupancy(size: number): Occupancy {
  return new Int32Array((size + 31) >>> 5)
}

/** Sets the bit of a list. */
export function occupy(bits: Occupancy, index: number): void {
  bits[index >>> 5] = (bits[index >>> 5] ?? 0) | (1 << (index & 31))
}

/** Clears the bit of a list. */
export function vacate(bits: Occupancy, index: number): void {
  bits[index >>> 5] = (bits[index >>> 5] ?? 0) & ~(1 << (index & 31))
}

/** Whether the bit of a list is set. */
export function isOccupied(bits: Occupancy, index: number): boolean {
  return ((bits[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0
}

/** The first set bit in `from` (inclusive) to `to` (exclusive), or -1. */
export function firstOccupied(bits: Occupancy, from: number, to: number): number {
  if (from >= to) return -1
  const lastWord = (to - 1) >>> 5
  let wordIndex = from >>> 5
  let word = (bits[wordIndex] ?? 0) & (-1 << (from & 31))
  while (word === 0 && wordIndex < lastWord) word = bits[++wordIndex] ?? 0
  if (word === 0) return -1
  const found = (wordIndex << 5) + 31 - Math.clz32(word & -word)
  return found < to ? found : -1
}
