import { isFields, parsed, textOf, wholeOf } from './json.ts'
import { SUCCESS } from './callback.ts'

/** What every call of an executor is answered with: old clients read `content`, new ones `data`. */
export interface Envelope {
  readonly code: number
  readonly msg: string | null
  readonly content: null
  readonly data: null
}

export const OK: Envelope = { code: SUCCESS, msg: null, content: null, data: null }

/** What Java executors compare with, and people search for. */
export const WRONG_TOKEN = 'The access token is wrong.'

export function failure(msg: string): Envelope {
  return { code: 500, msg, content: null, data: null }
}

/** What an executor answered to a call. `payload`: `content`, or `data`. */
export interface Reply {
  readonly code: number
  readonly message: string
  readonly payload: unknown
}

const RAW_LENGTH = 500

/** Reads an answer by its body alone, whatever its status and content type. Anything but an object with a code is a failure with the raw text. */
export function readReply(text: string): Reply {
  const body = parsed(text)
  const code = isFields(body) ? wholeOf(body['code']) : null
  if (!isFields(body) || code === null) return { code: 500, message: text.trim().slice(0, RAW_LENGTH) || 'an empty answer', payload: null }
  const payload = body['content'] ?? body['data'] ?? null
  return { code, message: textOf(body['msg']) || (typeof payload === 'string' ? payload : ''), payload }
}

/** Whether an answer is JSON that the executor itself has made. A proxy between says something else. */
export function isOwnReply(text: string): boolean {
  const body = parsed(text)
  return Array.isArray(body) || (isFields(body) && wholeOf(body['code']) !== null)
}

/** Whether a failure says that there is no such call: the other dialect has another name for it. */
export function isUnknownCall({ code, message }: Reply): boolean {
  return code !== SUCCESS && /uri-mapping.*not found/i.test(message)
}
