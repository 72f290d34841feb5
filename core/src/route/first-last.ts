import { byName } from './candidate.ts'
import type { RankQuestion, Ranking } from './rank.ts'
import { plain } from './ranked.ts'

/** By name: always the same executor while it can. */
export function rankFirst({ candidates }: RankQuestion): Ranking {
  return { order: plain(candidates.toSorted(byName)), facts: {} }
}

/** By name, backwards. */
export function rankLast({ candidates }: RankQuestion): Ranking {
  return { order: plain(candidates.toSorted((a, b) => byName(b, a))), facts: {} }
}
