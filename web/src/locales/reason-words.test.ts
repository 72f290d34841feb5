import { reasons } from '@tickwheel/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from './i18n.ts'
import { reasonParts, reasonWords, runErrorWords, runMark, split } from './reason-words.ts'

describe('reasons in words', () => {
  beforeAll(() => loadLocale('en'))
  afterAll(() => loadLocale('en'))

  it.each([
    ['durations', 'fired', { lateMs: 3 }, 'Fired by its schedule, 3 ms after it was due.'],
    ['policies', 'firedAfterMisfire', { lateMs: 65_000, policy: 'fireOnce' }, 'Fired 1 min 5 s late, by the rule for missed firings (“Run once for all of them”).'],
    ['strategies', 'chosen', { strategy: 'roundRobin', executorId: 3, executor: 'a', among: 2 }, 'Executor a was chosen among 2 (In turn).'],
    ['what a strategy looked at', 'chosen', { strategy: 'failover', executorId: 3, executor: 'b', among: 2, whom: 'c, b', after: 'a', passed: 1 }, 'Executor b was chosen among 2 (Failover by name). Among whom, in order: c, b. The try before was at a: it goes on behind it. 1 before it had no room.'],
    ['executors by the names that are known', 'executorLost', { executorId: 3 }, 'Executor billing-01 was lost: no sign of life from it.'],
    ['executors that are not known by number', 'executorLost', { executorId: 4 }, 'Executor #4 was lost: no sign of life from it.'],
    ['rejections', 'rejected', { code: 'capacity', executorId: 3, detail: null }, 'Executor billing-01 did not take it: it is full.'],
    ['failures', 'failed', { code: 'EXIT_CODE' }, 'It failed: it ended with an exit code other than 0.'],
    ['failures with a code of a handler', 'failed', { code: 'ORDER_GONE' }, 'It failed: ORDER_GONE.'],
    ['nobody as Tickwheel itself', 'canceled', { by: null }, 'It was canceled by Tickwheel.'],
    ['facts that are missing', 'waitsForSlot', {}, 'Waits for an executor slot: – of – in use.'],
    ['the group that a run waits in by its name', 'waitsForSlot', { groupId: 2, group: 'Billing', used: 3, capacity: 3 }, 'Waits for an executor slot in group “Billing”: 3 of 3 in use.'],
    ['a group whose name is not at hand by its number', 'waitsForExecutor', { groupId: 2 }, 'Waits for an executor in group “#2”: none is online.'],
    ['the limit of a group', 'waitsForGroupLimit', { groupId: 2, group: 'Billing', used: 5, max: 5 }, 'Waits for a place in group “Billing”: group limit 5 of 5 used.'],
    ['where a calendar has moved a firing from', 'calendarMoved', { calendarId: 4, calendar: 'plant', why: 'weekend', day: null, from: 'long ago' }, 'Moved here by calendar “plant” from long ago.'],
    ['reasons of a newer server as they are', 'eclipse', {}, 'eclipse'],
  ])('word %s', (_what, reason, facts, words) => expect(reasonWords(reason, facts, new Map([[3, 'billing-01']]))).toBe(words))

  it('link to the runs they name', () => {
    expect(reasonParts('waitsForEarlierRun', { blocker: 41 })).toEqual([{ text: 'Waits for run ' }, { text: '#41', runId: 41 }, { text: ' of the same task to end.' }])
    expect(reasonParts('replaced', { by: 42 }).find((part) => part.runId !== undefined)?.runId).toBe(42)
    expect(split(`from ${runMark(1)} to ${runMark(2)}`).map((part) => part.runId)).toEqual([undefined, 1, undefined, 2])
  })

  it.each(['en', 'zh'] as const)('never leave a hole, whatever facts are missing (%s)', async (locale) => {
    await loadLocale(locale)
    for (const reason of reasons()) expect(reasonWords(reason, {}), reason).not.toMatch(/\{|\}|“”|（）|\(\)|undefined|null/)
    await loadLocale('en')
  })

  it('word what an executor says of a refused attempt', () => {
    expect(runErrorWords('REJECTED_draining')).toBe('it is draining')
    expect(runErrorWords('MY_OWN')).toBeNull()
  })
})
