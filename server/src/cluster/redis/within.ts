/** A promise did not settle in time. */
export class TooLate extends Error {
  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`)
    this.name = 'TooLate'
  }
}

/**
 * What a promise gives if it settles in time; else throws `TooLate`. When this process itself stood still, what had come meanwhile is read before time is up.
 */
export async function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    setImmediate(() => reject(new TooLate(limitMs)))
  }, limitMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
