import { query, type Database } from './database.ts'
import { runHead } from './instances.ts'
import { kindOfRow, TASK, WORKFLOW, type ScheduledKind } from './scheduled-kind.ts'
import { workflowRunHead } from './workflow-run-views.ts'

export type Located =
  'group' | 'task' | 'instance' | 'executor' | 'workflow' | 'workflow-run' | 'alarm-rule' | 'alarm-channel' | 'alarm-delivery' | 'incident'

/** Belongs to no group: only who may do something in all groups may do it there. */
const NO_GROUP = 0

/** The group that a thing belongs to, 0: none; null when there is no such thing. */
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

async function groupOfScheduled(db: Database, kind: ScheduledKind, id: number): Promise<number | null> {
  const row = await db.read((tx) => tx.first(query.selectFrom('task').selectAll().where('id', '=', id)))
  return row === null || row.deleted_at !== null || kindOfRow(row) !== kind ? null : row.group_id
}
