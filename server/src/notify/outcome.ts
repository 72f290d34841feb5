import type { SendFailure } from '@tickwheel/contract'

/*
 * What became of a try. `unreachable`: no connection, or it broke. `timeout`: no answer in time, so it may have arrived. `network`: an address that alarms
 * are not sent to. `refused`: the other side answered and said no. `tooMany`: it asked for fewer. `error`: it failed. `sealed`: a secret cannot be opened.
 * The console words them; `answer` holds what the other side said.
 */
export type SendOutcome =
  | { readonly kind: 'sent'; readonly answer: string }
  | {
      readonly kind: 'failed'
      readonly code: SendFailure
      readonly answer: string
      /** saying it again changes nothing, most likely: a wrong key, an address that is gone */
      readonly isRejected: boolean
      /** when the other side says that it may be tried again; null: it does not say */
      readonly retryAfterMs: number | null
    }

const ANSWER_CHARS = 500

export function sent(answer: string): SendOutcome {
  return { kind: 'sent', answer: shortAnswer(answer) }
}

export function failed(
  code: SendFailure,
  answer: string,
  { isRejected = false, retryAfterMs = null }: { isRejected?: boolean; retryAfterMs?: number | null } = {},
): SendOutcome {
  return { kind: 'failed', code, answer: shortAnswer(answer), isRejected, retryAfterMs }
}

/** On one line, at most 500 characters. */
export function shortAnswer(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, ANSWER_CHARS)
}

/** An outcome whose answer says no secret: some programs repeat what they were sent. */
export function withoutSecrets(outcome: SendOutcome, secrets: readonly string[]): SendOutcome {
  const answer = secrets.reduce((text, secret) => (secret.length < 4 ? text : text.replaceAll(secret, '***')), outcome.answer)
  return { ...outcome, answer }
}
