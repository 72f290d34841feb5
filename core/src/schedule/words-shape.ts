/** Turns the masks of a cron into the shapes that sentences are made of, the same for every language. */
import type { CronFields, SixtyMask } from './cron-fields.ts'

/** How the members of a field lie. */
export type Pattern =
  | { readonly kind: 'all' }
  | { readonly kind: 'one'; readonly value: number }
  /** Every `step` from `from` to the end of the field; `isEven`: without a seam where the field begins again. */
  | { readonly kind: 'step'; readonly from: number; readonly step: number; readonly isEven: boolean; readonly values: readonly number[] }
  /** `to` may be below `from`: over the end of the field. */
  | { readonly kind: 'range'; readonly from: number; readonly to: number; readonly values: readonly number[] }
  | { readonly kind: 'list'; readonly values: readonly number[] }

export type TimeShape =
  /** A few times of day, `02:00` or `02:00:30`. */
  | { readonly kind: 'clock'; readonly times: readonly string[] }
  | { readonly kind: 'repeat'; readonly second: Pattern; readonly minute: Pattern; readonly hour: Pattern }

/** Above this, times on a step read better as "every 4 hours". */
const MAX_PATTERNED_TIMES = 4
const MAX_LISTED_TIMES = 12

/** The times of day of a cron. */
export function timeShapeOf(fields: CronFields): TimeShape {
  const seconds = sixtyValues(fields.seconds)
  const minutes = sixtyValues(fields.minutes)
  const hours = maskValues(fields.hours, 0, 23)
  const shape = {
    kind: 'repeat',
    second: patternOf(seconds, 0, 59),
    minute: patternOf(minutes, 0, 59),
    hour: patternOf(hours, 0, 23),
  } as const
  const isIrregular = shape.hour.kind === 'list' || shape.hour.kind === 'one'
  const limit = isIrregular && shape.minute.kind !== 'step' && shape.minute.kind !== 'range' ? MAX_LISTED_TIMES : MAX_PATTERNED_TIMES
  const second = seconds[0]
  if (second === undefined || seconds.length > 1 || hours.length * minutes.length > limit) return shape
  if (hours.length === 1 && minutes.length > MAX_PATTERNED_TIMES) return shape
  return { kind: 'clock', times: hours.flatMap((hour) => minutes.map((minute) => clockText(hour, minute, second))) }
}

/** `09:30`, with seconds only where there are any. */
export function clockText(hour: number, minute: number, second = 0): string {
  const text = `${twoDigits(hour)}:${twoDigits(minute)}`
  return second === 0 ? text : `${text}:${twoDigits(second)}`
}

/** The members of a mask from `min` to `max`, in order. */
export function maskValues(mask: number, min: number, max: number): number[] {
  const values: number[] = []
  for (let value = min; value <= max; value += 1) if (((mask >>> value) & 1) === 1) values.push(value)
  return values
}

/** How sorted values lie in a field that reaches from `min` to `max`. */
export function patternOf(values: readonly number[], min: number, max: number): Pattern {
  const [first = min, second = first] = values
  const last = values.at(-1) ?? first
  if (values.length === max - min + 1) return { kind: 'all' }
  if (values.length === 1) return { kind: 'one', value: first }
  const step = second - first
  const isRegular = values.every((value, index) => value === first + index * step)
  if (isRegular && step > 1 && first - step < min && last + step > max) {
    return { kind: 'step', from: first, step, isEven: (max - min + 1) % step === 0, values }
  }
  return rangeOf(values, min, max) ?? { kind: 'list', values }
}

function rangeOf(values: readonly number[], min: number, max: number): Pattern | null {
  if (values.length < 3) return null
  const size = max - min + 1
  const members = new Set(values)
  // A run of neighbours round the end of the field has exactly one member whose predecessor is missing.
  const starts = values.filter((value) => !members.has(value === min ? max : value - 1))
  const [from] = starts
  if (from === undefined || starts.length > 1) return null
  return { kind: 'range', from, to: ((from - min + values.length - 1) % size) + min, values }
}

function sixtyValues(mask: SixtyMask): number[] {
  return [...maskValues(mask.low, 0, 29), ...maskValues(mask.high, 0, 29).map((value) => value + 30)]
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
