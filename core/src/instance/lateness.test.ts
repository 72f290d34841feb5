import { describe, expect, it } from 'vitest'
import { seededRandom } from '../random.ts'
import { LATENESS_BUCKETS, latenessBound, latenessBucket, latenessPercentile } from './lateness.ts'

const countsOf = (values: readonly number[]) => {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(latenessBucket(value), (counts.get(latenessBucket(value)) ?? 0) + 1)
  return counts
}

describe('the buckets of lateness', () => {
  it.each([
    [-5, 0, 'a clock that is ahead is no lateness'],
    [0, 0, 'at once'],
    [1, 0, 'a bound belongs to the bucket below it'],
    [2, 2, 'powers of two are bounds'],
    [2.1, 3, 'and what is above lies in the next'],
    [1024, 20, 'about a second'],
    [Number.NaN, 0, 'never outside'],
    [1e15, LATENESS_BUCKETS - 1, 'the last takes all that is more'],
  ])('%d ms is in bucket %d: %s', (lateMs, bucket) => {
    expect(latenessBucket(lateMs)).toBe(bucket)
  })

  it('hold what lies between their bounds, whatever it is', () => {
    const random = seededRandom(7)
    for (let n = 0; n < 5000; n += 1) {
      const lateMs = 2 ** (random.next() * 30)
      const bucket = latenessBucket(lateMs)
      expect(lateMs).toBeLessThanOrEqual(latenessBound(bucket))
      if (bucket > 0) expect(lateMs).toBeGreaterThan(latenessBound(bucket - 1))
    }
  })
})

describe('a percentile of lateness', () => {
  it('is off by a fifth at most', () => {
    const random = seededRandom(11)
    const values = Array.from({ length: 20_000 }, () => Math.round(2 ** (2 + random.next() * 18)))
    const sorted = values.toSorted((a, b) => a - b)
    for (const share of [0.5, 0.9, 0.99, 1]) {
      const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
      const told = latenessPercentile(countsOf(values), share) ?? 0
      expect(Math.abs(told - exact) / exact).toBeLessThan(0.2)
    }
  })

  it('of one start is in its bucket, and of none unknown', () => {
    expect(latenessPercentile(countsOf([1000]), 0.99)).toBe(1024)
    expect(latenessPercentile(new Map(), 0.5)).toBeNull()
    expect(latenessPercentile(new Map([[4, 0]]), 0.5)).toBeNull()
  })

  it('does not fall as the share grows', () => {
    const counts = countsOf([1, 3, 3, 9, 80, 80, 5000])
    const told = [0.01, 0.2, 0.5, 0.8, 0.99, 1].map((share) => latenessPercentile(counts, share) ?? -1)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
  })
})
