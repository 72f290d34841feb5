import type { ExpressionScope, StepView } from './expression.ts'
import type { StepOutput, StepRecord, StepState, WorkflowRunView } from './run.ts'

export interface RunFacts {
  readonly view: Pick<WorkflowRunView, 'params' | 'vars' | 'run'>
  /** by key; a step that is absent is pending */
  readonly steps: ReadonlyMap<string, StepRecord>
  /** of steps that have ended, as far as they are at hand */
  readonly outputs: ReadonlyMap<string, StepOutput>
}

/** What the expressions of a run see. It looks at the maps when it is asked, so that it follows their changes. */
export function scopeOf({ view: { params, vars, run }, steps, outputs }: RunFacts): ExpressionScope {
  // A step that the graph does not have is as one that never ran: `validate` refuses to speak of it.
  const stepOf = (key: string, withResult: boolean): StepView | null => {
    const state = steps.get(key)?.state ?? 'pending'
    if (!withResult || !HAS_RESULT.has(state)) return { state, output: null, error: null }
    const result = outputs.get(key)
    return result === undefined ? null : { state, ...result }
  }
  return { params, vars, run, stepOf }
}

const HAS_RESULT: ReadonlySet<StepState> = new Set(['succeeded', 'failed', 'timedOut', 'canceled'])
