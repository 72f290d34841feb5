import { describe, expect, it } from 'vitest'
import { segmentsOf } from './segments.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22, 8, 0, seconds)).toISOString()
const NOW = Date.parse(at(100))
const run = (over: Partial<Parameters<typeof segmentsOf>[0]> = {}) => ({
  scheduledAt: at(0),
  firedAt: at(1),
  queuedAt: at(1),
  dispatchedAt: at(11),
  acceptedAt: at(12),
  startedAt: at(14),
  endedAt: at(44),
  attempt: 1,
  ...over,
})
const brief = (over: Parameters<typeof run>[0]) =>
  segmentsOf(run(over), NOW).map((segment) => `${segment.name} ${segment.ms / 1000}${segment.isOpen ? '…' : ''}`)

describe('the segments of a run', () => {
  it.each([
    ['a whole run', {}, ['late 1', 'queueing 0', 'waiting 10', 'sending 1', 'starting 2', 'running 30']],
    ['a run by hand was never due', { scheduledAt: null }, ['queueing 0', 'waiting 10', 'sending 1', 'starting 2', 'running 30']],
    ['one that runs, until now', { endedAt: null }, ['late 1', 'queueing 0', 'waiting 10', 'sending 1', 'starting 2', 'running 86…']],
    [
      'one that waits, until now',
      { dispatchedAt: null, acceptedAt: null, startedAt: null, endedAt: null },
      ['late 1', 'queueing 0', 'waiting 99…'],
    ],
    [
      'one that was canceled while it waited',
      { dispatchedAt: null, acceptedAt: null, startedAt: null, endedAt: at(21) },
      ['late 1', 'queueing 0', 'waiting 20'],
    ],
    ['a third attempt', { attempt: 3 }, ['late 1', 'queueing 0', 'earlierAttempts 10', 'sending 1', 'starting 2', 'running 30']],
    [
      'the attempt that combines the results of shards',
      { attempt: 2, shards: { reduce: 'begun' } },
      ['late 1', 'queueing 0', 'shards 10', 'sending 1', 'starting 2', 'running 30'],
    ],
    [
      'one that was split, and was sent to nobody',
      { dispatchedAt: null, acceptedAt: null },
      ['late 1', 'queueing 0', 'waiting 13', 'running 30'],
    ],
    ['clocks that disagree', { acceptedAt: at(10) }, ['late 1', 'queueing 0', 'waiting 10', 'sending 0', 'starting 3', 'running 30']],
  ])('of %s', (_why, over, expected) => expect(brief(over)).toEqual(expected))

  it('join without a hole', () => {
    const segments = segmentsOf(run(), NOW)
    const end = segments.reduce(
      (reached, segment) => (expect(segment.fromMs).toBe(reached), segment.fromMs + segment.ms),
      Date.parse(at(0)),
    )
    expect(end).toBe(Date.parse(at(44)))
  })
})
