/** When a message that did not arrive is tried again. */
const FIRST_MS = 5_000
const LONGEST_MS = 1_800_000
/** With the waits below: about 24 hours. */
export const MOST_TRIES = 56
/** What the other side refused is tried for about two and a half minutes: a receiver that is being replaced answers 404 for a while, too. */
export const MOST_REJECTED_TRIES = 6

export interface DeliveryRetry {
  /** tries so far, the one that failed with them */
  readonly tries: number
  /** the other side refused it */
  readonly isRejected: boolean
  /** at least so long, because the other side said so */
  readonly retryAfterMs: number | null
  /** 0 to below 1 */
  readonly random: number
}

/** How long to wait before the next try; null: it is given up. 5 s, doubled each time, 30 minutes at most, a fifth more or less by chance. */
export function nextDeliveryTryMs({ tries, isRejected, retryAfterMs, random }: DeliveryRetry): number | null {
  if (tries >= (isRejected ? MOST_REJECTED_TRIES : MOST_TRIES)) return null
  const plain = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries - 1, 20))
  return Math.max(Math.round(plain * (0.8 + 0.4 * random)), retryAfterMs ?? 0)
}
