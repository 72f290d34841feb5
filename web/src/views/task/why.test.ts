import type { WhyAnswer } from '@tickwheel/contract'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { explain, whySentence } from './why.ts'

const at = '2026-11-22T02:00:00.000Z'
const answer = (over: Partial<WhyAnswer>): WhyAnswer => ({ at, verdict: 'notDue', entry: null, run: null, taskVersion: 3, schedule: { kind: 'fixedRate', everyMs: 60_000 }, previousDueAt: null, nextDueAt: null, facts: {}, ...over })
const skipped = (reason: string, facts: Record<string, unknown>) =>
  answer({ verdict: 'skipped', entry: { kind: 'skipped', fromAt: at, toAt: at, count: 1, reason, facts, instanceId: null, decidedAt: at } })

describe('why it did, or did not, run', () => {
  beforeAll(() => loadLocale('en'))

  it.each([
    ['fired', answer({ verdict: 'fired', entry: { kind: 'fired', dueAt: at, instanceId: 42, taskVersion: 3 } }), 'It fired, as it should: run #42.'],
    ['the task was busy', skipped('overlap', { blocker: 41 }), 'It was due, and did not fire. Run #41 of the same task had not ended.'],
    ['the server was down', skipped('misfire', { policy: 'skip', lateMs: 9_000 }), 'It was due, and did not fire. The time to start it had passed (rule for missed firings: “Leave them out”).'],
    ['a fact is missing', skipped('overlap', {}), 'It was due, and did not fire. Run – of the same task had not ended.'],
    ['a newer server gives a reason that is not known here', skipped('eclipse', {}), 'It was due, and did not fire. eclipse'],
    ['it was not due', answer({}), 'It was not due then.'],
    ['it has no schedule', answer({ verdict: 'paused', schedule: { kind: 'manual' } }), 'It has no schedule: it runs only when it is started by hand, by the API or by a workflow.'],
  ])('is one sentence: %s', (_why, given, sentence) => expect(whySentence(given)).toBe(sentence))

  it('links to the run in the way, tells the facts, and what would change it', () => {
    const why = explain(skipped('overlap', { blocker: 41 }))
    expect(why.sentence.find((part) => part.runId !== undefined)).toEqual({ text: '#41', runId: 41 })
    expect(why.facts.map((fact) => fact.label)).toEqual(['Was due', 'Run in the way', 'Decided', 'Schedule then', 'Version in force'])
    expect(why.changes[0]).toContain('The next one waits')
    expect(why.tone).toBe('bad')
  })

  it('tells of a run that came late, or needed more than one attempt, and not of one that did neither', () => {
    const fired = (lateMs: number, attempts: number) => explain(answer({ verdict: 'fired', entry: { kind: 'fired', dueAt: at, instanceId: 42, taskVersion: 3 }, run: { firedAt: at, lateMs, attempts } })).facts.map((fact) => fact.label)
    expect(fired(90_000, 2)).toEqual(['Run', 'Fired at', 'Late by', 'Attempts', 'Schedule then', 'Version in force'])
    expect(fired(12, 1)).toEqual(['Run', 'Schedule then', 'Version in force'])
  })

  it('tells what a calendar did to the instant', () => {
    const calendar = { reason: 'calendarExcluded' as const, calendarId: 4, name: 'cn', version: 2, why: 'dayOff' as const, day: '国庆节', movedFrom: null, movedTo: null }
    const left = explain(answer({ calendar }))
    expect(whySentence(answer({ calendar }))).toBe('Its schedule names that instant, and calendar “cn” leaves it out: 国庆节.')
    expect(left.facts.map((fact) => fact.label)).toEqual(['Calendar', 'That day', 'Schedule then', 'Version in force'])
    expect(left.changes).toEqual([expect.stringContaining('“cn”')])
    const moved = explain(answer({ calendar: { ...calendar, day: null, movedTo: '2026-11-23T02:00:00.000Z' } }))
    expect(moved.sentence[0]?.text).toContain('moved it to 2026-11-23')
    expect(moved.facts.map((fact) => fact.label)).toContain('Moved to')
    const here = answer({ verdict: 'fired', entry: { kind: 'fired', dueAt: at, instanceId: 42, taskVersion: 3 }, calendar: { ...calendar, reason: 'calendarMoved', movedFrom: '2026-11-21T02:00:00.000Z' } })
    expect(whySentence(here)).toBe('It fired, as it should: run #42.')
    expect(explain(here).facts.map((fact) => fact.label)).toContain('Moved from')
  })

  it.each(['fired', 'skipped', 'folded', 'notDue', 'paused', 'beforeTask', 'overdue', 'held', 'notYet', 'deleted', 'unknown'] as const)('has words in both languages for %s', async (verdict) => {
    for (const locale of ['zh', 'en'] as const) {
      await loadLocale(locale)
      expect(whySentence(answer({ verdict }))).not.toContain('task.why')
    }
  })
})
