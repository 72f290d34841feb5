import type { Candidate } from './candidate.ts'
import type { RankQuestion, Ranking } from './rank.ts'

/** Whoever has waited longest for a run of any task; first those that had none yet, by ascending id. */
export function rankLeastRecentlyUsed({ candidates, memory }: RankQuestion): Ranking {
  const ordered = candidates.toSorted(byLastUse(memory))
  return {
    order: ordered.map((candidate) => ({ candidate, facts: { usedAt: memory.lastUseOf(candidate.executorId)?.at ?? null } })),
    facts: {},
  }
}

/** By the order of the uses and not by their instants: many fall into one millisecond, and clocks are set. */
export function byLastUse(memory: RankQuestion['memory']): (a: Candidate, b: Candidate) => number {
  return (a, b) => (memory.lastUseOf(a.executorId)?.turn ?? 0) - (memory.lastUseOf(b.executorId)?.turn ?? 0) || a.executorId - b.executorId
}
