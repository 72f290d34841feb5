import { describe, expect, it } from 'vitest'
import { segmentPairs, slowFactor } from './comparison.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22, 8, 0, seconds)).toISOString()

describe('a run beside the last success', () => {
  it.each([
    ['twice as long', 4_000, 2_000, 2],
    ['far longer', 123_456, 1_000, 123],
    ['a little longer', 2_900, 2_000, null],
    ['several times as long, and still quick', 800, 100, null],
    ['faster', 100, 2_000, null],
    ['the other took no time', 5_000, 0, null],
  ])('%s', (_why, mine, other, factor) => expect(slowFactor(mine, other)).toBe(factor))

  it('puts the segments of both under one another, of an open run until now', () => {
    const run = { scheduledAt: null, firedAt: at(0), queuedAt: at(0), dispatchedAt: at(4), acceptedAt: at(4), startedAt: at(5), endedAt: null, attempt: 2 }
    const segments = [{ name: 'late' as const, ms: 700 }, { name: 'waiting' as const, ms: 0 }, { name: 'running' as const, ms: 900 }]
    expect(segmentPairs(run, { segments } as Parameters<typeof segmentPairs>[1], Date.parse(at(15)))).toEqual([
      { name: 'late', mineMs: null, otherMs: 700 },
      { name: 'earlierAttempts', mineMs: 4_000, otherMs: null },
      { name: 'starting', mineMs: 1_000, otherMs: null },
      { name: 'running', mineMs: 10_000, otherMs: 900 },
    ])
  })
})
