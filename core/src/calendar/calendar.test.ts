import { describe, expect, it } from 'vitest'
import type { InstantSet } from '../schedule/cron.ts'
import { previewSchedule } from '../schedule/preview.ts'
import { compileSchedule, leavesNothing, type Schedule } from '../schedule/schedule.ts'
import { describeSchedule } from '../schedule/words.ts'
import { findZone } from '../time/zone.ts'
import { openInstants } from './calendar-cron.ts'
import type { CalendarRuleSet } from './calendar.ts'
import { checkCalendar } from './check.ts'
import { compileCalendar, lastDayOf } from './compiled-calendar.ts'

const CHINA: CalendarRuleSet = {
  weekend: [6, 7],
  days: [
    { from: '2026-10-01', to: '2026-10-07', kind: 'off', name: '国庆节' },
    { from: '2026-09-20', kind: 'work', name: '国庆节调休' },
    { from: '2026-10-10', kind: 'work' },
  ],
  blackouts: [],
}
const FROM = Date.parse('2026-09-29T00:00:00+08:00')
const cron = (expression: string, onDayOff?: 'skip' | 'next' | 'previous' | 'only'): Schedule => ({
  kind: 'cron',
  expression,
  timezone: 'Asia/Shanghai',
  ...(onDayOff === undefined ? {} : { onDayOff }),
})

function look(schedule: Schedule, rules: CalendarRuleSet, count: number) {
  const calendar = { calendar: compileCalendar(rules), zone: 'Asia/Shanghai', name: 'China' }
  const preview = previewSchedule(schedule, { from: FROM, count, anchorAt: FROM, now: FROM, timezone: 'Asia/Shanghai', calendar })
  if (!preview.ok) throw new Error(JSON.stringify(preview.problems))
  return preview
}

describe('a calendar in a preview', () => {
  it('leaves days off out and says why, by the name of the day', () => {
    const { firings, leftOut, words } = look(cron('0 0 2 * * ?'), CHINA, 5)
    expect(firings.map(({ local }) => local.slice(5, 10))).toEqual(['09-29', '09-30', '10-08', '10-09', '10-10'])
    expect(leftOut.map(({ local, why, name }) => [local.slice(5, 10), why, name])).toEqual(
      ['10-01', '10-02', '10-03', '10-04', '10-05', '10-06', '10-07'].map((day) => [day, 'dayOff', '国庆节']),
    )
    expect(words).toEqual({
      en: 'every day at 02:00 (Asia/Shanghai), except when calendar “China” is closed',
      zh: '每天 02:00（Asia/Shanghai），日历“China”排除的时间除外',
    })
  })

  it.each([
    { expression: '0 */30 1 * * ?', movedTo: null, why: 'a cron that repeats has no firing at a time that clocks pass over' },
    { expression: '0 30 1 * * ?', movedTo: '2026-03-29T01:00:00.000Z', why: 'one that does not has it at the end of the gap' },
  ])('says to where a Saturday before summer time begins is moved: $why', ({ expression, movedTo }) => {
    const schedule: Schedule = { kind: 'cron', expression, timezone: 'Europe/London', onDayOff: 'next' }
    const calendar = { calendar: compileCalendar({ weekend: [6], days: [], blackouts: [] }), zone: 'Europe/London' }
    const compiled = compileSchedule(schedule, { anchorAt: FROM, calendar })
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
    const left = compiled.compiled.calendar?.leftOut(Date.parse('2026-03-28T01:30:00Z'))
    expect(left).toMatchObject({ why: 'weekend', movedTo: movedTo === null ? null : Date.parse(movedTo) })
    if (movedTo !== null) expect(compiled.compiled.next(Date.parse(movedTo) - 1)).toBe(Date.parse(movedTo))
  })

  it('takes a firing at the end of a gap for the time that clocks passed over', () => {
    const effectOf = (expression: string, weekend: number[]) => {
      const schedule: Schedule = { kind: 'cron', expression, timezone: 'Europe/London', onDayOff: 'next' }
      const calendar = { calendar: compileCalendar({ weekend, days: [], blackouts: [] }), zone: 'Europe/London' }
      const compiled = compileSchedule(schedule, { anchorAt: FROM, calendar })
      return compiled.ok ? compiled.compiled.calendar : undefined
    }
    const gapEnd = Date.parse('2026-03-29T02:00:00+01:00')
    expect(effectOf('0 0 1 * * ?', [7])?.leftOut(gapEnd)).toMatchObject({ movedTo: Date.parse('2026-03-30T01:00:00+01:00') })
    expect(effectOf('0 30 1 ? * SAT', [6])?.movedHere(gapEnd)).toMatchObject({ from: Date.parse('2026-03-28T01:30:00Z') })
  })

  it('moves a firing to the same time of the next working day, once, and says where it comes from', () => {
    const { firings, leftOut } = look(cron('0 0 2 ? * THU,SAT,WED', 'next'), CHINA, 3)
    expect(firings.map(({ local, movedFrom }) => [local, movedFrom])).toEqual([
      ['2026-09-30 02:00:00', undefined],
      ['2026-10-08 02:00:00', undefined],
      ['2026-10-10 02:00:00', undefined],
    ])
    expect(leftOut).toEqual([])
    expect(look(cron('0 0 2 ? * SAT', 'next'), CHINA, 1).firings).toMatchObject([
      { local: '2026-10-08 02:00:00', movedFrom: '2026-10-02T18:00:00.000Z' },
    ])
    expect(look(cron('0 0 2 ? * SAT', 'previous'), CHINA, 1).firings).toMatchObject([
      { local: '2026-09-30 02:00:00', movedFrom: '2026-10-02T18:00:00.000Z' },
    ])
  })

  it('fires on days off alone', () => {
    const { firings, leftOut } = look(cron('0 0 2 ? * SAT', 'only'), CHINA, 2)
    expect(firings.map(({ local }) => local.slice(5, 10))).toEqual(['10-03', '10-17'])
    expect(leftOut).toMatchObject([{ local: '2026-10-10 02:00:00', why: 'workingDay', name: null }])
  })

  it('names blackouts, which leave out and never move', () => {
    const rules: CalendarRuleSet = {
      ...CHINA,
      blackouts: [
        { kind: 'daily', from: '23:30', to: '02:30', weekdays: [1], name: 'backup' },
        { kind: 'once', from: '2026-10-08T00:00:00+08:00', to: '2026-10-09T00:00:00+08:00' },
      ],
    }
    const { firings, leftOut } = look(cron('0 0 2 ? * TUE,SAT', 'next'), rules, 2)
    // the days off land on 8 October, of which nothing is left
    expect(firings.map(({ local }) => local.slice(5, 10))).toEqual(['10-10', '10-19'])
    expect(leftOut.map(({ local, why, name }) => [local.slice(5, 10), why, name])).toEqual([
      ['09-29', 'blackout', 'backup'],
      ['10-03', 'blackout', null],
      ['10-06', 'blackout', null],
      ['10-13', 'blackout', 'backup'],
    ])
  })

  it('says when the first firing of a delay comes after it has waited', () => {
    const schedule: Schedule = { kind: 'fixedDelay', delayMs: 3 * 86_400_000 }
    expect(look(schedule, CHINA, 1).firings).toMatchObject([{ local: '2026-10-08 00:00:00', movedFrom: '2026-10-01T16:00:00.000Z' }])
  })
})

describe('closed time', () => {
  it('is gone over at once, however many firings lie in it', () => {
    const asked: number[] = []
    const everySecond: InstantSet = {
      next: (after) => {
        asked.push(after)
        return Math.floor(after / 1000) * 1000 + 1000
      },
      previous: (before) => {
        asked.push(before)
        return Math.ceil(before / 1000) * 1000 - 1000
      },
    }
    const zone = findZone('America/New_York')
    if (zone === null) throw new Error('no zone')
    const years: CalendarRuleSet = {
      weekend: [],
      days: [],
      blackouts: [{ kind: 'once', from: '2026-01-01T00:00:00Z', to: '2056-01-01T00:00:00Z' }],
    }
    const open = openInstants(everySecond, compileCalendar(years).timeOutsideBlackouts(zone))
    expect(open.next(Date.parse('2026-06-01T00:00:00Z'))).toBe(Date.parse('2056-01-01T00:00:00Z'))
    expect(open.previous(Date.parse('2030-06-01T00:00:00Z'))).toBe(Date.parse('2025-12-31T23:59:59Z'))
    expect(asked).toHaveLength(4)
    const off: CalendarRuleSet = { weekend: [], days: [{ from: '2026-01-01', to: '2190-12-31', kind: 'off' }], blackouts: [] }
    const made = compileSchedule(cron('* * * * * ?'), { anchorAt: 0, calendar: { calendar: compileCalendar(off), zone: 'UTC' } })
    expect(made.ok && made.compiled.next(FROM)).toBe(Date.parse('2191-01-01T00:00:00+08:00'))
    const moved = compileSchedule(cron('0 0 2 * * ?', 'next'), { anchorAt: 0, calendar: { calendar: compileCalendar(off), zone: 'UTC' } })
    // more than a year of days off moves nothing
    expect(moved.ok && moved.compiled.calendar?.movedHere(Date.parse('2191-01-01T02:00:00+08:00'))).toBeNull()
    expect(moved.ok && moved.compiled.calendar?.leftOut(Date.parse('2030-01-01T02:00:00+08:00'))).toMatchObject({ movedTo: null })
  })

  it('that never ends leaves nothing, which is found out', () => {
    const nightly: CalendarRuleSet = { weekend: [], days: [], blackouts: [{ kind: 'daily', from: '01:00', to: '03:00' }] }
    const never: CalendarRuleSet = { weekend: [], days: [], blackouts: [{ kind: 'daily', from: '05:00', to: '05:00' }] }
    const compile = (schedule: Schedule, rules: CalendarRuleSet) => {
      const made = compileSchedule(schedule, { anchorAt: FROM, calendar: { calendar: compileCalendar(rules), zone: 'Asia/Shanghai' } })
      if (!made.ok) throw new Error('sound')
      return made.compiled
    }
    expect(leavesNothing(compile(cron('0 0 2 * * ?'), nightly), FROM)).toBe(true)
    expect(leavesNothing(compile(cron('0 30 3 * * ?'), nightly), FROM)).toBe(false)
    expect(leavesNothing(compile(cron('0 0 2 ? * SAT'), CHINA), FROM)).toBe(false)
    expect(leavesNothing(compile(cron('0 0 2 ? * SAT,SUN'), { ...CHINA, days: [] }), FROM)).toBe(true)
    for (const schedule of [
      { kind: 'fixedRate', everyMs: 5000 },
      { kind: 'fixedDelay', delayMs: 5000 },
    ] as const) {
      expect(leavesNothing(compile(schedule, never), FROM)).toBe(true)
      expect(leavesNothing(compile(schedule, nightly), FROM)).toBe(false)
    }
  })
})

describe('the rules of a calendar', () => {
  it('are checked as a whole, each problem with its path', () => {
    expect(checkCalendar(CHINA)).toEqual([])
    const wrong: CalendarRuleSet = {
      weekend: [1, 2, 3, 4, 5, 6, 7],
      days: [
        { from: '2026-02-30', kind: 'off' },
        { from: '2026-10-07', to: '2026-10-01', kind: 'off', name: 'x'.repeat(65) },
        { from: '1969-01-01', to: 'soon', kind: 'work' },
      ],
      blackouts: [
        { kind: 'daily', from: '24:00', to: '2:00', weekdays: [] },
        { kind: 'daily', from: '01:00', to: '02:00', weekdays: [0, 8] },
        { kind: 'once', from: '2026-01-02T00:00:00Z', to: '2026-01-02T00:00:00Z' },
        { kind: 'once', from: 'never', to: '2026-01-02' },
      ],
    }
    expect(checkCalendar(wrong).map(({ path, code }) => `${path} ${code}`)).toEqual([
      'weekend TOO_MANY',
      'days.0.from CALENDAR_DAY_INVALID',
      'days.1.to CALENDAR_RANGE_REVERSED',
      'days.1.name TOO_LONG',
      'days.2.from CALENDAR_DAY_INVALID',
      'days.2.to CALENDAR_DAY_INVALID',
      'blackouts.0.from NOT_ALLOWED_VALUE',
      'blackouts.0.to NOT_ALLOWED_VALUE',
      'blackouts.0.weekdays NOT_ALLOWED_VALUE',
      'blackouts.1.weekdays.0 NOT_ALLOWED_VALUE',
      'blackouts.1.weekdays.1 NOT_ALLOWED_VALUE',
      'blackouts.2.to CALENDAR_RANGE_REVERSED',
      'blackouts.3.from INSTANT_MALFORMED',
      'blackouts.3.to INSTANT_MALFORMED',
    ])
  })

  it('have a last day of which they speak', () => {
    expect(lastDayOf(CHINA)).toBe('2026-10-10')
    expect(lastDayOf({ ...CHINA, days: [] })).toBeNull()
  })

  it.each([
    ['next', 'moved to the next working day of calendar “China”', '遇休息日顺延至日历“China”的下一个工作日'],
    ['previous', 'moved to the previous working day of calendar “China”', '遇休息日提前至日历“China”的上一个工作日'],
    ['only', 'only on days off of calendar “China”', '仅在日历“China”的休息日'],
  ] as const)('say in words that firings on days off are under %s', (rule, en, zh) => {
    expect(describeSchedule(cron('0 0 2 * * ?', rule), 'UTC', 'China')).toEqual({
      en: `every day at 02:00 (Asia/Shanghai), ${en}`,
      zh: `每天 02:00（Asia/Shanghai），${zh}`,
    })
  })
})
