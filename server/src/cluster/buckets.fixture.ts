import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../../../tests/kit/wait-for.ts'
import type { Buckets } from './bucket.ts'
import type { Pair } from './pair.fixture.ts'

/** Refills so slowly that no test sees it. */
const SLOW = { capacity: 3, refillPerSecond: 1e-6 }
/** Full again within 50 ms. */
const QUICK = { capacity: 2, refillPerSecond: 40 }

/** What every adapter of `Buckets` does by its own clock. Each test has keys of its own. */
export function bucketsConform(open: () => Promise<Pair<Buckets>>): void {
  describe('buckets', () => {
    let a: Buckets
    let b: Buckets
    let close: () => Promise<void>

    beforeAll(async () => {
      ;({ a, b, close } = await open())
    })
    afterAll(async () => {
      await close()
    })

    it('give as many tokens as they hold, one bucket for each key', async () => {
      expect(await a.take('k', SLOW)).toMatchObject({ allowed: true, remaining: 2, retryAfterMs: 0 })
      expect(await b.take('k', SLOW, 2)).toMatchObject({ allowed: true, remaining: 0 })
      const { allowed, remaining, retryAfterMs, resetMs } = await a.take('k', SLOW)
      expect({ allowed, remaining }).toEqual({ allowed: false, remaining: 0 })
      expect(retryAfterMs).toBeGreaterThan(0)
      expect(resetMs).toBeGreaterThan(retryAfterMs)
      expect(await a.take('k {of} another', SLOW)).toMatchObject({ allowed: true, remaining: 2 })
    })

    it('never give more than they can hold, or what nothing refills', async () => {
      expect(await a.take('cost', SLOW, 4)).toEqual({ allowed: false, remaining: 3, retryAfterMs: Infinity, resetMs: 0 })
      expect(await a.take('dry', { capacity: 1, refillPerSecond: 0 })).toEqual({
        allowed: true,
        remaining: 0,
        retryAfterMs: 0,
        resetMs: Infinity,
      })
      expect(await b.take('dry', { capacity: 1, refillPerSecond: 0 })).toMatchObject({ allowed: false, retryAfterMs: Infinity })
    })

    it('take tokens back, up to what they hold, also those that they do not know', async () => {
      await a.take('back', SLOW, 3)
      await b.giveBack('back', SLOW)
      expect(await a.take('back', SLOW)).toMatchObject({ allowed: true })
      await b.giveBack('back', SLOW, 100)
      expect(await a.take('back', SLOW, 3)).toMatchObject({ allowed: true })
      expect(await a.take('back', SLOW)).toMatchObject({ allowed: false })
      await a.giveBack('unknown', SLOW)
      expect(await a.take('unknown', SLOW)).toMatchObject({ remaining: 2 })
    })

    it('fill with time', async () => {
      expect(await a.take('fills', QUICK, 2)).toMatchObject({ allowed: true, remaining: 0, resetMs: 50 })
      await waitFor(async () => (await b.take('fills', QUICK, 2)).allowed, { what: 'a full bucket', everyMs: 5 })
    })

    it('give many who ask at once no more than there is', async () => {
      const taken = await Promise.all(Array.from({ length: 30 }, async (_, index) => (index % 2 === 0 ? a : b).take('race', SLOW)))
      expect(taken.filter(({ allowed }) => allowed)).toHaveLength(3)
    })
  })
}
