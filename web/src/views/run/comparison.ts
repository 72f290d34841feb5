/** What a run beside the last success before it comes to: which segments took how long, and whether it took much longer. */
import type { InstanceComparison } from '@tickwheel/contract'
import { SEGMENTS, segmentsOf, type RunInstants, type SegmentName } from '@tickwheel/core'

export interface SegmentPair {
  readonly name: SegmentName
  /** null: this side had no such part */
  readonly mineMs: number | null
  readonly otherMs: number | null
}

/** The segments of both sides under one another, in the order of time; those that took nothing on both sides are left out. */
export function segmentPairs(run: RunInstants, success: InstanceComparison['success'], nowMs: number): SegmentPair[] {
  const mine = new Map(segmentsOf(run, nowMs).map(({ name, ms }) => [name, ms]))
  const other = new Map(success?.segments.map(({ name, ms }) => [name, ms]))
  return SEGMENTS.map((name) => ({ name, mineMs: mine.get(name) ?? null, otherMs: other.get(name) ?? null })).filter(({ mineMs, otherMs }) => (mineMs ?? 0) > 0 || (otherMs ?? 0) > 0)
}

export const totalOf = (run: RunInstants, nowMs: number): number => segmentsOf(run, nowMs).reduce((sum, { ms }) => sum + ms, 0)

const WORTH_FACTOR = 1.5
const WORTH_MS = 1_000

/** How many times as long one took as the other, one digit behind the point below ten; null where that is not worth a word: under 1.5 times, or under a second more. */
export function slowFactor(mineMs: number, otherMs: number): number | null {
  if (otherMs <= 0 || mineMs < otherMs * WORTH_FACTOR || mineMs - otherMs < WORTH_MS) return null
  const factor = mineMs / otherMs
  return factor < 10 ? Math.round(factor * 10) / 10 : Math.round(factor)
}
