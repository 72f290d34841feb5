import type { Json } from './graph.ts'

/** Codes of problems of a workflow; each is a field code of the contract too. `params` of each stands beside it. */
export const WORKFLOW_PROBLEM_CODES = [
  /** Nothing is there, or one of several fields is needed. `fields`: which, where there are several. */
  'REQUIRED',
  /** The field has no effect on this kind of step. `kind`. */
  'UNKNOWN_FIELD',
  'WRONG_TYPE',
  /** A value that excludes another one, or means something else already. */
  'NOT_ALLOWED_VALUE',
  'BAD_FORMAT',
  /** `max`. */
  'TOO_LARGE',
  /** A key or a branch that another one has. */
  'NAME_TAKEN',
  /** An edge from or to a step that there is not. `step`. */
  'UNKNOWN_REFERENCE',
  'PARAMS_TOO_LARGE',
  /** `cycle`: step by step, the first again at the end. */
  'WORKFLOW_HAS_CYCLE',
  /** No edge that leads to the step can ever be taken. `step`. */
  'WORKFLOW_STEP_UNREACHABLE',
  /** More edges are wanted than can be taken together. `wanted`, `possible`. */
  'WORKFLOW_JOIN_IMPOSSIBLE',
  /** An expression uses a name that is not known there. `name` of a step that is not upstream, or `message`; `position`. */
  'WORKFLOW_BAD_REFERENCE',
  /** `branch`, `branches`: those that the source has. */
  'WORKFLOW_UNKNOWN_BRANCH',
  /** More steps, edges or bytes than allowed. `max`. */
  'WORKFLOW_TOO_LARGE',
  /** `message`: what is wrong, in English; `position`: the character, counted from 1. */
  'EXPRESSION_INVALID',
] as const
export type WorkflowProblemCode = (typeof WORKFLOW_PROBLEM_CODES)[number]

/** One thing that is wrong with a workflow. */
export interface WorkflowProblem {
  readonly code: WorkflowProblemCode
  /** where, dotted: `steps.2.when`, `edges.0.branch`, `outputs.rows`; empty: the whole */
  readonly path: string
  readonly params: Readonly<Record<string, Json>>
  /** what was expected, what came, what to do; for the API, which has no texts by language */
  readonly message: string
}
