import type { Database } from './database.ts'

/** Which executor had an attempt of a run, open or ended; null: there is no such attempt. */
export async function executorOfAttempt(db: Database, instanceId: number, attempt: number): Promise<number | null> {
  return db.read(async (tx) => {
    for (const table of ['open_instance', 'instance']) {
      const [row] = await tx.all<{ attempt: number; executor_id: number | null }>(
        `SELECT attempt, executor_id FROM ${table} WHERE id = ?`,
        [instanceId],
      )
      if (row?.attempt === attempt && row.executor_id !== null) return row.executor_id
    }
    const [earlier] = await tx.all<{ executor_id: number | null }>(
      'SELECT executor_id FROM attempt WHERE instance_id = ? AND attempt = ? ORDER BY late LIMIT 1',
      [instanceId, attempt],
    )
    return earlier?.executor_id ?? null
  })
}
