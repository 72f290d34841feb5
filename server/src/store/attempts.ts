import type { Database, ReadTx } from './database.ts'
import { listOfNumbers, partsOf } from './list.ts'

export interface AttemptKey {
  readonly instanceId: number
  readonly attempt: number
}

interface AttemptSeen {
  instance_id: number
  attempt: number
  executor_id: number | null
}

/** How an attempt is named in a map. */
export function attemptKey({ instanceId, attempt }: AttemptKey): string {
  return `${instanceId}:${attempt}`
}

/** Which executors had some attempts, of runs open or ended, by `attemptKey`; those that do not exist are left out. */
export async function executorsOfAttempts(db: Database, keys: readonly AttemptKey[]): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  if (keys.length === 0) return found
  await db.read(async (tx) => {
    for (const part of partsOf([...new Set(keys.map((key) => key.instanceId))], 1000)) {
      // an attempt row beside the run's is a late result: the attempt's own comes first
      for (const row of [...(await earlierAttempts(tx, part)), ...(await lastAttempts(tx, part))]) {
        const key = attemptKey({ instanceId: row.instance_id, attempt: row.attempt })
        if (row.executor_id !== null) found.set(key, row.executor_id)
      }
    }
  })
  return found
}

async function lastAttempts(tx: ReadTx, ids: readonly number[]): Promise<AttemptSeen[]> {
  const list = listOfNumbers(ids)
  const rows: AttemptSeen[] = []
  for (const table of ['instance', 'open_instance'])
    rows.push(
      ...(await tx.all<AttemptSeen>(`SELECT id AS instance_id, attempt, executor_id FROM ${table} WHERE id IN ${list.sql}`, list.params)),
    )
  return rows
}

async function earlierAttempts(tx: ReadTx, ids: readonly number[]): Promise<AttemptSeen[]> {
  const list = listOfNumbers(ids)
  return tx.all<AttemptSeen>(
    `SELECT instance_id, attempt, executor_id FROM attempt WHERE instance_id IN ${list.sql} ORDER BY late DESC`,
    list.params,
  )
}
