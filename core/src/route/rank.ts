import type { ExecutorId, TaskId } from '../ids.ts'
import type { Random } from '../random.ts'
import type { Candidate } from './candidate.ts'
import { rankRandom } from './random.ts'
import { rankRoundRobin } from './round-robin.ts'
import type { RouteMemory } from './route-memory.ts'

/** Everything a strategy may look at. `candidates` must be without repeats; their order does not matter. */
export type RankQuestion = {
  readonly taskId: TaskId
  readonly candidates: readonly Candidate[]
  readonly memory: Pick<RouteMemory, 'lastUsed'>
  readonly random: Random
}

/** The candidates in the order in which the dispatcher should try them, and the facts behind the order for the decision trace. */
export type Ranking = { readonly candidates: readonly Candidate[]; readonly reason: RankReason }

export type RankReason =
  | { readonly strategy: 'roundRobin'; readonly among: number; readonly after: ExecutorId | null }
  | { readonly strategy: 'random'; readonly among: number }

/** The table of strategies: a new one is a file and a line here. */
const STRATEGIES = { roundRobin: rankRoundRobin, random: rankRandom } as const satisfies Record<string, (question: RankQuestion) => Ranking>

export type RoutingStrategy = keyof typeof STRATEGIES

export const ROUTING_STRATEGIES = ['roundRobin', 'random'] as const satisfies readonly RoutingStrategy[]

/**
 * Orders the candidates by a strategy. It changes nothing: whoever dispatches tells the memory which executor got the run.
 * No candidates give an empty ranking.
 */
export function rank({ strategy, ...question }: RankQuestion & { readonly strategy: RoutingStrategy }): Ranking {
  return STRATEGIES[strategy](question)
}
