import type { Database } from './database.ts'
import { parseDefinition } from './definition.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { PARAMS_PAYLOAD } from './run-writes.ts'
import type { RunDefinition } from './workflow-definition.ts'

export interface VersionKey {
  readonly taskId: number
  readonly version: number
}

export interface VersionedDefinition extends VersionKey {
  /** null: there is no such version, or its text is damaged */
  readonly definition: RunDefinition | null
  readonly bytes: number
}

/** Definitions of some versions of tasks. */
export async function readDefinitions(db: Database, keys: readonly VersionKey[]): Promise<VersionedDefinition[]> {
  return db.read(async (tx) => {
    const found: VersionedDefinition[] = []
    for (const { taskId, version } of keys) {
      const [row] = await tx.all<{ definition: string }>('SELECT definition FROM task_version WHERE task_id = ? AND version = ?', [
        taskId,
        version,
      ])
      found.push({ taskId, version, definition: row === undefined ? null : readable(row.definition), bytes: row?.definition.length ?? 0 })
    }
    return found
  })
}

function readable(text: string): RunDefinition | null {
  try {
    return parseDefinition(text)
  } catch {
    return null
  }
}

/** The params of runs that differ from their task's, by run id. */
export async function readParams(db: Database, instanceIds: readonly number[]): Promise<Map<number, string>> {
  const params = new Map<number, string>()
  await db.read(async (tx) => {
    for (const part of partsOf(instanceIds, 1000)) {
      const list = listOfNumbers(part)
      const rows = await tx.all<{ instance_id: number; body: string }>(
        `SELECT instance_id, body FROM payload WHERE instance_id IN ${list.sql} AND kind = ${PARAMS_PAYLOAD}`,
        list.params,
      )
      for (const row of rows) params.set(row.instance_id, row.body)
    }
  })
  return params
}
