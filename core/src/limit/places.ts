/** A run in order of its queue: of a caller that may take a place now, or of another that waits for one. */
export interface Applicant {
  readonly id: number
  readonly rankAt: number
  readonly isMine: boolean
}

/**
 * Who of those that apply takes a place when `room` are free: the first in order of rank, then id. A place that falls to another's is left to it, so that
 * no node starves beside one that is faster. The ids of mine that may go.
 */
export function grantPlaces(applicants: readonly Applicant[], room: number): Set<number> {
  const first = applicants.toSorted((a, b) => a.rankAt - b.rankAt || a.id - b.id).slice(0, Math.max(0, room))
  return new Set(first.flatMap((one) => (one.isMine ? [one.id] : [])))
}
