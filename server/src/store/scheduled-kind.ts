import { AppError, type ErrorCode } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { query, type ReadTx } from './database.ts'
import type { TaskRow } from './schema.ts'
import { isVisible } from './scope.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

/**
 * Tasks and workflows are rows of one table: what has a schedule. Each is asked for as what it is; the other kind does not exist for that call.
 * `namePrefix` stands before the key of a name, so that a task and a workflow of one group may share it: no name has a slash.
 */
export interface ScheduledKind {
  readonly noun: 'task' | 'workflow'
  readonly namePrefix: '' | '/'
  readonly notFound: ErrorCode
  readonly versionNotFound: ErrorCode
  readonly hasOpenRuns: ErrorCode
}

export const TASK: ScheduledKind = {
  noun: 'task',
  namePrefix: '',
  notFound: 'TASK_NOT_FOUND',
  versionNotFound: 'TASK_VERSION_NOT_FOUND',
  hasOpenRuns: 'TASK_HAS_OPEN_RUNS',
}
export const WORKFLOW: ScheduledKind = {
  noun: 'workflow',
  namePrefix: '/',
  notFound: 'WORKFLOW_NOT_FOUND',
  versionNotFound: 'WORKFLOW_VERSION_NOT_FOUND',
  hasOpenRuns: 'WORKFLOW_HAS_OPEN_RUNS',
}

export function kindOfRow({ handler_kind }: Pick<TaskRow, 'handler_kind'>): ScheduledKind {
  return handler_kind === WORKFLOW_KIND ? WORKFLOW : TASK
}

/** The row of what has a schedule, as the kind that was asked for, also of what was deleted; its `notFound` otherwise. */
export async function visibleRow(tx: ReadTx, kind: ScheduledKind, id: number, scope: Scope): Promise<TaskRow> {
  const row = await tx.first(query.selectFrom('task').selectAll().where('id', '=', id))
  if (row === null || kindOfRow(row) !== kind || !isVisible(scope, row.group_id)) throw notFound(kind, id)
  return row
}

/** As `visibleRow`, of what was not deleted. */
export async function livingRow(tx: ReadTx, kind: ScheduledKind, id: number, scope: Scope): Promise<TaskRow> {
  const row = await visibleRow(tx, kind, id, scope)
  if (row.deleted_at !== null) throw notFound(kind, id)
  return row
}

export function notFound(kind: ScheduledKind, id: number): AppError {
  return new AppError(kind.notFound, `there is no ${kind.noun} ${id}`)
}
