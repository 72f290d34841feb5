import { AppError, type ScheduleInput } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { hiddenCalendar } from './schedule-impact.ts'
import { calendarIdOf } from './schedules.ts'
import { calendarsAt, type SpanCalendar } from './span-calendar.ts'

/** A calendar as a schedule uses it, with its present name. */
export interface NamedCalendar extends SpanCalendar {
  readonly name: string
}

/** The names of calendars, also of deleted ones. */
export async function nameOfCalendar(tx: ReadTx, id: number): Promise<string> {
  return (await tx.first(query.selectFrom('calendar').select('name').where('id', '=', id)))?.name ?? ''
}

/** The calendar that an unsaved schedule names, at its present rules; null: none. 422 at `schedule.calendarId` for one that the caller may not see. */
export async function calendarOfUnsaved(
  db: Database,
  schedule: ScheduleInput,
  { calendars, zone }: { readonly calendars: Scope; readonly zone: string },
): Promise<NamedCalendar | null> {
  const id = calendarIdOf(schedule)
  if (id === null) return null
  return db.read(async (tx) => {
    const row = await tx.first(query.selectFrom('calendar').selectAll().where('id', '=', id).where('deleted_at', 'is', null))
    const problems = await hiddenCalendar(tx, schedule, row === null ? [] : calendars)
    const [first] = problems
    if (row === null || first !== undefined) throw new AppError('UNPROCESSABLE', first?.message ?? '', { errors: problems })
    const calendar = (await calendarsAt(tx, [{ id, version: row.rules_version }]))({ id, version: row.rules_version })
    if (calendar === null) throw new Error(`calendar ${id} has no version ${row.rules_version}`)
    return { id, version: row.rules_version, calendar, zone, name: row.name }
  })
}

/** Refuses a schedule that names a calendar which the caller may not see, as one that is not there (422). */
export async function requireSeenCalendar(db: Database, schedule: ScheduleInput, calendars: Scope): Promise<void> {
  if (calendarIdOf(schedule) === null || calendars === 'all') return
  const problems = await db.read((tx) => hiddenCalendar(tx, schedule, calendars))
  const [first] = problems
  if (first !== undefined) throw new AppError('UNPROCESSABLE', first.message, { errors: problems })
}
