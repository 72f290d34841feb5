import type { LineTuple } from '@tickwheel/contract'
import type { Report } from './link.ts'

/** A message that takes this long looks like a clock that is this far behind: smaller differences are left alone. */
const NOISE_MS = 50
const SAMPLES = 12

/**
 * How far an executor's clock is behind cluster time, from the instants it sends with `hello` and heartbeats. Time on the way only makes it
 * look further behind, so the smallest of the last samples counts.
 */
export class Skew {
  readonly #samples: number[] = []

  /** The executor said that its clock shows `at`; here it is `now`. */
  learn(at: number, now: number): void {
    this.#samples.push(now - at)
    if (this.#samples.length > SAMPLES) this.#samples.shift()
  }

  get behindMs(): number {
    const smallest = this.#samples.length === 0 ? 0 : Math.min(...this.#samples)
    return Math.abs(smallest) < NOISE_MS ? 0 : Math.round(smallest)
  }
}

/** The report with its instants in cluster time. */
export function inClusterTime(report: Report, behindMs: number): Report {
  if (behindMs === 0) return report
  switch (report.type) {
    case 'accepted':
    case 'rejected':
    case 'started':
    case 'progress':
      return { ...report, at: shift(report.at, behindMs) }
    case 'finished':
      return { ...report, at: shift(report.at, behindMs), startedAt: report.startedAt === null ? null : shift(report.startedAt, behindMs) }
    case 'log':
      return { ...report, lines: report.lines.map(([at, stream, level, text]): LineTuple => [shift(at, behindMs), stream, level, text]) }
    case 'logEnd':
    case 'map':
    case 'recovered':
    case 'drain':
      return report
  }
}

function shift(at: number, behindMs: number): number {
  return Math.max(0, at + behindMs)
}
