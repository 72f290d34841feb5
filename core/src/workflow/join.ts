import type { Join } from './graph.ts'
import type { EdgeDecision } from './run.ts'

/** What the decisions of a step's edges say: it may start, is skipped (by the edges at these places of the list), or waits for more decisions. */
export type JoinVerdict =
  | { readonly kind: 'start' }
  | { readonly kind: 'skip'; readonly isBlocked: boolean; readonly by: readonly number[] }
  | { readonly kind: 'wait' }

/**
 * Whether a step starts, by the decisions of the edges that lead to it; null: not decided. A step without edges starts with the run.
 *
 * A join is told as soon as nothing can change it: `any` starts with the first taken edge, `all` is skipped by the first blocked one. What follows later
 * changes nothing, because a step leaves `pending` once. A skip is told when it is also known whether it was by blocking, so that the order in which
 * edges are decided makes no difference to what comes behind.
 */
export function decideJoin(join: Join, decisions: readonly (EdgeDecision | null)[]): JoinVerdict {
  if (decisions.length === 0) return START
  const taken = count(decisions, 'taken')
  const open = count(decisions, null)
  if (typeof join === 'object') return atLeast(join.atLeast, taken, open, decisions)
  switch (join) {
    case 'all':
      return all(taken, open, decisions)
    case 'any':
      return atLeast(1, taken, open, decisions)
    case 'allDone':
      return open === 0 ? START : WAIT
  }
}

const START: JoinVerdict = { kind: 'start' }
const WAIT: JoinVerdict = { kind: 'wait' }

function all(taken: number, open: number, decisions: readonly (EdgeDecision | null)[]): JoinVerdict {
  const blocked = placesOf(decisions, 'blocked')
  if (blocked.length > 0) return { kind: 'skip', isBlocked: true, by: blocked }
  if (open > 0) return WAIT
  return taken > 0 ? START : { kind: 'skip', isBlocked: false, by: placesOf(decisions, 'passed') }
}

function atLeast(wanted: number, taken: number, open: number, decisions: readonly (EdgeDecision | null)[]): JoinVerdict {
  if (taken >= wanted) return START
  if (taken + open >= wanted) return WAIT
  const blocked = placesOf(decisions, 'blocked')
  if (blocked.length === 0 && open > 0) return WAIT
  return { kind: 'skip', isBlocked: blocked.length > 0, by: [...blocked, ...placesOf(decisions, 'passed')].toSorted((a, b) => a - b) }
}

function count(decisions: readonly (EdgeDecision | null)[], wanted: EdgeDecision | null): number {
  return decisions.filter((decision) => decision === wanted).length
}

function placesOf(decisions: readonly (EdgeDecision | null)[], wanted: EdgeDecision): number[] {
  return decisions.flatMap((decision, place) => (decision === wanted ? [place] : []))
}
