import {
  Accepted,
  Draining,
  Finished,
  FRAME_LIMITS,
  HeartbeatFrame,
  Hello,
  Log,
  LogEnd,
  MapFrame,
  Progress,
  Recovered,
  Refused,
  Rejected,
  Started,
  type ExecutorFrame,
} from '@tickwheel/contract'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'

/** What a message turned out to hold. */
export type CheckedFrame =
  | { readonly kind: 'frame'; readonly frame: ExecutorFrame }
  /** of a known type, but not valid; `n` when it asks for a verdict */
  | { readonly kind: 'bad'; readonly type: string; readonly n: number | null }
  | { readonly kind: 'unknownType'; readonly type: string }

const validators: ReadonlyMap<string, Validator> = new Map<string, Validator>(
  (
    [
      ['hello', Hello],
      ['accepted', Accepted],
      ['rejected', Rejected],
      ['started', Started],
      ['progress', Progress],
      ['log', Log],
      ['logEnd', LogEnd],
      ['map', MapFrame],
      ['finished', Finished],
      ['heartbeat', HeartbeatFrame],
      ['recovered', Recovered],
      ['drain', Draining],
      ['refused', Refused],
    ] satisfies [string, TSchema][]
  ).map(([type, schema]) => [type, Compile(schema)]),
)

/** The frames of one message; null when it is not an array of at most 1,000. */
export function framesOf(text: string): readonly unknown[] | null {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.length <= FRAME_LIMITS.framesPerMessage ? value : null
  } catch {
    return null
  }
}

/** One schema is tried, that of the frame's type: a union would try all of them. */
export function checkFrame(value: unknown): CheckedFrame {
  const type = field(value, 'type')
  const name = typeof type === 'string' ? type.slice(0, 64) : 'none'
  const validator = validators.get(name)
  if (validator === undefined) return { kind: 'unknownType', type: name }
  if (isFrame(value, validator)) return { kind: 'frame', frame: value }
  const n = field(value, 'n')
  return { kind: 'bad', type: name, n: typeof n === 'number' && Number.isSafeInteger(n) && n >= 1 ? n : null }
}

function isFrame(value: unknown, validator: Validator): value is ExecutorFrame {
  return validator.Check(value)
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
