import { EDGE_ON, FAN_OUT_FAILURES, JOIN_RULES, ON_EXPIRE, ON_FAILURE, WORKFLOW_LIMITS } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { MISFIRE_POLICIES, OVERLAP_POLICIES, ROUTING_STRATEGIES, SCHEDULE_KINDS } from './constants.ts'
import { FieldProblem } from './errors.ts'
import { Name } from './groups.ts'
import { defineRoute } from './route.ts'
import { CursorQuery, Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'
import {
  Handler,
  Labels,
  LedgerEntry,
  Misfire,
  Overlap,
  PausedByFailures,
  PreviewAnswer,
  Retry,
  ScheduleInput,
  Sharding,
  WhyAnswer,
} from './tasks.ts'

export const StepKey = Type.String({ pattern: '^[a-z][a-zA-Z0-9_]{0,63}$' })
/** "group/name" */
const Path = Type.String({ minLength: 3, maxLength: 257, pattern: '^[^/]+/[^/]+$' })
const Expression = Type.String({ minLength: 1, maxLength: 2000 })
const Branch = Type.String({ minLength: 1, maxLength: 64 })
/** An object of values; a text that starts with `=` is an expression. */
const Input = Type.Record(Type.String({ maxLength: 128 }), Type.Unknown(), { maxProperties: 256 })

const Join = Type.Union([oneOf(JOIN_RULES), strict({ atLeast: Type.Integer({ minimum: 1, maximum: WORKFLOW_LIMITS.edges }) })])
const TimeoutMs = Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: '0: none' })

const stepBase = {
  key: StepKey,
  name: Type.Optional(Type.String({ maxLength: 128 })),
  join: Type.Optional(Join),
  retry: Type.Optional(Retry),
  timeoutMs: Type.Optional(TimeoutMs),
  continueOnFailure: Type.Optional(Type.Boolean()),
  disabled: Type.Optional(Type.Boolean()),
}

export const InlineTask = strict({
  handler: Handler,
  routing: Type.Optional(oneOf(ROUTING_STRATEGIES)),
  sharding: Type.Optional(Sharding),
  labels: Type.Optional(Labels),
})
export type InlineTask = Static<typeof InlineTask>

const taskWork = {
  kind: Type.Literal('task'),
  task: Type.Optional(Path),
  inline: Type.Optional(InlineTask),
  input: Type.Optional(Input),
}
const subWorkflowWork = { kind: Type.Literal('subWorkflow'), workflow: Path, input: Type.Optional(Input) }

export const Step = Type.Union([
  strict({ ...stepBase, ...taskWork }),
  strict({ ...stepBase, ...subWorkflowWork }),
  strict({ ...stepBase, kind: Type.Literal('condition'), when: Expression }),
  strict({
    ...stepBase,
    kind: Type.Literal('switch'),
    cases: Type.Array(strict({ branch: Branch, when: Expression }), { minItems: 1, maxItems: 50 }),
  }),
  strict({
    ...stepBase,
    kind: Type.Literal('wait'),
    forMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000_000 })),
    until: Type.Optional(Expression),
    upstream: Type.Optional(strict({ task: Type.Optional(Path), workflow: Type.Optional(Path), date: Type.Optional(Expression) })),
    maxMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000_000 })),
  }),
  strict({
    ...stepBase,
    kind: Type.Literal('approval'),
    prompt: Type.String({ minLength: 1, maxLength: 2000 }),
    expiresMs: Type.Optional(Type.Integer({ minimum: 1000, maximum: 31_536_000_000 })),
    onExpire: Type.Optional(oneOf(ON_EXPIRE)),
    notByStarter: Type.Optional(Type.Boolean()),
  }),
  strict({
    ...stepBase,
    kind: Type.Literal('fanOut'),
    items: Type.Union([Expression, Type.Array(Type.Unknown(), { maxItems: WORKFLOW_LIMITS.items })]),
    maxItems: Type.Optional(Type.Integer({ minimum: 1, maximum: WORKFLOW_LIMITS.items })),
    concurrency: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
    each: Type.Union([strict(taskWork), strict(subWorkflowWork)]),
    failures: Type.Optional(oneOf(FAN_OUT_FAILURES)),
  }),
])
export type Step = Static<typeof Step>

export const Edge = strict({
  from: StepKey,
  to: StepKey,
  on: Type.Optional(oneOf(EDGE_ON)),
  branch: Type.Optional(Branch),
  when: Type.Optional(Expression),
})
export type Edge = Static<typeof Edge>

const graph = {
  paramsSchema: Type.Optional(nullable(Type.Record(Type.String(), Type.Unknown()))),
  steps: Type.Array(Step, { minItems: 1, maxItems: WORKFLOW_LIMITS.steps }),
  edges: Type.Array(Edge, { maxItems: WORKFLOW_LIMITS.edges }),
  stepConcurrency: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'steps of one run at once; 0: no limit' })),
  onFailure: Type.Optional(oneOf(ON_FAILURE)),
  outputs: Type.Optional(Type.Record(Type.String({ maxLength: 128 }), Type.Unknown(), { maxProperties: 256 })),
  layout: Type.Optional(Type.Record(Type.String(), strict({ x: Type.Number(), y: Type.Number() }))),
}

const editable = {
  name: Name,
  description: Type.Optional(Type.String({ maxLength: 2000 })),
  owner: Type.Optional(Type.String({ maxLength: 128 })),
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 20, uniqueItems: true })),
  schedule: ScheduleInput,
  overlap: Type.Optional(Overlap),
  misfire: Type.Optional(Misfire),
  timeoutMs: Type.Optional(TimeoutMs),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })),
  pauseAfterFailures: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
  enabled: Type.Optional(Type.Boolean({ description: 'default false' })),
  ...graph,
}

export const WorkflowCreate = strict({ groupId: Id, ...editable })
export type WorkflowCreate = Static<typeof WorkflowCreate>
export const WorkflowUpdate = strict({ groupId: Id, ...editable, version: Type.Integer({ minimum: 1 }) })
export type WorkflowUpdate = Static<typeof WorkflowUpdate>
/** The YAML form: the group by its name. `version` is taken where the call takes one. */
export const WorkflowDocument = strict({
  group: Type.String({ minLength: 1 }),
  ...editable,
  version: Type.Optional(Type.Integer({ minimum: 1 })),
})
export type WorkflowDocument = Static<typeof WorkflowDocument>

/** A definition with every default of the envelope filled in; steps and edges as they were given. */
export const WorkflowDefinition = strict({
  name: Type.String(),
  description: Type.String(),
  owner: Type.String(),
  tags: Type.Array(Type.String()),
  schedule: ScheduleInput,
  overlap: strict({ policy: oneOf(OVERLAP_POLICIES), max: Type.Integer() }),
  misfire: strict({ policy: oneOf(MISFIRE_POLICIES), graceMs: Type.Integer(), max: Type.Integer() }),
  timeoutMs: Type.Integer(),
  priority: Type.Integer(),
  pauseAfterFailures: Type.Integer(),
  ...graph,
  stepConcurrency: Type.Integer(),
  onFailure: oneOf(ON_FAILURE),
})
export type WorkflowDefinition = Static<typeof WorkflowDefinition>

const state = {
  id: Id,
  groupId: Id,
  groupName: Type.String(),
  enabled: Type.Boolean(),
  version: Type.Integer(),
  nextFireAt: nullable(Instant),
  lastFiredAt: nullable(Instant),
  held: nullable(strict({ reason: Type.String(), at: Instant })),
  paused: nullable(PausedByFailures),
  createdAt: Instant,
  updatedAt: Instant,
}

/** `hidden`: scripts and inputs are left out where the caller may not see parameters. */
export const Workflow = strict({ ...state, ...WorkflowDefinition.properties, hidden: Type.Optional(Type.Array(Type.String())) })
export type Workflow = Static<typeof Workflow>

const RunDot = strict({ id: Id, state: Type.String(), scheduledAt: nullable(Instant), durationMs: nullable(Type.Integer()) })
export const WorkflowListItem = strict({
  id: Id,
  groupId: Id,
  groupName: Type.String(),
  name: Type.String(),
  description: Type.String(),
  owner: Type.String(),
  tags: Type.Array(Type.String()),
  schedule: ScheduleInput,
  steps: Type.Integer(),
  enabled: Type.Boolean(),
  version: Type.Integer(),
  nextFireAt: nullable(Instant),
  held: nullable(strict({ reason: Type.String(), at: Instant })),
  openRuns: Type.Integer(),
  recent: Type.Array(RunDot),
})
export type WorkflowListItem = Static<typeof WorkflowListItem>

export const WorkflowListQuery = strict({
  ...PageQuery,
  groupId: Type.Optional(Id),
  keyword: Type.Optional(Type.String({ maxLength: 128 })),
  enabled: Type.Optional(Type.Boolean()),
  scheduleKind: Type.Optional(oneOf(SCHEDULE_KINDS)),
  tag: Type.Optional(Type.String({ maxLength: 64 })),
})

export const WorkflowVersion = strict({
  version: Type.Integer(),
  savedAt: Instant,
  savedBy: nullable(strict({ id: Id, name: Type.String() })),
  definition: WorkflowDefinition,
})
export type WorkflowVersion = Static<typeof WorkflowVersion>
/** A row of the list of versions: without the definition. */
export const WorkflowVersionItem = strict({
  version: Type.Integer(),
  savedAt: Instant,
  savedBy: nullable(strict({ id: Id, name: Type.String() })),
  steps: Type.Integer(),
})

export const WorkflowTriggerBody = strict({
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  scheduledAt: Type.Optional(Instant),
})
export type WorkflowTriggerBody = Static<typeof WorkflowTriggerBody>

/** `path` is dotted: `steps.2.when`, `edges.0.branch`, `schedule.expression`. */
export const WorkflowProblems = strict({ problems: Type.Array(FieldProblem) })
export type WorkflowProblems = Static<typeof WorkflowProblems>

const tag = 'workflow'
const CancelRunning = Type.Optional(Type.Boolean({ description: 'cancel runs that have not ended' }))
const VersionParams = strict({ id: Id, version: Id })
export const workflowRoutes = [
  defineRoute({
    id: 'listWorkflows',
    method: 'GET',
    path: '/workflow',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'List workflows',
    query: WorkflowListQuery,
    status: 200,
    answer: listOf(WorkflowListItem),
  }),
  defineRoute({
    id: 'createWorkflow',
    method: 'POST',
    path: '/workflow',
    access: 'workflow:edit',
    budget: 'write',
    tag,
    summary: 'Create a workflow, from JSON or YAML',
    body: WorkflowCreate,
    status: 201,
    answer: Workflow,
    yaml: WorkflowDocument,
  }),
  defineRoute({
    id: 'validateWorkflow',
    method: 'POST',
    path: '/workflow/validate',
    access: 'self',
    budget: 'read',
    tag,
    summary: 'Every problem of an unsaved definition at once',
    query: strict({
      workflowId: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'the workflow over which it would be saved; absent: a new one',
        }),
      ),
    }),
    body: WorkflowCreate,
    status: 200,
    answer: WorkflowProblems,
    yaml: WorkflowDocument,
  }),
  defineRoute({
    id: 'getWorkflow',
    method: 'GET',
    path: '/workflow/:id',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'One workflow; as YAML with Accept: application/yaml',
    params: IdParams,
    status: 200,
    answer: Workflow,
    yaml: WorkflowDocument,
  }),
  defineRoute({
    id: 'updateWorkflow',
    method: 'PUT',
    path: '/workflow/:id',
    access: 'workflow:edit',
    budget: 'write',
    tag,
    summary: 'Save a new version; runs that have begun keep theirs',
    params: IdParams,
    body: WorkflowUpdate,
    status: 200,
    answer: Workflow,
    yaml: WorkflowDocument,
  }),
  defineRoute({
    id: 'deleteWorkflow',
    method: 'DELETE',
    path: '/workflow/:id',
    access: 'workflow:delete',
    budget: 'write',
    tag,
    summary: 'Delete a workflow; its history stays',
    params: IdParams,
    query: strict({ cancelRunning: CancelRunning }),
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'startWorkflow',
    method: 'POST',
    path: '/workflow/:id/start',
    access: 'workflow:toggle',
    budget: 'write',
    tag,
    summary: 'Enable the schedule',
    params: IdParams,
    status: 200,
    answer: Workflow,
  }),
  defineRoute({
    id: 'stopWorkflow',
    method: 'POST',
    path: '/workflow/:id/stop',
    access: 'workflow:toggle',
    budget: 'write',
    tag,
    summary: 'Disable the schedule',
    params: IdParams,
    query: strict({ cancelRunning: CancelRunning }),
    status: 200,
    answer: Workflow,
  }),
  defineRoute({
    id: 'triggerWorkflow',
    method: 'POST',
    path: '/workflow/:id/trigger',
    access: 'workflow:run',
    budget: 'trigger',
    tag,
    summary: 'Run now',
    params: IdParams,
    body: WorkflowTriggerBody,
    status: 202,
    answer: strict({ workflowRunId: Id }),
    idempotent: true,
  }),
  defineRoute({
    id: 'nextWorkflowFirings',
    method: 'GET',
    path: '/workflow/:id/next',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'The next firings',
    params: IdParams,
    query: strict({ count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 10 })) }),
    status: 200,
    answer: PreviewAnswer,
  }),
  defineRoute({
    id: 'listWorkflowFirings',
    method: 'GET',
    path: '/workflow/:id/firing',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'The firing ledger between two instants, newest first',
    params: IdParams,
    query: strict({ from: Type.Optional(Instant), to: Type.Optional(Instant), ...CursorQuery }),
    status: 200,
    answer: listOf(LedgerEntry),
  }),
  defineRoute({
    id: 'whyWorkflow',
    method: 'GET',
    path: '/workflow/:id/decisions',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'Why did it (not) run at an instant?',
    params: IdParams,
    query: strict({ at: Instant }),
    status: 200,
    answer: WhyAnswer,
  }),
  defineRoute({
    id: 'listWorkflowVersions',
    method: 'GET',
    path: '/workflow/:id/version',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'Saved versions, newest first',
    params: IdParams,
    query: strict(PageQuery),
    status: 200,
    answer: listOf(WorkflowVersionItem),
  }),
  defineRoute({
    id: 'getWorkflowVersion',
    method: 'GET',
    path: '/workflow/:id/version/:version',
    access: 'workflow:view',
    budget: 'read',
    tag,
    summary: 'One saved version',
    params: VersionParams,
    status: 200,
    answer: WorkflowVersion,
    yaml: WorkflowDocument,
  }),
  defineRoute({
    id: 'restoreWorkflowVersion',
    method: 'POST',
    path: '/workflow/:id/version/:version/restore',
    access: 'workflow:edit',
    budget: 'write',
    tag,
    summary: 'A new version equal to an old one',
    params: VersionParams,
    status: 200,
    answer: Workflow,
  }),
] as const
