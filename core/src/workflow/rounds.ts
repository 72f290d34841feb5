import { decideRetry, type RetryPolicy } from '../instance/retry.ts'
import type { Step } from './graph.ts'
import type { EndedStepState } from './run.ts'

/** What a step's `retry` means where it does not say: as a task's. */
export const STEP_RETRY_DEFAULTS: Omit<RetryPolicy, 'max'> = { delayMs: 1000, backoff: 'exponential', maxDelayMs: 60_000, jitter: 0 }

export type RoundDecision = { readonly kind: 'retry'; readonly delayMs: number } | { readonly kind: 'final' }

/**
 * Whether a `subWorkflow` or `fanOut` step that ended is tried in another round, and after how long. `round`: 0 for the first. Other kinds have one
 * round: a task retries by attempts inside its run. Only failed and timed-out rounds are tried again. `chance`: a number in [0, 1) for the jitter.
 */
export function afterRound(
  step: Step,
  { round, state, chance = 0 }: { round: number; state: EndedStepState; chance?: number },
): RoundDecision {
  if ((step.kind !== 'subWorkflow' && step.kind !== 'fanOut') || state === 'skipped') return { kind: 'final' }
  const decision = decideRetry({ policy: retryPolicyOf(step), tries: round, outcome: state, chance })
  return decision.kind === 'retry' ? { kind: 'retry', delayMs: decision.delayMs } : { kind: 'final' }
}

/** A step's `retry` with its defaults; without one, no retries. */
export function retryPolicyOf({ retry }: Step): RetryPolicy {
  return { ...STEP_RETRY_DEFAULTS, max: 0, ...retry }
}
