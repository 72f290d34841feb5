import { describe, expect, it } from 'vitest'
import { OVERLAP_POLICIES, decideOverlap, type OverlapDecision, type OverlapPolicy } from './overlap.ts'

describe('overlap', () => {
  it.each(OVERLAP_POLICIES)('starts when nothing is open, whatever the policy (%s)', (policy) => {
    expect(decideOverlap({ policy, max: 0, open: 0, waiting: 0 })).toEqual({ kind: 'start' })
  })

  it.each<[OverlapPolicy, { max: number; open: number; waiting: number }, OverlapDecision, string]>([
    ['parallel', { max: 0, open: 50, waiting: 3 }, { kind: 'start' }, 'no limit here'],
    ['skip', { max: 9, open: 1, waiting: 0 }, { kind: 'skip', reason: 'overlap' }, 'the last one has not ended'],
    ['replace', { max: 9, open: 1, waiting: 0 }, { kind: 'replace' }, 'the open one gives way'],
    ['queue', { max: 2, open: 1, waiting: 0 }, { kind: 'wait' }, 'the first to wait'],
    ['queue', { max: 2, open: 2, waiting: 1 }, { kind: 'wait' }, 'the last that fits'],
    ['queue', { max: 2, open: 3, waiting: 2 }, { kind: 'skip', reason: 'queueFull' }, 'no room'],
    ['queue', { max: 0, open: 1, waiting: 0 }, { kind: 'skip', reason: 'queueFull' }, 'a queue without room'],
  ])('%s with %j is %j: %s', (policy, counts, expected) => {
    expect(decideOverlap({ policy, ...counts })).toEqual(expected)
  })
})
