import { describe, expect, it } from 'vitest'
import { OUTCOME } from '../instance/state.ts'
import { conditionOf } from './condition.ts'
import { RuleIndex, type EndSeen, type WatchRule } from './rule-index.ts'

const rule = (id: number, more: Partial<WatchRule> = {}): WatchRule => ({
  id,
  groupId: null,
  taskIds: [],
  conditions: [{ event: 'failed' }],
  ...more,
})
const end = (more: Partial<EndSeen> = {}): EndSeen => ({
  groupId: 1,
  taskId: 10,
  outcome: OUTCOME.failed,
  dueAt: 0,
  startedAt: 1000,
  endedAt: 2000,
  ...more,
})
const seenBy = (rules: readonly WatchRule[], seen: EndSeen): string[] =>
  new RuleIndex(rules).seenAtEnd(seen).map(({ ruleId, event }) => `${ruleId} ${event}`)

describe('which rules see the end of a run', () => {
  it.each([
    ['of all groups', rule(1), ['1 failed']],
    ['of its group', rule(1, { groupId: 1 }), ['1 failed']],
    ['of another group', rule(1, { groupId: 2 }), []],
    ['of its task', rule(1, { taskIds: [10, 11] }), ['1 failed']],
    ['of another task', rule(1, { taskIds: [11] }), []],
    ['for another end', rule(1, { conditions: [{ event: 'timedOut' }, { event: 'lost' }] }), []],
    ['for failures in a row', rule(1, { conditions: [conditionOf({ event: 'failedInARow' })] }), ['1 failedInARow']],
  ])('one %s', (_what, one, seen) => {
    expect(seenBy([one], end())).toEqual(seen)
  })

  it('a success is seen only where it says how long runs take, or was late', () => {
    const all = rule(1, { conditions: [{ event: 'failed' }, conditionOf({ event: 'late' })] })
    expect(seenBy([all], end({ outcome: OUTCOME.succeeded }))).toEqual([])
    expect(seenBy([all], end({ outcome: OUTCOME.succeeded, startedAt: 60_001 }))).toEqual(['1 late'])
    expect(seenBy([rule(2, { conditions: [conditionOf({ event: 'slow' })] })], end({ outcome: OUTCOME.succeeded }))).toEqual(['2 slow'])
  })

  it('a due run that gave way is missed; a canceled one is nothing', () => {
    const missed = [rule(1, { conditions: [conditionOf({ event: 'missed' })] })]
    expect(seenBy(missed, end({ outcome: OUTCOME.skipped }))).toEqual(['1 missed'])
    expect(seenBy(missed, end({ outcome: OUTCOME.skipped, dueAt: null }))).toEqual([])
    expect(seenBy([rule(1), ...missed], end({ outcome: OUTCOME.canceled }))).toEqual([])
  })

  it('an instant that did not fire is seen for its reason', () => {
    const index = new RuleIndex([
      rule(1, { conditions: [conditionOf({ event: 'missed', reasons: ['overlap'] })] }),
      rule(2, { conditions: [{ event: 'queueFull' }] }),
    ])
    expect(index.seenSkip(1, 10, 'overlap')).toEqual([{ ruleId: 1, event: 'missed' }])
    expect(index.seenSkip(1, 10, 'queueFull')).toEqual([{ ruleId: 2, event: 'queueFull' }])
    expect(index.seenSkip(1, 10, 'stoppedFirst')).toEqual([])
  })
})
