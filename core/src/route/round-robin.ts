import type { RankQuestion, Ranking } from './rank.ts'
import { plain } from './ranked.ts'

/**
 * One after the other, for each task on its own: the candidates by ascending id, beginning behind the one that this task used last.
 * The memory is an id and not a position, so when executors come and go, also the one used last, nobody is skipped and nobody has two turns.
 */
export function rankRoundRobin({ taskId, candidates, memory }: RankQuestion): Ranking {
  const after = memory.lastUsed(taskId)
  const sorted = candidates.toSorted((a, b) => a.executorId - b.executorId)
  const next = after === null ? 0 : sorted.findIndex((candidate) => candidate.executorId > after)
  const ordered = next <= 0 ? sorted : [...sorted.slice(next), ...sorted.slice(0, next)]
  return { order: plain(ordered), facts: { after } }
}
