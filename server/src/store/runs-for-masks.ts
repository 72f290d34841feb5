import type { Database } from './database.ts'
import { listOfNumbers, partsOf } from './list.ts'
import type { RunFacts } from './schema.ts'
import { keysOfRow, type DefinitionColumns, type DefinitionKeys } from './step-definition.ts'

/** What says which secrets a run was given. */
export interface RunForMask {
  readonly id: number
  readonly groupId: number
  /** whose params a shard has */
  readonly parentId: number | null
  readonly keys: DefinitionKeys
}

const COLUMNS = 'id, group_id, parent_id, task_id, task_version, workflow_id, workflow_version, step_no'

/** Runs by id, open or ended; those that are not in the store are left out. */
export async function runsForMasks(db: Database, ids: readonly number[]): Promise<RunForMask[]> {
  return db.read(async (tx) => {
    const found: RunForMask[] = []
    for (const part of partsOf(ids, 1000))
      for (const table of ['open_instance', 'instance']) {
        const list = listOfNumbers(part)
        const rows = await tx.all<Pick<RunFacts, 'id' | 'group_id' | 'parent_id'> & DefinitionColumns>(
          `SELECT ${COLUMNS} FROM ${table} WHERE id IN ${list.sql}`,
          list.params,
        )
        found.push(...rows.map((row) => ({ id: row.id, groupId: row.group_id, parentId: row.parent_id, keys: keysOfRow(row) })))
      }
    return found
  })
}
