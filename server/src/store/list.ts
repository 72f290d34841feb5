/** Lists in hand-written SQL come in a few fixed lengths: each new length is a new prepared statement. */
const LENGTHS = [1, 4, 16, 64, 256, 1000] as const

export interface SqlList {
  /** `(?, ?, ?)` */
  readonly sql: string
  readonly params: readonly number[]
}

const TEXTS: ReadonlyMap<number, string> = new Map(LENGTHS.map((length) => [length, `(${'?, '.repeat(length - 1)}?)`]))

/** An `IN` list of 1 to 1,000 numbers, padded to a fixed length by repeating the last. */
export function listOfNumbers(numbers: readonly number[]): SqlList {
  const last = numbers.at(-1)
  const length = LENGTHS.find((size) => size >= numbers.length)
  const sql = length === undefined ? undefined : TEXTS.get(length)
  if (last === undefined || length === undefined || sql === undefined) throw new RangeError(`1 to 1000 numbers, not ${numbers.length}`)
  return { sql, params: numbers.length === length ? numbers : [...numbers, ...new Array<number>(length - numbers.length).fill(last)] }
}

/** Splits into parts of at most `size`. */
export function partsOf<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = []
  for (let from = 0; from < items.length; from += size) parts.push(items.slice(from, from + size))
  return parts
}
