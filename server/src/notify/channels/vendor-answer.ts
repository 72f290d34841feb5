import type { Answered } from '../http-post.ts'
import { judgeStatus } from '../http-post.ts'
import { failed, sent, type SendOutcome } from '../outcome.ts'

/** How a vendor says in an answer with status 200 what became of a message. */
export interface VendorCodes {
  /** names of the field with the code: 0 is success */
  readonly fields: readonly string[]
  /** codes that ask for fewer messages */
  readonly tooMany: readonly number[]
  /** codes that stay whatever is repeated: a wrong key, a robot that is gone */
  readonly rejected: readonly number[]
}

/** An answer without a code is no success: something else than the vendor has answered. */
export function judgeVendor(answered: Answered, { fields, tooMany, rejected }: VendorCodes): SendOutcome {
  if (answered.kind === 'failed') return answered.outcome
  if (answered.status >= 300 || answered.status < 200) return judgeStatus(answered)
  const code = codeIn(answered.text, fields)
  if (code === 0) return sent(answered.text)
  if (code !== null && tooMany.includes(code)) return failed('tooMany', answered.text, { retryAfterMs: answered.retryAfterMs })
  return failed('refused', answered.text, { isRejected: code === null || rejected.includes(code) })
}

function codeIn(text: string, fields: readonly string[]): number | null {
  try {
    const answer: unknown = JSON.parse(text)
    if (typeof answer !== 'object' || answer === null) return null
    const values: Readonly<Record<string, unknown>> = { ...answer }
    const found = fields.map((name) => values[name]).find((value) => typeof value === 'number')
    return typeof found === 'number' ? found : null
  } catch {
    return null
  }
}
