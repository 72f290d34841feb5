import { AppError, type ScheduleInput } from '@tickwheel/contract'
import { compileCalendar, type CalendarRuleSet, type CompiledCalendar, type CompiledSchedule, type Scope } from '@tickwheel/core'
import { findCalendar } from './calendar-binding.ts'
import { seesCalendar, visibleCalendar } from './calendars.ts'
import { query, type Database, type ReadTx } from './database.ts'
import type { CalendarRow, TaskRow } from './schema.ts'
import { livingRow, type ScheduledKind } from './scheduled-kind.ts'
import { calendarIdOf, checkSchedule, compileStored, completeSchedule } from './schedules.ts'
import { isVisible } from './scope.ts'
import { isSameRate } from './span-plan.ts'
import { lastSpan } from './spans.ts'
import { OF_ALL } from './variable-place.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

/** Two schedules whose firings are to be compared. */
export interface Compared {
  readonly before: CompiledSchedule
  readonly after: CompiledSchedule
}

/** Followers of a calendar that a change of it is tried on. */
const LOOKED_AT = 500

/**
 * The schedule that a task or a workflow has, and one that it might have, as if both were enabled now. `calendars`: where the caller may see calendars. 422 for a
 * schedule that a save would refuse.
 */
export async function comparedSchedules(
  db: Database,
  {
    kind,
    id,
    schedule,
    ...by
  }: {
    readonly kind: ScheduledKind
    readonly id: number
    readonly schedule: ScheduleInput
    readonly scope: Scope
    readonly calendars: Scope
    readonly serverZone: string
    readonly now: number
  },
): Promise<Compared> {
  return db.read(async (tx) => {
    const row = await livingRow(tx, kind, id, by.scope)
    const span = await lastSpan(tx, row.series_id)
    const wish = completeSchedule(schedule, by.serverZone)
    const sound = checkSchedule(wish, by.serverZone)
    const { calendar, problems } = await findCalendar(tx, { schedule: wish, groupId: row.group_id, zone: by.serverZone }, by.now)
    const hidden = await hiddenCalendar(tx, wish, by.calendars)
    const found = [...sound, ...hidden, ...(hidden.length > 0 ? [] : problems.filter(({ code }) => code === 'UNKNOWN_REFERENCE'))]
    if (found.length > 0) throw new AppError('UNPROCESSABLE', found.map(({ message }) => message).join('; '), { errors: found })
    const anchorAt = isSameRate(span, wish) ? (span?.anchorAt ?? by.now) : by.now
    const before = span === null ? { kind: 'manual' as const } : span.schedule
    return {
      before: compileStored(before, span?.anchorAt ?? by.now, span?.calendar ?? null),
      after: compileStored(wish, anchorAt, calendar),
    }
  })
}

/** What is wrong with a calendar that a schedule names and the caller may not see: it is as if it were not there. */
export async function hiddenCalendar(tx: ReadTx, schedule: ScheduleInput, calendars: Scope) {
  const id = calendarIdOf(schedule)
  if (id === null || calendars === 'all') return []
  const row = await tx.first(query.selectFrom('calendar').select('group_id').where('id', '=', id).where('deleted_at', 'is', null))
  if (row !== null && seesCalendar(calendars, row.group_id)) return []
  return [
    {
      path: 'schedule.calendarId',
      code: 'UNKNOWN_REFERENCE',
      message: `there is no calendar ${id} that you may see`,
      params: { value: id },
    },
  ]
}

export interface FollowerImpact extends Compared {
  readonly kind: 'task' | 'workflow'
  readonly id: number
  readonly name: string
  readonly groupName: string
}

export interface FollowersCompared {
  /** how many use it that the caller may see, and are not stopped */
  readonly followers: number
  readonly looked: readonly FollowerImpact[]
}

/** What follows a calendar and is not stopped, with its schedule by the present rules and by others; the first 500. */
export async function comparedFollowers(
  db: Database,
  { id, rules, scopes }: { readonly id: number; readonly rules: CalendarRuleSet; readonly scopes: FollowerScopes },
): Promise<FollowersCompared> {
  return db.read(async (tx) => {
    const calendar = await visibleCalendar(tx, id, scopes.own)
    const visible = (await followersOf(tx, calendar)).filter((row) =>
      isVisible(row.handler_kind === WORKFLOW_KIND ? scopes.workflows : scopes.tasks, row.group_id),
    )
    const others = compileCalendar(rules)
    const looked: FollowerImpact[] = []
    for (const row of visible.slice(0, LOOKED_AT)) looked.push(...(await compared(tx, row, others)))
    return { followers: visible.length, looked }
  })
}

export interface FollowerScopes {
  readonly own: Scope
  readonly tasks: Scope
  readonly workflows: Scope
}

type Follower = Pick<TaskRow, 'id' | 'name' | 'group_id' | 'handler_kind' | 'series_id'> & { readonly group_name: string }

async function followersOf(tx: ReadTx, { id, group_id: groupId }: CalendarRow): Promise<Follower[]> {
  const of = query
    .selectFrom('calendar_use')
    .innerJoin('task', 'task.id', 'calendar_use.task_id')
    .innerJoin('task_group', 'task_group.id', 'task.group_id')
    .select(['task.id', 'task.name', 'task.group_id', 'task.handler_kind', 'task.series_id', 'task_group.name as group_name'])
    .where('calendar_use.calendar_id', '=', id)
    .where('task.enabled', '=', 1)
  return tx.rows((groupId === OF_ALL ? of : of.where('task.group_id', '=', groupId)).orderBy('task.id').limit(MAX_FOLLOWERS))
}

/** Followers that are counted; beyond these the number is this one. */
const MAX_FOLLOWERS = 10_000

async function compared(tx: ReadTx, row: Follower, others: CompiledCalendar): Promise<FollowerImpact[]> {
  const span = await lastSpan(tx, row.series_id)
  if (span === null || span.calendar === null) return []
  return [
    {
      kind: row.handler_kind === WORKFLOW_KIND ? 'workflow' : 'task',
      id: row.id,
      name: row.name,
      groupName: row.group_name,
      before: compileStored(span.schedule, span.anchorAt, span.calendar),
      after: compileStored(span.schedule, span.anchorAt, { calendar: others, zone: span.calendar.zone }),
    },
  ]
}
