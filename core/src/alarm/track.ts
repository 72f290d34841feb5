/** successes from which what is usual is known, and how many are kept */
export const USUAL_KNOWN = 20
export const USUAL_KEPT = 50
/** what took less is never slow, ms: of such runs the noise of a machine is more than twice what is usual */
export const SLOW_FROM_MS = 1_000
/** late runs that are remembered, so that each counts once */
const LATE_KEPT = 50

/** What a rule remembers of a task. Bounded. */
export interface Track {
  /** when failures ended that may still be in the window, epoch ms, ascending */
  readonly failures?: readonly number[]
  /** how long its last successes took, ms, oldest first */
  readonly tookMs?: readonly number[]
  /** ids of runs that were late */
  readonly late?: readonly number[]
}

/**
 * Takes a failure into the sliding window of `windowMs` that ends with the newest one: at most `times` of them are kept, because more say no more. Whoever
 * comes late is put in its place. `isReached`: there are `times` in it.
 */
export function slideWindow(
  failures: readonly number[],
  at: number,
  { times, windowMs }: { readonly times: number; readonly windowMs: number },
): { readonly failures: readonly number[]; readonly isReached: boolean } {
  const sorted = [...failures, at].toSorted((left, right) => left - right)
  const newest = sorted.at(-1) ?? at
  const inside = sorted.filter((one) => one > newest - windowMs).slice(-times)
  return { failures: inside, isReached: inside.length >= times }
}

/** How many of the outcomes, newest first, are failures before the first that is none. */
export function failuresInARow(outcomes: readonly { readonly isFailure: boolean }[]): number {
  const first = outcomes.findIndex(({ isFailure }) => !isFailure)
  return first === -1 ? outcomes.length : first
}

/** The duration below which 95 of 100 known ones are (nearest rank), ms; null: fewer than `USUAL_KNOWN` are known. */
export function usualMs(tookMs: readonly number[]): number | null {
  if (tookMs.length < USUAL_KNOWN) return null
  const sorted = tookMs.toSorted((left, right) => left - right)
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? null
}

/** Whether a success took more than `percent` of what is usual, ms; false while that is not known. */
export function isSlow(tookMs: number, usual: number | null, percent: number): boolean {
  return usual !== null && tookMs >= SLOW_FROM_MS && tookMs > (usual * percent) / 100
}

/** Takes how long a success took into what is known of its task. One that is slow counts too: what is slow for long becomes usual. */
export function withTook(tookMs: readonly number[], ms: number): readonly number[] {
  return [...tookMs, ms].slice(-USUAL_KEPT)
}

/** Takes a late run in; null: it is known. */
export function withLate(late: readonly number[], instanceId: number): readonly number[] | null {
  return late.includes(instanceId) ? null : [...late, instanceId].slice(-LATE_KEPT)
}
