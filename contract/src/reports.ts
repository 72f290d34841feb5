/**
 * The HTTP way of an executor: it registers with an `address`, the server posts `{address}/dispatch` (a `Dispatch`) and `{address}/cancel` (a `Cancel`),
 * one order each, and the executor tells of its runs by `POST /executor/report`.
 *
 * Each order is signed: `X-Tickwheel-Timestamp` (epoch ms) and `X-Tickwheel-Signature: v1=` with the HMAC-SHA256, in hex, over timestamp, a full stop and
 * the body, with the executor's session token as key. 2xx: the order is taken, also when it is a repeat. 4xx and 503: it is not, for the reason that
 * `{ "code": … }` of the answer names (REJECT_CODES). Anything else, and none in time: unknown, it is sent again.
 */
import { Type, type Static } from 'typebox'
import { FINISH_OUTCOMES, LOG_LEVELS, LOG_STREAMS, MAP_LIMITS, MAX_SHARDS, VERDICTS } from './constants.ts'
import { FieldProblem } from './errors.ts'
import { Id, nullable, oneOf, strict } from './shape.ts'

const AtMs = Type.Integer({ minimum: 0, description: "epoch ms of the executor's clock; absent: now" })
const run = { instanceId: Id, attempt: Type.Integer({ minimum: 1 }) }

/** A line of a log: its text alone, or more. */
export const PostedLine = Type.Union([
  Type.String({ maxLength: 65_536 }),
  strict({
    text: Type.String({ maxLength: 65_536 }),
    at: Type.Optional(AtMs),
    stream: Type.Optional(oneOf(LOG_STREAMS)),
    level: Type.Optional(oneOf(LOG_LEVELS)),
  }),
])
export type PostedLine = Static<typeof PostedLine>

export const StartedReport = strict({ kind: Type.Literal('started'), ...run, at: Type.Optional(AtMs) })
export const LogReport = strict({
  kind: Type.Literal('log'),
  ...run,
  firstSeq: Type.Integer({
    minimum: 1,
    description: 'number of the first of these lines in the attempt, from 1: it makes a repeat harmless',
  }),
  lines: Type.Array(PostedLine, { minItems: 1, maxItems: 5_000 }),
})
export const ProgressReport = strict({
  kind: Type.Literal('progress'),
  ...run,
  value: Type.Number({ minimum: 0, maximum: 1 }),
  text: Type.Optional(Type.String({ maxLength: 1_000 })),
  at: Type.Optional(AtMs),
})
export const FinishedReport = strict({
  kind: Type.Literal('finished'),
  ...run,
  outcome: oneOf(FINISH_OUTCOMES),
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(strict({ code: Type.String({ maxLength: 128 }), message: Type.String({ maxLength: 16_384 }) })),
  startedAt: Type.Optional(nullable(AtMs)),
  at: Type.Optional(AtMs),
  map: Type.Optional(
    strict({
      shards: Type.Integer({ minimum: 0, maximum: MAX_SHARDS, description: 'how many were split off in all' }),
      reduce: Type.Boolean({ description: 'when they have ended, the run is sent once more, with `reduce`, to combine their results' }),
    }),
  ),
  lines: Type.Optional(Type.Integer({ minimum: 0, description: 'how many lines the log has, so that a reader knows when it is whole' })),
})
export const MapReport = strict({
  kind: Type.Literal('map'),
  ...run,
  seq: Type.Integer({
    minimum: 1,
    maximum: MAX_SHARDS,
    description: 'number of this report in the attempt, from 1: it makes a repeat harmless',
  }),
  shards: Type.Array(
    strict({
      key: Type.String({ maxLength: MAP_LIMITS.keyLength, description: 'what a person looks for' }),
      items: Type.Array(Type.Unknown(), { minItems: 1, description: 'what the shard is to do, at most 64 KiB of JSON' }),
    }),
    { minItems: 1, maxItems: MAP_LIMITS.shardsPerFrame },
  ),
})
export const PostedReport = Type.Union([StartedReport, LogReport, ProgressReport, MapReport, FinishedReport])
export type PostedReport = Static<typeof PostedReport>

export const POST_LIMITS = { reports: 1_000 } as const

export const ReportBody = strict({
  executorId: Id,
  bootId: Id,
  at: Type.Optional(
    Type.Integer({ minimum: 0, description: "the executor's clock when it sends, epoch ms: a clock that is wrong is seen" }),
  ),
  // each is judged by itself, so that a bad one does not keep the others back
  reports: Type.Array(Type.Unsafe<unknown>({ oneOf: PostedReport.anyOf, description: 'what happened to a run' }), {
    minItems: 1,
    maxItems: POST_LIMITS.reports,
  }),
})
export type ReportBody = Static<typeof ReportBody>

export const ReportAnswer = strict({
  verdicts: Type.Array(oneOf(VERDICTS), { description: 'one for each report, in their order, after the commit' }),
  errors: Type.Array(FieldProblem, { description: 'what is wrong with the bad ones' }),
})
export type ReportAnswer = Static<typeof ReportAnswer>
