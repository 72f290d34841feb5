import { describe, expect, it } from 'vitest'
import type { Completeness } from '../../api/completeness.ts'
import { hourBars } from './hour-bars.ts'

const figures = (fired: number, skipped = 0, missing = 0, doubled = 0) => ({ expected: fired + skipped + missing, fired, skipped, missing, doubled, reasons: {} })
const answer = (hours: Completeness['hours']): Completeness => ({ from: '2026-11-22T00:00:00.000Z', to: '2026-11-22T04:00:00.000Z', since: null, reckonedUntil: null, lagMs: null, total: figures(0), hours, groups: [] })

describe('the strip of hours', () => {
  it('has every hour of the range, and the busiest one full', () => {
    const bars = hourBars(answer([{ hourAt: '2026-11-22T01:00:00.000Z', ...figures(50, 50) }, { hourAt: '2026-11-22T03:00:00.000Z', ...figures(25) }]))
    expect(bars.map(({ fired, skipped, faults }) => [fired, skipped, faults])).toEqual([[0, 0, 0], [0.5, 0.5, 0], [0, 0, 0], [0.25, 0, 0]])
  })

  it('shows one missing firing among many', () => {
    const [, bar] = hourBars(answer([{ hourAt: '2026-11-22T01:00:00.000Z', ...figures(10_000, 0, 1) }]))
    expect(bar?.faults).toBeGreaterThan(0.05)
  })

  it('is empty, not broken, where nothing was due', () => expect(hourBars(answer([])).every((bar) => bar.fired === 0)).toBe(true))
})
