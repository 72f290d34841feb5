import type { TraceEntry } from '@tickwheel/contract'
import { segmentsOf } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import { longestDelay, reasonWithin, startLateness } from './lateness.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22, 8, 0, seconds)).toISOString()
const NOW = Date.parse(at(100))
const run = (over: Partial<Parameters<typeof segmentsOf>[0]> = {}) => ({ scheduledAt: at(0), firedAt: at(1), queuedAt: at(1), dispatchedAt: at(11), acceptedAt: at(12), startedAt: at(14), endedAt: at(44), attempt: 1, ...over })

describe('the segments of a run', () => {
  it('name the longest delay, never the run itself, and nothing below a second', () => {
    expect(longestDelay(segmentsOf(run(), NOW))?.name).toBe('waiting')
    expect(longestDelay(segmentsOf(run({ firedAt: at(0), queuedAt: at(0), dispatchedAt: at(0), acceptedAt: at(0), startedAt: at(0) }), NOW))).toBeNull()
  })

  it('are explained by the last reason for waiting that was given in them', () => {
    const trace: TraceEntry[] = [
      { at: at(1), reason: 'queued', facts: {} },
      { at: at(2), reason: 'waitsForExecutor', facts: {} },
      { at: at(5), reason: 'waitsForSlot', facts: {} },
      { at: at(11), reason: 'chosen', facts: {} },
    ]
    const waiting = segmentsOf(run(), NOW).find((segment) => segment.name === 'waiting')
    expect(waiting === undefined ? null : reasonWithin(waiting, trace)?.reason).toBe('waitsForSlot')
  })

  it('give the lateness of the start', () => {
    expect(startLateness(run())).toBe(14_000)
    expect(startLateness(run({ startedAt: null }))).toBeNull()
  })
})
