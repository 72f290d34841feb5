import { expect, it } from 'vitest'
import { MemoryBuckets } from './bucket.ts'

const limit = { capacity: 2, refillPerSecond: 1 }

it('keeps a bucket for each key, refilled with time and by what is given back', async () => {
  let now = 0
  const buckets = new MemoryBuckets(() => now)
  expect(await buckets.take('a', limit)).toEqual({ allowed: true, remaining: 1, retryAfterMs: 0, resetMs: 1000 })
  expect((await buckets.take('a', limit)).allowed).toBe(true)
  expect(await buckets.take('a', limit)).toMatchObject({ allowed: false, retryAfterMs: 1000 })
  expect((await buckets.take('b', limit)).allowed).toBe(true)
  await buckets.giveBack('a', limit)
  expect((await buckets.take('a', limit)).allowed).toBe(true)
  now = 1000
  expect((await buckets.take('a', limit)).allowed).toBe(true)
  await buckets.giveBack('nobody', limit)
})

it('forgets full buckets, and the least recently used above its bound', async () => {
  let now = 0
  const buckets = new MemoryBuckets(() => now)
  for (let key = 0; key < 9_000; key++) await buckets.take(`old ${key}`, limit)
  now = 10_000
  for (let key = 0; key < 1_001; key++) await buckets.take(`new ${key}`, limit)
  expect(buckets.size).toBeLessThan(1_100)
  for (let key = 0; key < 250_000; key++) await buckets.take(`many ${key}`, limit)
  expect(buckets.size).toBeLessThanOrEqual(100_000)
})
