/**
 * Random cron expressions that know their own meaning: each field is drawn as a text together with the plain set of values
 * it stands for, so that an oracle needs no parser.
 */
import fc from 'fast-check'

export interface RandomField {
  readonly text: string
  readonly values: ReadonlySet<number>
  /** `*` or a step. */
  readonly repeats: boolean
}

export interface RandomDays {
  readonly dayOfMonth: string
  readonly dayOfWeek: string
  /** Plain meaning: does a date match? Weekday 0 is Sunday. */
  readonly matches: (date: { day: number; weekday: number; length: number }) => boolean
}

export interface RandomCron {
  readonly expression: string
  readonly second: RandomField
  readonly minute: RandomField
  readonly hour: RandomField
  readonly month: RandomField
  readonly days: RandomDays
}

const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

interface Range {
  readonly min: number
  readonly max: number
  readonly wraps: boolean
}

function elementOf(range: Range): fc.Arbitrary<RandomField> {
  const value = fc.integer({ min: range.min, max: range.max })
  const step = fc.integer({ min: 2, max: Math.min(31, range.max - range.min) })
  const size = range.max - range.min + 1
  const from = (first: number, last: number, by: number): number[] => {
    const end = last < first ? last + size : last
    return Array.from({ length: Math.floor((end - first) / by) + 1 }, (_, index) => ((first + index * by - range.min) % size) + range.min)
  }
  const pair = fc
    .tuple(value, value)
    .map(([left, right]): [number, number] => (range.wraps || left <= right ? [left, right] : [right, left]))
  return fc.oneof(
    { weight: 4, arbitrary: value.map((only) => ({ text: `${only}`, values: new Set([only]), repeats: false })) },
    {
      weight: 3,
      arbitrary: pair.map(([first, last]) => ({ text: `${first}-${last}`, values: new Set(from(first, last, 1)), repeats: false })),
    },
    { weight: 2, arbitrary: step.map((by) => ({ text: `*/${by}`, values: new Set(from(range.min, range.max, by)), repeats: true })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(value, step)
        .map(([first, by]) => ({ text: `${first}/${by}`, values: new Set(from(first, range.max, by)), repeats: true })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(pair, step)
        .map(([[first, last], by]) => ({ text: `${first}-${last}/${by}`, values: new Set(from(first, last, by)), repeats: true })),
    },
  )
}

function fieldOf(range: Range): fc.Arbitrary<RandomField> {
  const all = Array.from({ length: range.max - range.min + 1 }, (_, index) => range.min + index)
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant({ text: '*', values: new Set(all), repeats: true }) },
    { weight: 3, arbitrary: elementOf(range) },
    {
      weight: 1,
      arbitrary: fc.array(elementOf(range), { minLength: 2, maxLength: 4 }).map((elements) => ({
        text: elements.map((element) => element.text).join(','),
        values: new Set(elements.flatMap((element) => [...element.values])),
        repeats: elements.some((element) => element.repeats),
      })),
    },
  )
}

function nearestWeekday(day: number, length: number, weekdayOf: (day: number) => number): number {
  if (weekdayOf(day) === 6) return day === 1 ? 3 : day - 1
  if (weekdayOf(day) === 0) return day === length ? day - 2 : day + 1
  return day
}

function specialDays(): fc.Arbitrary<RandomDays> {
  const weekday = fc.integer({ min: 0, max: 6 })
  return fc.oneof(
    fc.constant<RandomDays>({ dayOfMonth: 'L', dayOfWeek: '?', matches: ({ day, length }) => day === length }),
    fc.integer({ min: 1, max: 30 }).map((before): RandomDays => ({
      dayOfMonth: `L-${before}`,
      dayOfWeek: '?',
      matches: ({ day, length }) => day === length - before,
    })),
    fc.integer({ min: 0, max: 31 }).map((target): RandomDays => ({
      dayOfMonth: target === 0 ? 'LW' : `${target}W`,
      dayOfWeek: '?',
      matches: ({ day, weekday: today, length }) => {
        const wanted = target === 0 ? length : target
        return wanted <= length && nearestWeekday(wanted, length, (other) => (((today + other - day) % 7) + 7) % 7) === day
      },
    })),
    weekday.map((wanted): RandomDays => ({
      dayOfMonth: '?',
      dayOfWeek: `${wanted + 1}L`,
      matches: ({ day, weekday: today, length }) => today === wanted && day + 7 > length,
    })),
    fc.tuple(weekday, fc.integer({ min: 1, max: 5 })).map(([wanted, nth]): RandomDays => ({
      dayOfMonth: '?',
      dayOfWeek: `${WEEKDAYS[wanted] ?? ''}#${nth}`,
      matches: ({ day, weekday: today }) => today === wanted && Math.ceil(day / 7) === nth,
    })),
  )
}

function quartzDays(options: { wraps: boolean; specials: boolean }): fc.Arbitrary<RandomDays> {
  const open = fc.constantFrom('?', '*')
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant<RandomDays>({ dayOfMonth: '*', dayOfWeek: '?', matches: () => true }) },
    {
      weight: 2,
      arbitrary: fc.tuple(elementOf({ min: 1, max: 31, wraps: options.wraps }), open).map(([field, dayOfWeek]): RandomDays => ({
        dayOfMonth: field.text,
        dayOfWeek,
        matches: ({ day }) => field.values.has(day),
      })),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(elementOf({ min: 1, max: 7, wraps: options.wraps }), open).map(([field, dayOfMonth]): RandomDays => ({
        dayOfMonth,
        dayOfWeek: field.text,
        matches: ({ weekday }) => field.values.has(weekday + 1),
      })),
    },
    ...(options.specials ? [{ weight: 2, arbitrary: specialDays() }] : []),
  )
}

/** Quartz expressions of six fields. */
export function randomQuartz(options: { wraps: boolean; specials: boolean }): fc.Arbitrary<RandomCron> {
  return fc
    .record({
      second: fieldOf({ min: 0, max: 59, wraps: options.wraps }),
      minute: fieldOf({ min: 0, max: 59, wraps: options.wraps }),
      hour: fieldOf({ min: 0, max: 23, wraps: options.wraps }),
      month: fieldOf({ min: 1, max: 12, wraps: options.wraps }),
      days: quartzDays(options),
    })
    .map((fields) => ({
      ...fields,
      expression: [
        fields.second.text,
        fields.minute.text,
        fields.hour.text,
        fields.days.dayOfMonth,
        fields.month.text,
        fields.days.dayOfWeek,
      ].join(' '),
    }))
}

/** Crontab expressions of five fields, both days restricted at times. */
export function randomUnix(): fc.Arbitrary<string> {
  return fc
    .tuple(
      fieldOf({ min: 0, max: 59, wraps: false }),
      fieldOf({ min: 0, max: 23, wraps: false }),
      fieldOf({ min: 1, max: 31, wraps: false }),
      fieldOf({ min: 1, max: 12, wraps: false }),
      fieldOf({ min: 0, max: 6, wraps: false }),
    )
    .map((fields) => fields.map((field) => field.text).join(' '))
}
