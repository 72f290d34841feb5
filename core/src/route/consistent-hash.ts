import type { Candidate } from './candidate.ts'
import type { RankQuestion, Ranked, Ranking } from './rank.ts'

/** An executor may have so many times the mean of what is in flight, in proportion to its capacity. */
const BOUND = 1.25

/**
 * The same executor for the same key on every node, as long as it is there: a ring with virtual nodes, walked from the key's place. When one of N leaves
 * or joins, about 1/N of the keys move. Whoever has more than its share in flight stands behind the others, so that many keys at one place do not pile up
 * (Mirrokni, Thorup and Zadimoghaddam, 2016: consistent hashing with bounded loads); whoever is less than half full always keeps its place.
 */
export function rankConsistentHash({ key, candidates, memory }: RankQuestion): Ranking {
  const byId = new Map(candidates.map((candidate) => [candidate.executorId, candidate]))
  const walked = memory.ringOf([...byId.keys()]).from(key.text)
  const bound = boundOf(candidates)
  const under: Ranked[] = []
  const over: Ranked[] = []
  walked.forEach((executorId, index) => {
    const candidate = byId.get(executorId)
    if (candidate === undefined) return
    const most = bound(candidate)
    if (candidate.running < most) under.push({ candidate, facts: { place: index + 1 } })
    else over.push({ candidate, facts: { place: index + 1, over: most } })
  })
  return { order: [...under, ...over], facts: { key: key.source } }
}

/** How many attempts an executor may have in flight, the one that is being routed among them. */
function boundOf(candidates: readonly Candidate[]): (candidate: Candidate) => number {
  const running = candidates.reduce((sum, candidate) => sum + candidate.running, 1)
  const capacity = candidates.reduce((sum, candidate) => sum + candidate.capacity, 0)
  return (candidate) => Math.max(Math.ceil((BOUND * running * candidate.capacity) / capacity), Math.ceil(candidate.capacity / 2))
}
