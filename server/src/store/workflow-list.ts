import {
  AppError,
  type Handler,
  type InlineTask,
  type Static,
  type Step,
  type Workflow,
  type WorkflowDefinition,
  type WorkflowListItem,
  type WorkflowListQuery,
  type WorkflowVersion,
  type WorkflowVersionItem,
} from '@tickwheel/contract'
import { outcomeOfCode, stateOfPhase, type Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { parseJson, readSchedule } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import type { RecentRuns, RunDot } from './instances.ts'
import { instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import { livingRow, WORKFLOW } from './scheduled-kind.ts'
import { heldOf, matching, pausedOf, seriesOf, tagsOf } from './scheduled-list.ts'
import type { TaskRow } from './schema.ts'
import { groupsOf } from './scope.ts'
import { asWorkflow, type StoredWorkflow } from './workflow-definition.ts'
import { withPresentNames } from './workflow-refs.ts'
import type { WorkflowVersions } from './workflow-versions.ts'

const RECENT_RUNS = 20
/** How far back the last firing of a workflow is looked for among its runs. */
const LAST_FIRED_WITHIN = 200

export type MayView = (groupId: number) => boolean

/** Workflows that are visible, the newest first, each with its last 20 runs. */
export async function listWorkflows(
  db: Database,
  scope: Scope,
  { versions, ...asked }: Static<typeof WorkflowListQuery> & { readonly versions: WorkflowVersions },
): Promise<Page<WorkflowListItem>> {
  const page = { page: asked.page ?? 1, pageSize: asked.pageSize ?? 20 }
  const groupIds = groupsOf(scope, asked.groupId)
  const offset = offsetOf(page)
  if (groupIds?.length === 0) return { items: [], total: 0, ...page }
  return db.read(async (tx) => {
    const found = matching(WORKFLOW, groupIds, asked)
    const count = await tx.first(found.select((of) => of.fn.countAll<number>().as('total')))
    const rows = await tx.rows(found.selectAll().orderBy('id', 'desc').limit(page.pageSize).offset(offset))
    return { items: await itemsOf(tx, versions, rows), total: count?.total ?? 0, ...page }
  })
}

async function itemsOf(tx: ReadTx, versions: WorkflowVersions, rows: readonly TaskRow[]): Promise<WorkflowListItem[]> {
  const groups = await namesOfGroups(
    tx,
    rows.map((row) => row.group_id),
  )
  const series = await seriesOf(tx, rows)
  const open = await openWorkflowRuns(
    tx,
    rows.map((row) => row.id),
  )
  const items: WorkflowListItem[] = []
  for (const row of rows) {
    const runs = await recentWorkflowRuns(tx, row.id, open.get(row.id) ?? [])
    items.push({
      id: row.id,
      groupId: row.group_id,
      groupName: groups.get(row.group_id) ?? '',
      name: row.name,
      description: row.description,
      owner: row.owner,
      tags: tagsOf(row),
      schedule: readSchedule(row.schedule),
      steps: (await versions.get(tx, row.id, row.version))?.definition.steps.length ?? 0,
      enabled: row.enabled === 1,
      version: row.version,
      nextFireAt: instantText(series.get(row.series_id)?.next_due_at ?? null),
      held: heldOf(series.get(row.series_id)),
      openRuns: runs.openRuns,
      recent: [...runs.recent],
    })
  }
  return items
}

interface OpenRun {
  readonly id: number
  readonly task_id: number
  readonly due_at: number | null
  readonly phase: number
}

/** Open runs of workflows, by workflow; what their steps do is none. */
async function openWorkflowRuns(tx: ReadTx, workflowIds: readonly number[]): Promise<Map<number, OpenRun[]>> {
  if (workflowIds.length === 0) return new Map()
  const rows = await tx.rows(
    query
      .selectFrom('open_instance')
      .select(['id', 'task_id', 'due_at', 'phase'])
      .where('task_id', 'in', workflowIds)
      .where('runs_workflow', '=', 1),
  )
  return Map.groupBy(rows, (row) => row.task_id)
}

/** The last runs of a workflow, newest first, and how many are open. */
async function recentWorkflowRuns(tx: ReadTx, workflowId: number, open: readonly OpenRun[]): Promise<RecentRuns> {
  const ended = await tx.rows(
    query
      .selectFrom('instance')
      .select(['id', 'due_at', 'started_at', 'ended_at', 'outcome'])
      .where('id', 'in', [0, ...(await newestRuns(tx, workflowId, RECENT_RUNS))]),
  )
  const dots: RunDot[] = [
    ...open.map((row) => ({ id: row.id, state: stateOfPhase(row.phase), scheduledAt: instantText(row.due_at), durationMs: null })),
    ...ended.map((row) => ({
      id: row.id,
      state: outcomeOfCode(row.outcome),
      scheduledAt: instantText(row.due_at),
      durationMs: row.started_at === null ? null : Math.max(0, row.ended_at - row.started_at),
    })),
  ]
  return { recent: dots.sort((a, b) => b.id - a.id).slice(0, RECENT_RUNS), openRuns: open.length }
}

/** Ids of the newest runs of a workflow, of those that have begun or ended. */
export async function newestRuns(tx: ReadTx, workflowId: number, count: number): Promise<number[]> {
  const rows = await tx.all<{ run_id: number }>(
    `SELECT run_id FROM workflow_run WHERE workflow_id = ? ORDER BY run_id DESC LIMIT ${Math.trunc(count)}`,
    [workflowId],
  )
  return rows.map((row) => row.run_id)
}

/**
 * One workflow with its whole definition, with the present names of what it refers to. Scripts, inputs and what HTTP handlers send are left out, and named
 * in `hidden`, where `mayViewParams` denies its group. 404 `WORKFLOW_NOT_FOUND` when it does not exist or is not visible.
 */
export async function getWorkflow(
  db: Database,
  scope: Scope,
  { workflowId, mayViewParams, versions }: { workflowId: number; mayViewParams: MayView; versions: WorkflowVersions },
): Promise<Workflow> {
  return db.read(async (tx) => {
    const row = await livingRow(tx, WORKFLOW, workflowId, scope)
    const stored = await versions.get(tx, workflowId, row.version)
    if (stored === null) throw new Error(`workflow ${workflowId} has no definition of its version ${row.version}`)
    const groups = await namesOfGroups(tx, [row.group_id])
    const series = (await seriesOf(tx, [row])).get(row.series_id)
    const { definition, hidden } = await shownDefinition(tx, stored, mayViewParams(row.group_id))
    return {
      ...definition,
      id: row.id,
      groupId: row.group_id,
      groupName: groups.get(row.group_id) ?? '',
      enabled: row.enabled === 1,
      version: row.version,
      nextFireAt: instantText(series?.next_due_at ?? null),
      lastFiredAt: await lastFiredAt(tx, row),
      held: heldOf(series),
      paused: pausedOf(row),
      createdAt: instantText(row.created_at),
      updatedAt: instantText(row.updated_at),
      ...(hidden === null ? {} : { hidden }),
    }
  })
}

/** Saved versions, newest first, without their definitions. */
export async function listWorkflowVersions(
  db: Database,
  scope: Scope,
  { workflowId, versions, ...page }: PageRequest & { readonly workflowId: number; readonly versions: WorkflowVersions },
): Promise<Page<Static<typeof WorkflowVersionItem>>> {
  const offset = offsetOf(page)
  return db.read(async (tx) => {
    const { version } = await livingRow(tx, WORKFLOW, workflowId, scope)
    const items: Static<typeof WorkflowVersionItem>[] = []
    const rows = await tx.rows(
      query
        .selectFrom('task_version')
        .select(['version', 'saved_at', 'saved_by', 'saved_by_name'])
        .where('task_id', '=', workflowId)
        .orderBy('version', 'desc')
        .limit(page.pageSize)
        .offset(offset),
    )
    for (const row of rows) {
      const stored = await versions.get(tx, workflowId, row.version)
      items.push({ ...savedOf(row), steps: stored?.definition.steps.length ?? 0 })
    }
    return { items, total: version, ...page }
  })
}

function savedOf(row: { version: number; saved_at: number; saved_by: number | null; saved_by_name: string }) {
  return {
    version: row.version,
    savedAt: instantText(row.saved_at),
    savedBy: row.saved_by === null ? null : { id: row.saved_by, name: row.saved_by_name },
  }
}

/** A saved version, and the group of its workflow. */
export interface VersionInGroup {
  readonly saved: WorkflowVersion
  readonly groupId: number
  readonly groupName: string
}

/** One saved version. 404 `WORKFLOW_VERSION_NOT_FOUND`. */
export async function getWorkflowVersion(
  db: Database,
  scope: Scope,
  { workflowId, version, mayViewParams }: { workflowId: number; version: number; mayViewParams: MayView },
): Promise<VersionInGroup> {
  return db.read(async (tx) => {
    const { group_id: groupId } = await livingRow(tx, WORKFLOW, workflowId, scope)
    const row = await tx.first(
      query.selectFrom('task_version').selectAll().where('task_id', '=', workflowId).where('version', '=', version),
    )
    const stored = row === null ? null : asWorkflow(parseJson(row.definition))
    if (row === null || stored === null)
      throw new AppError('WORKFLOW_VERSION_NOT_FOUND', `workflow ${workflowId} has no version ${version}`)
    const { definition } = await shownDefinition(tx, stored, mayViewParams(groupId))
    const groups = await namesOfGroups(tx, [groupId])
    return { saved: { ...savedOf(row), definition }, groupId, groupName: groups.get(groupId) ?? '' }
  })
}

/** As people are shown it. `hidden` null: all of it. */
export async function shownDefinition(
  tx: ReadTx,
  stored: StoredWorkflow,
  mayView: boolean,
): Promise<{ readonly definition: WorkflowDefinition; readonly hidden: string[] | null }> {
  const definition = await withPresentNames(tx, stored)
  return mayView ? { definition, hidden: null } : withoutParams(definition)
}

function withoutParams(definition: WorkflowDefinition): { definition: WorkflowDefinition; hidden: string[] } {
  const hidden: string[] = []
  const steps = definition.steps.map((step, index) => hideStep(step, (field) => hidden.push(`steps.${index}.${field}`)))
  return { definition: { ...definition, steps }, hidden }
}

function hideStep(step: Step, hide: (field: string) => void): Step {
  switch (step.kind) {
    case 'task':
      return hideWork(step, hide)
    case 'subWorkflow':
      return hideInput(step, hide)
    case 'fanOut': {
      const inEach = (field: string): void => hide(`each.${field}`)
      const each = step.each.kind === 'task' ? hideWork(step.each, inEach) : hideInput(step.each, inEach)
      return { ...step, each }
    }
    case 'condition':
    case 'switch':
    case 'wait':
    case 'approval':
      return step
  }
}

function hideInput<Work extends { input?: Record<string, unknown> }>(work: Work, hide: (field: string) => void): Work {
  if (work.input === undefined) return work
  hide('input')
  const { input: _input, ...rest } = work
  // Safe: `input` is optional in every work that has it.
  return rest as Work
}

function hideWork<Work extends { input?: Record<string, unknown>; inline?: InlineTask }>(work: Work, hide: (field: string) => void): Work {
  const shown = hideInput(work, hide)
  if (shown.inline === undefined) return shown
  return { ...shown, inline: { ...shown.inline, handler: hideHandler(shown.inline.handler, (field) => hide(`inline.handler.${field}`)) } }
}

function hideHandler(handler: Handler, hide: (field: string) => void): Handler {
  switch (handler.kind) {
    case 'shell':
      hide('script')
      return { ...handler, script: '' }
    case 'script':
      hide('source')
      return { ...handler, source: '' }
    case 'http': {
      hide('headers')
      hide('body')
      const { headers: _headers, body: _body, ...rest } = handler
      return rest
    }
    case 'named':
      return handler
  }
}

/** When the schedule last made a run, among the newest runs. */
async function lastFiredAt(tx: ReadTx, row: TaskRow): Promise<string | null> {
  const open = await tx.first(
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
      .where('id', 'in', [0, ...(await newestRuns(tx, row.id, LAST_FIRED_WITHIN))])
      .orderBy('id', 'desc'),
  )
  const at = Math.max(open?.created_at ?? 0, ended.find((run) => run.series_id === row.series_id)?.created_at ?? 0)
  return at === 0 ? null : instantText(at)
}
