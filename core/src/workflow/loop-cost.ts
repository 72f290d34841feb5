import type { LoopUse, ValuePath } from './expression-walk.ts'

/**
 * How much a loop of an expression may go through: items times all that is looked at for each, in values and characters. CEL bounds neither time nor memory
 * by its syntax alone: `a.map(x, a + a)` over a list of 64 KiB would take gigabytes.
 */
const MAX_LOOP_COST = 20_000_000

/** Whether one of the loops would go through more than is allowed, judged before it runs by what it is given. Errs to the safe side. */
export function isLoopTooLong(loops: readonly LoopUse[], context: Record<string, unknown>): boolean {
  return loops.some(({ over, written, each, isSplit }) => {
    const measures = over.map((path) => measure(valueAt(path, context)))
    const items = sum(measures.map(({ size, longest }) => (isSplit ? size : longest))) + written
    return items * (1 + sum(each.map((path) => measure(valueAt(path, context)).size))) > MAX_LOOP_COST
  })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** What stands at a path; where the path ends early, what stands there. */
function valueAt(path: ValuePath, context: Record<string, unknown>): unknown {
  let value: unknown = context
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return value
    value = Reflect.get(value, name)
  }
  return value
}

interface Measure {
  /** values and characters */
  readonly size: number
  /** of the lists and objects in it, the one with the most parts */
  readonly longest: number
}

/** Stops when it is above the bound: then it does not matter by how much. */
function measure(root: unknown): Measure {
  let size = 0
  let longest = 0
  const open: unknown[] = [root]
  while (open.length > 0 && size <= MAX_LOOP_COST) {
    const value = open.pop()
    size += typeof value === 'string' ? 1 + value.length : 1
    if (typeof value !== 'object' || value === null) continue
    const parts: unknown[] = Object.values(value)
    longest = Math.max(longest, parts.length)
    for (const part of parts) open.push(part)
  }
  return { size, longest }
}
