import { FRAME_LIMITS } from '@tickwheel/contract'
import type { Report } from './link.ts'

/** A result that is too large is not refused, or the run would never end: it ends as failed. */
export function withinLimits(report: Report): Report {
  if (report.type !== 'finished' || report.result === undefined) return report
  const bytes = Buffer.byteLength(JSON.stringify(report.result))
  if (bytes <= FRAME_LIMITS.resultBytes) return report
  const { result: _result, map: _map, ...rest } = report
  return {
    ...rest,
    outcome: 'failed',
    error: {
      code: 'RESULT_TOO_LARGE',
      message: `the result has ${String(bytes)} bytes of JSON; at most ${String(FRAME_LIMITS.resultBytes)} are kept`,
    },
  }
}
