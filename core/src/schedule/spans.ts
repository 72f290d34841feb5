/** One stretch of time in which one version of a schedule was in force. */
import { compileSchedule, type CompiledSchedule, type Schedule } from './schedule.ts'

export interface Span {
  /** inclusive */
  readonly fromAt: number
  /** exclusive; null: still in force */
  readonly toAt: number | null
  readonly isEnabled: boolean
  readonly taskVersion: number
  readonly schedule: Schedule
  readonly anchorAt: number
}

/** The spans of a series as one schedule: an instant is due when it is due under the span in force at that instant. */
export interface SpannedSchedule extends CompiledSchedule {
  /** The span in force at an instant; null before the first. */
  spanAt(at: number): Span | null
}

interface Piece {
  readonly span: Span
  readonly compiled: CompiledSchedule
}

/**
 * Joins spans, given in order of `fromAt`, which do not overlap. `kind` is the last span's.
 * Throws when a stored schedule no longer compiles: that is wrong data, for the caller to hold the series.
 */
export function joinSpans(spans: readonly Span[]): SpannedSchedule {
  const pieces = spans.map((span) => ({ span, compiled: compile(span) }))
  const last = pieces.at(-1)
  return {
    kind: last?.compiled.kind ?? 'manual',
    next: (after) => nextOf(pieces, after),
    previous: (before) => previousOf(pieces, before),
    countBetween: (from, to, limit) => countOf(pieces, from, to, limit),
    nextAfterEnd: (endedAt) => (last?.span.isEnabled === true && last.span.toAt === null ? last.compiled.nextAfterEnd(endedAt) : null),
    spanAt: (at) => spans.findLast((span) => span.fromAt <= at && at < (span.toAt ?? Infinity)) ?? null,
  }
}

function compile(span: Span): CompiledSchedule {
  const result = compileSchedule(span.schedule, { anchorAt: span.anchorAt })
  if (result.ok) return result.compiled
  throw new Error(
    `a stored schedule of version ${span.taskVersion} does not compile: ${result.problems.map((problem) => `${problem.path} ${problem.code}`).join(', ')}`,
  )
}

function nextOf(pieces: readonly Piece[], after: number): number | null {
  for (const { span, compiled } of pieces) {
    const end = span.toAt ?? Infinity
    if (!span.isEnabled || end <= after + 1) continue
    const found = compiled.next(Math.max(after, span.fromAt - 1))
    if (found !== null && found < end) return found
  }
  return null
}

function previousOf(pieces: readonly Piece[], before: number): number | null {
  for (const { span, compiled } of pieces.toReversed()) {
    if (!span.isEnabled || span.fromAt >= before) continue
    const found = compiled.previous(Math.min(before, span.toAt ?? Infinity))
    if (found !== null && found >= span.fromAt) return found
  }
  return null
}

function countOf(pieces: readonly Piece[], from: number, to: number, limit: number): number {
  let count = 0
  for (const { span, compiled } of pieces) {
    const first = Math.max(from, span.fromAt)
    const last = Math.min(to, (span.toAt ?? Infinity) - 1)
    if (span.isEnabled && first <= last && count < limit) count += compiled.countBetween(first, last, limit - count)
  }
  return count
}
