import type { ReadTx } from '../../../server/src/store/database.ts'

/** At the end a change of a calendar has reached everything that uses it: no follower is behind, and each one's last span names the present rules. */
export async function calendarFaults(tx: ReadTx): Promise<string[]> {
  const behind = await tx.all<{ task_id: number; version: number; rules_version: number }>(
    'SELECT u.task_id, u.version, c.rules_version FROM calendar_use u JOIN calendar c ON c.id = u.calendar_id WHERE u.version <> c.rules_version OR c.is_applying <> 0',
  )
  const other = await tx.all<{ task_id: number; version: number; calendar_version: number | null }>(
    'SELECT u.task_id, u.version, p.calendar_version FROM calendar_use u JOIN task t ON t.id = u.task_id JOIN schedule_span p ON p.series_id = t.series_id WHERE p.from_at = (SELECT MAX(m.from_at) FROM schedule_span m WHERE m.series_id = t.series_id) AND (p.calendar_version IS NULL OR p.calendar_version <> u.version)',
  )
  return [
    ...behind.map((row) => `task ${row.task_id} is at version ${row.version} of a calendar that has version ${row.rules_version}`),
    ...other.map((row) => `the last span of task ${row.task_id} names version ${row.calendar_version} of its calendar, not ${row.version}`),
  ].map((fault) => `calendars: ${fault}`)
}
