import { createHmac } from 'node:crypto'
import type { WebhookSettings } from '../settings.ts'
import { plainText } from '../format/text.ts'
import { judgeStatus, type Answered, type Post } from '../http-post.ts'
import type { Letter } from '../letter.ts'
import { sent, type SendOutcome } from '../outcome.ts'

/**
 * A program of one's own. The body is the message as data and in words; with a secret it is signed as calls to executors are: `v1=` and the HMAC-SHA256, in
 * hex, over timestamp, a full stop and the body. `docs/guide/en/alarm-channels.md` shows how it is verified.
 */
export function webhookPost(settings: WebhookSettings, { id, message, notice, at }: Letter): Post {
  const body = JSON.stringify({
    id,
    sentAt: new Date(at).toISOString(),
    subject: notice.subject,
    text: plainText(notice),
    tone: notice.tone,
    ...wire(message),
  })
  const signature = settings.secret === '' ? {} : { 'X-Tickwheel-Signature': webhookSignature(settings.secret, at, body) }
  return {
    url: settings.url,
    body,
    headers: { ...settings.headers, 'X-Tickwheel-Delivery': id, 'X-Tickwheel-Timestamp': String(at), ...signature },
  }
}

export function webhookSignature(secret: string, at: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`
}

/** Instants as the API writes them. */
function wire({ firstAt, lastAt, runs, ...message }: Letter['message']) {
  return {
    ...message,
    firstAt: new Date(firstAt).toISOString(),
    lastAt: new Date(lastAt).toISOString(),
    runs: runs.map((run) => ({ ...run, at: new Date(run.at).toISOString() })),
  }
}

export function judgeWebhook(answered: Answered): SendOutcome {
  if (answered.kind === 'failed') return answered.outcome
  return answered.status >= 200 && answered.status < 300 ? sent(`${answered.status} ${answered.text}`) : judgeStatus(answered)
}
