import type { Random } from '@tickwheel/core'

/** How runs of a task of the demo go, in the past that is played and at the executors that run it now. */
export interface Work {
  /** how long one lasts: from, to */
  readonly ms: readonly [number, number]
  /** what it prints, over its whole length; `{n}` becomes a number */
  readonly says?: readonly string[]
  readonly result?: unknown
  /** one in so many fails; absent: none */
  readonly failsOneIn?: number
  readonly error?: { readonly code: string; readonly message: string }
  /** one in so many takes eight times as long; absent: none */
  readonly slowOneIn?: number
}

/** What becomes of one run. */
export interface Course {
  readonly ms: number
  /** ms after its start, and the text */
  readonly lines: readonly (readonly [number, string])[]
  readonly result: unknown
  /** null: it succeeds */
  readonly error: { readonly code: string; readonly message: string } | null
}

const SLOW = 8
const FAILED = { code: 'EXIT_CODE', message: 'exit code 1: connection to db-primary.internal:3306 refused' }

export function courseOf({ ms: [from, to], says = [], result, failsOneIn, error, slowOneIn }: Work, random: Random): Course {
  const isOne = (n: number | undefined): boolean => n !== undefined && random.next() * n < 1
  // the square keeps most runs near the short end, as in life
  const usual = from + (to - from) * random.next() ** 2
  const ms = Math.round(isOne(slowOneIn) ? usual * SLOW : usual)
  const fails = isOne(failsOneIn)
  const end = fails ? (error ?? FAILED) : null
  const texts = [...(fails ? says.slice(0, Math.ceil(says.length / 2)) : says), ...(end === null ? [] : [`ERROR ${end.message}`])]
  const lines = texts.map((text, index) => [Math.round((ms * index) / Math.max(1, texts.length)), withNumbers(text, random)] as const)
  return { ms, lines, result: fails ? undefined : result, error: end }
}

function withNumbers(text: string, random: Random): string {
  return text.replaceAll('{n}', () => String(Math.floor(random.next() ** 2 * 90_000) + 12))
}
