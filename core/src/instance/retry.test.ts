import { describe, expect, it } from 'vitest'
import { queueRankAt } from './queue-rank.ts'
import { BACKOFFS, decideRetry, retryDelayMs } from './retry.ts'
import type { RetryPolicy } from './retry.ts'
import { OUTCOMES } from './state.ts'

const policy: RetryPolicy = { max: 3, delayMs: 1000, backoff: 'exponential', maxDelayMs: 60_000, jitter: 0 }

describe('the delay before a retry', () => {
  it.each([
    ['fixed', [1000, 1000, 1000, 1000]],
    ['linear', [1000, 2000, 3000, 4000]],
    ['exponential', [1000, 2000, 4000, 8000]],
  ] as const)('grows as %s says', (backoff, delays) => {
    expect([0, 1, 2, 3].map((tries) => retryDelayMs({ ...policy, backoff }, tries))).toEqual(delays)
  })

  it('is never longer than its maximum, nor anything but a number, whatever the number of tries', () => {
    for (const backoff of BACKOFFS) {
      for (const tries of [0, 1, 10, 100, 5000, 1e9]) {
        expect(retryDelayMs({ ...policy, backoff }, tries)).toBeLessThanOrEqual(60_000)
        expect(retryDelayMs({ ...policy, backoff, delayMs: 0 }, tries)).toBe(0)
        expect(retryDelayMs({ ...policy, backoff, maxDelayMs: 10 }, tries)).toBe(10)
      }
    }
  })
})

describe('the jitter of retries', () => {
  it('shortens a delay by its share of chance, evenly, and never lengthens it', () => {
    const half = { ...policy, jitter: 0.5 }
    expect([0, 0.5, 0.999_999].map((chance) => retryDelayMs(half, 0, chance))).toEqual([1000, 750, 500])
    expect([0, 0.25, 0.75].map((chance) => retryDelayMs({ ...policy, jitter: 1 }, 1, chance))).toEqual([2000, 1500, 500])
    expect(retryDelayMs({ ...half, maxDelayMs: 100 }, 10, 0.5)).toBe(75)
  })

  it('is the chance that is given, so that a decision can be repeated', () => {
    const decide = (chance: number) => decideRetry({ policy: { ...policy, jitter: 1 }, tries: 0, outcome: 'failed', chance })
    expect(decide(0.4)).toEqual({ kind: 'retry', delayMs: 600, tries: 1 })
    expect(decide(0.4)).toEqual(decide(0.4))
  })

  it('has no effect where there is none', () => {
    expect(retryDelayMs(policy, 0, 0.9)).toBe(1000)
  })
})

describe('the decision to retry', () => {
  it('retries what failed, timed out or was lost, and nothing else', () => {
    const kinds = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, decideRetry({ policy, tries: 0, outcome }).kind]))
    expect(kinds).toEqual({ succeeded: 'final', failed: 'retry', timedOut: 'retry', canceled: 'final', lost: 'retry', skipped: 'final' })
  })

  it('retries as often as the policy says, with the delay of each, and then says that they are used up', () => {
    const decisions = [0, 1, 2, 3].map((tries) => decideRetry({ policy, tries, outcome: 'failed' }))
    expect(decisions).toEqual([
      { kind: 'retry', delayMs: 1000, tries: 1 },
      { kind: 'retry', delayMs: 2000, tries: 2 },
      { kind: 'retry', delayMs: 4000, tries: 3 },
      { kind: 'final', reason: 'retriesUsedUp' },
    ])
  })

  it('tells why it is final', () => {
    expect(decideRetry({ policy: { ...policy, max: 0 }, tries: 0, outcome: 'failed' })).toEqual({ kind: 'final', reason: 'noRetries' })
    expect(decideRetry({ policy, tries: 0, outcome: 'canceled' })).toEqual({ kind: 'final', reason: 'notRetriable' })
    expect(decideRetry({ policy, tries: 0, outcome: 'lost', onLost: 'fail' })).toEqual({ kind: 'final', reason: 'lostNotRetried' })
    expect(decideRetry({ policy, tries: 0, outcome: 'failed', onLost: 'fail' }).kind).toBe('retry')
  })
})

describe('the rank of a queued run', () => {
  it('lets a higher priority go first, and an older run after a minute for each step', () => {
    expect(queueRankAt(1_000_000, 0)).toBe(1_000_000)
    expect(queueRankAt(1_000_000, 5)).toBeLessThan(queueRankAt(1_000_000, 4))
    expect(queueRankAt(1_000_000, 0)).toBeLessThan(queueRankAt(1_060_001, 1))
    expect(queueRankAt(1_000_000, 0)).toBeGreaterThan(queueRankAt(1_059_999, 1))
    expect(queueRankAt(1_000_000, -1)).toBe(1_060_000)
  })
})
