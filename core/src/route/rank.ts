import type { TaskId } from '../ids.ts'
import type { Random } from '../random.ts'
import type { Facts } from '../reason.ts'
import type { Candidate } from './candidate.ts'
import { rankConsistentHash } from './consistent-hash.ts'
import { rankFailover } from './failover.ts'
import { rankFirst, rankLast } from './first-last.ts'
import { rankLeastLoaded } from './least-loaded.ts'
import { rankLeastRecentlyUsed } from './least-recently-used.ts'
import { rankLeastUsed } from './least-used.ts'
import { rankRandom } from './random.ts'
import { rankRoundRobin } from './round-robin.ts'
import type { RouteMemory } from './route-memory.ts'

/** Everything a strategy may look at. `candidates` must be without repeats; their order does not matter. */
export type RankQuestion = {
  readonly taskId: TaskId
  /** What `consistentHash` hashes (`routeKey`). */
  readonly key: RouteKey
  /** The name of the executor that had the last attempt of this run; null: it had none. */
  readonly tried: string | null
  readonly candidates: readonly Candidate[]
  readonly memory: Pick<RouteMemory, 'lastUsed' | 'usesOf' | 'lastUseOf' | 'ringOf'>
  readonly random: Random
  /** Cluster time, epoch ms. */
  readonly now: number
}

/** `source` is what a person may see: `task`, or the path in the params. The value itself may be as secret as the params. */
export type RouteKey = { readonly text: string; readonly source: string }

/** A candidate at its place, with the facts about it that decided the place. */
export type Ranked = { readonly candidate: Candidate; readonly facts: Facts }

/** The candidates in the order in which the dispatcher should try them, and what is behind the order as a whole, for the decision trace. */
export type Ranking = { readonly order: readonly Ranked[]; readonly facts: Facts }

/** The table of strategies: a new one is a file and a line here. */
const STRATEGIES = {
  roundRobin: rankRoundRobin,
  random: rankRandom,
  consistentHash: rankConsistentHash,
  leastUsed: rankLeastUsed,
  leastRecentlyUsed: rankLeastRecentlyUsed,
  failover: rankFailover,
  first: rankFirst,
  last: rankLast,
  leastLoaded: rankLeastLoaded,
} as const satisfies Record<string, (question: RankQuestion) => Ranking>

export type RoutingStrategy = keyof typeof STRATEGIES

export const ROUTING_STRATEGIES = [
  'roundRobin',
  'random',
  'consistentHash',
  'leastUsed',
  'leastRecentlyUsed',
  'failover',
  'first',
  'last',
  'leastLoaded',
] as const satisfies readonly RoutingStrategy[]

/**
 * Orders the candidates by a strategy. It changes nothing: whoever dispatches tells the memory which executor got the run.
 * No candidates give an empty ranking.
 */
export function rank({ strategy, ...question }: RankQuestion & { readonly strategy: RoutingStrategy }): Ranking {
  return STRATEGIES[strategy](question)
}
