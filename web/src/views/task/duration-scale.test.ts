import { describe, expect, it } from 'vitest'
import { medianOf, scaleOf } from './duration-scale.ts'

const linesOf = (durations: readonly number[]) => scaleOf(durations).lines.map((line) => line.ms)

describe('the scale of durations', () => {
  it.each([
    { durations: [], lines: [], why: 'nothing has a duration yet' },
    { durations: [0, 0], lines: [1], why: 'too short to be measured' },
    { durations: [180, 230], lines: [100, 200, 300], why: 'milliseconds' },
    { durations: [2_300, 900], lines: [1_000, 2_000, 3_000], why: 'seconds' },
    { durations: [61_000], lines: [30_000, 60_000, 90_000], why: 'half minutes, not 20,000 ms' },
    { durations: [5_400_000], lines: [1_800_000, 3_600_000, 5_400_000], why: 'hours' },
  ])('draws lines at natural lengths: $why', ({ durations, lines }) => {
    expect(linesOf(durations)).toEqual(lines)
    expect(scaleOf(durations).isLogarithmic).toBe(false)
  })

  it('is logarithmic when one long run would flatten the others', () => {
    const scale = scaleOf([20, 21, 19, 22, 600_000])
    expect(scale.isLogarithmic).toBe(true)
    expect(scale.lines.map((line) => line.ms)).toEqual([100, 10_000, 600_000])
    expect(scale.place(20) / scale.top).toBeGreaterThan(0.05)
    expect(scale.place(600_000)).toBeLessThanOrEqual(scale.top)
  })

  it('keeps every duration between its foot and its top, the longer the higher', () => {
    for (const durations of [[1, 2, 3], [0, 5, 90_000], [1, 1, 1, 1e9], [3.3e10, 12]]) {
      const scale = scaleOf(durations)
      const places = durations.toSorted((a, b) => a - b).map(scale.place)
      expect(places).toEqual(places.toSorted((a, b) => a - b))
      expect(places.every((place) => place >= 0 && place <= scale.top)).toBe(true)
      expect(scale.lines.length).toBeLessThanOrEqual(3)
      expect(scale.lines.every((line) => line.at > 0 && line.at <= scale.top)).toBe(true)
    }
  })

  it('has its middle in the middle', () => {
    expect([medianOf([]), medianOf([4]), medianOf([9, 1, 5])]).toEqual([null, 4, 5])
  })
})
