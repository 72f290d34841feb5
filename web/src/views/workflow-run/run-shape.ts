import type { StepRun, WorkflowRun } from '@tickwheel/contract'

/** The part of a run of a workflow from which its pictures are made. */
export type RunShape = Pick<WorkflowRun, 'definition' | 'stepRuns' | 'edges' | 'startedAt' | 'endedAt'>
export type StepOf = WorkflowRun['definition']['steps'][number]

export function stepRunsByKey(run: Pick<RunShape, 'stepRuns'>): ReadonlyMap<string, StepRun> {
  return new Map(run.stepRuns.map((step) => [step.key, step]))
}
