import { byLastUse } from './least-recently-used.ts'
import type { RankQuestion, Ranking } from './rank.ts'

/**
 * The fewest runs of any task lately: a use counts half as much with every minute (`RouteMemory`), so a newcomer gets more for some minutes and not
 * until it has had as many as the others ever had. Of equals the one that was used least recently.
 */
export function rankLeastUsed({ candidates, memory, now }: RankQuestion): Ranking {
  const later = byLastUse(memory)
  const counted = candidates.map((candidate) => ({ candidate, uses: memory.usesOf(candidate.executorId, now) }))
  counted.sort((a, b) => a.uses - b.uses || later(a.candidate, b.candidate))
  return { order: counted.map(({ candidate, uses }) => ({ candidate, facts: { uses: Math.round(uses * 100) / 100 } })), facts: {} }
}
