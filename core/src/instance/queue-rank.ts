/** A run one priority higher goes as if it had been queued this much earlier. */
export const PRIORITY_STEP_MS = 60_000

/**
 * Where a queued run stands in its lane; the lowest goes first. Priority with ageing as one number that never needs re-sorting: a run waits
 * at most `PRIORITY_STEP_MS` for each step of priority behind runs that came later. Instants in milliseconds.
 */
export function queueRankAt(queuedAt: number, priority: number): number {
  return queuedAt - priority * PRIORITY_STEP_MS
}
