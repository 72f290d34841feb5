import type { Completeness, HourFigures } from '../../api/completeness.ts'

/** One hour on the strip: heights as shares of the busiest hour. */
export interface HourBar {
  readonly hourAt: string
  readonly figures: Omit<HourFigures, 'hourAt'>
  readonly fired: number
  readonly skipped: number
  /** at least so high that one alone is seen */
  readonly faults: number
}

const HOUR_MS = 3_600_000
const LEAST_SEEN = 0.08
const NOTHING = { expected: 0, fired: 0, skipped: 0, missing: 0, doubled: 0, reasons: {} }

/** Each hour of the range, those in which nothing was due too, oldest first. */
export function hourBars({ from, to, hours }: Completeness): HourBar[] {
  const byHour = new Map(hours.map(({ hourAt, ...figures }) => [Date.parse(hourAt), figures]))
  const most = Math.max(1, ...hours.map((hour) => hour.expected + hour.doubled))
  const bars: HourBar[] = []
  for (let at = Date.parse(from); at < Date.parse(to); at += HOUR_MS) {
    const figures = byHour.get(at) ?? NOTHING
    const faults = figures.missing + figures.doubled
    bars.push({ hourAt: new Date(at).toISOString(), figures, fired: figures.fired / most, skipped: figures.skipped / most, faults: faults === 0 ? 0 : Math.max(LEAST_SEEN, faults / most) })
  }
  return bars
}
