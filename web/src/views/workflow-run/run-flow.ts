import type { StepRun, WorkflowRun } from '@tickwheel/contract'
import type { ComputedRef, InjectionKey } from 'vue'
import type { Flow } from '../../components/flow/layout.ts'
import type { CriticalPath } from './critical-path.ts'
import type { StepOf } from './run-shape.ts'

/** What nodes and lines of the canvas look up themselves: an event redraws those that it touches, and the canvas stays as it is. */
export interface RunFlow {
  readonly definitions: ComputedRef<ReadonlyMap<string, StepOf>>
  readonly steps: ComputedRef<ReadonlyMap<string, StepRun>>
  readonly decisions: ComputedRef<WorkflowRun['edges']>
  readonly flow: ComputedRef<Flow>
  /** null: not shown */
  readonly critical: ComputedRef<CriticalPath | null>
  /** so far away that nothing can be read: a thousand steps in sight are drawn as plain boxes */
  readonly isFar: ComputedRef<boolean>
  readonly selected: ComputedRef<string | undefined>
  readonly select: (key: string) => void
}

export const RUN_FLOW: InjectionKey<RunFlow> = Symbol('the flow of a run')
