import { query, type Database } from './database.ts'
import { runHead } from './instances.ts'

export type Located = 'group' | 'task' | 'instance' | 'executor'

/** The group that a thing belongs to; null when there is no such thing. */
export async function groupOf(db: Database, resource: Located, id: number): Promise<number | null> {
  switch (resource) {
    case 'group':
      return (await db.read((tx) => tx.first(query.selectFrom('task_group').select('id').where('id', '=', id))))?.id ?? null
    case 'task':
      return (
        (await db.read((tx) => tx.first(query.selectFrom('task').select('group_id').where('id', '=', id).where('deleted_at', 'is', null))))
          ?.group_id ?? null
      )
    case 'instance':
      return (await runHead(db, 'all', id))?.groupId ?? null
    case 'executor':
      return (await db.read((tx) => tx.first(query.selectFrom('executor').select('group_id').where('id', '=', id))))?.group_id ?? null
  }
}
