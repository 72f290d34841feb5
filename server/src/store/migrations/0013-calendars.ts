import { columns, table } from '../dialect/table.ts'

/**
 * A calendar. `group_id` 0: of all groups. `version` counts saves, `rules_version` is the one at which its rules changed last: what its followers are moved to.
 * `is_applying`: some may not have been yet. `name_key` null: it is deleted.
 */
const calendar = table(
  'calendar',
  {
    id: 'big',
    group_id: 'big',
    name: 'name',
    name_key: 'name?',
    description: 'text',
    version: 'int',
    rules_version: 'int',
    is_applying: 'int',
    last_day: 'name?',
    day_count: 'int',
    blackout_count: 'int',
    created_at: 'big',
    updated_at: 'big',
    deleted_at: 'big?',
  },
  ['id'],
  { unique: [['group_id', 'name_key']], indexes: [['is_applying']] },
)

/** Rules, as JSON; never changed. Spans name them for ever. */
const calendarVersion = table(
  'calendar_version',
  { calendar_id: 'big', version: 'int', saved_at: 'big', saved_by: 'big?', saved_by_name: 'name', rules: 'long' },
  ['calendar_id', 'version'],
)

/** What uses a calendar now, and by which of its versions its last span tells days. */
const calendarUse = table('calendar_use', { task_id: 'big', calendar_id: 'big', version: 'int' }, ['task_id'], {
  indexes: [['calendar_id', 'version']],
})

/** The calendar of a span. `calendar_zone`: by whose clock it tells days, where the schedule has no zone of its own. */
const ofSpan = columns('schedule_span', { calendar_id: 'big?', calendar_version: 'int?', calendar_zone: 'name?' })

export const calendars = { tables: [calendar, calendarVersion, calendarUse], columns: [ofSpan] }
