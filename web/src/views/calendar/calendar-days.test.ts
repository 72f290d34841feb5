import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays, daysOf, isDay, lengthOf, monthsOf, paintDays, rulesIn, shiftDate, shiftMonth, weekdayOf } from './calendar-days.ts'

const RULES = {
  weekend: [6, 7],
  days: [{ from: '2026-10-01', to: '2026-10-07', kind: 'off' as const, name: '国庆节' }, { from: '2026-10-10', kind: 'work' as const }],
}
const october = daysOf(RULES, 2026).filter(({ date }) => date.startsWith('2026-10'))
const stateOf = (date: string) => october.find((day) => day.date === date)

describe('the days of a calendar', () => {
  it('are off by name, worked, a weekend or ordinary', () => {
    expect(stateOf('2026-10-01')).toEqual({ date: '2026-10-01', state: 'off', name: '国庆节' })
    expect([stateOf('2026-10-10')?.state, stateOf('2026-10-11')?.state, stateOf('2026-10-12')?.state]).toEqual(['work', 'weekend', 'normal'])
  })

  it('stand under their weekdays, from Monday on', () => {
    for (const { weeks } of monthsOf(RULES, 2028)) {
      for (const week of weeks) week.forEach((day, index) => expect(day === null || weekdayOf(day.date) === index + 1).toBe(true))
    }
    expect(monthsOf(RULES, 2028).flatMap(({ weeks }) => weeks.flat().filter((day) => day !== null))).toHaveLength(366)
  })

  it('are painted without touching those beside them', () => {
    const span = fc.tuple(fc.integer({ min: 0, max: 364 }), fc.integer({ min: 0, max: 20 })).map(([first, more]) => ({ from: shiftDate('2026-01-01', first), to: shiftDate('2026-01-01', Math.min(364, first + more)) }))
    const kind = fc.constantFrom('off' as const, 'work' as const, null)
    fc.assert(fc.property(fc.array(fc.tuple(span, kind, fc.constantFrom('', 'a')), { maxLength: 12 }), (strokes) => {
      const expected = new Map<string, string>()
      let days: Parameters<typeof paintDays>[0] = []
      for (const [painted, brush, name] of strokes) {
        days = paintDays(days, painted, brush, name)
        for (let date = painted.from; date <= painted.to; date = shiftDate(date, 1)) expected.set(date, brush === null ? 'normal' : `${brush}${name}`)
      }
      for (const day of daysOf({ weekend: [], days }, 2026)) expect(day.state === 'normal' ? 'normal' : `${day.state}${day.name}`).toBe(expected.get(day.date) ?? 'normal')
      days.forEach((rule, index) => expect(index === 0 || (days[index - 1]?.to ?? days[index - 1]?.from ?? '') < rule.from).toBe(true))
    }), { numRuns: 60 })
  })

  it('keep the order of rules that overlap, because the later one counts', () => {
    const days = [{ from: '2026-05-01', to: '2026-05-10', kind: 'off' as const }, { from: '2026-05-05', kind: 'work' as const }]
    const painted = paintDays(days, { from: '2026-01-01', to: '2026-01-01' }, 'off')
    expect(daysOf({ weekend: [], days: painted }, 2026).find(({ date }) => date === '2026-05-05')?.state).toBe('work')
  })

  it('are added as a later list says, neighbours of one name together', () => {
    const more = [{ from: '2026-10-08', kind: 'off' as const, name: '国庆节' }, { from: '2026-10-10', kind: 'off' as const }]
    expect(addDays(RULES.days, more)).toEqual([{ from: '2026-10-01', to: '2026-10-08', kind: 'off', name: '国庆节' }, { from: '2026-10-10', kind: 'off' }])
  })

  it('of a year are those that speak of it', () => {
    const days = [{ from: '2027-01-01', kind: 'off' as const }, { from: '2025-12-31', to: '2026-01-01', kind: 'off' as const }]
    expect(rulesIn(days, 2026)).toEqual([days[1]])
    expect(lengthOf({ from: '2026-02-27', to: '2026-03-01' })).toBe(3)
  })

  it.each([['2026-02-29', false], ['2028-02-29', true], ['2026-13-01', false], ['1969-12-31', false], ['2200-01-01', false], ['2026-1-1', false]])('%s exists: %s', (date, exists) => {
    expect(isDay(date)).toBe(exists)
  })

  it.each([['2026-01-31', 1, '2026-02-28'], ['2026-03-31', -1, '2026-02-28'], ['2026-12-15', 1, '2027-01-15'], ['2026-01-15', -1, '2025-12-15']])('%s and %i months is %s', (date, months, expected) => {
    expect(shiftMonth(date, months)).toBe(expected)
  })
})
