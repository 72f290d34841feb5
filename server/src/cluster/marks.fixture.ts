import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Marks } from './marks.ts'
import type { Pair } from './pair.fixture.ts'

/** What every adapter of `Marks` does. Each test has marks of its own. */
export function marksConform(open: () => Promise<Pair<Marks>>): void {
  describe('marks', () => {
    let a: Marks
    let b: Marks
    let close: () => Promise<void>

    beforeAll(async () => {
      ;({ a, b, close } = await open())
    })
    afterAll(async () => {
      await close()
    })

    it('only grow', async () => {
      expect(await a.read('grows')).toBe(0)
      for (const [value, mark] of [
        [5, 5],
        [3, 5],
        [5, 5],
        [10, 10],
        [9, 10],
        [0, 10],
        [100, 100],
      ] as const) {
        expect(await a.raise('grows', value)).toBe(mark)
        expect(await b.read('grows')).toBe(mark)
      }
      expect(await b.read('other')).toBe(0)
      expect(await b.raise('zero', 0)).toBe(0)
    })

    it('tell the largest whole numbers from each other', async () => {
      const most = Number.MAX_SAFE_INTEGER
      for (const value of [most - 3, most - 2, most - 1, most]) {
        expect(await a.raise('large', value)).toBe(value)
        expect(await b.raise('large', value - 1)).toBe(value)
        expect(await b.read('large')).toBe(value)
      }
      expect(await a.raise('instants', 1_790_000_000_123)).toBe(1_790_000_000_123)
      expect(await a.raise('instants', 1_790_000_000_122)).toBe(1_790_000_000_123)
    })

    it('are as high as the highest of many who raise them at once', async () => {
      const values = Array.from({ length: 50 }, (_, index) => 1 + ((index * 37) % 50))
      const answers = await Promise.all(values.map(async (value, index) => (index % 2 === 0 ? a : b).raise('race', value)))
      answers.forEach((mark, index) => expect(mark).toBeGreaterThanOrEqual(values[index] ?? Infinity))
      expect(await a.read('race')).toBe(50)
    })
  })
}
