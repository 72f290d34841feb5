import { query, type Tx } from './database.ts'

/** Calendars of a group go with it. Its tasks are gone already; what they were due by stays known. */
export async function dropCalendarsOf(tx: Tx, groupId: number, now: number): Promise<void> {
  await tx.execute(
    query
      .updateTable('calendar')
      .set({ deleted_at: now, name_key: null, is_applying: 0 })
      .where('group_id', '=', groupId)
      .where('deleted_at', 'is', null),
  )
}
