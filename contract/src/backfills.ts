import { Type, type Static } from 'typebox'
import { BACKFILL_ONLY, BACKFILL_ORDERS, BACKFILL_STATES, MAX_BACKFILL } from './constants.ts'
import { Actor } from './instances.ts'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, nullable, oneOf, PageQuery, strict } from './shape.ts'

const wish = {
  from: Instant,
  to: Instant,
  only: Type.Optional(oneOf(BACKFILL_ONLY)),
  order: Type.Optional(oneOf(BACKFILL_ORDERS)),
}

/**
 * Runs again, or for the first time, what was due from `from` to before `to` (not after now) under the schedule that was in force then, in the present version. `missing` (the
 * default): what has no run that succeeded or is still open; `failed`: what ran and did not succeed; `all`: everything. At most 10,000 instants. What is due
 * in the last two seconds is left to the schedule.
 */
export const BackfillBody = strict({
  ...wish,
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'runs of it at once; default 1' })),
})
export type BackfillBody = Static<typeof BackfillBody>
export const BackfillPreviewBody = strict(wish)

/**
 * What a backfill would do: its first thousand instants in its order, each with the state of the newest run for it. `gone`: it has fired, and its run is no
 * longer kept; `planned`: another backfill is about to run it; null: there is no run. `local`: what a clock in the zone of its schedule showed.
 */
export const BackfillPreview = strict({
  total: Type.Integer({ minimum: 0, maximum: MAX_BACKFILL }),
  items: Type.Array(strict({ dueAt: Instant, local: Type.String(), state: nullable(Type.String()), instanceId: nullable(Id) })),
})
export type BackfillPreview = Static<typeof BackfillPreview>

/** `made`: how many of `total` have a run by now; `ended`: how many of these ended in each state. `canceled`: no more are made. */
export const Backfill = strict({
  id: Id,
  kind: oneOf(['task', 'workflow']),
  taskId: Id,
  name: Type.String(),
  groupId: Id,
  groupName: Type.String(),
  from: Instant,
  to: Instant,
  only: oneOf(BACKFILL_ONLY),
  order: oneOf(BACKFILL_ORDERS),
  concurrency: Type.Integer(),
  state: oneOf(BACKFILL_STATES),
  total: Type.Integer(),
  made: Type.Integer(),
  open: Type.Integer(),
  ended: Type.Record(Type.String(), Type.Integer()),
  actor: nullable(Actor),
  createdAt: Instant,
  endedAt: nullable(Instant),
})
export type Backfill = Static<typeof Backfill>

export const BackfillListQuery = strict({
  ...PageQuery,
  taskId: Type.Optional(Id),
  workflowId: Type.Optional(Id),
  state: Type.Optional(oneOf(BACKFILL_STATES)),
})

/**
 * An instant of a backfill and the run that it has made for it. `state`: that run's, `gone`: it is no longer kept; null: it has not been made yet, or never
 * will, where the backfill was canceled.
 */
export const BackfillRun = strict({ dueAt: Instant, instanceId: nullable(Id), state: nullable(Type.String()) })
export type BackfillRun = Static<typeof BackfillRun>
export const BackfillRunsQuery = strict(PageQuery)

const tag = 'backfill'
const make = {
  budget: 'heavy',
  tag,
  params: IdParams,
  body: BackfillBody,
  status: 202,
  answer: strict({ backfillId: Id }),
  idempotent: true,
} as const
const look = { budget: 'heavy', tag, params: IdParams, body: BackfillPreviewBody, status: 200, answer: BackfillPreview } as const
export const backfillRoutes = [
  defineRoute({
    ...make,
    id: 'backfillTask',
    method: 'POST',
    path: '/task/:id/backfill',
    access: 'task:run',
    summary: 'Run what was due between two instants',
  }),
  defineRoute({
    ...look,
    id: 'previewTaskBackfill',
    method: 'POST',
    path: '/task/:id/backfill/preview',
    access: 'task:view',
    summary: 'What a backfill would run',
  }),
  defineRoute({
    ...make,
    id: 'backfillWorkflow',
    method: 'POST',
    path: '/workflow/:id/backfill',
    access: 'workflow:run',
    summary: 'Run what was due between two instants',
  }),
  defineRoute({
    ...look,
    id: 'previewWorkflowBackfill',
    method: 'POST',
    path: '/workflow/:id/backfill/preview',
    access: 'workflow:view',
    summary: 'What a backfill would run',
  }),
  defineRoute({
    id: 'listBackfills',
    method: 'GET',
    path: '/backfill',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'List backfills of tasks and workflows, newest first',
    query: BackfillListQuery,
    status: 200,
    answer: listOf(Backfill),
  }),
  defineRoute({
    id: 'getBackfill',
    method: 'GET',
    path: '/backfill/:id',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'One backfill and how far it is',
    params: IdParams,
    status: 200,
    answer: Backfill,
  }),
  defineRoute({
    id: 'listBackfillRuns',
    method: 'GET',
    path: '/backfill/:id/run',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'The instants of a backfill in its order, with their runs',
    params: IdParams,
    query: BackfillRunsQuery,
    status: 200,
    answer: listOf(BackfillRun),
  }),
  defineRoute({
    id: 'cancelBackfill',
    method: 'POST',
    path: '/backfill/:id/cancel',
    access: 'task:run',
    budget: 'write',
    tag,
    summary: 'Make no more runs of a backfill',
    params: IdParams,
    query: strict({ cancelRunning: Type.Optional(Type.Boolean({ description: 'cancel its runs that have not ended' })) }),
    status: 200,
    answer: Backfill,
  }),
] as const
