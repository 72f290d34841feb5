import { query, type Database } from './database.ts'
import { runHead } from './instances.ts'
import { kindOfRow, TASK, WORKFLOW, type ScheduledKind } from './scheduled-kind.ts'
import { readUser } from './users.ts'
import { workflowRunHead } from './workflow-run-views.ts'

export type Located =
  | 'group'
  | 'task'
  | 'instance'
  | 'executor'
  | 'workflow'
  | 'workflow-run'
  | 'user'
  | 'role'
  | 'alarm-rule'
  | 'alarm-channel'
  | 'alarm-delivery'
  | 'incident'
  | 'variable'
  | 'secret'
  | 'calendar'

/** what belongs to no group: accounts, roles, alarm rules that watch everything */
const NO_GROUP = 0

/** The group that a thing belongs to, 0 for what belongs to none; null when there is no such thing. */
export async function groupOf(db: Database, resource: Located, id: number): Promise<number | null> {
  switch (resource) {
    case 'group':
      return (await db.read((tx) => tx.first(query.selectFrom('task_group').select('id').where('id', '=', id))))?.id ?? null
    case 'task':
      return groupOfScheduled(db, TASK, id)
    case 'workflow':
      return groupOfScheduled(db, WORKFLOW, id)
    case 'workflow-run':
      return (await db.read((tx) => workflowRunHead(tx, id)))?.groupId ?? null
    case 'instance':
      return (await runHead(db, 'all', id))?.groupId ?? null
    case 'user':
      return (await db.read((tx) => readUser(tx, id))) === null ? null : NO_GROUP
    case 'role':
      return (await db.read((tx) => tx.first(query.selectFrom('access_role').select('id').where('id', '=', id)))) === null ? null : NO_GROUP
    case 'calendar':
      return groupOfCalendar(db, id)
    case 'variable':
    case 'secret':
      return groupOfNamed(db, resource, id)
    case 'executor':
      return (await db.read((tx) => tx.first(query.selectFrom('executor').select('group_id').where('id', '=', id))))?.group_id ?? null
    case 'alarm-rule':
      return groupOfAlarm(db, 'alarm_rule', id)
    case 'alarm-channel':
      return groupOfAlarm(db, 'alarm_channel', id)
    case 'alarm-delivery':
      return groupOfAlarm(db, 'delivery', id)
    case 'incident':
      return groupOfAlarm(db, 'incident', id)
  }
}

async function groupOfAlarm(
  db: Database,
  table: 'alarm_rule' | 'alarm_channel' | 'delivery' | 'incident',
  id: number,
): Promise<number | null> {
  const row = await db.read((tx) => tx.first(query.selectFrom(table).select('group_id').where('id', '=', id)))
  return row === null ? null : (row.group_id ?? NO_GROUP)
}

/** What belongs to all groups has the group 0, as it is stored. */
async function groupOfNamed(db: Database, table: 'variable' | 'secret', id: number): Promise<number | null> {
  return (await db.read((tx) => tx.first(query.selectFrom(table).select('group_id').where('id', '=', id))))?.group_id ?? null
}

async function groupOfCalendar(db: Database, id: number): Promise<number | null> {
  const row = await db.read((tx) => tx.first(query.selectFrom('calendar').select(['group_id', 'deleted_at']).where('id', '=', id)))
  return row === null || row.deleted_at !== null ? null : row.group_id
}

async function groupOfScheduled(db: Database, kind: ScheduledKind, id: number): Promise<number | null> {
  const row = await db.read((tx) => tx.first(query.selectFrom('task').selectAll().where('id', '=', id)))
  return row === null || row.deleted_at !== null || kindOfRow(row) !== kind ? null : row.group_id
}
