/** Which steps run again in a new run, and which keep their results, by the rule that the server uses: shown before it is confirmed. */
import type { StepRun, WorkflowRun } from '@tickwheel/contract'
import { planRetry, type EdgeDecision, type Graph, type RetryProblem, type StepRecord } from '@tickwheel/core'

type Definition = Pick<WorkflowRun['definition'], 'steps' | 'edges'>

export interface RerunPlan {
  readonly again: readonly string[]
  readonly kept: readonly string[]
  /** steps that were not chosen: they run only if they are chosen now */
  readonly anew: readonly string[]
  /** of `again`: steps that the run did not have */
  readonly added: readonly string[]
  /** why it cannot run from there */
  readonly problem: RetryProblem | null
}

/** `from`: these and all that is downstream of them; null: what did not succeed. `next`: of the version that the new run has. */
export function rerunPlan(run: Pick<WorkflowRun, 'stepRuns' | 'edges' | 'definition'>, next: Definition, from: readonly string[] | null): RerunPlan {
  const known = new Map(run.stepRuns.map((step) => [step.key, step]))
  const plan = planRetry({ old: graphOf(run.definition), next: graphOf(next), steps: recordsOf(run), from, done: [] })
  if (plan.kind === 'problem') return { again: [], kept: [], anew: [], added: [], problem: plan.problem }
  const isAnew = (key: string) => known.get(key)?.state === 'skipped' && !isBlocked(known.get(key), run.edges)
  return {
    again: plan.rerun.filter((key) => !isAnew(key)), kept: plan.keep, anew: plan.rerun.filter(isAnew), added: plan.rerun.filter((key) => !known.has(key)), problem: null,
  }
}

/** Whether something in the run failed, was canceled or blocked, or never ran. */
export function hasUnfinished(run: Pick<WorkflowRun, 'stepRuns' | 'edges'>): boolean {
  return run.stepRuns.some((step) => step.state !== 'succeeded' && (step.state !== 'skipped' || isBlocked(step, run.edges)))
}

/** Steps without a way in: from them, everything runs again. */
export function rootsOf({ steps, edges }: Definition): string[] {
  const reached = new Set(edges.map(({ to }) => to))
  return steps.flatMap(({ key }) => (reached.has(key) ? [] : [key]))
}

/** What came from the server is JSON, and was validated when it was saved. */
function graphOf(definition: Definition): Graph {
  return definition as Graph
}

function recordsOf({ stepRuns, edges, definition }: Pick<WorkflowRun, 'stepRuns' | 'edges' | 'definition'>): Map<string, StepRecord> {
  const decided = new Map<string, Record<number, EdgeDecision>>()
  for (const [place, { from }] of definition.edges.entries()) {
    const decision = edges[place] ?? null
    if (decision !== null) decided.set(from, { ...decided.get(from), [place]: decision })
  }
  return new Map(stepRuns.map((step) => [step.key, { state: step.state, branch: step.branch, isBlocked: isBlocked(step, edges), edges: decided.get(step.key) ?? null }]))
}

function isBlocked(step: StepRun | undefined, decisions: WorkflowRun['edges']): boolean {
  return step?.state === 'skipped' && step.skippedBy.some((place) => decisions[place] === 'blocked')
}
