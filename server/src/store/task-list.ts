import { type Static, type Task, type TaskDefinition, type TaskListItem, type TaskListQuery, type TaskVersion } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { parseDefinition, readSchedule } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import { recentRuns } from './instances.ts'
import { instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import { TASK } from './scheduled-kind.ts'
import { heldOf, matching, pausedOf, seriesOf, tagsOf } from './scheduled-list.ts'
import type { TaskRow } from './schema.ts'
import { groupsOf } from './scope.ts'
import { definitionOf, visibleTask } from './tasks.ts'

const RECENT_RUNS = 20
/** How far back the last firing of a task is looked for among its runs. */
const LAST_FIRED_WITHIN = 200

/** Tasks that are visible, the newest first, each with its last 20 runs. */
export async function listTasks(db: Database, scope: Scope, asked: Static<typeof TaskListQuery>): Promise<Page<TaskListItem>> {
  const page = { page: asked.page ?? 1, pageSize: asked.pageSize ?? 20 }
  const groupIds = groupsOf(scope, asked.groupId)
  const offset = offsetOf(page)
  if (groupIds?.length === 0) return { items: [], total: 0, ...page }
  return db.read(async (tx) => {
    const rest = matching(TASK, groupIds, asked)
    const found = asked.handlerKind === undefined ? rest : rest.where('handler_kind', '=', asked.handlerKind)
    const count = await tx.first(found.select((of) => of.fn.countAll<number>().as('total')))
    const rows = await tx.rows(found.selectAll().orderBy('id', 'desc').limit(page.pageSize).offset(offset))
    return { items: await itemsOf(tx, rows), total: count?.total ?? 0, ...page }
  })
}

async function itemsOf(tx: ReadTx, rows: readonly TaskRow[]): Promise<TaskListItem[]> {
  const groups = await namesOfGroups(
    tx,
    rows.map((row) => row.group_id),
  )
  const series = await seriesOf(tx, rows)
  const runs = await recentRuns(
    tx,
    rows.map((row) => row.id),
    RECENT_RUNS,
  )
  return rows.map((row) => ({
    id: row.id,
    groupId: row.group_id,
    groupName: groups.get(row.group_id) ?? '',
    name: row.name,
    description: row.description,
    owner: row.owner,
    tags: tagsOf(row),
    schedule: readSchedule(row.schedule),
    handlerKind: handlerKindOf(row),
    enabled: row.enabled === 1,
    version: row.version,
    nextFireAt: instantText(series.get(row.series_id)?.next_due_at ?? null),
    held: heldOf(series.get(row.series_id)),
    openRuns: runs.get(row.id)?.openRuns ?? 0,
    recent: [...(runs.get(row.id)?.recent ?? [])],
  }))
}

/**
 * One task with its whole definition. Params, script and what an HTTP handler sends are empty, and named in `hidden`, where `mayViewParams` denies its
 * group. 404 `TASK_NOT_FOUND` when it does not exist or is not visible.
 */
export async function getTask(
  db: Database,
  scope: Scope,
  taskId: number,
  mayViewParams: (groupId: number) => boolean,
): Promise<Static<typeof Task>> {
  return db.read(async (tx) => {
    const row = await visibleTask(tx, taskId, scope)
    const definition = await definitionOf(tx, taskId, row.version)
    if (definition === null) throw new Error(`task ${taskId} has no definition of its version ${row.version}`)
    const groups = await namesOfGroups(tx, [row.group_id])
    const series = (await seriesOf(tx, [row])).get(row.series_id)
    const mayView = mayViewParams(row.group_id)
    const { definition: shown, hidden } = mayView ? { definition, hidden: [] } : hideParams(definition)
    return {
      ...shown,
      sharding: definition.sharding ?? { kind: 'none' },
      id: row.id,
      groupId: row.group_id,
      groupName: groups.get(row.group_id) ?? '',
      params: mayView ? definition.params : null,
      enabled: row.enabled === 1,
      version: row.version,
      nextFireAt: instantText(series?.next_due_at ?? null),
      lastFiredAt: await lastFiredAt(tx, row),
      held: heldOf(series),
      paused: pausedOf(row),
      createdAt: instantText(row.created_at),
      updatedAt: instantText(row.updated_at),
      ...(mayView ? {} : { hidden }),
    }
  })
}

/** Saved versions of a task, newest first. */
export async function listTaskVersions(
  db: Database,
  scope: Scope,
  { taskId, mayViewParams, ...page }: PageRequest & { readonly taskId: number; readonly mayViewParams: (groupId: number) => boolean },
): Promise<Page<Static<typeof TaskVersion>>> {
  const offset = offsetOf(page)
  return db.read(async (tx) => {
    const task = await visibleTask(tx, taskId, scope)
    const rows = await tx.rows(
      query
        .selectFrom('task_version')
        .selectAll()
        .where('task_id', '=', taskId)
        .orderBy('version', 'desc')
        .limit(page.pageSize)
        .offset(offset),
    )
    const items = rows.map((row) => {
      const definition = parseDefinition(row.definition)
      return {
        version: row.version,
        savedAt: instantText(row.saved_at),
        savedBy: row.saved_by === null ? null : { id: row.saved_by, name: row.saved_by_name },
        definition: mayViewParams(task.group_id) ? definition : hideParams(definition).definition,
      }
    })
    return { items, total: task.version, ...page }
  })
}

/** When the schedule last made a run, among the newest runs of the task. */
async function lastFiredAt(tx: ReadTx, row: TaskRow): Promise<string | null> {
  const open = await tx.rows(
    query
      .selectFrom('open_instance')
      .select('created_at')
      .where('task_id', '=', row.id)
      .where('series_id', '=', row.series_id)
      .orderBy('id', 'desc')
      .limit(1),
  )
  const ended = await tx.rows(
    query
      .selectFrom('instance')
      .select(['created_at', 'series_id'])
      .where('task_id', '=', row.id)
      .orderBy('id', 'desc')
      .limit(LAST_FIRED_WITHIN),
  )
  const at = Math.max(open[0]?.created_at ?? 0, ended.find((run) => run.series_id === row.series_id)?.created_at ?? 0)
  return at === 0 ? null : instantText(at)
}

function handlerKindOf(row: TaskRow): TaskListItem['handlerKind'] {
  return (['shell', 'script', 'http', 'named'] as const).find((kind) => kind === row.handler_kind) ?? 'shell'
}

/** A definition as people are shown it who may not see params: without them, the script, and what an HTTP handler sends. */
export function hideParams(definition: TaskDefinition): { definition: TaskDefinition; hidden: string[] } {
  const { handler } = definition
  const shown = { ...definition, params: '' }
  switch (handler.kind) {
    case 'shell':
      return { definition: { ...shown, handler: { ...handler, script: '' } }, hidden: ['params', 'handler.script'] }
    case 'script':
      return { definition: { ...shown, handler: { ...handler, source: '' } }, hidden: ['params', 'handler.source'] }
    case 'http': {
      const { headers: _headers, body: _body, ...rest } = handler
      return { definition: { ...shown, handler: rest }, hidden: ['params', 'handler.headers', 'handler.body'] }
    }
    case 'named':
      return { definition: shown, hidden: ['params'] }
  }
}
