import { parseCron } from '@tickwheel/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expressionOf, HOUR_STEPS, LAST, LAST_WEEKDAY, planOf, sameMeaning, SIXTY_STEPS, type CronPlan, type DaysPlan, type TimePlan } from './cron-plan.ts'

const every: DaysPlan = { kind: 'every' }
const at = (hour: number, minute = 0, second = 0): TimePlan => ({ kind: 'at', hour, minute, second })
const plan = (time: TimePlan, days: DaysPlan = every, more: Partial<CronPlan> = {}): CronPlan => ({ time, days, months: [], years: '', ...more })
const week = (...days: number[]): DaysPlan => ({ kind: 'week', days })
const month = (...days: number[]): DaysPlan => ({ kind: 'month', days })

const ROUND: [string, CronPlan][] = [
  ['* * * * * ?', plan({ kind: 'everySeconds', every: 1 })],
  ['*/20 * * * * ?', plan({ kind: 'everySeconds', every: 20 })],
  ['0 * * * * ?', plan({ kind: 'everyMinutes', every: 1, from: 0, to: 23 })],
  ['0 */15 9-17 ? * MON-FRI', plan({ kind: 'everyMinutes', every: 15, from: 9, to: 17 }, week(1, 2, 3, 4, 5))],
  ['0 */30 22-2 * * ?', plan({ kind: 'everyMinutes', every: 30, from: 22, to: 2 })],
  ['0 5 * * * ?', plan({ kind: 'everyHours', every: 1, minute: 5 })],
  ['0 0 */6 * * ?', plan({ kind: 'everyHours', every: 6, minute: 0 })],
  ['30 30 2 * * ?', plan(at(2, 30, 30))],
  ['0 0 9,12,18 * * ?', plan({ kind: 'list', hours: [9, 12, 18], minute: 0 })],
  ['0 0 9 ? * SUN,SAT', plan(at(9), week(0, 6))],
  ['0 0 0 1,15,L * ?', plan(at(0), month(1, 15, LAST))],
  ['0 0 0 LW 3,6,9,12 ?', plan(at(0), month(LAST_WEEKDAY), { months: [3, 6, 9, 12] })],
  ['0 0 9 ? * FRI#2', plan(at(9), { kind: 'nth', nth: 2, weekday: 5 })],
  ['0 0 9 ? * MONL', plan(at(9), { kind: 'nth', nth: LAST, weekday: 1 })],
  ['0 0 0 1 1 ? 2030-2032', plan(at(0), month(1), { months: [1], years: '2030-2032' })],
  ['7 3/10 4-9 15W * ?', plan({ kind: 'raw', text: '7 3/10 4-9' }, { kind: 'raw', monthDay: '15W', weekday: '?' })],
]

const number = (min: number, max: number) => fc.integer({ min, max })
const some = (min: number, max: number, minLength = 1) => fc.uniqueArray(number(min, max), { minLength }).map((values) => values.sort((a, b) => a - b))
const times: fc.Arbitrary<TimePlan> = fc.oneof(
  fc.record({ kind: fc.constant('at' as const), hour: number(0, 23), minute: number(0, 59), second: number(0, 59) }),
  fc.record({ kind: fc.constant('list' as const), hours: some(0, 23, 2), minute: number(0, 59) }),
  fc.record({ kind: fc.constant('everyHours' as const), every: fc.constantFrom(...HOUR_STEPS), minute: number(0, 59) }),
  // an hour less than the whole day, and the whole day
  fc.record({ kind: fc.constant('everyMinutes' as const), every: fc.constantFrom(...SIXTY_STEPS), from: number(0, 23), to: number(0, 23) }).map((time) => ((time.from + 23) % 24 === time.to ? { ...time, from: 0, to: 23 } : time)),
  fc.record({ kind: fc.constant('everySeconds' as const), every: fc.constantFrom(...SIXTY_STEPS) }),
)
const dayPlans: fc.Arbitrary<DaysPlan> = fc.oneof(
  fc.constant(every),
  fc.record({ kind: fc.constant('week' as const), days: some(0, 6) }),
  fc.record({ kind: fc.constant('month' as const), days: fc.tuple(some(1, 31), fc.boolean(), fc.boolean()).map(([days, last, lastWeekday]) => [...days, ...(last ? [LAST] : []), ...(lastWeekday ? [LAST_WEEKDAY] : [])]) }),
  fc.record({ kind: fc.constant('nth' as const), nth: number(0, 5), weekday: number(0, 6) }),
)
const months = some(1, 12, 0).map((chosen) => (chosen.length === 12 ? [] : chosen))
const plans: fc.Arbitrary<CronPlan> = fc.record({ time: times, days: dayPlans, months, years: fc.constantFrom('', '2030', '2030/5') })

/** One field in any spelling: lists, ranges that may wrap, steps. */
const field = (min: number, max: number) => {
  const one = fc.oneof(number(min, max).map(String), fc.tuple(number(min, max), number(min, max)).map(([from, to]) => `${from}-${to}`), number(2, 12).map((step) => `*/${step}`), fc.tuple(number(min, max), number(2, 12)).map(([from, step]) => `${from}/${step}`))
  return fc.oneof(fc.constant('*'), fc.array(one, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(',')))
}
const quartzDays = fc.oneof(fc.constant(['*', '?'] as const), field(1, 31).map((day) => [day, '?'] as const), field(1, 7).map((day) => ['?', day] as const), fc.constantFrom('L', 'LW', 'L-3', '15W', '1,L').map((day) => [day, '?'] as const), fc.constantFrom('FRI#2', '2L', 'MON,FRI#1', 'sat-mon').map((day) => ['?', day] as const))
const quartz = fc.tuple(fc.oneof(fc.constant('0'), field(0, 59)), field(0, 59), field(0, 23), quartzDays, field(1, 12)).map(([second, minute, hour, [day, weekday], monthText]) => `${second} ${minute} ${hour} ${day} ${monthText} ${weekday}`)
const unix = fc.tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)).map((fields) => fields.join(' '))

describe('cron plans', () => {
  it.each(ROUND)('%s goes both ways', (expression, expected) => {
    expect(planOf(expression)).toEqual(expected)
    expect(expressionOf(expected)).toBe(expression)
  })

  it('of every choice are read back as they were chosen', () => {
    fc.assert(fc.property(plans, (chosen) => {
      expect(planOf(expressionOf(chosen) ?? '')).toEqual(chosen)
    }))
  })

  it.each([['Quartz', quartz], ['crontab', unix]])('of what a person writes (%s) mean the same instants', (_dialect, expressions) => {
    fc.assert(fc.property(expressions, (expression) => {
      const [written, read] = [parseCron(expression), planOf(expression)]
      if (typeof read === 'string') {
        expect(written.ok && read === 'unreadable').toBe(false)
        return
      }
      const built = parseCron(expressionOf(read) ?? '')
      expect(written.ok && built.ok && sameMeaning(written.fields, built.fields), `${expression} → ${expressionOf(read) ?? ''}`).toBe(true)
    }), { numRuns: 300 })
  })

  it.each([
    ['five fields are Unix, where Monday is 1', '0 9 * * 1', 'auto', plan(at(9), week(1))],
    ['Unix knows Sunday as 7 too', '0 9 * * 7', 'unix', plan(at(9), week(0))],
    ['six fields are Quartz, where Sunday is 1', '0 0 9 ? * 1', 'auto', plan(at(9), week(0))],
    ['a range of days may wrap round', '0 0 9 ? * FRI-MON', 'auto', plan(at(9), week(0, 1, 5, 6))],
    ['0/5 is the same as */5', '0 0/5 * * * ?', 'auto', plan({ kind: 'everyMinutes', every: 5, from: 0, to: 23 })],
    ['quarters of an hour may be a list', '0 0,15,30,45 * * * ?', 'auto', plan({ kind: 'everyMinutes', every: 15, from: 0, to: 23 })],
    ['quarters of a year may be a step', '0 0 0 1 1/3 ?', 'auto', plan(at(0), month(1), { months: [1, 4, 7, 10] })],
    ['a day of the month that nobody can show leaves the time to the controls', '0 0 9 L-3 * ?', 'auto', plan(at(9), { kind: 'raw', monthDay: 'L-3', weekday: '?' })],
  ] as const)('%s', (_why, expression, dialect, expected) => {
    expect(planOf(expression, dialect)).toEqual(expected)
  })

  it.each([['', 'unreadable'], ['0 0', 'unreadable'], ['0 0 25 * * ?', 'unreadable'], ['0 0 9 15 * MON', 'unreadable'], ['0 9 15 * 1', 'eitherDay'], ['0 0 9 15 * 1', 'unreadable']] as const)('%j has none: %s', (expression, why) => {
    expect(planOf(expression)).toBe(why)
  })

  it.each([plan(at(1), week()), plan(at(1), month()), plan({ kind: 'list', hours: [], minute: 0 })])('without a day or an hour have no expression', (chosen) => {
    expect(expressionOf(chosen)).toBeNull()
  })

})
