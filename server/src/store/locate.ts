import { query, type Database } from './database.ts'
import { runHead } from './instances.ts'
import { kindOfRow, TASK, WORKFLOW, type ScheduledKind } from './scheduled-kind.ts'
import { workflowRunHead } from './workflow-run-views.ts'

export type Located = 'group' | 'task' | 'instance' | 'executor' | 'workflow' | 'workflow-run' | 'variable' | 'secret'

/** The group that a thing belongs to; null when there is no such thing. */
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
    case 'variable':
    case 'secret':
      return groupOfNamed(db, resource, id)
    case 'executor':
      return (await db.read((tx) => tx.first(query.selectFrom('executor').select('group_id').where('id', '=', id))))?.group_id ?? null
  }
}

/** What belongs to all groups is not in any: it is there for those only who see all of them. */
async function groupOfNamed(db: Database, table: 'variable' | 'secret', id: number): Promise<number | null> {
  const row = await db.read((tx) => tx.first(query.selectFrom(table).select('group_id').where('id', '=', id)))
  return row === null || row.group_id === 0 ? null : row.group_id
}

async function groupOfScheduled(db: Database, kind: ScheduledKind, id: number): Promise<number | null> {
  const row = await db.read((tx) => tx.first(query.selectFrom('task').selectAll().where('id', '=', id)))
  return row === null || row.deleted_at !== null || kindOfRow(row) !== kind ? null : row.group_id
}
