/** The port for chance: everything in this package that needs it takes one as an argument. */
export type Random = {
  /** The next number in [0, 1), uniformly distributed. */
  next(): number
}

/**
 * A repeatable generator for simulations and tests, and good enough for routing; never for secrets. The same seed gives the same numbers
 * for ever. The algorithm is sfc32 of Chris Doty-Humphrey's PractRand: 128 bits of state, period at least 2^32.
 */
export function seededRandom(seed: number): Random {
  let a = seed | 0
  let b = Math.floor(seed / 2 ** 32) | 0
  let c = 0
  let counter = 1
  const nextUint32 = (): number => {
    const result = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + result
    return result >>> 0
  }
  for (let round = 0; round < 15; round++) nextUint32()
  return { next: () => nextUint32() / 2 ** 32 }
}
