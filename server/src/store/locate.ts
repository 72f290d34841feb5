import { query, type Database } from './database.ts'
import { runHead } from './instances.ts'
import { kindOfRow, TASK, WORKFLOW, type ScheduledKind } from './scheduled-kind.ts'
import { readUser } from './users.ts'
import { workflowRunHead } from './workflow-run-views.ts'

export type Located = 'group' | 'task' | 'instance' | 'executor' | 'workflow' | 'workflow-run' | 'user' | 'role'

/** what belongs to no group: accounts and roles */
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
    case 'executor':
      return (await db.read((tx) => tx.first(query.selectFrom('executor').select('group_id').where('id', '=', id))))?.group_id ?? null
  }
}

async function groupOfScheduled(db: Database, kind: ScheduledKind, id: number): Promise<number | null> {
  const row = await db.read((tx) => tx.first(query.selectFrom('task').selectAll().where('id', '=', id)))
  return row === null || row.deleted_at !== null || kindOfRow(row) !== kind ? null : row.group_id
}
