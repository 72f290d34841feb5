import type { Candidate } from './candidate.ts'
import type { RankQuestion, Ranking } from './rank.ts'
import { plain } from './ranked.ts'

/** Every order equally likely: Fisher and Yates's shuffle, from ascending ids, so that a seed decides whatever the order of the question. */
export function rankRandom({ candidates, random }: RankQuestion): Ranking {
  const rest = candidates.toSorted((a, b) => a.executorId - b.executorId)
  const ordered: Candidate[] = []
  while (rest.length > 0) ordered.push(...rest.splice(Math.floor(random.next() * rest.length), 1))
  return { order: plain(ordered), facts: {} }
}
