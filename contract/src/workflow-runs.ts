import { EDGE_DECISIONS, STEP_KINDS, STEP_STATES } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { CAUSES } from './constants.ts'
import { Actor, InstanceListItem, RunError } from './instances.ts'
import { defineRoute } from './route.ts'
import { CursorQuery, Id, IdParams, Instant, listOf, nullable, oneOf, PageQuery, strict } from './shape.ts'
import { StepKey, WorkflowDefinition } from './workflows.ts'

/** `waiting`: it waits for an earlier run of its workflow. `lost` and `skipped` are there for runs as everywhere; `skipped` is one that overlap dropped. */
export const WORKFLOW_RUN_STATES = [
  'waiting',
  'queued',
  'running',
  'paused',
  'succeeded',
  'failed',
  'timedOut',
  'canceled',
  'skipped',
] as const

const counts = Type.Record(Type.String(), Type.Integer(), { description: 'how many steps are in each state; 0 is left out' })
const run = {
  id: Id,
  workflowId: Id,
  workflowName: Type.String(),
  groupId: Id,
  groupName: Type.String(),
  version: Type.Integer(),
  state: oneOf(WORKFLOW_RUN_STATES),
  cause: oneOf(CAUSES),
  actor: nullable(Actor),
  /** the business date, YYYY-MM-DD */
  date: Type.String(),
  scheduledAt: nullable(Instant),
  firedAt: Instant,
  startedAt: nullable(Instant),
  endedAt: nullable(Instant),
  retryOf: nullable(Id),
  /** the run and step of which it is a sub-workflow */
  parent: nullable(strict({ workflowRunId: Id, stepKey: Type.String() })),
  error: nullable(RunError),
  cancelRequestedAt: nullable(Instant),
  waitingFor: nullable(strict({ reason: Type.String(), facts: Type.Record(Type.String(), Type.Unknown()) })),
  steps: counts,
}
export const WorkflowRunListItem = strict(run)
export type WorkflowRunListItem = Static<typeof WorkflowRunListItem>

/**
 * A step of a run. `items`: of a fan-out, how many children there are in each state. `decidedBy`: who approved, rejected or completed it, and with what
 * words. `skippedBy`: places in `edges` of the definition. `nextAt`: when a step that waits is looked at again or expires.
 */
export const StepRun = strict({
  key: Type.String(),
  no: Type.Integer(),
  kind: oneOf(STEP_KINDS),
  state: oneOf(STEP_STATES),
  round: Type.Integer(),
  branch: nullable(Type.String()),
  startedAt: nullable(Instant),
  endedAt: nullable(Instant),
  nextAt: nullable(Instant),
  instanceId: nullable(Id),
  workflowRunId: nullable(Id),
  error: nullable(RunError),
  waitingFor: nullable(strict({ reason: Type.String(), facts: Type.Record(Type.String(), Type.Unknown()) })),
  items: nullable(strict({ total: Type.Integer(), made: Type.Integer(), ended: Type.Record(Type.String(), Type.Integer()) })),
  skippedBy: Type.Array(Type.Integer()),
  reusedFrom: nullable(Id),
  decidedBy: nullable(
    strict({ actor: Actor, at: Instant, decision: oneOf(['approved', 'rejected', 'completed']), comment: Type.String() }),
  ),
})
export type StepRun = Static<typeof StepRun>

/** `edges`: the decision of each edge of the definition in its order; null: not decided. `definition` is the version that the run keeps. */
export const WorkflowRun = strict({
  ...run,
  params: nullable(Type.Record(Type.String(), Type.Unknown())),
  outputs: Type.Unknown(),
  definition: WorkflowDefinition,
  stepRuns: Type.Array(StepRun),
  edges: Type.Array(nullable(oneOf(EDGE_DECISIONS))),
  retriedBy: nullable(Id),
  hidden: Type.Optional(Type.Array(Type.String())),
})
export type WorkflowRun = Static<typeof WorkflowRun>

/** A step with what went in and came out. `rounds`: of a step that was tried in rounds, the earlier ones. `params`: what its instance was given. */
export const StepDetail = strict({
  step: StepRun,
  params: Type.Unknown(),
  output: Type.Unknown(),
  rounds: Type.Array(
    strict({
      round: Type.Integer(),
      state: oneOf(STEP_STATES),
      startedAt: nullable(Instant),
      endedAt: nullable(Instant),
      instanceId: nullable(Id),
      error: nullable(RunError),
    }),
  ),
  hidden: Type.Optional(Type.Array(Type.String())),
})
export type StepDetail = Static<typeof StepDetail>

/** A child of a fan-out: an instance, or a run of a workflow. */
export const FanOutItem = strict({
  index: Type.Integer(),
  key: Type.String(),
  instance: nullable(InstanceListItem),
  workflowRun: nullable(WorkflowRunListItem),
})
export type FanOutItem = Static<typeof FanOutItem>

const States = Type.Optional(Type.String({ maxLength: 120, description: 'one state, or several joined by commas' }))
export const WorkflowRunListQuery = strict({
  ...CursorQuery,
  workflowId: Type.Optional(Id),
  groupId: Type.Optional(Id),
  state: States,
  cause: Type.Optional(oneOf(CAUSES)),
  date: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'the business date; needs workflowId' })),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
})
export type WorkflowRunListQuery = Static<typeof WorkflowRunListQuery>

/** The last runs of a workflow by its steps: a row for each key that any of them has, a column for each run, newest first. */
export const WorkflowGrid = strict({
  runs: Type.Array(
    strict({
      id: Id,
      state: oneOf(WORKFLOW_RUN_STATES),
      version: Type.Integer(),
      date: Type.String(),
      firedAt: Instant,
      durationMs: nullable(Type.Integer()),
    }),
  ),
  steps: Type.Array(
    strict({
      key: Type.String(),
      kind: oneOf(STEP_KINDS),
      cells: Type.Array(nullable(strict({ state: oneOf(STEP_STATES), durationMs: nullable(Type.Integer()), instanceId: nullable(Id) }))),
    }),
  ),
})
export type WorkflowGrid = Static<typeof WorkflowGrid>

export const WorkflowRetryBody = strict({
  from: Type.Optional(Type.Array(StepKey, { minItems: 1, maxItems: 1000, uniqueItems: true })),
  version: Type.Optional(oneOf(['same', 'latest'])),
  done: Type.Optional(
    Type.Array(strict({ step: StepKey, output: Type.Optional(Type.Unknown()), reason: Type.String({ minLength: 1, maxLength: 2000 }) }), {
      maxItems: 1000,
    }),
  ),
})
export type WorkflowRetryBody = Static<typeof WorkflowRetryBody>
export const DecisionBody = strict({ comment: Type.Optional(Type.String({ maxLength: 2000 })) })
export const CompleteBody = strict({ output: Type.Optional(Type.Unknown()), reason: Type.String({ minLength: 1, maxLength: 2000 }) })

const StepParams = strict({ id: Id, key: StepKey })
const tag = 'workflow-run'
const operate = { access: 'workflow:operate', budget: 'write', tag, status: 200, answer: WorkflowRun } as const
export const workflowRunRoutes = [
  defineRoute({
    id: 'listWorkflowRuns',
    method: 'GET',
    path: '/workflow-run',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'List runs of workflows, newest first',
    query: WorkflowRunListQuery,
    status: 200,
    answer: listOf(WorkflowRunListItem),
  }),
  defineRoute({
    id: 'getWorkflowRun',
    method: 'GET',
    path: '/workflow-run/:id',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'One run, with every step and the decision of each edge',
    params: IdParams,
    status: 200,
    answer: WorkflowRun,
  }),
  defineRoute({
    id: 'workflowGrid',
    method: 'GET',
    path: '/workflow/:id/grid',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'The last runs by their steps',
    params: IdParams,
    query: strict({ count: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: 20 })) }),
    status: 200,
    answer: WorkflowGrid,
  }),
  defineRoute({
    id: 'getStep',
    method: 'GET',
    path: '/workflow-run/:id/step/:key',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'A step with what went in and came out',
    params: StepParams,
    status: 200,
    answer: StepDetail,
  }),
  defineRoute({
    id: 'listStepItems',
    method: 'GET',
    path: '/workflow-run/:id/step/:key/item',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'The children of a fan-out, failed ones first',
    params: StepParams,
    query: strict({ ...PageQuery, state: States }),
    status: 200,
    answer: listOf(FanOutItem),
  }),
  defineRoute({
    id: 'cancelWorkflowRun',
    method: 'POST',
    path: '/workflow-run/:id/cancel',
    summary: 'Cancel a run and what it has begun',
    params: IdParams,
    ...operate,
  }),
  defineRoute({
    id: 'pauseWorkflowRun',
    method: 'POST',
    path: '/workflow-run/:id/pause',
    summary: 'What runs ends, nothing starts',
    params: IdParams,
    ...operate,
  }),
  defineRoute({
    id: 'resumeWorkflowRun',
    method: 'POST',
    path: '/workflow-run/:id/resume',
    summary: 'Go on',
    params: IdParams,
    ...operate,
  }),
  defineRoute({
    id: 'retryWorkflowRun',
    method: 'POST',
    path: '/workflow-run/:id/retry',
    access: 'workflow:operate',
    budget: 'trigger',
    tag,
    summary: 'Run an ended run again as a new run, from some steps on',
    params: IdParams,
    body: WorkflowRetryBody,
    status: 202,
    answer: strict({ workflowRunId: Id }),
    idempotent: true,
  }),
  defineRoute({
    ...operate,
    id: 'approveStep',
    method: 'POST',
    path: '/workflow-run/:id/step/:key/approve',
    access: 'workflow:approve',
    summary: 'Approve',
    params: StepParams,
    body: DecisionBody,
  }),
  defineRoute({
    ...operate,
    id: 'rejectStep',
    method: 'POST',
    path: '/workflow-run/:id/step/:key/reject',
    access: 'workflow:approve',
    summary: 'Reject',
    params: StepParams,
    body: DecisionBody,
  }),
  defineRoute({
    ...operate,
    id: 'completeStep',
    method: 'POST',
    path: '/workflow-run/:id/step/:key/complete',
    summary: 'Mark a step as done; what it runs is canceled',
    params: StepParams,
    body: CompleteBody,
  }),
] as const
