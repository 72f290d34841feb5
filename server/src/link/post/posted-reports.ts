import {
  LOG_LEVELS,
  LOG_STREAMS,
  PostedReport,
  type FieldProblem,
  type LineTuple,
  type PostedLine,
  type ReportBody,
} from '@tickwheel/contract'
import type { TSchema } from 'typebox'
import { withinLimits } from '../limits.ts'
import type { Report } from '../link.ts'
import { inClusterTime } from '../skew.ts'

/** What is wrong with a value, by a schema; an empty list: nothing. */
export type Check = (schema: TSchema, value: unknown) => FieldProblem[]

/** A call's clock that differs less is right: the call took its time. */
const SKEW_MS = 1_000

/** A report as the engine takes it: one frame, or two where an end also tells how long the log is. The verdict is the last one's. */
export type Read =
  { readonly kind: 'reports'; readonly reports: readonly Report[] } | { readonly kind: 'bad'; readonly problems: readonly FieldProblem[] }

/** The reports of a call, each by itself. `now`: cluster time, epoch ms. */
export function readReports({ reports, at, bootId }: ReportBody, now: number, check: Check): Read[] {
  const behindMs = at === undefined || Math.abs(now - at) < SKEW_MS ? 0 : now - at
  return reports.map((value, index) => {
    const problems = check(PostedReport, value)
    if (problems.length > 0)
      return {
        kind: 'bad',
        problems: problems.map((one) => ({ ...one, path: ['reports', String(index), one.path].filter(Boolean).join('.') })),
      }
    // Safe: the schema has just been checked.
    const frames = framesOf(value as PostedReport, now - behindMs, bootId)
    return { kind: 'reports', reports: frames.map((frame) => inClusterTime(withinLimits(frame), behindMs)) }
  })
}

/** `now`: by the executor's clock. */
function framesOf(report: PostedReport, now: number, bootId: number): Report[] {
  const { instanceId, attempt } = report
  const run = { n: 1, instanceId, attempt }
  switch (report.kind) {
    case 'started':
      return [{ type: 'started', ...run, at: report.at ?? now }]
    case 'progress':
      return [{ type: 'progress', ...run, at: report.at ?? now, value: report.value, text: report.text ?? '' }]
    case 'log':
      return [{ type: 'log', ...run, firstSeq: report.firstSeq, lines: report.lines.map((line) => lineOf(line, now)) }]
    case 'map':
      return [{ type: 'map', ...run, bootId, seq: report.seq, shards: report.shards }]
    case 'finished': {
      const { lines, outcome, result, error, map } = report
      return [
        ...(lines === undefined ? [] : [{ type: 'logEnd' as const, ...run, lines, bytes: 0, dropped: 0 }]),
        {
          type: 'finished',
          ...run,
          at: report.at ?? now,
          startedAt: report.startedAt ?? null,
          bootId,
          outcome,
          ...(result === undefined ? {} : { result }),
          ...(error === undefined ? {} : { error }),
          ...(map === undefined ? {} : { map }),
        },
      ]
    }
  }
}

function lineOf(line: PostedLine, now: number): LineTuple {
  const { text, at = now, stream = 'stdout', level = 'info' } = typeof line === 'string' ? { text: line } : line
  return [at, LOG_STREAMS.indexOf(stream), LOG_LEVELS.indexOf(level), text]
}
