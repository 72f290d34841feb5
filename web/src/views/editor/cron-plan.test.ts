import { describe, expect, it } from 'vitest'
import { expressionOf, planOf, type CronPlan } from './cron-plan.ts'

const ROUND: [string, CronPlan][] = [
  ['0 * * * * ?', { kind: 'everyMinutes', minutes: 1 }],
  ['0 */15 * * * ?', { kind: 'everyMinutes', minutes: 15 }],
  ['0 5 * * * ?', { kind: 'hourly', minute: 5 }],
  ['0 30 2 * * ?', { kind: 'daily', hour: 2, minute: 30 }],
  ['0 0 9 ? * MON-FRI', { kind: 'weekly', days: [2, 3, 4, 5, 6], hour: 9, minute: 0 }],
  ['0 0 9 ? * SUN,SAT', { kind: 'weekly', days: [1, 7], hour: 9, minute: 0 }],
  ['0 0 0 15 * ?', { kind: 'monthly', day: 15, hour: 0, minute: 0 }],
  ['0 0 0 L * ?', { kind: 'monthly', day: 0, hour: 0, minute: 0 }],
]

describe('cron plans', () => {
  it.each(ROUND)('%s goes both ways', (expression, plan) => {
    expect(planOf(expression)).toEqual(plan)
    expect(expressionOf(plan)).toBe(expression)
  })

  it.each([
    ['five fields are Unix, where Monday is 1', '0 9 * * 1', 'auto', { kind: 'weekly', days: [2], hour: 9, minute: 0 }],
    ['Unix knows Sunday as 7 too', '0 9 * * 7', 'unix', { kind: 'weekly', days: [1], hour: 9, minute: 0 }],
    ['six fields are Quartz, where Sunday is 1', '0 0 9 ? * 1', 'auto', { kind: 'weekly', days: [1], hour: 9, minute: 0 }],
    ['a range of days may wrap round', '0 0 9 ? * FRI-MON', 'auto', { kind: 'weekly', days: [1, 2, 6, 7], hour: 9, minute: 0 }],
    ['0/5 is the same as */5', '0 0/5 * * * ?', 'auto', { kind: 'everyMinutes', minutes: 5 }],
  ] as const)('%s', (_why, expression, dialect, plan) => {
    expect(planOf(expression, dialect)).toEqual(plan)
  })

  it.each(['', '0 0', '5 0 0 * * ?', '0 */7 * * * ?', '0 0 25 * * ?', '0 0 9 ? * FRI#2', '0 0 9 1,15 * ?', '0 0 9 * JAN ?', '0 0 9 15 * MON', '0 0 0 1 1 ? 2030'])('%j is left as a person wrote it', (expression) => {
    expect(planOf(expression)).toEqual({ kind: 'custom' })
  })

  it('a week without days has no expression', () => {
    expect(expressionOf({ kind: 'weekly', days: [], hour: 1, minute: 2 })).toBeNull()
  })
})
