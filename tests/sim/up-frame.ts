import type { ExecutorFrame, ServerFrame } from '@tickwheel/contract'

/** What an executor of the simulation sends. */
export type UpFrame = Exclude<ExecutorFrame, { type: 'refused' }>

/** Why a node ends a connection (frames.ts). */
export const CLOSE = {
  replaced: 1000,
  broken: 1006,
  leaving: 1012,
  storeAway: 1013,
  sessionUnknown: 4401,
  superseded: 4409,
} as const

const UP = new Set([
  'hello',
  'accepted',
  'rejected',
  'started',
  'progress',
  'log',
  'logEnd',
  'map',
  'finished',
  'heartbeat',
  'recovered',
  'drain',
])
const DOWN = new Set(['welcome', 'dispatch', 'cancel', 'ack', 'beat', 'drain'])

export function isExecutorFrame(frame: object): frame is UpFrame {
  return 'type' in frame && typeof frame.type === 'string' && UP.has(frame.type)
}

export function isServerFrame(frame: object): frame is Exclude<ServerFrame, { type: 'refused' }> {
  return 'type' in frame && typeof frame.type === 'string' && DOWN.has(frame.type)
}
