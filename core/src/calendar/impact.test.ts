import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSchedule, type Schedule } from '../schedule/schedule.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time/civil.ts'
import { compileCalendar } from './compiled-calendar.ts'
import { changesAnything, impactOf } from './impact.ts'

const FROM = Date.parse('2026-11-03T00:00:00Z')
const UNTIL = FROM + 30 * DAY_MS

function compiled(schedule: Schedule, weekend?: number[]) {
  const calendar = weekend === undefined ? undefined : { calendar: compileCalendar({ weekend, days: [], blackouts: [] }), zone: 'UTC' }
  const made = compileSchedule(schedule, { anchorAt: FROM, calendar })
  if (!made.ok) throw new Error('sound')
  return made.compiled
}
const cron = (expression: string, onDayOff?: 'next'): Schedule => ({
  kind: 'cron',
  expression,
  timezone: 'UTC',
  ...(onDayOff === undefined ? {} : { onDayOff }),
})
const impact = (before: ReturnType<typeof compiled>, after: ReturnType<typeof compiled>, maxCompared?: number) =>
  impactOf(before, after, { from: FROM, until: UNTIL, ...(maxCompared === undefined ? {} : { maxCompared }) })

describe('what another schedule changes', () => {
  it('is nothing where the firings are the same', () => {
    const same = impact(compiled(cron('0 0/5 * * * ?')), compiled(cron('0 */5 * * * *')))
    expect(same).toMatchObject({ isKnown: true, isCapped: false, before: 8640, after: 8640, removed: { count: 0 } })
    expect(changesAnything(same)).toBe(false)
  })

  it('is a move where a firing goes and another comes in its place', () => {
    const found = impact(compiled(cron('0 0 2 * * ?')), compiled(cron('0 30 3 * * ?')))
    expect(found).toMatchObject({ before: 30, after: 30, added: { count: 0 }, removed: { count: 0 }, moved: { count: 30 } })
    expect(found.moved.firings.every(({ from, to }) => to - from === 90 * MINUTE_MS)).toBe(true)
  })

  it('keeps what both have, and pairs what is left with the nearest', () => {
    const hourly = impact(compiled(cron('0 0 2 * * ?')), compiled(cron('0 0 * * * ?')))
    expect(hourly).toMatchObject({ removed: { count: 0 }, moved: { count: 0 }, added: { count: 690 } })
    expect(hourly.added.firings).toHaveLength(100)
    const daily = impact(compiled(cron('0 0 * * * ?')), compiled(cron('0 10 2 * * ?')))
    expect(daily).toMatchObject({ added: { count: 0 }, moved: { count: 30 }, removed: { count: 690 } })
    expect(daily.moved.firings[3]).toEqual({ from: FROM + 3 * DAY_MS + 2 * HOUR_MS, to: FROM + 3 * DAY_MS + 2 * HOUR_MS + 10 * MINUTE_MS })
  })

  it('of a calendar is what moves to the next working day, and what merges there', () => {
    const found = impact(compiled(cron('0 0 2 ? * SAT')), compiled(cron('0 0 2 ? * SAT', 'next'), [6, 7]))
    expect(found).toMatchObject({ before: 4, after: 4, moved: { count: 4 } })
    expect(found.moved.firings[0]).toEqual({ from: FROM + 4 * DAY_MS + 2 * HOUR_MS, to: FROM + 6 * DAY_MS + 2 * HOUR_MS })
    expect(impact(compiled(cron('0 0 2 * * ?')), compiled(cron('0 0 2 * * ?', 'next'), [6, 7]))).toMatchObject({
      moved: { count: 0 },
      removed: { count: 8 },
    })
  })

  it('cannot be told of a delay, and is cut at the same instant on both sides', () => {
    expect(impact(compiled({ kind: 'fixedDelay', delayMs: 1000 }), compiled(cron('0 0 2 * * ?')))).toMatchObject({
      isKnown: false,
      after: 0,
    })
    const cut = impact(compiled({ kind: 'fixedRate', everyMs: 60_000 }), compiled({ kind: 'fixedRate', everyMs: 120_000 }), 1000)
    expect(cut).toMatchObject({ isCapped: true, before: 1000, after: 500, removed: { count: 500 }, added: { count: 0 } })
    expect(cut.until).toBeLessThan(UNTIL)
  })

  it('adds up on both sides', () => {
    const every = fc.integer({ min: 60, max: 5000 }).map((minutes): Schedule => ({ kind: 'fixedRate', everyMs: minutes * MINUTE_MS }))
    fc.assert(
      fc.property(every, every, fc.subarray([1, 2, 3, 4, 5, 6, 7], { maxLength: 6 }), (one, other, weekend) => {
        const { before, after, removed, added, moved } = impact(compiled(one), compiled(other, weekend))
        const kept = before - removed.count - moved.count
        expect(after).toBe(kept + added.count + moved.count)
        expect(kept).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
