import { MISSED_REASONS, type MissedReason } from '../reason.ts'
import type { AlarmEvent } from './event.ts'
import type { DayTime } from './day-time.ts'

/** What a rule watches for, as a person wrote it: what is absent has the default of `CONDITION_DEFAULTS`. Durations in ms. */
export type ConditionInput =
  | { readonly event: 'failed' | 'timedOut' | 'lost' | 'queueFull' | 'nodeDown' | 'incomplete' | 'undeliverable' }
  | { readonly event: 'failedInARow'; readonly times?: number }
  | { readonly event: 'failedInWindow'; readonly times?: number; readonly windowMs?: number }
  | { readonly event: 'late'; readonly afterMs?: number }
  | { readonly event: 'missed'; readonly reasons?: readonly MissedReason[] }
  | ({ readonly event: 'unfinished' } & DayTime)
  | { readonly event: 'slow'; readonly percent?: number }
  | { readonly event: 'noExecutor'; readonly afterMs?: number }

/** What a rule watches for, with nothing left out. */
export type Condition =
  | { readonly event: 'failed' | 'timedOut' | 'lost' | 'queueFull' | 'nodeDown' | 'incomplete' | 'undeliverable' }
  | { readonly event: 'failedInARow'; readonly times: number }
  | { readonly event: 'failedInWindow'; readonly times: number; readonly windowMs: number }
  | { readonly event: 'late'; readonly afterMs: number }
  | { readonly event: 'missed'; readonly reasons: readonly MissedReason[] }
  | ({ readonly event: 'unfinished' } & DayTime)
  | { readonly event: 'slow'; readonly percent: number }
  | { readonly event: 'noExecutor'; readonly afterMs: number }

export type ConditionOf<Event extends AlarmEvent> = Extract<Condition, { event: Event }>

export const CONDITION_DEFAULTS = {
  failedInARow: { times: 3 },
  failedInWindow: { times: 5, windowMs: 600_000 },
  late: { afterMs: 60_000 },
  missed: { reasons: MISSED_REASONS },
  slow: { percent: 200 },
  noExecutor: { afterMs: 60_000 },
} as const

/** A condition with its defaults. */
export function conditionOf(input: ConditionInput): Condition {
  switch (input.event) {
    case 'failedInARow':
      return { event: input.event, times: input.times ?? CONDITION_DEFAULTS.failedInARow.times }
    case 'failedInWindow':
      return { ...CONDITION_DEFAULTS.failedInWindow, ...input }
    case 'late':
      return { event: input.event, afterMs: input.afterMs ?? CONDITION_DEFAULTS.late.afterMs }
    case 'missed':
      return { event: input.event, reasons: input.reasons ?? CONDITION_DEFAULTS.missed.reasons }
    case 'slow':
      return { event: input.event, percent: input.percent ?? CONDITION_DEFAULTS.slow.percent }
    case 'noExecutor':
      return { event: input.event, afterMs: input.afterMs ?? CONDITION_DEFAULTS.noExecutor.afterMs }
    case 'failed':
    case 'timedOut':
    case 'lost':
    case 'queueFull':
    case 'nodeDown':
    case 'incomplete':
    case 'undeliverable':
    case 'unfinished':
      return input
  }
}
