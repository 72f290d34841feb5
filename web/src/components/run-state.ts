import type { InstanceListItem, StepRun, WorkflowRunListItem } from '@tickwheel/contract'

export type RunState = InstanceListItem['state']
export type StepState = StepRun['state']
export type WorkflowState = WorkflowRunListItem['state']
/** Every state that has a colour, an icon and a word: of runs, of workflows' runs and of their steps. */
export type ShownState = RunState | StepState | WorkflowState

export const RUN_STATES = ['waiting', 'queued', 'dispatched', 'running', 'succeeded', 'failed', 'timedOut', 'canceled', 'lost', 'skipped'] as const satisfies readonly RunState[]

/** A state word from the wire; one that a newer server has and this console does not know counts as waiting. */
export function asState(word: string): RunState {
  return RUN_STATES.find((state) => state === word) ?? 'waiting'
}

/** Whether a run in this state has ended for good. */
export function isEnded(state: RunState): boolean {
  switch (state) {
    case 'waiting':
    case 'queued':
    case 'dispatched':
    case 'running':
      return false
    case 'succeeded':
    case 'failed':
    case 'timedOut':
    case 'canceled':
    case 'lost':
    case 'skipped':
      return true
  }
}

/** Whether a step in this state has ended for good. */
export function isStepEnded(state: StepState): boolean {
  switch (state) {
    case 'pending':
    case 'running':
    case 'waiting':
      return false
    case 'succeeded':
    case 'failed':
    case 'timedOut':
    case 'canceled':
    case 'skipped':
      return true
  }
}
