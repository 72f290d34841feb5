/**
 * Settles the due instants of a series that have passed: which fire, which are skipped, and where the cursor goes.
 *
 * An instant is *passed* when it is due at or before now, and *overdue* when it passed more than the grace time ago.
 * Without an overdue one, all passed instants fire, however late. With one, the misfire policy decides:
 * - `skip`: the overdue ones become one skip, the others fire.
 * - `fireOnce`: the last passed instant fires and stands for all earlier ones, which become one skip.
 * - `fireAll`: the last `max` passed instants fire, the ones before become one skip.
 *
 * After a restore a person may choose that nothing of what passed fires: `skipPassed`.
 *
 * Work is bounded by `maxFires`, `max` and the count of a skip, never by the length of the outage: the passed instants are
 * reached from now backwards. What one call leaves unfired, the next call settles.
 */
import type { CompiledSchedule } from './compiled.ts'

export const MISFIRE_POLICIES = ['skip', 'fireOnce', 'fireAll'] as const
export type MisfirePolicy = (typeof MISFIRE_POLICIES)[number]

export const DEFAULT_MISFIRE_MAX = 100
/** Skips of more instants than this leave their count open, unless it is arithmetic. */
const MAX_COUNTED = 10_000

/** A series and the instant up to which it is settled now. */
export interface Passing {
  readonly compiled: CompiledSchedule
  /** The cursor: everything up to here is settled. */
  readonly lastDueAt: number
  /** The first instant that is not settled. Taken as due even where the compiled schedule does not know it (`fixedDelay`). */
  readonly nextDueAt: number
  readonly now: number
}

export interface SettleInput extends Passing {
  readonly misfire: { readonly policy: MisfirePolicy; readonly graceMs: number; readonly max?: number }
  /** At most so many firings are decided in one call; at least 1. */
  readonly maxFires: number
}

export interface FireEntry {
  readonly kind: 'fire'
  readonly dueAt: number
  readonly prevDueAt: number
  readonly lateMs: number
  /** Set when it fires only by the policy: an overdue instant, or the one that stands for those skipped. */
  readonly misfire?: 'fireOnce' | 'fireAll'
}

/** Consecutive instants that do not fire. */
export interface SkippedRange {
  /** First skipped instant. */
  readonly fromAt: number
  /** Last skipped instant; the next entry's `prevDueAt`. */
  readonly toAt: number
  readonly prevDueAt: number
  /** `null`: too many to count now. */
  readonly count: number | null
}

export interface SkipEntry extends SkippedRange {
  readonly kind: 'skip'
  readonly reason: 'misfire'
  readonly policy: MisfirePolicy
}

export type SettleEntry = FireEntry | SkipEntry

export interface Settlement {
  /** In due order; each names the instant before it in `prevDueAt`. */
  readonly entries: readonly SettleEntry[]
  readonly lastDueAt: number
  /** The first instant left; at or before now when `maxFires` was reached; `null`: the series has ended (or awaits a run's end). */
  readonly nextDueAt: number | null
}

/** Decides what passed instants become. Nothing passed: no entries, and the cursor stays. */
export function settle(input: SettleInput): Settlement {
  const { nextDueAt, lastDueAt, now } = input
  if (nextDueAt > now) return { entries: [], lastDueAt, nextDueAt }
  const firstFiredAt = firstToFire(input)
  const entries: SettleEntry[] = []
  let cursor = lastDueAt
  const lastSkippedAt = firstFiredAt === null ? passedBefore(input, now + 1) : passedBefore(input, firstFiredAt)
  if (lastSkippedAt !== null) {
    entries.push(skipEntry(input, lastSkippedAt))
    cursor = lastSkippedAt
  }
  let due = lastSkippedAt === null ? nextDueAt : input.compiled.next(lastSkippedAt)
  for (let fired = 0; fired < input.maxFires && due !== null && due <= now; fired += 1) {
    entries.push(fireEntry(input, due, cursor))
    cursor = due
    due = input.compiled.next(due)
  }
  return { entries, lastDueAt: cursor, nextDueAt: due }
}

/** What is not settled of a series up to now, as one skip, whatever the policy, and the first instant left; `null`: nothing has passed. */
export function skipPassed(input: Passing): { readonly skipped: SkippedRange; readonly nextDueAt: number | null } | null {
  const toAt = passedBefore(input, input.now + 1)
  return toAt === null ? null : { skipped: skippedRange(input, toAt), nextDueAt: input.compiled.next(toAt) }
}

/** The first passed instant that is not skipped; `null` when all are. */
function firstToFire(input: SettleInput): number | null {
  const { nextDueAt, now, misfire } = input
  const overdueBefore = now - misfire.graceMs
  if (nextDueAt >= overdueBefore) return nextDueAt
  switch (misfire.policy) {
    case 'skip': {
      const first = input.compiled.next(Math.max(nextDueAt, overdueBefore - 1))
      return first !== null && first <= now ? first : null
    }
    case 'fireOnce':
      return passedBefore(input, now + 1)
    case 'fireAll':
      return nthLastPassed(input, misfire.max ?? DEFAULT_MISFIRE_MAX)
  }
}

function nthLastPassed(input: SettleInput, count: number): number | null {
  let found = passedBefore(input, input.now + 1)
  for (let step = 1; step < count && found !== null; step += 1) {
    const before = passedBefore(input, found)
    if (before === null) break
    found = before
  }
  return found
}

/** The last passed instant strictly before the given one; never below the first unsettled one. */
function passedBefore(input: Passing, before: number): number | null {
  const { nextDueAt, compiled } = input
  if (before <= nextDueAt) return null
  return Math.max(nextDueAt, compiled.previous(before) ?? nextDueAt)
}

function fireEntry(input: SettleInput, dueAt: number, prevDueAt: number): FireEntry {
  const { policy, graceMs } = input.misfire
  const fire: FireEntry = { kind: 'fire', dueAt, prevDueAt, lateMs: input.now - dueAt }
  const isOverdue = input.now - input.nextDueAt > graceMs
  if (policy === 'fireOnce' && isOverdue) return { ...fire, misfire: policy }
  if (policy === 'fireAll' && fire.lateMs > graceMs) return { ...fire, misfire: policy }
  return fire
}

function skipEntry(input: SettleInput, toAt: number): SkipEntry {
  return { kind: 'skip', ...skippedRange(input, toAt), reason: 'misfire', policy: input.misfire.policy }
}

function skippedRange(input: Passing, toAt: number): SkippedRange {
  return { fromAt: input.nextDueAt, toAt, prevDueAt: input.lastDueAt, count: countSkipped(input, toAt) }
}

function countSkipped(input: Passing, toAt: number): number | null {
  const limit = input.compiled.countsByArithmetic === true ? Number.MAX_SAFE_INTEGER : MAX_COUNTED
  // The first is counted apart, because it need not be in the compiled schedule.
  const later = input.compiled.countBetween(input.nextDueAt + 1, toAt, limit)
  return later < limit ? later + 1 : null
}
