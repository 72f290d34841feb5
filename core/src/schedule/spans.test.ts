import { describe, expect, it } from 'vitest'
import { joinSpans, type Span } from './spans.ts'

const rate = (everyMs: number, fromAt: number, toAt: number | null, isEnabled = true): Span => ({
  fromAt,
  toAt,
  isEnabled,
  taskVersion: 1,
  schedule: { kind: 'fixedRate', everyMs },
  anchorAt: fromAt,
})

describe('spans joined to one schedule', () => {
  const joined = joinSpans([rate(1000, 10_000, 13_500), rate(1000, 13_500, 20_000, false), rate(500, 20_000, null)])

  it('walks from one span into the next and is never due in a disabled one', () => {
    const due: number[] = []
    for (let at = joined.next(9_999); at !== null && at <= 21_000; at = joined.next(at)) due.push(at)
    expect(due).toEqual([10_000, 11_000, 12_000, 13_000, 20_000, 20_500, 21_000])
  })

  it('walks back the same instants', () => {
    const due: number[] = []
    for (let at = joined.previous(21_001); at !== null; at = joined.previous(at)) due.push(at)
    expect(due).toEqual([21_000, 20_500, 20_000, 13_000, 12_000, 11_000, 10_000])
  })

  it('counts over borders, up to a limit', () => {
    expect(joined.countBetween(0, 21_000, 100)).toBe(7)
    expect(joined.countBetween(0, 21_000, 5)).toBe(5)
  })

  it('knows the span in force', () => {
    expect(joined.spanAt(9_999)).toBeNull()
    expect(joined.spanAt(13_499)?.toAt).toBe(13_500)
    expect(joined.spanAt(13_500)?.isEnabled).toBe(false)
    expect(joined.spanAt(99_000)?.fromAt).toBe(20_000)
  })
})
