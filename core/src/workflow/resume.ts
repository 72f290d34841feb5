import { hasBranches } from './branches.ts'
import { compileGraph, type CompiledGraph } from './compiled-graph.ts'
import type { Edge, Graph } from './graph.ts'
import type { StepRecord } from './run.ts'

export interface RetryQuestion {
  /** of the run that is tried again */
  readonly old: Graph
  /** of the run that is made: the same, or the latest version */
  readonly next: Graph
  /** of the old run, by key */
  readonly steps: ReadonlyMap<string, StepRecord>
  /** run these and all that is downstream of them again; null: what failed, was canceled or blocked, or never ran */
  readonly from: readonly string[] | null
  /** steps that somebody says are done: they are not run again, and what is downstream of them is */
  readonly done: readonly string[]
}

/**
 * `keep`: their results (state, branch, output, error) are taken over; their edges are decided afresh. `rerun`: pending in the new run; it includes what is
 * new in it. Steps of `done` are in neither list.
 */
export type RetryPlan =
  | { readonly kind: 'plan'; readonly keep: readonly string[]; readonly rerun: readonly string[] }
  | { readonly kind: 'problem'; readonly problem: RetryProblem }

/**
 * `unknownStep`: `from` or `done` names one that the new graph does not have, or a result that is kept has no step there. `kindChanged`: it has another kind.
 * `hasBranches`: a step of `done` would have to say which branch it took.
 */
export interface RetryProblem {
  readonly code: 'unknownStep' | 'kindChanged' | 'hasBranches'
  readonly key: string
}

/**
 * What a retry of a run keeps, by the edges of the new graph. What has no result worth keeping runs again in any case: what never ran, was canceled, was
 * skipped because of a blocked edge, or failed and nobody handled it (a run that keeps such a failure could only fail). A step that was skipped because
 * it was not chosen is left out of `keep`: the edges that are decided afresh skip it again, or not.
 */
export function planRetry({ old, next, steps, from, done }: RetryQuestion): RetryPlan {
  const [before, after] = [compileGraph(old), compileGraph(next)]
  const problem = problemOfNames([...(from ?? []), ...done], done, after)
  if (problem !== null) return { kind: 'problem', problem }
  const chosen = from ?? [...steps.keys()].filter((key) => isFailed(steps.get(key)))
  const lost = [...before.order, ...after.order].map(({ step }) => step.key).filter((key) => !isWorthKeeping(before, key, steps.get(key)))
  const seeds = new Set([...done, ...chosen, ...lost])
  const again = downstreamOf(after, seeds)
  // A step that there is no more is downstream of what it was downstream of.
  const gone = downstreamOf(before, seeds)
  const keep = old.steps.map(({ key }) => key).filter((key) => hasResult(steps.get(key)) && !(after.byKey.has(key) ? again : gone).has(key))
  const misfit = keep.map((key) => misfitOf(key, before, after)).find((found) => found !== null)
  if (misfit !== undefined) return { kind: 'problem', problem: misfit }
  const kept = new Set([...keep, ...done])
  return { kind: 'plan', keep, rerun: next.steps.map(({ key }) => key).filter((key) => !kept.has(key)) }
}

function problemOfNames(names: readonly string[], done: readonly string[], { byKey }: CompiledGraph): RetryProblem | null {
  const unknown = names.find((key) => !byKey.has(key))
  if (unknown !== undefined) return { code: 'unknownStep', key: unknown }
  const branches = (key: string): boolean => {
    const step = byKey.get(key)?.step
    return step !== undefined && hasBranches(step)
  }
  const branching = done.find((key) => branches(key))
  return branching === undefined ? null : { code: 'hasBranches', key: branching }
}

function misfitOf(key: string, before: CompiledGraph, after: CompiledGraph): RetryProblem | null {
  const step = after.byKey.get(key)?.step
  if (step === undefined) return { code: 'unknownStep', key }
  return before.byKey.get(key)?.step.kind === step.kind ? null : { code: 'kindChanged', key }
}

function downstreamOf({ order, edges }: CompiledGraph, seeds: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(seeds)
  for (const { step, incoming } of order) if (incoming.some((place) => found.has(edges[place]?.from ?? ''))) found.add(step.key)
  return found
}

function isWorthKeeping({ byKey, edges }: CompiledGraph, key: string, record: StepRecord | undefined): boolean {
  if (record === undefined) return false
  if (isFailed(record)) return byKey.get(key)?.step.continueOnFailure === true || isHandled(edges, record)
  return record.state === 'succeeded' || (record.state === 'skipped' && record.isBlocked !== true)
}

/** Whether a failure edge of the step was taken. */
function isHandled(edges: readonly Edge[], record: StepRecord): boolean {
  return Object.entries(record.edges ?? {}).some(([place, decision]) => decision === 'taken' && edges[Number(place)]?.on === 'failure')
}

function isFailed(record: StepRecord | undefined): boolean {
  return record?.state === 'failed' || record?.state === 'timedOut'
}

function hasResult(record: StepRecord | undefined): boolean {
  return record?.state === 'succeeded' || isFailed(record)
}
