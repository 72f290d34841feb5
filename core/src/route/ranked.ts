import type { Candidate } from './candidate.ts'
import type { Ranked } from './rank.ts'

const NONE = {}

/** Candidates of which nothing is to be said but their place. */
export function plain(candidates: readonly Candidate[]): Ranked[] {
  return candidates.map((candidate) => ({ candidate, facts: NONE }))
}
