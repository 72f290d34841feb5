/** Which firings another schedule adds, removes and moves. */
import type { CompiledSchedule } from '../schedule/compiled.ts'

/** Firings of one side that are compared; more are cut off, on both sides at the same instant. */
export const MAX_COMPARED = 10_000
/** Firings of each kind that are listed. */
export const MAX_LISTED = 100
export const IMPACT_DAYS = 30

export interface ImpactOptions {
  /** what is due after it is compared, up to and including `until`; epoch ms */
  readonly from: number
  readonly until: number
  /** default {@link MAX_COMPARED} */
  readonly maxCompared?: number
}

export interface FiringList {
  readonly count: number
  readonly firings: readonly number[]
}

/** `until`: where the comparison ends, before the one that was asked for where `isCapped`. `isKnown` false: instants of a side depend on when its runs end. */
export interface Impact {
  readonly from: number
  readonly until: number
  readonly isKnown: boolean
  readonly isCapped: boolean
  readonly before: number
  readonly after: number
  readonly added: FiringList
  readonly removed: FiringList
  readonly moved: { readonly count: number; readonly firings: readonly { readonly from: number; readonly to: number }[] }
}

/**
 * Compares the firings of two schedules. A firing that both have is kept. Between two kept ones, the side that has fewer others is gone through in order
 * of time, and each of them is paired with the nearest of the other side behind the last one that was paired: the pair is one firing that moved. What is left is
 * removed, or added.
 */
export function impactOf(before: CompiledSchedule, after: CompiledSchedule, options: ImpactOptions): Impact {
  const { from, until, maxCompared = MAX_COMPARED } = options
  if (before.kind === 'fixedDelay' || after.kind === 'fixedDelay') return unknown(from, until)
  const [old, fresh] = [firingsIn(before, options, maxCompared), firingsIn(after, options, maxCompared)]
  const end = Math.min(old.until, fresh.until)
  const [had, has] = [old.firings.filter((at) => at <= end), fresh.firings.filter((at) => at <= end)]
  const { removed, added, moved } = compare(had, has)
  return {
    from,
    until: end,
    isKnown: true,
    isCapped: end < until,
    before: had.length,
    after: has.length,
    added: listed(added),
    removed: listed(removed),
    moved: { count: moved.length, firings: moved.slice(0, MAX_LISTED) },
  }
}

/** Whether anything changes. */
export function changesAnything({ added, removed, moved }: Impact): boolean {
  return added.count + removed.count + moved.count > 0
}

function unknown(from: number, until: number): Impact {
  const none = { count: 0, firings: [] }
  return { from, until, isKnown: false, isCapped: false, before: 0, after: 0, added: none, removed: none, moved: none }
}

/** The firings of one side; `until` is earlier than asked for where there are more than may be compared. */
function firingsIn(schedule: CompiledSchedule, { from, until }: ImpactOptions, max: number): { firings: number[]; until: number } {
  const firings: number[] = []
  for (let at = schedule.next(from); at !== null && at <= until; at = schedule.next(at)) {
    if (firings.length === max) return { firings, until: at - 1 }
    firings.push(at)
  }
  return { firings, until }
}

interface Difference {
  readonly removed: number[]
  readonly added: number[]
  readonly moved: { from: number; to: number }[]
}

function compare(had: readonly number[], has: readonly number[]): Difference {
  const kept = new Set(has)
  const found: Difference = { removed: [], added: [], moved: [] }
  let next = 0
  let gone: number[] = []
  for (const at of [...had, Infinity]) {
    if (at !== Infinity && !kept.has(at)) {
      gone.push(at)
      continue
    }
    const come: number[] = []
    for (let fresh = has[next]; fresh !== undefined && fresh < at; fresh = has[next]) {
      come.push(fresh)
      next += 1
    }
    next += 1
    pair(gone, come, found)
    gone = []
  }
  return found
}

function pair(gone: readonly number[], come: readonly number[], found: Difference): void {
  const [few, many] = gone.length <= come.length ? [gone, come] : [come, gone]
  const partners = new Set<number>()
  let first = 0
  few.forEach((at, index) => {
    const last = many.length - (few.length - index)
    const place = nearest(many, at, first, last)
    const partner = many[place] ?? at
    first = place + 1
    partners.add(partner)
    found.moved.push(few === gone ? { from: at, to: partner } : { from: partner, to: at })
  })
  const rest = many.filter((at) => !partners.has(at))
  if (many === come) found.added.push(...rest)
  else found.removed.push(...rest)
}

/** The place of the value that is nearest, between two places. */
function nearest(values: readonly number[], at: number, first: number, last: number): number {
  let low = first
  let high = last
  while (low < high) {
    const middle = (low + high) >> 1
    if ((values[middle] ?? Infinity) < at) low = middle + 1
    else high = middle
  }
  const isBeforeNearer = low > first && at - (values[low - 1] ?? -Infinity) <= Math.abs((values[low] ?? Infinity) - at)
  return isBeforeNearer ? low - 1 : low
}

function listed(firings: readonly number[]): FiringList {
  return { count: firings.length, firings: firings.slice(0, MAX_LISTED) }
}
