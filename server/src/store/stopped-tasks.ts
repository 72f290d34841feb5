import type { Attention } from '@tickwheel/contract'
import type { Database, ReadTx } from './database.ts'
import { listOfNumbers } from './list.ts'
import { heldOf, pausedOf } from './scheduled-list.ts'
import type { SeriesRow, TaskRow } from './schema.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

/** More are not told. */
const MOST = 1000

interface StoppedRow extends Pick<TaskRow, 'id' | 'name' | 'group_id' | 'handler_kind' | 'enabled' | 'paused'>, Pick<SeriesRow, 'held'> {
  group_name: string | null
}

/**
 * Tasks and workflows of all groups that have stopped by themselves, the newest first: held for data that are not sound, or paused after failures. No index
 * serves this, because they are few and would be paid for by every firing: the tables are read from end to end, so ask for it seldom.
 */
export async function stoppedTasks(db: Database): Promise<Attention[]> {
  return db.read(async (tx) => {
    const held = await tx.all<{ id: number }>(`SELECT owner_id AS id FROM series WHERE held IS NOT NULL ORDER BY id DESC LIMIT ${MOST}`)
    const paused = await tx.all<{ id: number }>(
      `SELECT id FROM task WHERE paused IS NOT NULL AND enabled = 0 AND deleted_at IS NULL ORDER BY id DESC LIMIT ${MOST}`,
    )
    const ids = [...new Set([...held, ...paused].map((row) => row.id))].slice(0, MOST)
    return ids.length === 0 ? [] : (await rowsOf(tx, ids)).flatMap(itemOf)
  })
}

async function rowsOf(tx: ReadTx, ids: readonly number[]): Promise<StoppedRow[]> {
  const list = listOfNumbers(ids)
  return tx.all<StoppedRow>(
    `SELECT t.id, t.name, t.group_id, g.name AS group_name, t.handler_kind, t.enabled, t.paused, s.held FROM task t JOIN series s ON s.id = t.series_id
     LEFT JOIN task_group g ON g.id = t.group_id WHERE t.id IN ${list.sql} AND t.deleted_at IS NULL ORDER BY t.id DESC`,
    list.params,
  )
}

function itemOf(row: StoppedRow): Attention[] {
  const held = heldOf(row)
  const paused = pausedOf(row)
  const thing = {
    id: row.id,
    name: row.name,
    groupId: row.group_id,
    groupName: row.group_name ?? '',
    isWorkflow: row.handler_kind === WORKFLOW_KIND,
  }
  if (held !== null) return [{ ...thing, level: 'broken', kind: 'held', n: 1, at: held.at, facts: { reason: held.reason } }]
  if (paused === null) return []
  return [
    { ...thing, level: 'broken', kind: 'paused', n: Math.max(1, paused.failures), at: paused.at, facts: { runId: paused.instanceId } },
  ]
}
