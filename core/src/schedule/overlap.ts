/** What becomes of a firing while earlier runs of the same task are still open. */
export const OVERLAP_POLICIES = ['queue', 'skip', 'replace', 'parallel'] as const
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number]

export interface OverlapInput {
  readonly policy: OverlapPolicy
  /** `queue`: how many may wait. */
  readonly max: number
  /** Open runs of the task, those that wait included. */
  readonly open: number
  /** Of these, how many wait for an earlier one. */
  readonly waiting: number
}

export type OverlapDecision =
  | { readonly kind: 'start' }
  /** Behind the open ones. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'skip'; readonly reason: 'overlap' | 'queueFull' }
  /** Cancel what is open; this one waits until that has ended. */
  | { readonly kind: 'replace' }

/** Decides by the task's overlap policy whether a new run starts, waits, is dropped, or takes the place of the open ones. */
export function decideOverlap(input: OverlapInput): OverlapDecision {
  if (input.open === 0) return { kind: 'start' }
  switch (input.policy) {
    case 'parallel':
      return { kind: 'start' }
    case 'skip':
      return { kind: 'skip', reason: 'overlap' }
    case 'replace':
      return { kind: 'replace' }
    case 'queue':
      return input.waiting >= input.max ? { kind: 'skip', reason: 'queueFull' } : { kind: 'wait' }
  }
}
