/** The number of the lowest bit that is set; -1: none is. */
export function lowestBit(mask: number): number {
  return mask === 0 ? -1 : 31 - Math.clz32(mask & -mask)
}

/** The number of the highest bit that is set; -1: none is. */
export function highestBit(mask: number): number {
  return mask === 0 ? -1 : 31 - Math.clz32(mask)
}
