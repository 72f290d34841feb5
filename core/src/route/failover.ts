import { byName } from './candidate.ts'
import type { RankQuestion, Ranking } from './rank.ts'
import { plain } from './ranked.ts'

/**
 * By name: the first that can. A run that was tried goes on behind the executor of its last attempt, also when that one has left, and begins again
 * with the first behind the last.
 */
export function rankFailover({ candidates, tried }: RankQuestion): Ranking {
  const sorted = candidates.toSorted(byName)
  const next = tried === null ? 0 : sorted.findIndex(({ name }) => name > tried)
  const ordered = next <= 0 ? sorted : [...sorted.slice(next), ...sorted.slice(0, next)]
  return { order: plain(ordered), facts: tried === null ? {} : { after: tried } }
}
