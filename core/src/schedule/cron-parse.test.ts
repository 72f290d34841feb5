import { describe, expect, it } from 'vitest'
import { maskValues } from './words-shape.ts'
import type { CronDialect, CronFields } from './cron-fields.ts'
import { parseCron } from './cron-parse.ts'

function fieldsOf(expression: string, dialect?: CronDialect): CronFields {
  const parsed = parseCron(expression, dialect)
  if (!parsed.ok) throw new Error(`${expression}: ${JSON.stringify(parsed.problems)}`)
  return parsed.fields
}

function problemsOf(expression: string, dialect?: CronDialect): unknown[] {
  const parsed = parseCron(expression, dialect)
  return parsed.ok ? [] : [...parsed.problems]
}

function hoursOf(text: string): number[] {
  return maskValues(fieldsOf(`0 0 ${text} * * ?`).hours, 0, 23)
}

function weekdaysOf(text: string, dialect: CronDialect): number[] {
  const expression = dialect === 'quartz' ? `0 0 0 ? * ${text}` : `0 0 * * ${text}`
  return maskValues(fieldsOf(expression, dialect).weekdays?.mask ?? 127, 0, 6)
}

describe('numbers', () => {
  it.each([
    ['5', [5], 'a single value'],
    ['1,3,5', [1, 3, 5], 'a list'],
    ['9-12', [9, 10, 11, 12], 'a range'],
    ['22-2', [0, 1, 2, 22, 23], 'a range over midnight'],
    ['22-2/2', [0, 2, 22], 'a step counts on over midnight'],
    ['*/6', [0, 6, 12, 18], 'a step of all'],
    ['0/6', [0, 6, 12, 18], 'Quartz: from 0 on'],
    ['5/8', [5, 13, 21], 'Quartz: from 5 to the end'],
    ['/6', [0, 6, 12, 18], 'Quartz reads a missing start as the first value'],
    ['9-17/4', [9, 13, 17], 'a step in a range'],
    ['1,20-22,*/12', [0, 1, 12, 20, 21, 22], 'everything in one list'],
    ['07', [7], 'a leading zero is no octal number'],
  ])('reads hour %s as %j: %s', (text, values) => {
    expect(hoursOf(text)).toEqual(values)
  })
})

describe('weekdays', () => {
  it.each([
    ['1', 'quartz', [0], 'Quartz counts from Sunday = 1'],
    ['7', 'quartz', [6], 'and ends with Saturday = 7'],
    ['2-6', 'quartz', [1, 2, 3, 4, 5], 'Monday to Friday in Quartz'],
    ['MON-FRI', 'quartz', [1, 2, 3, 4, 5], 'names mean the same everywhere'],
    ['fri-mon', 'quartz', [0, 1, 5, 6], 'over the week end, and in small letters'],
    ['L', 'quartz', [6], 'L alone is Saturday in Quartz'],
    ['2/2', 'quartz', [1, 3, 5], 'from Monday every second day'],
    ['0', 'unix', [0], 'unix counts from Sunday = 0'],
    ['7', 'unix', [0], 'and takes 7 for it too'],
    ['5-7', 'unix', [0, 5, 6], 'a range may end with Sunday = 7'],
    ['1-5', 'unix', [1, 2, 3, 4, 5], 'Monday to Friday in unix'],
    ['SAT-SUN', 'unix', [0, 6], 'names wrap'],
    ['*/2', 'unix', [0, 2, 4, 6], 'a step does not reach Sunday twice'],
    ['?', 'unix', [0, 1, 2, 3, 4, 5, 6], 'a question mark is a star'],
  ] as const)('reads %s in %s as %j: %s', (text, dialect, values, _why) => {
    expect(weekdaysOf(text, dialect)).toEqual(values)
  })
})

describe('special days', () => {
  it.each([
    ['0 0 0 L * ?', { mask: 0, beforeLast: [0], nearestWeekdays: [], nearestBeforeLast: [] }],
    ['0 0 0 L-3 * ?', { mask: 0, beforeLast: [3], nearestWeekdays: [], nearestBeforeLast: [] }],
    ['0 0 0 LW * ?', { mask: 0, beforeLast: [], nearestWeekdays: [], nearestBeforeLast: [0] }],
    ['0 0 0 L-3W * ?', { mask: 0, beforeLast: [], nearestWeekdays: [], nearestBeforeLast: [3] }],
    ['0 0 0 15W * ?', { mask: 0, beforeLast: [], nearestWeekdays: [15], nearestBeforeLast: [] }],
    ['0 0 0 1,l * ?', { mask: 2, beforeLast: [0], nearestWeekdays: [], nearestBeforeLast: [] }],
  ])('reads %s', (expression, monthDays) => {
    expect(fieldsOf(expression).monthDays).toEqual(monthDays)
  })

  it.each([
    ['0 0 0 ? * FRIL', { mask: 0, lastMask: 1 << 5, nth: [] }],
    ['0 0 0 ? * 6L', { mask: 0, lastMask: 1 << 5, nth: [] }],
    ['0 0 0 ? * 6#3', { mask: 0, lastMask: 0, nth: [{ weekday: 5, nth: 3 }] }],
    ['0 0 0 ? * FRI#3', { mask: 0, lastMask: 0, nth: [{ weekday: 5, nth: 3 }] }],
    [
      '0 0 0 ? * MON#1,MON#3',
      {
        mask: 0,
        lastMask: 0,
        nth: [
          { weekday: 1, nth: 1 },
          { weekday: 1, nth: 3 },
        ],
      },
    ],
  ])('reads %s', (expression, weekdays) => {
    expect(fieldsOf(expression).weekdays).toEqual(weekdays)
  })
})

describe('dialects', () => {
  it.each([
    ['*/5 * * * *', undefined, 'unix', 'five fields have no seconds and mean unix'],
    ['0 */5 * * * *', undefined, 'quartz', 'six fields mean Quartz'],
    ['0 0 0 1 1 ? 2027', undefined, 'quartz', 'the seventh is the year'],
    ['0 */5 * * * 0', 'unix', 'unix', 'six fields with unix weekdays'],
  ] as const)('takes %s with dialect %s for %s: %s', (expression, dialect, expected, _why) => {
    expect(fieldsOf(expression, dialect).dialect).toBe(expected)
  })

  it('lets a star stand in both day fields of Quartz, as people write it', () => {
    const fields = fieldsOf('0 0 2 * * *')
    expect([fields.monthDays, fields.weekdays]).toEqual([null, null])
  })

  it('restricts by the other day field when one is a star', () => {
    expect(fieldsOf('0 0 2 * * MON').monthDays).toBeNull()
    expect(fieldsOf('0 0 2 1 * *').weekdays).toBeNull()
  })

  it('keeps years as given', () => {
    expect(fieldsOf('0 0 0 1 1 ? 2026-2030/2').years).toEqual(new Set([2026, 2028, 2030]))
    expect(fieldsOf('0 0 0 1 1 ? *').years).toBeNull()
  })
})

describe('repeating expressions (those that follow elapsed time)', () => {
  it.each([
    ['0 0 2 * * ?', false, 'fixed values'],
    ['0 0,30 1,2 * * ?', false, 'lists'],
    ['0 0-59 1-2 * * ?', false, 'ranges, even full ones'],
    ['0 0 2 */2 */3 ?', false, 'steps in days and months say nothing about the clock'],
    ['0 * 2 * * ?', true, 'a star in the minutes'],
    ['0 0 */2 * * ?', true, 'a step in the hours'],
    ['0/5 0 2 * * ?', true, 'a step in the seconds'],
    ['0 0,10-20/5 2 * * ?', true, 'a step within a list'],
    ['30 2 * * *', false, 'unix, fixed'],
    ['30 * * * *', true, 'unix, hourly'],
  ])('%s: %s, because of %s', (expression, repeats) => {
    expect(fieldsOf(expression).repeats).toBe(repeats)
  })
})

describe('problems', () => {
  it.each([
    ['', [{ code: 'CRON_FIELD_COUNT', params: { count: 0, expected: '5, 6, 7' } }]],
    ['* * * *', [{ code: 'CRON_FIELD_COUNT', params: { count: 4, expected: '5, 6, 7' } }]],
    ['0 0 0 1 1 ? 2027 x', [{ code: 'CRON_FIELD_COUNT', params: { count: 8, expected: '5, 6, 7' } }]],
    ['0 0 24 * * ?', [{ code: 'CRON_OUT_OF_RANGE', params: { field: 'hour', position: 5, value: '24', min: 0, max: 23 } }]],
    ['0 0 0 0 * ?', [{ code: 'CRON_OUT_OF_RANGE', params: { field: 'dayOfMonth', position: 7, value: '0', min: 1, max: 31 } }]],
    ['0 0 0 ? * 0', [{ code: 'CRON_OUT_OF_RANGE', params: { field: 'dayOfWeek', position: 11, value: '0', min: 1, max: 7 } }]],
    ['0 0 0 ? * 8', [{ code: 'CRON_OUT_OF_RANGE', params: { field: 'dayOfWeek', position: 11, value: '8', min: 1, max: 7 } }]],
    ['0 0 0 ? * FRI#6', [{ code: 'CRON_OUT_OF_RANGE', params: { field: 'dayOfWeek', position: 11, value: 'FRI#6', min: 1, max: 5 } }]],
    ['0 0 0 L-31 * ?', [{ code: 'CRON_OUT_OF_RANGE', params: { field: 'dayOfMonth', position: 7, value: 'L-31', min: 0, max: 30 } }]],
    ['0 */0 * * * ?', [{ code: 'CRON_BAD_STEP', params: { field: 'minute', position: 3, value: '*/0', max: 59 } }]],
    ['0 0/60 * * * ?', [{ code: 'CRON_BAD_STEP', params: { field: 'minute', position: 3, value: '0/60', max: 59 } }]],
    ['? 0 0 * * ?', [{ code: 'CRON_BAD_VALUE', params: { field: 'second', position: 1, value: '?' } }]],
    ['0 0 0 1,Foo * ?', [{ code: 'CRON_BAD_VALUE', params: { field: 'dayOfMonth', position: 9, value: 'Foo' } }]],
    ['0 0 0 1,,2 * ?', [{ code: 'CRON_BAD_VALUE', params: { field: 'dayOfMonth', position: 9, value: '' } }]],
    ['0 0 0 LWW * ?', [{ code: 'CRON_BAD_VALUE', params: { field: 'dayOfMonth', position: 7, value: 'LWW' } }]],
    ['0 0 1-2-3 * * ?', [{ code: 'CRON_BAD_VALUE', params: { field: 'hour', position: 5, value: '1-2-3' } }]],
    ['0 0 -1 * * ?', [{ code: 'CRON_BAD_VALUE', params: { field: 'hour', position: 5, value: '-1' } }]],
    ['0 0 1.5 * * ?', [{ code: 'CRON_BAD_VALUE', params: { field: 'hour', position: 5, value: '1.5' } }]],
    ['0 0 0 1 MON ?', [{ code: 'CRON_BAD_VALUE', params: { field: 'month', position: 9, value: 'MON' } }]],
    ['0 0 0 1 1 ? 2030-2026', [{ code: 'CRON_RANGE_REVERSED', params: { field: 'year', position: 13, value: '2030-2026' } }]],
    ['0 0 0 1 1 ? 1969', [{ code: 'CRON_OUT_OF_RANGE', params: { field: 'year', position: 13, value: '1969', min: 1970, max: 2199 } }]],
    ['0 0 0 1 * MON', [{ code: 'CRON_BOTH_DAYS_RESTRICTED', params: { dayOfMonth: '1', dayOfWeek: 'MON' } }]],
    ['0 0 0 ? * ?', [{ code: 'CRON_BOTH_DAYS_OPEN', params: {} }]],
  ])('of %j: %j', (expression, problems) => {
    expect(problemsOf(expression)).toEqual(problems)
  })

  it('are all told at once', () => {
    expect(problemsOf('60 60 24 32 13 8 1900')).toHaveLength(8)
  })

  it('include a dialect that does not fit: Quartz has no five fields', () => {
    expect(problemsOf('*/5 * * * *', 'quartz')).toEqual([{ code: 'CRON_FIELD_COUNT', params: { count: 5, expected: '6, 7' } }])
  })

  it('refuse a text that is too long without reading it', () => {
    expect(problemsOf('0,'.repeat(1000))).toEqual([{ code: 'CRON_TOO_LONG', params: { length: 2000, max: 500 } }])
  })

  it('are none when unix restricts both days', () => {
    expect(problemsOf('0 0 1 * MON')).toEqual([])
  })
})
