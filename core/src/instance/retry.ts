import type { Outcome } from './state.ts'

/** When a try that failed is followed by another one. */
export type RetryPolicy = {
  /** Retries after the first try; 0 for none. */
  readonly max: number
  /** Before the first retry. */
  readonly delayMs: number
  /** How the delay grows: not, by `delayMs` each time, or doubled each time. */
  readonly backoff: Backoff
  /** No delay is longer. */
  readonly maxDelayMs: number
  /** The share of a delay, 0 to 1, by which chance may shorten it. */
  readonly jitter: number
}

export const BACKOFFS = ['fixed', 'linear', 'exponential'] as const
export type Backoff = (typeof BACKOFFS)[number]

export type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number; readonly tries: number }
  | { readonly kind: 'final'; readonly reason: 'notRetriable' | 'noRetries' | 'retriesUsedUp' | 'lostNotRetried' }

/**
 * Whether a try that ended is followed by another. `tries` is the number of retries already spent, as the row of the run has it: 0 when the
 * first try ends. Only failed, timed-out and lost tries are retried, a lost one unless the task says `onLost: 'fail'`.
 * The answer carries the new `tries`. `chance`: a number in [0, 1) for the jitter.
 */
export function decideRetry({ policy, tries, outcome, chance = 0, onLost = 'retry' }: RetryQuestion): RetryDecision {
  if (!RETRIABLE.has(outcome)) return { kind: 'final', reason: 'notRetriable' }
  if (outcome === 'lost' && onLost === 'fail') return { kind: 'final', reason: 'lostNotRetried' }
  if (policy.max <= 0) return { kind: 'final', reason: 'noRetries' }
  if (tries >= policy.max) return { kind: 'final', reason: 'retriesUsedUp' }
  return { kind: 'retry', delayMs: retryDelayMs(policy, tries, chance), tries: tries + 1 }
}

export type RetryQuestion = {
  readonly policy: RetryPolicy
  readonly tries: number
  readonly outcome: Outcome
  readonly chance?: number
  readonly onLost?: 'retry' | 'fail'
}

const RETRIABLE: ReadonlySet<Outcome> = new Set(['failed', 'timedOut', 'lost'])

/**
 * How long to wait before the next try, in whole ms, when `triesSoFar` retries have been spent: 0 asks for the delay of the first. Never above
 * `maxDelayMs`. `chance` in [0, 1) shortens it by that much of its jitter: with jitter 1 it lies evenly between nothing and the whole delay.
 */
export function retryDelayMs({ delayMs, backoff, maxDelayMs, jitter }: RetryPolicy, triesSoFar: number, chance = 0): number {
  return Math.round(Math.min(maxDelayMs, delayMs * growth(backoff, triesSoFar)) * (1 - jitter * chance))
}

/** The exponent is bounded so that a delay of 0 stays 0 and is not multiplied by Infinity. */
function growth(backoff: Backoff, triesSoFar: number): number {
  switch (backoff) {
    case 'fixed':
      return 1
    case 'linear':
      return triesSoFar + 1
    case 'exponential':
      return 2 ** Math.min(triesSoFar, 52)
  }
}
