import { boundAgain, changedOf, lockAny, type TaskChanged } from './scheduled.ts'
import { saveCalendarUse } from './calendar-binding.ts'
import { query, type Database, type Tx } from './database.ts'
import { BrokenData, calendarIdOf } from './schedules.ts'
import { carrySpan } from './span-moves.ts'
import { definitionOf } from './tasks.ts'

/*
 * A change of a calendar's rules is carried to what uses it: each follower gets a new span at an instant of its own, as if somebody had saved it again. How far
 * that is stands in the store alone (`calendar_use.version`), so that whoever owns the calendar's slot goes on.
 */

export interface ChangedCalendar {
  readonly id: number
  /** the version that its followers are moved to */
  readonly version: number
}

/** Calendars whose last change may not have reached every follower, at most `limit`. */
export async function changedCalendars(db: Database, limit: number): Promise<ChangedCalendar[]> {
  return db.read((tx) => tx.all('SELECT id, rules_version AS version FROM calendar WHERE is_applying = 1 ORDER BY id LIMIT ?', [limit]))
}

/** Tasks and workflows that are at an older version of a calendar. */
export async function followersBehind(db: Database, { id, version }: ChangedCalendar, limit: number): Promise<number[]> {
  const rows = await db.read((tx) =>
    tx.all<{ task_id: number }>(
      'SELECT task_id FROM calendar_use WHERE calendar_id = ? AND version < ? ORDER BY version, task_id LIMIT ?',
      [id, version, limit],
    ),
  )
  return rows.map((row) => row.task_id)
}

/** The change has reached every follower: nobody looks for more. Harmless where it has not, or where the rules have changed again. */
export async function endCarrying(db: Database, { id, version }: ChangedCalendar): Promise<void> {
  await db.write('rest', (tx) =>
    tx.run(
      'UPDATE calendar SET is_applying = 0 WHERE id = ? AND rules_version = ? AND NOT EXISTS (SELECT 1 FROM calendar_use WHERE calendar_id = ? AND version < ?)',
      [id, version, id, version],
    ),
  )
}

/**
 * Moves one follower to the rules that its calendar has now; null: there was nothing to do. It may be run again, and beside an edit: the row of the task
 * orders them. One whose schedule cannot be read stays as it is: it is held, and the next save takes the calendar as it is then.
 */
export async function carryFollower(db: Database, taskId: number, now: number): Promise<TaskChanged | null> {
  try {
    return await db.write('rest', (tx) => carry(tx, taskId, now))
  } catch (error) {
    if (!(error instanceof BrokenData)) throw error
    await db.write('rest', (tx) => passOver(tx, taskId))
    return null
  }
}

async function carry(tx: Tx, taskId: number, now: number): Promise<TaskChanged | null> {
  const task = await lockAny(tx, taskId)
  const use = await tx.first(query.selectFrom('calendar_use').selectAll().where('task_id', '=', taskId))
  if (use === null) return null
  const definition = task === null || task.row.deleted_at !== null ? null : await definitionOf(tx, taskId, task.row.version)
  if (task === null || definition === null || calendarIdOf(definition.schedule) !== use.calendar_id) {
    await saveCalendarUse(tx, taskId, null)
    return null
  }
  const { schedule } = definition
  const { calendar } = await boundAgain(tx, task, schedule, now)
  if (calendar === null) await passOver(tx, taskId)
  if (calendar === null || calendar.version <= use.version) return null
  const { row } = task
  const series = await carrySpan(tx, task, { schedule, isEnabled: row.enabled === 1, taskVersion: row.version, calendar }, now)
  await saveCalendarUse(tx, taskId, calendar)
  return changedOf(task, series)
}

async function passOver(tx: Tx, taskId: number): Promise<void> {
  await tx.run(
    'UPDATE calendar_use SET version = (SELECT c.rules_version FROM calendar c WHERE c.id = calendar_use.calendar_id) WHERE task_id = ?',
    [taskId],
  )
}
