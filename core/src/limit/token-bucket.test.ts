import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BUDGETS } from './budgets.ts'
import { giveBack, isFull, take } from './token-bucket.ts'
import type { TokenBucket } from './token-bucket.ts'

const limit = { capacity: 3, refillPerSecond: 2 }

describe('a token bucket', () => {
  it('is full at first, refuses when empty, and allows again exactly when it said', () => {
    let bucket: TokenBucket | null = null
    for (const remaining of [2, 1, 0]) {
      const taken = take(bucket, 1000, limit)
      expect(taken).toMatchObject({ allowed: true, remaining, retryAfterMs: 0 })
      bucket = taken.bucket
    }
    const refused = take(bucket, 1000, limit)
    expect(refused).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 500, resetMs: 1500 })
    expect(take(refused.bucket, 1499, limit).allowed).toBe(false)
    expect(take(refused.bucket, 1500, limit).allowed).toBe(true)
  })

  it('never holds more than its capacity, however long it rests', () => {
    const { bucket } = take(null, 0, limit, 3)
    expect(take(bucket, 1e12, limit)).toMatchObject({ allowed: true, remaining: 2 })
  })

  it('takes all of a cost or nothing of it', () => {
    const { bucket } = take(null, 0, limit, 2)
    const refused = take(bucket, 0, limit, 2)
    expect(refused).toMatchObject({ allowed: false, remaining: 1, retryAfterMs: 500 })
    expect(take(refused.bucket, 0, limit, 1).allowed).toBe(true)
  })

  it('says Infinity where waiting does not help', () => {
    expect(take(null, 0, limit, 4)).toMatchObject({ allowed: false, retryAfterMs: Infinity })
    const still = { capacity: 1, refillPerSecond: 0 }
    expect(take(take(null, 0, still).bucket, 1e9, still)).toMatchObject({ allowed: false, retryAfterMs: Infinity, resetMs: Infinity })
  })

  it('neither gains nor loses by a clock that goes back', () => {
    const { bucket } = take(null, 10_000, limit, 3)
    expect(take(bucket, 0, limit).bucket).toEqual({ tokens: 0, at: 10_000 })
    expect(take(bucket, 10_500, limit).allowed).toBe(true)
  })

  it('is cut when its limit was lowered', () => {
    const { bucket } = take(null, 0, { capacity: 100, refillPerSecond: 1 })
    expect(take(bucket, 0, limit).remaining).toBe(2)
  })

  it('takes tokens back, up to its capacity, and is forgettable when full', () => {
    const { bucket } = take(null, 0, limit)
    expect(isFull(bucket, 0, limit)).toBe(false)
    expect(isFull(bucket, 500, limit)).toBe(true)
    expect(giveBack(bucket, 0, limit)).toEqual({ tokens: 3, at: 0 })
    expect(giveBack(bucket, 0, limit, 50)).toEqual({ tokens: 3, at: 0 })
  })

  it('allows over any time at most its capacity and what refilled, and always allows when it said', () => {
    const limits = fc.record({ capacity: fc.integer({ min: 1, max: 50 }), refillPerSecond: fc.constantFrom(0.2, 0.5, 3, 10, 100) })
    const calls = fc.array(fc.record({ wait: fc.integer({ min: 0, max: 3000 }), cost: fc.integer({ min: 1, max: 3 }) }), { maxLength: 100 })
    fc.assert(
      fc.property(limits, calls, (random, sequence) => {
        let bucket: TokenBucket | null = null
        let now = 0
        let allowed = 0
        for (const { wait, cost } of sequence) {
          now += wait
          const taken = take(bucket, now, random, cost)
          bucket = taken.bucket
          if (taken.allowed) allowed += cost
          else if (cost <= random.capacity) expect(take(bucket, now + taken.retryAfterMs, random, cost).allowed).toBe(true)
        }
        expect(allowed).toBeLessThanOrEqual(random.capacity + (now * random.refillPerSecond) / 1000 + 0.001)
      }),
    )
  })
})

describe('the budgets', () => {
  it('all hold at least one token and refill', () => {
    for (const budget of Object.values(BUDGETS)) {
      expect(budget.capacity).toBeGreaterThanOrEqual(1)
      expect(budget.refillPerSecond).toBeGreaterThan(0)
    }
  })
})
