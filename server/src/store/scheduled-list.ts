import { PausedByFailures, type ScheduleInput, type Static, type TaskListQuery } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { Compile } from 'typebox/compile'
import { query, type Database, type ReadTx } from './database.ts'
import { nameKey, parseJson, readSchedule } from './definition.ts'
import { nameOfCalendar, type NamedCalendar } from './named-calendar.ts'
import { contains, instantText } from './page.ts'
import { livingRow, type ScheduledKind } from './scheduled-kind.ts'
import type { SeriesRow, TaskRow } from './schema.ts'
import { groupSql, type GroupFilter } from './scope.ts'
import { lastSpan } from './spans.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

const pausedCheck = Compile(PausedByFailures)

export type ListFilter = Pick<Static<typeof TaskListQuery>, 'keyword' | 'enabled' | 'scheduleKind' | 'tag'>

/** Rows of a kind that live, in some groups (null: in all), as a list asks for them. */
export function matching(kind: ScheduledKind, groupIds: readonly number[] | null, { keyword, enabled, scheduleKind, tag }: ListFilter) {
  let found = query
    .selectFrom('task')
    .where('deleted_at', 'is', null)
    .where('handler_kind', kind.noun === 'workflow' ? '=' : '<>', WORKFLOW_KIND)
  if (groupIds !== null) found = found.where('group_id', 'in', groupIds)
  if (keyword !== undefined && keyword !== '') {
    found = found.where((is) =>
      is.or([
        contains('name_key', nameKey(keyword)),
        contains('description', keyword),
        contains('owner', keyword),
        contains('tags', keyword),
      ]),
    )
  }
  if (enabled !== undefined) found = found.where('enabled', '=', enabled ? 1 : 0)
  if (scheduleKind !== undefined) found = found.where('schedule_kind', '=', scheduleKind)
  return tag === undefined ? found : found.where(contains('tags', JSON.stringify(tag)))
}

/** What is needed to list the coming instants of a task or a workflow. `nextDueAt` null: not enabled, or never again, or waiting for the end of a run. */
export interface Timing {
  readonly schedule: ScheduleInput
  readonly anchorAt: number
  readonly isEnabled: boolean
  readonly nextDueAt: number | null
  readonly lastDueAt: number
  /** that its span tells days by, with its present name; null: none */
  readonly calendar: NamedCalendar | null
}

export async function timingOf(db: Database, kind: ScheduledKind, scope: Scope, id: number): Promise<Timing> {
  return db.read(async (tx) => {
    const row = await livingRow(tx, kind, id, scope)
    const series = (await seriesOf(tx, [row])).get(row.series_id)
    const span = await lastSpan(tx, row.series_id)
    const calendar = span?.calendar ?? null
    return {
      schedule: readSchedule(row.schedule),
      anchorAt: span?.anchorAt ?? row.created_at,
      isEnabled: row.enabled === 1,
      nextDueAt: series?.next_due_at ?? null,
      lastDueAt: series?.last_due_at ?? row.created_at,
      calendar: calendar === null ? null : { ...calendar, name: await nameOfCalendar(tx, calendar.id) },
    }
  })
}

/** Series of rows, by their id. */
export async function seriesOf(tx: ReadTx, rows: readonly TaskRow[]): Promise<Map<number, SeriesRow>> {
  if (rows.length === 0) return new Map()
  const series = await tx.rows(
    query
      .selectFrom('series')
      .selectAll()
      .where(
        'id',
        'in',
        rows.map((row) => row.series_id),
      ),
  )
  return new Map(series.map((row) => [row.id, row]))
}

export function heldOf(series: Pick<SeriesRow, 'held'> | undefined): { reason: string; at: string } | null {
  const held = series?.held ?? null
  const value = held === null ? null : parseJson(held)
  if (typeof value !== 'object' || value === null || !('reason' in value) || !('at' in value)) return null
  return typeof value.reason === 'string' && typeof value.at === 'number' ? { reason: value.reason, at: instantText(value.at) } : null
}

export function pausedOf({ enabled, paused }: Pick<TaskRow, 'enabled' | 'paused'>): Static<typeof PausedByFailures> | null {
  const value = paused === null || enabled === 1 ? undefined : parseJson(paused)
  return pausedCheck.Check(value) ? value : null
}

export function tagsOf(row: TaskRow): string[] {
  const value = parseJson(row.tags)
  return Array.isArray(value) ? value.filter((tag) => typeof tag === 'string') : []
}

/** Whether there is a task or a workflow in these groups. */
export async function hasAnyTask(db: Database, { tasks, workflows }: { tasks: GroupFilter; workflows: GroupFilter }): Promise<boolean> {
  const kinds = [
    { groups: tasks, is: '<>' },
    { groups: workflows, is: '=' },
  ]
  return db.read(async (tx) => {
    for (const { groups, is } of kinds) {
      const narrowed = groupSql('group_id', groups)
      const [row] = await tx.all(`SELECT id FROM task WHERE deleted_at IS NULL AND handler_kind ${is} ?${narrowed.sql} LIMIT 1`, [
        WORKFLOW_KIND,
        ...narrowed.params,
      ])
      if (row !== undefined) return true
    }
    return false
  })
}
