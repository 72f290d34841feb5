import { describe, expect, it } from 'vitest'
import { seededRandom } from './random.ts'

function take(seed: number, count: number): number[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => random.next())
}

describe('the seeded generator', () => {
  it('repeats itself for the same seed and differs for others, also beyond 32 bits', () => {
    expect(take(42, 20)).toEqual(take(42, 20))
    expect(take(42, 5)).not.toEqual(take(43, 5))
    expect(take(42, 5)).not.toEqual(take(42 + 2 ** 32, 5))
  })

  it('gives the numbers it has always given, so that a kept seed keeps its meaning', () => {
    expect(take(1, 3).map((value) => value * 2 ** 32)).toMatchInlineSnapshot(`
      [
        3387734806,
        1080862987,
        3546521498,
      ]
    `)
  })

  it('stays in [0, 1) and fills ten equal parts evenly', () => {
    const parts = new Array<number>(10).fill(0)
    for (const value of take(7, 100_000)) {
      expect(value >= 0 && value < 1).toBe(true)
      parts[Math.floor(value * 10)] = (parts[Math.floor(value * 10)] ?? 0) + 1
    }
    for (const count of parts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
  })
})
