/**
 * The stream between executor and server: one WebSocket that the executor opens, at `streamUrl`, with the subprotocol `tickwheel.1`.
 * A message is a JSON array of frames, at most 1 MiB and 1,000 frames. Unknown fields are ignored; an unknown frame type is answered with
 * `refused` naming it, and nothing else happens.
 *
 *   executor                                 server
 *   hello (session token, boot, running) ──▶
 *                                        ◀── welcome            only then may either side send anything else
 *                                        ◀── dispatch           names boot and the instant its row was written; refused when of another
 *                                                               boot, older than 10 s, a repeat (answered with its state), or no room
 *   accepted | rejected                  ──▶
 *   started, progress, log …             ──▶
 *   map …                                ──▶                       shards that the handler splits off, in numbered frames; before finished
 *   finished                             ──▶
 *                                        ◀── ack                for every frame that carries `n`, after the commit, with a verdict
 *   heartbeat (every heartbeatMs)        ──▶
 *                                        ◀── beat               answer to each heartbeat: the store's state, what to cancel, what is unknown
 *   recovered (once, when the results of earlier boots were delivered) ──▶
 *
 * `n` numbers the frames of one connection that want an acknowledgement, from 1, by 1. After a reconnect (to any node) everything that was
 * not acknowledged is sent again with new numbers; the keys (instance, attempt, firstSeq) make a repeat harmless.
 * At most 1,000 frames or 8 MiB may be unacknowledged; the sender waits then.
 * Close codes: 1012 the node leaves, reconnect with jitter; 1013 the store is away, likewise; 4400 protocol error; 4401 session unknown or ended: register again;
 * 4409 superseded by a newer boot: stop.
 */
import { Type, type Static } from 'typebox'
import { FINISH_OUTCOMES, MAP_LIMITS, MAX_SHARDS, REJECT_CODES } from './constants.ts'
import { Load, RunningAttempt } from './executors.ts'
import { Id, nullable, oneOf } from './shape.ts'
import { Handler } from './tasks.ts'

const open = <P extends Parameters<typeof Type.Object>[0]>(properties: P) => Type.Object(properties)
const AtMs = Type.Integer({ minimum: 0, description: "epoch ms of the sender's clock" })
const Attempt = Type.Integer({ minimum: 1 })
const run = { instanceId: Id, attempt: Attempt }
const N = Type.Integer({ minimum: 1 })
const RunErrorFrame = open({ code: Type.String({ maxLength: 128 }), message: Type.String({ maxLength: 16_384 }) })

/** `[at, stream, level, text]`: epoch ms, index into LOG_STREAMS, index into LOG_LEVELS, one line without its line feed (at most 64 KiB). */
export const LineTuple = Type.Tuple([
  Type.Integer(),
  Type.Integer({ minimum: 0, maximum: 3 }),
  Type.Integer({ minimum: 0, maximum: 3 }),
  Type.String(),
])
export type LineTuple = Static<typeof LineTuple>

export const Hello = open({
  type: Type.Literal('hello'),
  version: Type.Integer(),
  executorId: Id,
  bootId: Id,
  token: Type.String(),
  running: Type.Array(RunningAttempt),
  at: AtMs,
})
export type Hello = Static<typeof Hello>
export const Accepted = open({ type: Type.Literal('accepted'), n: N, ...run, at: AtMs })
export type Accepted = Static<typeof Accepted>
export const Rejected = open({
  type: Type.Literal('rejected'),
  n: N,
  ...run,
  at: AtMs,
  code: oneOf(REJECT_CODES),
  detail: Type.String({ maxLength: 1000 }),
})
export type Rejected = Static<typeof Rejected>
export const Started = open({ type: Type.Literal('started'), n: N, ...run, at: AtMs })
export type Started = Static<typeof Started>
export const Progress = open({
  type: Type.Literal('progress'),
  n: N,
  ...run,
  at: AtMs,
  value: Type.Number({ minimum: 0, maximum: 1 }),
  text: Type.String({ maxLength: 1000 }),
})
export type Progress = Static<typeof Progress>
/** Lines `firstSeq` … (numbers in the attempt, from 1). `dropped` > 0 with no lines stands for that many lines lost at a bound. Borders are fixed: a repeat is the same chunk. */
export const Log = open({
  type: Type.Literal('log'),
  n: N,
  ...run,
  firstSeq: Type.Integer({ minimum: 1 }),
  lines: Type.Array(LineTuple),
  dropped: Type.Optional(Type.Integer({ minimum: 1 })),
})
export type Log = Static<typeof Log>
/** Sent before `finished`: how many line numbers there are in all, so that completeness can be known. */
export const LogEnd = open({
  type: Type.Literal('logEnd'),
  n: N,
  ...run,
  lines: Type.Integer({ minimum: 0 }),
  bytes: Type.Integer({ minimum: 0 }),
  dropped: Type.Integer({ minimum: 0 }),
})
export type LogEnd = Static<typeof LogEnd>
/** A shard that a handler splits off: what a person looks for, and what it is to do, at most 64 KiB as JSON. */
export const MappedShard = open({
  key: Type.String({ maxLength: MAP_LIMITS.keyLength }),
  items: Type.Array(Type.Unknown(), { minItems: 1 }),
})
export type MappedShard = Static<typeof MappedShard>
/**
 * Shards that the attempt splits off, frame `seq` from 1 on; a repeat is the same frame. They run when the attempt has succeeded, and `finished` says with
 * `map` that they are all; those of an attempt that ends otherwise are dropped. `bad`: a shard may not split, or there are more than 10,000 in all, or a
 * node of an older release is still at work.
 */
export const MapFrame = open({
  type: Type.Literal('map'),
  n: N,
  ...run,
  bootId: Id,
  seq: Type.Integer({ minimum: 1, maximum: MAX_SHARDS }),
  shards: Type.Array(MappedShard, { minItems: 1, maxItems: MAP_LIMITS.shardsPerFrame }),
})
export type MapFrame = Static<typeof MapFrame>
/** `shards`: how many the attempt has split off in all. `reduce`: it wants to see their results, in one attempt more. */
export const MapEnd = open({ shards: Type.Integer({ minimum: 0, maximum: MAX_SHARDS }), reduce: Type.Boolean() })
export type MapEnd = Static<typeof MapEnd>
export const Finished = open({
  type: Type.Literal('finished'),
  n: N,
  ...run,
  at: AtMs,
  startedAt: nullable(AtMs),
  bootId: Id,
  outcome: oneOf(FINISH_OUTCOMES),
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(RunErrorFrame),
  /** of one that succeeded: the run goes on as its shards */
  map: Type.Optional(MapEnd),
})
export type Finished = Static<typeof Finished>
export const HeartbeatFrame = open({ type: Type.Literal('heartbeat'), at: AtMs, running: Type.Array(RunningAttempt), load: Load })
export const Recovered = open({ type: Type.Literal('recovered'), n: N, bootId: Id })
export const Draining = open({ type: Type.Literal('drain'), n: N })
export const Refused = open({ type: Type.Literal('refused'), frame: Type.String(), detail: Type.String() })

export const ExecutorFrame = Type.Union([
  Hello,
  Accepted,
  Rejected,
  Started,
  Progress,
  Log,
  LogEnd,
  MapFrame,
  Finished,
  HeartbeatFrame,
  Recovered,
  Draining,
  Refused,
])
export type ExecutorFrame = Static<typeof ExecutorFrame>

export const Welcome = open({
  type: Type.Literal('welcome'),
  version: Type.Integer(),
  node: Type.String(),
  at: AtMs,
  heartbeatMs: Type.Integer(),
  deadMs: Type.Integer(),
  draining: Type.Boolean(),
})
export type Welcome = Static<typeof Welcome>
/** Which part of a sharded run a dispatch is: the range `[from, to)`, or the items, that it is to do. */
export const ShardFrame = open({
  index: Type.Integer({ minimum: 0 }),
  total: Type.Integer({ minimum: 1 }),
  key: Type.String(),
  range: Type.Optional(open({ from: Type.Integer(), to: Type.Integer() })),
  items: Type.Optional(Type.Array(Type.Unknown())),
  /** true: its handler has split it off, and `items` are no params */
  mapped: Type.Optional(Type.Boolean()),
})
export type ShardFrame = Static<typeof ShardFrame>
export const Dispatch = open({
  type: Type.Literal('dispatch'),
  ...run,
  bootId: Id,
  at: AtMs,
  task: open({ id: Id, name: Type.String(), groupId: Id, groupName: Type.String() }),
  handler: Handler,
  params: Type.String(),
  scheduledAt: nullable(AtMs),
  firedAt: AtMs,
  timeoutMs: Type.Integer(),
  killGraceMs: Type.Integer(),
  logLimitBytes: Type.Integer(),
  /** another attempt may run elsewhere when this executor is thought lost: stop the run by itself 12 s after the last sign of the server */
  movable: Type.Boolean(),
  /** 0–10, higher first, among what waits in the executor's own queue; absent: 5 */
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })),
  /** absent: the run is not split */
  shard: Type.Optional(ShardFrame),
  /** the shards that the run was split into have ended, and this attempt combines their results, which it reads with `GET /executor/shard`; `total`: how many */
  reduce: Type.Optional(open({ total: Type.Integer({ minimum: 0 }) })),
  /** secrets that the run was given, to be hidden in all that it prints and says */
  secrets: Type.Optional(Type.Array(Type.String())),
})
export type Dispatch = Static<typeof Dispatch>
export const Cancel = open({ type: Type.Literal('cancel'), ...run, bootId: Id, at: AtMs })
export type Cancel = Static<typeof Cancel>
/** `[n, index into VERDICTS]` for each frame. */
export const Ack = open({ type: Type.Literal('ack'), acks: Type.Array(Type.Tuple([N, Type.Integer({ minimum: 0, maximum: 4 })])) })
export type Ack = Static<typeof Ack>
export const Beat = open({
  type: Type.Literal('beat'),
  at: AtMs,
  store: oneOf(['ok', 'away']),
  cancel: Type.Array(RunningAttempt),
  unknown: Type.Array(RunningAttempt),
})
export type Beat = Static<typeof Beat>
export const DrainOrder = open({ type: Type.Literal('drain'), draining: Type.Boolean() })

export const ServerFrame = Type.Union([Welcome, Dispatch, Cancel, Ack, Beat, DrainOrder, Refused])
export type ServerFrame = Static<typeof ServerFrame>
