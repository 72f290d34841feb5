/**
 * The console's WebSocket, `GET /api/v1/ws`. The token goes in `Sec-WebSocket-Protocol: tickwheel.live.1, bearer.<JWT>` or in the first message, never
 * in the URL. A message is one JSON object.
 *
 * `instance:ID:logs` replays from `after` (a line's `seq`, 0 for all) what is stored, then goes on live, with no gap and no repeat: event data is
 * `{ lines: LogLine[] }` with `seq` = the last line's. A reader that falls behind gets `behind` and is served from the store as it catches up.
 * `instance:ID` sends the whole instance (as the list item, with `progress`) at subscription and at every change.
 * `group:ID`, `group:*` send `{ instances: InstanceListItem[] }` gathered to at most four messages a second; the newest state of each run wins.
 * `workflowRun:ID` sends the whole run of a workflow (as `GET /workflow-run/:id`, without `definition`) at subscription and at every change, gathered to at
 * most four messages a second.
 * `task` sends `{ ids: number[] }` of tasks and workflows that were edited, started, stopped, deleted. `executor` sends `{ executors: Executor[], removed: number[] }`.
 * `alarm` sends `{ incidents: Incident[] }` that were opened or changed.
 * `bulk:ID` sends a whole bulk operation (as `GET /bulk/:id`) at subscription and at every change, gathered to at most four messages a second.
 * Close codes: 4401 session ended, 1012 node leaving: reconnect with jitter, 4400 protocol error.
 */
import { Type, type Static } from 'typebox'
import { strict } from './shape.ts'

const Key = Type.Integer({ minimum: 1 })
/** Every topic; `ID` stands for the id of what it is about. */
export const LIVE_TOPICS = [
  'instance:ID',
  'instance:ID:logs',
  'workflowRun:ID',
  'group:ID',
  'group:*',
  'task',
  'executor',
  'alarm',
  'bulk:ID',
] as const
export type LiveTopic = (typeof LIVE_TOPICS)[number]
const patterns = LIVE_TOPICS.map((topic) => topic.replace('*', '\\*').replace('ID', '[0-9]+'))
const Topic = Type.String({ pattern: `^(${patterns.join('|')})$`, maxLength: 64 })

export const ClientMessage = Type.Union([
  strict({ type: Type.Literal('auth'), token: Type.String({ maxLength: 4096 }) }),
  strict({ type: Type.Literal('subscribe'), id: Key, topic: Topic, after: Type.Optional(Type.Integer({ minimum: 0 })) }),
  strict({ type: Type.Literal('unsubscribe'), id: Key }),
])
export type ClientMessage = Static<typeof ClientMessage>

export const LiveMessage = Type.Union([
  strict({ type: Type.Literal('ready') }),
  strict({ type: Type.Literal('subscribed'), id: Key, next: Type.Integer() }),
  strict({ type: Type.Literal('event'), id: Key, topic: Type.String(), seq: Type.Integer(), data: Type.Unknown() }),
  strict({ type: Type.Literal('behind'), id: Key, topic: Type.String(), from: Type.Integer(), to: Type.Integer() }),
  strict({ type: Type.Literal('error'), id: Type.Optional(Key), code: Type.String(), detail: Type.String() }),
  strict({ type: Type.Literal('closed'), id: Key, topic: Type.String(), code: Type.String() }),
])
export type LiveMessage = Static<typeof LiveMessage>
