import type { Dispatch, RejectCode } from '@tickwheel/contract'
import type { Reply } from './reply.ts'
import { SUCCESS } from './callback.ts'

type Overlap = 'queue' | 'skip' | 'replace' | 'parallel'

/** All 12 fields, none of them null: some clients refuse a body that lacks one. */
export interface RunRequest {
  readonly jobId: number
  readonly executorHandler: string
  readonly executorParams: string
  readonly executorBlockStrategy: 'SERIAL_EXECUTION' | 'DISCARD_LATER' | 'COVER_EARLY'
  /** seconds; 0: none */
  readonly executorTimeout: number
  readonly logId: number
  readonly logDateTime: number
  readonly glueType: GlueType
  readonly glueSource: string
  readonly glueUpdatetime: number
  readonly broadcastIndex: number
  readonly broadcastTotal: number
}

export type GlueType = 'BEAN' | 'GLUE_SHELL' | 'GLUE_PYTHON' | 'GLUE_NODEJS'

/** How the server's own decision about overlap is told to the executor, which must not contradict it. */
const BLOCK_STRATEGY = {
  queue: 'SERIAL_EXECUTION',
  parallel: 'SERIAL_EXECUTION',
  skip: 'DISCARD_LATER',
  replace: 'COVER_EARLY',
} as const satisfies Record<Overlap, RunRequest['executorBlockStrategy']>

const SCRIPTS = { bash: 'GLUE_SHELL', python: 'GLUE_PYTHON', node: 'GLUE_NODEJS' } as const

/** The wire's own number of an attempt, and what belongs to it. */
export interface WireFacts {
  readonly logId: number
  readonly logAt: number
  /** when the task's version was saved: an executor keeps one script file for each */
  readonly savedAt: number
  readonly overlap: Overlap
}

/** The body of `/run`; null: such a handler cannot run at an XXL-JOB executor. */
export function runRequestOf(dispatch: Dispatch, { logId, logAt, savedAt, overlap }: WireFacts): RunRequest | null {
  const body = bodyOf(dispatch.handler)
  if (body === null) return null
  return {
    jobId: dispatch.task.id,
    executorHandler: body.name,
    executorParams: dispatch.params,
    // shards of one run stand beside each other, and an executor knows only the job: none may discard or cover another
    executorBlockStrategy: dispatch.shard === undefined ? BLOCK_STRATEGY[overlap] : 'SERIAL_EXECUTION',
    executorTimeout: Math.ceil(dispatch.timeoutMs / 1000),
    logId,
    logDateTime: logAt,
    glueType: body.type,
    glueSource: body.source,
    glueUpdatetime: savedAt,
    broadcastIndex: dispatch.shard?.index ?? 0,
    broadcastTotal: dispatch.shard?.total ?? 1,
  }
}

function bodyOf(handler: Dispatch['handler']): { type: GlueType; name: string; source: string } | null {
  // the protocol has no place for an environment, and a script with one written into it would stay on the executor's disk
  if ('env' in handler && Object.keys(handler.env).length > 0) return null
  switch (handler.kind) {
    case 'named':
      return { type: 'BEAN', name: handler.name, source: '' }
    case 'shell':
      return { type: 'GLUE_SHELL', name: '', source: handler.script }
    case 'script':
      return { type: SCRIPTS[handler.language], name: '', source: handler.source }
    case 'http':
      return null
  }
}

/** What an answer to `/run` means. `there`: the executor has it, or had it already. */
export type RunAnswer = { readonly kind: 'there' } | { readonly kind: 'refused'; readonly code: RejectCode; readonly detail: string }

const UNKNOWN_HANDLER = /handler.*not found|no matched jobhandler|unknown handler/i
const NOT_ALLOWED = /gluetype.*not valid|access ?token/i
const REPEAT = /repeate? trigger/i

export function readRunAnswer({ code, message }: Reply): RunAnswer {
  if (code === SUCCESS || REPEAT.test(message)) return { kind: 'there' }
  const detail = message.slice(0, 1000)
  if (UNKNOWN_HANDLER.test(message)) return { kind: 'refused', code: 'unknownHandler', detail }
  if (NOT_ALLOWED.test(message)) return { kind: 'refused', code: 'handlerNotAllowed', detail }
  return { kind: 'refused', code: 'capacity', detail }
}
