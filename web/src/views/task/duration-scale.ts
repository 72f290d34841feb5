/** The height of durations in a chart: where each stands, and at which lengths lines are drawn. */
export interface DurationScale {
  readonly isLogarithmic: boolean
  /** the place of a duration between 0 and `top` */
  readonly place: (ms: number) => number
  readonly top: number
  readonly lines: readonly { readonly at: number; readonly ms: number }[]
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const MAX_LINES = 3
/** from here on the longest would flatten what is usual */
const SPREAD = 30
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500], ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND), ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000].map((n) => n * DAY),
]
const DECADES = [1, 10, 100, SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR, 10 * HOUR, 4 * DAY, 40 * DAY, 400 * DAY]

/** The middle one of some durations; null without any. */
export function medianOf(durations: readonly number[]): number | null {
  return durations.toSorted((a, b) => a - b)[Math.floor((durations.length - 1) / 2)] ?? null
}

/** Even steps of a natural length (none while no run has a duration), or powers of about ten when the longest is more than thirty times the usual. */
export function scaleOf(durations: readonly number[]): DurationScale {
  if (durations.length === 0) return { isLogarithmic: false, place: () => 0, top: 1, lines: [] }
  const longest = Math.max(1, ...durations)
  const isLogarithmic = longest > SPREAD * Math.max(1, medianOf(durations) ?? longest)
  return isLogarithmic ? logarithmic(Math.min(...durations), longest) : linear(longest)
}

function linear(longest: number): DurationScale {
  const step = STEPS.find((one) => longest <= one * MAX_LINES) ?? Math.ceil(longest / MAX_LINES)
  const count = Math.ceil(longest / step)
  const lines = Array.from({ length: count }, (_, index) => ({ at: (index + 1) * step, ms: (index + 1) * step }))
  return { isLogarithmic: false, place: (ms) => Math.max(0, ms), top: count * step, lines }
}

function logarithmic(shortest: number, longest: number): DurationScale {
  const base = DECADES.findLast((one) => one <= shortest / 2) ?? 1
  const place = (ms: number) => Math.log10(Math.max(ms, base) / base)
  const within = DECADES.filter((one) => one > base && one <= longest)
  const every = Math.ceil(within.length / MAX_LINES)
  const lines = within.filter((_, index) => (within.length - 1 - index) % every === 0).map((ms) => ({ at: place(ms), ms }))
  return { isLogarithmic: true, place, top: place(longest) * 1.05, lines }
}
