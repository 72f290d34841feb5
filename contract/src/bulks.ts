import { Type, type Static } from 'typebox'
import { BULK_ITEM_STATES, BULK_KINDS, BULK_RUN_ACTIONS, BULK_SCHEDULE_ACTIONS, BULK_STATES, MAX_BULK } from './constants.ts'
import { FieldProblem } from './errors.ts'
import { Actor, InstanceListQuery } from './instances.ts'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, nullable, oneOf, PageQuery, strict } from './shape.ts'
import { TaskListQuery } from './tasks.ts'
import { WorkflowListQuery } from './workflows.ts'

const Ids = Type.Optional(
  Type.Array(Id, { minItems: 1, maxItems: MAX_BULK, uniqueItems: true, description: 'the things themselves; either these or `filter`' }),
)
const CancelRunning = Type.Optional(Type.Boolean({ description: 'of `stop` and `delete`: cancel their runs that have not ended' }))

const { page: _page, pageSize: _size, ...tasks } = TaskListQuery.properties
const { page: _flowPage, pageSize: _flowSize, ...workflows } = WorkflowListQuery.properties
const { page: _runPage, pageSize: _runSize, cursor: _cursor, ...runs } = InstanceListQuery.properties

/** The filters of the lists, without their paging. `{}`: everything that the caller sees. */
export const TaskFilter = strict(tasks)
export type TaskFilter = Static<typeof TaskFilter>
export const WorkflowFilter = strict(workflows)
export type WorkflowFilter = Static<typeof WorkflowFilter>
export const InstanceFilter = strict(runs)
export type InstanceFilter = Static<typeof InstanceFilter>

/**
 * One action for many things: those with these ids, or those that match a filter when it is asked, at most 10,000. Of a filter of runs, `cancel` takes those
 * that have not ended; `retry` those that have ended and were not retried yet, without `state` only those that did not succeed.
 */
export const BulkBody = Type.Union([
  strict({
    kind: Type.Literal('task'),
    action: oneOf(BULK_SCHEDULE_ACTIONS),
    ids: Ids,
    filter: Type.Optional(TaskFilter),
    cancelRunning: CancelRunning,
  }),
  strict({
    kind: Type.Literal('workflow'),
    action: oneOf(BULK_SCHEDULE_ACTIONS),
    ids: Ids,
    filter: Type.Optional(WorkflowFilter),
    cancelRunning: CancelRunning,
  }),
  strict({ kind: Type.Literal('instance'), action: oneOf(BULK_RUN_ACTIONS), ids: Ids, filter: Type.Optional(InstanceFilter) }),
])
export type BulkBody = Static<typeof BulkBody>

/** What a bulk operation would do. `refused`: how many of `total` the caller may not do it to, or that are not there; `items`: the first 20. */
export const BulkPreview = strict({
  total: Type.Integer({ minimum: 0, maximum: MAX_BULK }),
  refused: Type.Integer({ minimum: 0 }),
  items: Type.Array(strict({ targetId: Id, name: Type.String(), groupName: Type.String() })),
})
export type BulkPreview = Static<typeof BulkPreview>

/**
 * A bulk operation and how far it is: of `total` items `done` were carried out and `failed` were refused. `canceled`: what was left is not done any more.
 * `filter`: as it was asked, null where ids were given.
 */
export const Bulk = strict({
  id: Id,
  kind: oneOf(BULK_KINDS),
  action: oneOf([...BULK_SCHEDULE_ACTIONS, ...BULK_RUN_ACTIONS]),
  cancelRunning: Type.Boolean(),
  filter: nullable(Type.Record(Type.String(), Type.Unknown())),
  state: oneOf(BULK_STATES),
  total: Type.Integer(),
  done: Type.Integer(),
  failed: Type.Integer(),
  actor: nullable(Actor),
  isOwn: Type.Boolean({ description: 'the caller has begun it' }),
  createdAt: Instant,
  endedAt: nullable(Instant),
})
export type Bulk = Static<typeof Bulk>

export const BulkListQuery = strict({ ...PageQuery, state: Type.Optional(oneOf(BULK_STATES)) })

/**
 * What has become of one thing. `name` and `groupName` are empty where the caller may not see it. `runId`: the run that was made of it, for a workflow a run of the
 * workflow. `problem`: why it failed; of an item that waits, why it could not be done yet, and is tried again.
 */
export const BulkItem = strict({
  place: Type.Integer({ minimum: 1 }),
  targetId: Id,
  name: Type.String(),
  groupName: Type.String(),
  state: oneOf(BULK_ITEM_STATES),
  runId: nullable(Id),
  problem: nullable(
    strict({
      code: Type.String(),
      detail: Type.String(),
      params: Type.Record(Type.String(), Type.Unknown()),
      errors: Type.Array(FieldProblem),
    }),
  ),
})
export type BulkItem = Static<typeof BulkItem>

export const BulkItemsQuery = strict({
  state: Type.Optional(oneOf(BULK_ITEM_STATES)),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
})
export const BulkItemPage = strict({
  items: Type.Array(BulkItem),
  total: Type.Integer({ minimum: 0 }),
  nextCursor: nullable(Type.String()),
})
export type BulkItemPage = Static<typeof BulkItemPage>

const tag = 'bulk'
const at = { tag, access: 'self', params: IdParams } as const
export const bulkRoutes = [
  defineRoute({
    id: 'startBulk',
    method: 'POST',
    path: '/bulk',
    access: 'self',
    budget: 'heavy',
    tag,
    summary: 'Do one thing to many tasks, workflows or runs',
    body: BulkBody,
    status: 202,
    answer: strict({ bulkId: Id, total: Type.Integer() }),
    idempotent: true,
  }),
  defineRoute({
    id: 'previewBulk',
    method: 'POST',
    path: '/bulk/preview',
    access: 'self',
    budget: 'heavy',
    tag,
    summary: 'What a bulk operation would be done to',
    body: BulkBody,
    status: 200,
    answer: BulkPreview,
  }),
  defineRoute({
    id: 'listBulks',
    method: 'GET',
    path: '/bulk',
    access: 'self',
    budget: 'read',
    tag,
    summary: 'List bulk operations, newest first: the own ones; all, with `audit:view` in all groups',
    query: BulkListQuery,
    status: 200,
    answer: listOf(Bulk),
  }),
  defineRoute({
    ...at,
    id: 'getBulk',
    method: 'GET',
    path: '/bulk/:id',
    budget: 'read',
    summary: 'One bulk operation and how far it is',
    status: 200,
    answer: Bulk,
  }),
  defineRoute({
    ...at,
    id: 'listBulkItems',
    method: 'GET',
    path: '/bulk/:id/item',
    budget: 'read',
    summary: 'The items of a bulk operation with their results: those that failed first',
    query: BulkItemsQuery,
    status: 200,
    answer: BulkItemPage,
  }),
  defineRoute({
    ...at,
    id: 'cancelBulk',
    method: 'POST',
    path: '/bulk/:id/cancel',
    budget: 'write',
    summary: 'Do nothing more of a bulk operation; what is done stays done',
    status: 200,
    answer: Bulk,
  }),
] as const
