import { setTimeout as pause } from 'node:timers/promises'

export interface WaitOptions {
  /** What is waited for, in words: the message when it does not come. */
  readonly what?: string
  /** After this long the wait has failed. Default 30 s: a bound for a broken program, not a measure of a slow machine. */
  readonly timeoutMs?: number
  /** Pause between two looks. Default 20 ms. */
  readonly everyMs?: number
}

/**
 * Asks until the answer is neither undefined, null nor false, and returns it. An error thrown by the condition counts as "not yet" and
 * is the cause of the failure when time is up.
 */
export async function waitFor<Answer>(
  condition: () => Answer | Promise<Answer>,
  { what = 'the condition', timeoutMs = 30_000, everyMs = 20 }: WaitOptions = {},
): Promise<Exclude<Awaited<Answer>, undefined | null | false>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const look = await lookOnce(condition)
    if (isThere(look.answer)) return look.answer
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${String(timeoutMs)} ms`, { cause: look.error })
    await pause(everyMs)
  }
}

async function lookOnce<Answer>(condition: () => Answer | Promise<Answer>): Promise<{ answer?: Awaited<Answer>; error?: unknown }> {
  try {
    return { answer: await condition() }
  } catch (error) {
    return { error }
  }
}

function isThere<Answer>(answer: Answer): answer is Exclude<Answer, undefined | null | false> {
  return answer !== undefined && answer !== null && answer !== false
}
