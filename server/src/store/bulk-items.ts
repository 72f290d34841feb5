import type { AppError, BulkItem } from '@tickwheel/contract'
import { BULK_ITEM, BULK_STAGE } from './bulk-rows.ts'
import type { Database, Tx } from './database.ts'
import { inSlots } from './in-slots.ts'
import type { BulkItemRow, BulkRow } from './schema.ts'
import { heldSlots, type Fences } from './slots.ts'

/** Bulk operations of the given slots that run, oldest first; at most `limit`. */
export async function runningBulks(db: Database, slots: ReadonlySet<number>, limit: number): Promise<BulkRow[]> {
  if (slots.size === 0) return []
  const here = inSlots(slots)
  return db.read((tx) =>
    tx.all<BulkRow>(`SELECT * FROM bulk WHERE stage = ${BULK_STAGE.running}${here.sql} ORDER BY id LIMIT ?`, [...here.params, limit]),
  )
}

/** Items that wait, behind a place; at most `limit`. */
export async function waitingItems(db: Database, bulkId: number, after: number, limit: number): Promise<BulkItemRow[]> {
  return db.read((tx) =>
    tx.all<BulkItemRow>('SELECT * FROM bulk_item WHERE bulk_id = ? AND state = ? AND place > ? ORDER BY place LIMIT ?', [
      bulkId,
      BULK_ITEM.waiting,
      after,
      limit,
    ]),
  )
}

/** The operation was canceled, its slot is another node's, or the item is settled already: whatever this transaction has done is rolled back. */
export class Overtaken extends Error {
  constructor(bulkId: number, place: number) {
    super(`item ${place} of bulk operation ${bulkId} is not this node's to settle any more`)
    this.name = 'Overtaken'
  }
}

export type ItemResult = { readonly runId: number | null } | { readonly problem: AppError }

export interface Settling {
  readonly bulk: BulkRow
  readonly place: number
  readonly fences: Fences
}

/**
 * Writes the result of an item in the transaction that has carried it out, so that it is done exactly once, whatever is killed and whoever goes on. It comes
 * last in that transaction: the row of the operation is what all its items meet at. Throws `Overtaken`.
 */
export async function settleItem(tx: Tx, { bulk, place, fences }: Settling, result: ItemResult): Promise<void> {
  const held = await heldSlots(tx, fences)
  const [state, runId, problem] =
    'problem' in result ? [BULK_ITEM.failed, null, problemText(result.problem)] : [BULK_ITEM.done, result.runId, null]
  const settled = await tx.run('UPDATE bulk_item SET state = ?, run_id = ?, problem = ? WHERE bulk_id = ? AND place = ? AND state = ?', [
    state,
    runId,
    problem,
    bulk.id,
    place,
    BULK_ITEM.waiting,
  ])
  const counter = state === BULK_ITEM.failed ? 'failed' : 'done'
  const counted = await tx.run(`UPDATE bulk SET ${counter} = ${counter} + 1 WHERE id = ? AND stage = ?`, [bulk.id, BULK_STAGE.running])
  if (!held.has(bulk.slot) || settled === 0 || counted === 0) throw new Overtaken(bulk.id, place)
}

/** As `settleItem`, of what is done in transactions of its own. */
export async function settleAlone(db: Database, settling: Settling, result: ItemResult): Promise<void> {
  await db.write('rest', (tx) => settleItem(tx, settling, result))
}

/** An item that was refused: nothing was done for it. */
export interface RefusedItem {
  readonly place: number
  readonly problem: AppError
}

/** As `settleItem`, of many that were refused, in one commit. */
export async function settleRefused(
  db: Database,
  { bulk, fences }: Omit<Settling, 'place'>,
  refused: readonly RefusedItem[],
): Promise<void> {
  if (refused.length === 0) return
  await db.write('rest', async (tx) => {
    for (const { place, problem } of refused) await settleItem(tx, { bulk, place, fences }, { problem })
  })
}

/** Notes why an item cannot be done yet; it goes on waiting. */
export async function noteWait(db: Database, { bulk, place }: Pick<Settling, 'bulk' | 'place'>, problem: AppError): Promise<void> {
  await db.write('rest', (tx) =>
    tx.run('UPDATE bulk_item SET problem = ? WHERE bulk_id = ? AND place = ? AND state = ? AND problem IS NULL', [
      problemText(problem),
      bulk.id,
      place,
      BULK_ITEM.waiting,
    ]),
  )
}

/** Ends an operation whose last item is settled; false: it is not, or has ended. */
export async function endBulk(db: Database, bulkId: number, at: number): Promise<boolean> {
  const ended = await db.write('rest', (tx) =>
    tx.run('UPDATE bulk SET stage = ?, ended_at = ? WHERE id = ? AND stage = ? AND done + failed = total', [
      BULK_STAGE.done,
      at,
      bulkId,
      BULK_STAGE.running,
    ]),
  )
  return ended > 0
}

const DETAIL_MAX = 1000
const ERRORS_KEPT = 3

function problemText({ code, message, params, errors }: AppError): string {
  const problem: NonNullable<BulkItem['problem']> = {
    code,
    detail: message.slice(0, DETAIL_MAX),
    params: { ...params },
    errors: errors.slice(0, ERRORS_KEPT).map((error) => ({ ...error, message: error.message.slice(0, DETAIL_MAX) })),
  }
  return JSON.stringify(problem)
}

/** A store of which each write also settles an item, in its own transaction: what a command writes and that it was carried out are one commit. */
export function settlingDatabase(db: Database, settling: Settling, resultOf: (written: unknown) => ItemResult): Database {
  return {
    dialect: db.dialect,
    read: (work) => db.read(work),
    write: (lane, work) =>
      db.write(lane, async (tx) => {
        const written = await work(tx)
        await settleItem(tx, settling, resultOf(written))
        return written
      }),
    now: () => db.now(),
    close: () => db.close(),
  }
}
