import { AppError, BulkItem, type Bulk, type BulkItemPage, type BulkItemsQuery, type BulkListQuery, type Static } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { Compile } from 'typebox/compile'
import { actionOfBulk, BULK_ITEM, BULK_STAGE, callerOfBulk, kindOfBulk, stateOfBulk } from './bulk-rows.ts'
import { bulkNotFound } from './bulks.ts'
import type { Database, ReadTx, Value } from './database.ts'
import { parseJson } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import { instantText, offsetOf, type Page } from './page.ts'
import type { BulkItemRow, BulkRow } from './schema.ts'
import { isVisible } from './scope.ts'

const problemCheck = Compile(BulkItem.properties.problem)

/** Who looks: everybody sees the operations of their own account. */
export interface BulkReader {
  readonly accountId: number
  readonly seesAll: boolean
}

/** Bulk operations, newest first. */
export async function listBulks(
  db: Database,
  { accountId, seesAll }: BulkReader,
  { state, page = 1, pageSize = 20 }: Static<typeof BulkListQuery>,
): Promise<Page<Bulk>> {
  const clauses = [
    ...(seesAll ? [] : [{ sql: 'owner_id = ?', value: accountId }]),
    ...(state === undefined ? [] : [{ sql: 'stage = ?', value: BULK_STAGE[state] }]),
  ]
  const where = clauses.length === 0 ? '1 = 1' : clauses.map((clause) => clause.sql).join(' AND ')
  const params = clauses.map((clause) => clause.value)
  const offset = offsetOf({ page, pageSize })
  return db.read(async (tx) => {
    const rows = await tx.all<BulkRow>(`SELECT * FROM bulk WHERE ${where} ORDER BY id DESC LIMIT ? OFFSET ?`, [...params, pageSize, offset])
    const [count] = await tx.all<{ n: number }>(`SELECT COUNT(*) AS n FROM bulk WHERE ${where}`, params)
    return { items: rows.map((row) => bulkOf(row, accountId)), total: count?.n ?? 0, page, pageSize }
  })
}

/** One of them. 404 `BULK_NOT_FOUND`, also where it is not visible. */
export async function getBulk(db: Database, reader: BulkReader, bulkId: number): Promise<Bulk> {
  const bulk = await findBulk(db, reader, bulkId)
  if (bulk === null) throw bulkNotFound(bulkId)
  return bulk
}

/** Null: it is not there, or not visible. */
export async function findBulk(db: Database, reader: BulkReader, bulkId: number): Promise<Bulk | null> {
  return db.read(async (tx) => {
    const row = await visibleRow(tx, reader, bulkId)
    return row === null ? null : bulkOf(row, reader.accountId)
  })
}

/** Where somebody may see the things that an operation is about. */
export type TargetScopes = Readonly<Record<Bulk['kind'], Scope>>

/** The items of a bulk operation: those that failed, those that wait, those that are done; each in their order. */
export async function listBulkItems(
  db: Database,
  { reader, scopes, bulkId, query }: { reader: BulkReader; scopes: TargetScopes; bulkId: number; query: Static<typeof BulkItemsQuery> },
): Promise<BulkItemPage> {
  const { state, pageSize = 50, cursor } = query
  const after = cursor === undefined ? { state: 0, place: 0 } : readCursor(cursor)
  return db.read(async (tx) => {
    const bulk = await visibleRow(tx, reader, bulkId)
    if (bulk === null) throw bulkNotFound(bulkId)
    const wanted = storedState(bulk, state)
    if (wanted === null) return { items: [], total: 0, nextCursor: null }
    const rows = await itemsAfter(tx, { bulkId, wanted, after, limit: pageSize + 1 })
    const page = rows.slice(0, pageSize)
    const last = page.at(-1)
    const isMore = rows.length > pageSize && last !== undefined
    const items = await shownItems(tx, bulk, page, scopes[kindOfBulk(bulk)])
    return { items, total: totalOf(bulk, wanted), nextCursor: isMore ? `1.${last.state}.${last.place.toString(36)}` : null }
  })
}

/** `all`: of every state; null: nothing has it. What a canceled operation has left over is canceled. */
function storedState(bulk: BulkRow, state: BulkItem['state'] | undefined): number | 'all' | null {
  const leftOver = bulk.stage === BULK_STAGE.canceled ? 'canceled' : 'waiting'
  switch (state) {
    case undefined:
      return 'all'
    case 'failed':
    case 'done':
      return BULK_ITEM[state]
    case 'waiting':
    case 'canceled':
      return state === leftOver ? BULK_ITEM.waiting : null
  }
}

function totalOf({ total, done, failed }: BulkRow, wanted: number | 'all'): number {
  switch (wanted) {
    case BULK_ITEM.failed:
      return failed
    case BULK_ITEM.done:
      return done
    case BULK_ITEM.waiting:
      return total - done - failed
    default:
      return total
  }
}

interface Position {
  readonly state: number
  readonly place: number
}

/** One state after the other, so that each is a stretch of the index. */
async function itemsAfter(
  tx: ReadTx,
  { bulkId, wanted, after, limit }: { bulkId: number; wanted: number | 'all'; after: Position; limit: number },
): Promise<BulkItemRow[]> {
  const states = wanted === 'all' ? Object.values(BULK_ITEM).sort((a, b) => a - b) : [wanted]
  const found: BulkItemRow[] = []
  for (const state of states.filter((code) => code >= after.state)) {
    const params: Value[] = [bulkId, state, state === after.state ? after.place : 0, limit - found.length]
    if (found.length < limit)
      found.push(
        ...(await tx.all<BulkItemRow>(
          'SELECT * FROM bulk_item WHERE bulk_id = ? AND state = ? AND place > ? ORDER BY place LIMIT ?',
          params,
        )),
      )
  }
  return found
}

/** A cursor carries its version: `1.<state>.<place in base 36>`. */
function readCursor(cursor: string): Position {
  const [, state, place] = /^1\.([1-3])\.([0-9a-z]{1,4})$/.exec(cursor) ?? []
  if (state !== undefined && place !== undefined) return { state: Number(state), place: Number.parseInt(place, 36) }
  const message = 'the cursor is not one that this list has given: begin without one'
  throw new AppError('VALIDATION_FAILED', message, { errors: [{ path: 'cursor', code: 'BAD_FORMAT', message }] })
}

async function visibleRow(tx: ReadTx, { accountId, seesAll }: BulkReader, bulkId: number): Promise<BulkRow | null> {
  const [row] = await tx.all<BulkRow>('SELECT * FROM bulk WHERE id = ?', [bulkId])
  return row !== undefined && (seesAll || row.owner_id === accountId) ? row : null
}

function bulkOf(row: BulkRow, accountId: number): Bulk {
  const filter = row.filter === null ? null : parseJson(row.filter)
  return {
    id: row.id,
    kind: kindOfBulk(row),
    action: actionOfBulk(row),
    cancelRunning: row.cancel_running === 1,
    filter: typeof filter === 'object' && filter !== null ? { ...filter } : null,
    state: stateOfBulk(row),
    total: row.total,
    done: row.done,
    failed: row.failed,
    actor: callerOfBulk(row).actor,
    isOwn: row.owner_id === accountId,
    createdAt: instantText(row.created_at),
    endedAt: instantText(row.ended_at),
  }
}

/** Names of what has gone out of sight since are not told. */
async function shownItems(tx: ReadTx, bulk: BulkRow, rows: readonly BulkItemRow[], scope: Scope): Promise<BulkItem[]> {
  const groups = await namesOfGroups(
    tx,
    rows.map((row) => row.group_id),
  )
  return rows.map((row) => {
    const isShown = isVisible(scope, row.group_id)
    const problem = row.problem === null ? null : parseJson(row.problem)
    return {
      place: row.place,
      targetId: row.target_id,
      name: isShown ? row.name : '',
      groupName: isShown ? (groups.get(row.group_id) ?? '') : '',
      state: stateOfItem(bulk, row.state),
      runId: row.run_id,
      problem: problemCheck.Check(problem) ? problem : null,
    }
  })
}

function stateOfItem({ stage }: BulkRow, state: number): BulkItem['state'] {
  if (state === BULK_ITEM.failed) return 'failed'
  if (state === BULK_ITEM.done) return 'done'
  return stage === BULK_STAGE.canceled ? 'canceled' : 'waiting'
}
