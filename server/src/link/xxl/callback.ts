import { isFields, textOf, wholeOf } from './json.ts'

export const SUCCESS = 200
/** the executor's own time limit */
export const TIMED_OUT = 502

/** What an executor says at the end of a run. */
export interface Callback {
  readonly logId: number
  readonly code: number
  readonly message: string
}

/**
 * Reads the body of a callback in every dialect: an array, an empty one, or an object with `callbackList`; elements with `handleCode` and `handleMsg`,
 * with `executeResult`, or with both. An element that tells no end is counted as odd and left out: one bad element must not make the executor send all
 * of them again for ever. null: the body is none at all.
 */
export function readCallbacks(body: unknown): { readonly callbacks: readonly Callback[]; readonly odd: number } | null {
  const list = isFields(body) ? body['callbackList'] : body
  if (!Array.isArray(list)) return null
  const callbacks = list.flatMap((element: unknown) => callbackOf(element) ?? [])
  return { callbacks, odd: list.length - callbacks.length }
}

function callbackOf(element: unknown): Callback | null {
  if (!isFields(element)) return null
  const logId = wholeOf(element['logId'])
  if (logId === null || logId < 1) return null
  const handleCode = wholeOf(element['handleCode'])
  if (handleCode !== null && handleCode > 0) return { logId, code: handleCode, message: textOf(element['handleMsg']) }
  const result = element['executeResult']
  const code = isFields(result) ? wholeOf(result['code']) : null
  if (!isFields(result) || code === null || code <= 0) return null
  return { logId, code, message: textOf(result['msg']) || textOf(element['handleMsg']) }
}

export interface Registry {
  readonly appName: string
  readonly address: string
}

/** Reads the body of `registry` and `registryRemove`; null: a field is missing. */
export function readRegistry(body: unknown): Registry | null {
  if (!isFields(body)) return null
  const { registryKey, registryValue } = body
  if (typeof registryKey !== 'string' || typeof registryValue !== 'string') return null
  return registryKey.trim() === '' || registryValue.trim() === '' ? null : { appName: registryKey.trim(), address: registryValue }
}
