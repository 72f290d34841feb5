/** What is known of a run of a workflow, as `advance` is given it. */
import type { Json, JsonObject } from './graph.ts'

/** With the codes that are stored. A code is never used again for anything else. */
export const STEP_STATE = {
  pending: 0,
  running: 1,
  waiting: 2,
  succeeded: 3,
  failed: 4,
  timedOut: 5,
  canceled: 6,
  skipped: 7,
} as const
export type StepState = keyof typeof STEP_STATE
export const STEP_STATES = ['pending', 'running', 'waiting', 'succeeded', 'failed', 'timedOut', 'canceled', 'skipped'] as const
export type EndedStepState = 'succeeded' | 'failed' | 'timedOut' | 'canceled' | 'skipped'

export const EDGE_DECISIONS = ['taken', 'passed', 'blocked'] as const
export type EdgeDecision = (typeof EDGE_DECISIONS)[number]

export interface StepError {
  readonly code: string
  readonly message: string
}

/** One step as it is now; of a step that was tried in rounds, the last. A step without a record is `pending`. */
export interface StepRecord {
  readonly state: StepState
  /** of a kind with branches that has ended: the one it took */
  readonly branch?: string | null
  /** why it was skipped: true, because an edge was blocked; false, because all passed */
  readonly isBlocked?: boolean
  /** what its outgoing edges were decided to be, by their place in `graph.edges`; null: not decided */
  readonly edges: Readonly<Record<number, EdgeDecision>> | null
}

/** What expressions see of a step that has ended. */
export interface StepOutput {
  readonly output: Json
  readonly error: StepError | null
}

/** What expressions see as `run`. `date`: YYYY-MM-DD, the day of `scheduledAt` in the schedule's zone. `scheduledAt`: RFC 3339. */
export interface RunFactsOfWorkflow {
  readonly id: number
  readonly scheduledAt: string
  readonly date: string
  readonly cause: string
}

export interface WorkflowRunView {
  readonly params: JsonObject
  /** plain variables of the group; there are none before variables exist */
  readonly vars: Readonly<Record<string, string>>
  readonly run: RunFactsOfWorkflow
  /** what runs ends, nothing starts */
  readonly isPaused: boolean
  /** how the run is being ended from outside, if it is: nothing starts, what runs is canceled */
  readonly ending: 'canceled' | 'timedOut' | null
}
