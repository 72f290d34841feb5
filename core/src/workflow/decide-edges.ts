import type { Edge, Step } from './graph.ts'
import type { EdgeDecision, StepRecord } from './run.ts'

/** What the edges of a step see of its end. `blocked` and `passed`: it was skipped, and why. */
export type StepOutcome = 'success' | 'failure' | 'canceled' | 'blocked' | 'passed'

/** Null: the step has not ended. */
export function outcomeOfStep(step: Step, record: StepRecord): StepOutcome | null {
  switch (record.state) {
    case 'succeeded':
      return 'success'
    case 'failed':
    case 'timedOut':
      return step.continueOnFailure === true ? 'success' : 'failure'
    case 'canceled':
      return 'canceled'
    case 'skipped':
      return record.isBlocked === true ? 'blocked' : 'passed'
    case 'pending':
    case 'running':
    case 'waiting':
      return null
  }
}

export interface EdgeQuestion {
  /** the outgoing edges with their places in the graph */
  readonly edges: readonly (readonly [place: number, edge: Edge])[]
  readonly outcome: StepOutcome
  /** of a kind with branches: the one that it took */
  readonly branch: string | null
  /** asked of an edge whose `on` matches: what its `when` makes of it; null: that cannot be told yet */
  readonly narrow: (edge: Edge) => EdgeDecision | null
}

/** The decision of each outgoing edge of a step that has ended, by place; null where one cannot be told yet: all are decided at once, or none. */
export function decideEdges(question: EdgeQuestion): Readonly<Record<number, EdgeDecision>> | null {
  const { edges, outcome, narrow } = question
  const failures = edges
    .filter(([, { on }]) => on === 'failure' && outcome === 'failure')
    .map(([place, edge]) => [place, narrow(edge)] as const)
  const isHandled = failures.some(([, decision]) => decision === 'taken')
  const done = new Set(failures.map(([place]) => place))
  const others = edges.filter(([place]) => !done.has(place)).map(([place, edge]) => [place, decideEdge(edge, isHandled, question)] as const)
  const decided: Record<number, EdgeDecision> = {}
  for (const [place, decision] of [...failures, ...others]) {
    if (decision === null) return null
    decided[place] = decision
  }
  return decided
}

function decideEdge(edge: Edge, isHandled: boolean, { outcome, branch, narrow }: EdgeQuestion): EdgeDecision | null {
  const on = edge.on ?? 'success'
  if (outcome === 'passed') return 'passed'
  if (on === 'always') return narrow(edge)
  switch (outcome) {
    case 'success':
      return on === 'success' || (on === 'branch' && edge.branch === branch) ? narrow(edge) : 'passed'
    case 'failure':
      return isHandled ? 'passed' : 'blocked'
    case 'canceled':
    case 'blocked':
      return 'blocked'
  }
}
