import { AppError, type ShardResult, type ShardResultPage } from '@tickwheel/contract'
import { outcomeOfCode } from '@tickwheel/core'
import type { Database, ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import { listOfNumbers } from './list.ts'
import { REDUCE, RESULT_PAYLOAD } from './run-writes.ts'
import type { InstanceRow, OpenInstanceRow } from './schema.ts'

const ROWS = 500
/** A page has about so much of results, and one at least: so many together are never in memory here or there. */
const PAGE_BYTES = 1_048_576

/** The attempt that asks: it must be the current one of a run whose shards have ended. */
export interface Asker {
  readonly executorId: number
  readonly bootId: number
}

/**
 * What the shards of a run came to, by index from `from` on, for the attempt that combines their results. Throws `INSTANCE_NOT_FOUND` when the run is not
 * open, `FORBIDDEN` when the attempt is another's, is over, or does not combine anything.
 */
export async function readShardResults(
  db: Database,
  asker: Asker,
  { instanceId, attempt, from = 0 }: { readonly instanceId: number; readonly attempt: number; readonly from?: number },
): Promise<ShardResultPage> {
  return db.read(async (tx) => {
    const parent = await reducingRun(tx, asker, { instanceId, attempt })
    const total = parent.shard_total ?? 0
    const first = parent.first_child_id ?? 0
    const rows = await tx.all<ShardRow>(
      `SELECT id, shard_index, shard_key, outcome, result, error_code, error FROM instance WHERE id >= ? AND id < ? AND parent_id = ? ORDER BY id LIMIT ${ROWS}`,
      [first + from, first + total, instanceId],
    )
    const page = await whatFits(tx, rows)
    const far = await farResults(
      tx,
      page.map((row) => row.id),
    )
    const last = page.at(-1)?.shard_index ?? total
    return { items: page.map((row) => resultOf(row, far.get(row.id) ?? row.result)), next: last + 1 < total ? last + 1 : null }
  })
}

type ShardRow = Pick<InstanceRow, 'id' | 'shard_index' | 'shard_key' | 'outcome' | 'result' | 'error_code' | 'error'>

async function reducingRun(
  tx: ReadTx,
  { executorId, bootId }: Asker,
  { instanceId, attempt }: { instanceId: number; attempt: number },
): Promise<OpenInstanceRow> {
  const [row] = await tx.all<OpenInstanceRow>('SELECT * FROM open_instance WHERE id = ?', [instanceId])
  if (row === undefined) throw new AppError('INSTANCE_NOT_FOUND', `There is no open run ${instanceId}.`, { params: { id: instanceId } })
  const isAsker = row.executor_id === executorId && row.boot_id === bootId && row.attempt === attempt
  if (isAsker && row.reduce === REDUCE.begun) return row
  throw new AppError(
    'FORBIDDEN',
    `Attempt ${attempt} of run ${instanceId} is not this executor's, or it does not combine the results of shards.`,
  )
}

/** The rows whose results fit into a page. */
async function whatFits(tx: ReadTx, rows: readonly ShardRow[]): Promise<ShardRow[]> {
  if (rows.length === 0) return []
  const list = listOfNumbers(rows.map((row) => row.id))
  const sizes = await tx.all<{ instance_id: number; bytes: number }>(
    `SELECT instance_id, LENGTH(body) AS bytes FROM payload WHERE instance_id IN ${list.sql} AND kind = ${RESULT_PAYLOAD}`,
    list.params,
  )
  const far = new Map(sizes.map((row) => [row.instance_id, row.bytes]))
  let bytes = 0
  return rows.filter((row, index) => {
    bytes += (far.get(row.id) ?? row.result?.length ?? 0) + (row.error?.length ?? 0)
    return index === 0 || bytes <= PAGE_BYTES
  })
}

async function farResults(tx: ReadTx, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const list = listOfNumbers(ids)
  const rows = await tx.all<{ instance_id: number; body: string }>(
    `SELECT instance_id, body FROM payload WHERE instance_id IN ${list.sql} AND kind = ${RESULT_PAYLOAD}`,
    list.params,
  )
  return new Map(rows.map((row) => [row.instance_id, row.body]))
}

function resultOf(row: ShardRow, result: string | null): ShardResult {
  return {
    index: row.shard_index ?? 0,
    key: row.shard_key ?? '',
    state: outcomeOfCode(row.outcome),
    result: result === null ? null : (parseJson(result) ?? null),
    error: row.error_code === null && row.error === null ? null : { code: row.error_code ?? '', message: row.error ?? '' },
  }
}
