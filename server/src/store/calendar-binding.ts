import type { FieldProblem, ScheduleInput } from '@tickwheel/contract'
import { leavesNothing } from '@tickwheel/core'
import type { ReadTx, Tx } from './database.ts'
import type { CalendarRow } from './schema.ts'
import { calendarIdOf, compileStored, hasSoundSchedule } from './schedules.ts'
import { calendarsAt, type SpanCalendar } from './span-calendar.ts'
import { OF_ALL } from './variable-place.ts'

/*
 * The calendar that a schedule names, as its next span will name it: of the same group or of all groups, at the version that its rules have now.
 */

/** What is saved. `zone`: by whose clock a rate or a delay tells days; `after`: an instant behind which a firing must be left, null: none must. */
interface Binding {
  readonly schedule: ScheduleInput
  readonly groupId: number
  readonly zone: string
}

export interface BoundOrNot {
  readonly calendar: SpanCalendar | null
  readonly problems: readonly FieldProblem[]
}

const NONE: BoundOrNot = { calendar: null, problems: [] }

/** In a transaction that saves: the calendar stays as it is until it has committed, so that no follower is forgotten when it changes or goes. */
export async function bindCalendar(tx: Tx, binding: Binding, now: number): Promise<BoundOrNot> {
  return bound(tx, binding, { now, lock: tx.locks.share })
}

/** As `bindCalendar`, of something that is not saved. */
export async function findCalendar(tx: ReadTx, binding: Binding, now: number): Promise<BoundOrNot> {
  return bound(tx, binding, { now, lock: '' })
}

async function bound(tx: ReadTx, { schedule, groupId, zone }: Binding, { now, lock }: { now: number; lock: string }): Promise<BoundOrNot> {
  const id = calendarIdOf(schedule)
  if (id === null) return NONE
  const [row] = await tx.all<CalendarRow>(`SELECT * FROM calendar WHERE id = ?${lock}`, [id])
  if (row === undefined || row.deleted_at !== null || (row.group_id !== OF_ALL && row.group_id !== groupId))
    return { calendar: null, problems: [unknownCalendar(id)] }
  const compiled = (await calendarsAt(tx, [{ id, version: row.rules_version }]))({ id, version: row.rules_version })
  if (compiled === null) throw new Error(`calendar ${id} has no version ${row.rules_version}`)
  const calendar: SpanCalendar = { id, version: row.rules_version, calendar: compiled, zone }
  const isEmpty = hasSoundSchedule(schedule) && leavesNothing(compileStored(schedule, now, calendar), now)
  return { calendar, problems: isEmpty ? [nothingLeft(row.name)] : [] }
}

export function unknownCalendar(id: number): FieldProblem {
  return {
    path: 'schedule.calendarId',
    code: 'UNKNOWN_REFERENCE',
    message: `there is no calendar ${id} of this group or of all groups`,
    params: { value: id },
  }
}

function nothingLeft(name: string): FieldProblem {
  return {
    path: 'schedule.calendarId',
    code: 'CALENDAR_LEAVES_NOTHING',
    message: `calendar "${name}" leaves this schedule no firing: change its rules, or onDayOff`,
    params: { calendar: name },
  }
}

/** Writes down that a task or a workflow uses a calendar by one of its versions, or none. */
export async function saveCalendarUse(tx: Tx, taskId: number, calendar: SpanCalendar | null): Promise<void> {
  await tx.run('DELETE FROM calendar_use WHERE task_id = ?', [taskId])
  if (calendar !== null) await tx.insert('calendar_use', [{ task_id: taskId, calendar_id: calendar.id, version: calendar.version }])
}
