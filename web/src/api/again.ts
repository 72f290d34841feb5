/**
 * While nodes restart in turn, a proxy may have nobody to ask for a moment (502, 503), and a node that leaves or still starts refuses (`STOPPING`,
 * `NOT_READY`). The same read a little later meets another node, so it is tried again before anybody hears of it. Writes are not: they may have been done.
 */
import { isAxiosError } from 'axios'
import { ref } from 'vue'
import { toProblem } from './problem.ts'

export const AGAIN = { tries: 5, firstMs: 500, longestMs: 4_000 } as const

/** How many reads wait for their next try: the banner tells it. */
export const readsWaiting = ref(0)

/** How long to wait before a read is tried again after its `tries`-th failure, ms; null: it has failed for good. */
export function pauseBeforeAgain(failure: unknown, tries: number): number | null {
  if (tries > AGAIN.tries || !isAxiosError(failure) || !isPassing(failure)) return null
  const asked = askedPause(failure.response?.headers['retry-after'])
  return Math.min(AGAIN.longestMs, asked ?? AGAIN.firstMs * 2 ** (tries - 1))
}

/** Waits, and counts among `readsWaiting` meanwhile. */
export async function waitForAgain(pauseMs: number): Promise<void> {
  readsWaiting.value += 1
  await new Promise((resolve) => setTimeout(resolve, pauseMs))
  readsWaiting.value -= 1
}

function isPassing(failure: { readonly response?: { readonly status: number } | undefined }): boolean {
  const status = failure.response?.status
  // `NETWORK` is what a proxy's page without a problem document becomes
  return (status === 502 || status === 503) && ['NETWORK', 'STOPPING', 'NOT_READY'].includes(toProblem(failure).code)
}

/** `Retry-After` in seconds or as a date; null when it says nothing. */
function askedPause(value: unknown): number | null {
  if (typeof value !== 'string' || value === '') return null
  const pauseMs = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return Number.isFinite(pauseMs) ? Math.max(0, pauseMs) : null
}
