import type { Candidate } from './candidate.ts'
import { byLastUse } from './least-recently-used.ts'
import type { RankQuestion, Ranking } from './rank.ts'

/** The fewest attempts in flight against capacity; of equals the one that was used least recently, so that idle executors take turns. */
export function rankLeastLoaded({ candidates, memory }: RankQuestion): Ranking {
  const later = byLastUse(memory)
  const ordered = candidates.toSorted((a, b) => loadOf(a) - loadOf(b) || later(a, b))
  return {
    order: ordered.map((candidate) => ({ candidate, facts: { running: candidate.running, capacity: candidate.capacity } })),
    facts: {},
  }
}

/** A share of capacity; an executor without any is behind all. */
function loadOf({ running, capacity }: Candidate): number {
  return capacity <= 0 ? Number.MAX_VALUE : running / capacity
}
