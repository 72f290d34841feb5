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
}

export const BACKOFFS = ['fixed', 'linear', 'exponential'] as const
export type Backoff = (typeof BACKOFFS)[number]

export type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number; readonly tries: number }
  | { readonly kind: 'final'; readonly reason: 'notRetriable' | 'noRetries' | 'retriesUsedUp' | 'lostNotRetried' }

/**
 * Whether a try that ended is followed by another. `tries` is the number of retries already spent, as the row of the run has it: 0 when the
 * first try ends. Only failed, timed-out and lost tries are retried, a lost one unless the task says `onLost: 'fail'`.
 * The answer carries the new `tries`.
 */
export function decideRetry({ policy, tries, outcome, onLost = 'retry' }: RetryQuestion): RetryDecision {
  if (!RETRIABLE.has(outcome)) return { kind: 'final', reason: 'notRetriable' }
  if (outcome === 'lost' && onLost === 'fail') return { kind: 'final', reason: 'lostNotRetried' }
  if (policy.max <= 0) return { kind: 'final', reason: 'noRetries' }
  if (tries >= policy.max) return { kind: 'final', reason: 'retriesUsedUp' }
  return { kind: 'retry', delayMs: retryDelayMs(policy, tries), tries: tries + 1 }
}

export type RetryQuestion = {
  readonly policy: RetryPolicy
  readonly tries: number
  readonly outcome: Outcome
  readonly onLost?: 'retry' | 'fail'
}

const RETRIABLE: ReadonlySet<Outcome> = new Set(['failed', 'timedOut', 'lost'])

/** How long to wait before the next try when `triesSoFar` retries have been spent: 0 asks for the delay of the first. Never above `maxDelayMs`. */
export function retryDelayMs({ delayMs, backoff, maxDelayMs }: RetryPolicy, triesSoFar: number): number {
  return Math.min(maxDelayMs, delayMs * growth(backoff, triesSoFar))
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
