import { Actor, type Backfill, type BackfillListQuery, type BackfillRunsQuery, type BackfillRun, type Static } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { Compile } from 'typebox/compile'
import { statesOf } from './backfill-plan.ts'
import { backfillNotFound } from './backfills.ts'
import { BACKFILL_STAGE, endedOf, onlyOf, orderOf, PLAN_PART, readPlanPart, stateOfStage } from './backfill-rows.ts'
import type { Database, ReadTx, Value } from './database.ts'
import { parseJson } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import { listOfNumbers } from './list.ts'
import { instantText, offsetOf, type Page } from './page.ts'
import { kindOfRow } from './scheduled-kind.ts'
import type { BackfillRow, TaskRow } from './schema.ts'
import { isVisible } from './scope.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

const actorCheck = Compile(Actor)

/** Where somebody may see tasks, and where workflows: a backfill is seen with what it runs. */
export interface BackfillScope {
  readonly tasks: Scope
  readonly workflows: Scope
}

/** Backfills, newest first; those of what was deleted too. */
export async function listBackfills(
  db: Database,
  scope: BackfillScope,
  { taskId, workflowId, state, page = 1, pageSize = 20 }: Static<typeof BackfillListQuery>,
): Promise<Page<Backfill>> {
  const visible = visibleIn(scope)
  const clauses = [
    visible,
    ...(taskId === undefined ? [] : [{ sql: 'b.task_id = ? AND t.handler_kind <> ?', params: [taskId, WORKFLOW_KIND] }]),
    ...(workflowId === undefined ? [] : [{ sql: 'b.task_id = ? AND t.handler_kind = ?', params: [workflowId, WORKFLOW_KIND] }]),
    ...(state === undefined ? [] : [stageClause(state)]),
  ]
  const where = clauses.map((clause) => `(${clause.sql})`).join(' AND ')
  const params = clauses.flatMap((clause) => clause.params)
  const offset = offsetOf({ page, pageSize })
  return db.read(async (tx) => {
    const rows = await tx.all<BackfillRow>(
      `SELECT b.* FROM backfill b JOIN task t ON t.id = b.task_id WHERE ${where} ORDER BY b.id DESC LIMIT ? OFFSET ?`,
      [...params, pageSize, offset],
    )
    const [count] = await tx.all<{ n: number }>(
      `SELECT COUNT(*) AS n FROM backfill b JOIN task t ON t.id = b.task_id WHERE ${where}`,
      params,
    )
    return { items: await itemsOf(tx, rows), total: count?.n ?? 0, page, pageSize }
  })
}

/** One backfill. 404 `BACKFILL_NOT_FOUND`, also where it is not visible. */
export async function getBackfill(db: Database, scope: BackfillScope, backfillId: number): Promise<Backfill> {
  return db.read(async (tx) => {
    const [item] = await itemsOf(tx, [await visibleBackfill(tx, scope, backfillId)])
    if (item === undefined) throw backfillNotFound(backfillId)
    return item
  })
}

/** The instants of a backfill in its order, each with its run; those that have none yet at the end. */
export async function listBackfillRuns(
  db: Database,
  scope: BackfillScope,
  { backfillId, page = 1, pageSize = 20 }: { backfillId: number } & Static<typeof BackfillRunsQuery>,
): Promise<Page<BackfillRun>> {
  const first = offsetOf({ page, pageSize })
  return db.read(async (tx) => {
    const row = await visibleBackfill(tx, scope, backfillId)
    const due = await dueBetween(tx, row, { first, end: Math.min(row.total, first + pageSize) })
    const runs = await runsFor(tx, row, due)
    const states = await statesOf(tx, [...runs.values()])
    const items = due.map((dueAt): BackfillRun => {
      const instanceId = runs.get(dueAt) ?? null
      return { dueAt: instantText(dueAt), instanceId, state: instanceId === null ? null : (states.get(instanceId) ?? 'gone') }
    })
    return { items, total: row.total, page, pageSize }
  })
}

async function dueBetween(tx: ReadTx, { id }: BackfillRow, { first, end }: { first: number; end: number }): Promise<number[]> {
  const due: number[] = []
  for (let place = first; place < end; place += PLAN_PART - (place % PLAN_PART)) {
    const from = place % PLAN_PART
    due.push(...(await readPlanPart(tx, id, place)).slice(from, from + end - place))
  }
  return due
}

async function runsFor(tx: ReadTx, { id, task_id: taskId }: BackfillRow, due: readonly number[]): Promise<Map<number, number>> {
  if (due.length === 0) return new Map()
  const list = listOfNumbers(due)
  const rows = await tx.all<{ due_at: number; instance_id: number }>(
    `SELECT due_at, instance_id FROM backfill_run WHERE task_id = ? AND due_at IN ${list.sql} AND backfill_id = ?`,
    [taskId, ...list.params, id],
  )
  return new Map(rows.map((row) => [row.due_at, row.instance_id]))
}

async function visibleBackfill(tx: ReadTx, { tasks, workflows }: BackfillScope, backfillId: number): Promise<BackfillRow> {
  const [row] = await tx.all<BackfillRow>('SELECT * FROM backfill WHERE id = ?', [backfillId])
  const [task] = row === undefined ? [] : await tx.all<TaskRow>('SELECT * FROM task WHERE id = ?', [row.task_id])
  const scope = task === undefined || kindOfRow(task).noun === 'task' ? tasks : workflows
  if (row === undefined || task === undefined || !isVisible(scope, task.group_id)) throw backfillNotFound(backfillId)
  return row
}

interface Clause {
  readonly sql: string
  readonly params: readonly Value[]
}

function visibleIn({ tasks, workflows }: BackfillScope): Clause {
  const [of, ofFlows] = [inGroups(tasks), inGroups(workflows)]
  return {
    sql: `(t.handler_kind <> ? AND ${of.sql}) OR (t.handler_kind = ? AND ${ofFlows.sql})`,
    params: [WORKFLOW_KIND, ...of.params, WORKFLOW_KIND, ...ofFlows.params],
  }
}

function inGroups(scope: Scope): Clause {
  if (scope === 'all') return { sql: '1 = 1', params: [] }
  if (scope.length === 0) return { sql: '1 = 0', params: [] }
  return { sql: `t.group_id IN (${scope.map(Number).join(', ')})`, params: [] }
}

function stageClause(state: Backfill['state']): Clause {
  const stages = Object.values(BACKFILL_STAGE).filter((stage) => stateOfStage(stage) === state)
  return { sql: `b.stage IN (${stages.join(', ')})`, params: [] }
}

async function itemsOf(tx: ReadTx, rows: readonly BackfillRow[]): Promise<Backfill[]> {
  if (rows.length === 0) return []
  const list = listOfNumbers(rows.map((row) => row.task_id))
  const found = await tx.all<TaskRow>(`SELECT * FROM task WHERE id IN ${list.sql}`, list.params)
  const tasks = new Map(found.map((task) => [task.id, task]))
  const groups = await namesOfGroups(
    tx,
    found.map((task) => task.group_id),
  )
  return rows.flatMap((row) => {
    const task = tasks.get(row.task_id)
    return task === undefined ? [] : [itemOf(row, task, groups.get(task.group_id) ?? '')]
  })
}

function itemOf(row: BackfillRow, task: TaskRow, groupName: string): Backfill {
  const actor = parseJson(row.actor)
  return {
    id: row.id,
    kind: kindOfRow(task).noun,
    taskId: row.task_id,
    name: task.name,
    groupId: task.group_id,
    groupName,
    from: instantText(row.from_at),
    to: instantText(row.to_at),
    only: onlyOf(row),
    order: orderOf(row),
    concurrency: row.concurrency,
    state: stateOfStage(row.stage),
    total: row.total,
    made: row.made,
    open: row.open_runs,
    ended: { ...endedOf(row) },
    actor: actorCheck.Check(actor) ? actor : null,
    createdAt: instantText(row.created_at),
    endedAt: instantText(row.ended_at),
  }
}
