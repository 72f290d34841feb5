import { AppError, MAX_BULKS_RUNNING, type BulkBody, type BulkPreview } from '@tickwheel/contract'
import { slotOf, type Scope } from '@tickwheel/core'
import { writeAudit } from './audit.ts'
import { findTargets, type Target } from './bulk-find.ts'
import { ACTION_CODES, actionOfBulk, BULK_ITEM, BULK_STAGE, KIND_CODES, kindOfBulk, stateOfBulk } from './bulk-rows.ts'
import { accountOf, type Caller } from './caller.ts'
import type { Database, Tx } from './database.ts'
import { namesOfGroups } from './groups.ts'
import { takeEntityId } from './ids.ts'
import { BULK_LEVEL, requireLevel } from './levels.ts'
import { againWhenTaken } from './lock.ts'
import type { BulkRow } from './schema.ts'
import { isVisible } from './scope.ts'
import { answered, remember } from './trigger.ts'

/** What a dry run shows, at most. */
const SHOWN = 20

export interface BulkRequest {
  readonly body: BulkBody
  /** where the caller may see such things: what lies outside is not there for them */
  readonly scope: Scope
  readonly now: number
  readonly auditId: number
  readonly caller: Caller
  readonly keyHash: string | null
}

export interface Begun {
  readonly bulkId: number
  readonly total: number
}

/**
 * Accepts a bulk operation: what it is about is settled and written here, and who owns its slot carries it out. A repeated `keyHash` answers what the first
 * answered. 422 where nothing matches, or too much; 409 `LIMIT_REACHED` while the caller has 20 that run.
 */
export async function startBulk(db: Database, request: BulkRequest): Promise<Begun> {
  const { body, scope, now, auditId, caller, keyHash } = request
  const ownerId = accountOf(caller)
  if (ownerId === null) throw new Error('a bulk operation is begun by a person, or a token of theirs')
  const before = await repeated(db, keyHash)
  if (before !== null) return before
  const targets = await findTargets(db, scope, body)
  return againWhenTaken(() =>
    db.write('rest', async (tx) => {
      const first = await begun(tx, await answered(tx, keyHash))
      if (first !== null) return first
      await requireLevel(tx, BULK_LEVEL, await tx.now(), { what: 'carry out bulk operations', remedy: 'start it afterwards' })
      await requireRoom(tx, ownerId)
      const id = await takeEntityId(tx)
      await tx.insert('bulk', [newBulk({ id, ownerId, total: targets.length, request })])
      await tx.insert(
        'bulk_item',
        targets.map((target, index) => ({
          bulk_id: id,
          place: index + 1,
          target_id: target.id,
          group_id: target.groupId,
          name: target.name,
          state: BULK_ITEM.waiting,
          run_id: null,
          problem: null,
        })),
      )
      await remember(tx, { keyHash, runId: id, at: now })
      await writeAudit(tx, now, auditId, caller, {
        action: 'bulk:start',
        resource: { kind: 'bulk', id, key: `${body.kind}:${body.action}` },
        groupId: commonGroup(targets),
        after: { kind: body.kind, action: body.action, total: targets.length, ...askedOf(body) },
      })
      return { bulkId: id, total: targets.length }
    }),
  )
}

async function repeated(db: Database, keyHash: string | null): Promise<Begun | null> {
  if (keyHash === null) return null
  return db.write('rest', async (tx) => begun(tx, await answered(tx, keyHash)))
}

async function begun(tx: Tx, bulkId: number | null): Promise<Begun | null> {
  if (bulkId === null) return null
  const [row] = await tx.all<{ total: number }>('SELECT total FROM bulk WHERE id = ?', [bulkId])
  return { bulkId, total: row?.total ?? 0 }
}

async function requireRoom(tx: Tx, ownerId: number): Promise<void> {
  const [running] = await tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM bulk WHERE owner_id = ? AND stage = ?', [
    ownerId,
    BULK_STAGE.running,
  ])
  if ((running?.n ?? 0) < MAX_BULKS_RUNNING) return
  const message = `${MAX_BULKS_RUNNING} bulk operations of this account are running, and no more may: wait until one is done, or cancel one.`
  throw new AppError('LIMIT_REACHED', message, { params: { max: MAX_BULKS_RUNNING } })
}

/** Who reads the audit log of one group is told of what concerns that group alone. */
function commonGroup(targets: readonly Target[]): number | null {
  const [first] = targets
  return first !== undefined && first.groupId !== 0 && targets.every((target) => target.groupId === first.groupId) ? first.groupId : null
}

function askedOf(body: BulkBody): Record<string, unknown> {
  return {
    ...(body.filter === undefined ? {} : { filter: body.filter }),
    ...('cancelRunning' in body && body.cancelRunning ? { cancelRunning: true } : {}),
  }
}

function newBulk({ id, ownerId, total, request }: { id: number; ownerId: number; total: number; request: BulkRequest }): BulkRow {
  const { body, caller, now } = request
  return {
    id,
    slot: slotOf('bulk', id),
    stage: BULK_STAGE.running,
    kind: KIND_CODES[body.kind],
    action: ACTION_CODES[body.action],
    cancel_running: 'cancelRunning' in body && body.cancelRunning ? 1 : 0,
    owner_id: ownerId,
    caller: JSON.stringify(caller),
    filter: body.filter === undefined ? null : JSON.stringify(body.filter),
    total,
    done: 0,
    failed: 0,
    created_at: now,
    ended_at: null,
  }
}

/** What a bulk operation would be done to; nothing is changed. `mayDo`: where the caller may do it. */
export async function previewBulk(
  db: Database,
  { body, scope, mayDo }: Pick<BulkRequest, 'body' | 'scope'> & { readonly mayDo: Scope },
): Promise<BulkPreview> {
  const targets = await findTargets(db, scope, body)
  const shown = targets.filter((target) => target.groupId !== 0).slice(0, SHOWN)
  const groups = await db.read((tx) =>
    namesOfGroups(
      tx,
      shown.map((target) => target.groupId),
    ),
  )
  return {
    total: targets.length,
    refused: targets.filter((target) => !isVisible(mayDo, target.groupId) || target.groupId === 0).length,
    items: shown.map(({ id, groupId, name }) => ({ targetId: id, name, groupName: groups.get(groupId) ?? '' })),
  }
}

export interface CancelBulkRequest extends Omit<BulkRequest, 'body' | 'keyHash' | 'scope'> {
  readonly bulkId: number
}

/** Does nothing more of it. The caller was found to be who may. 404 `BULK_NOT_FOUND`, 409 `BULK_ENDED`. */
export async function cancelBulk(db: Database, { bulkId, now, auditId, caller }: CancelBulkRequest): Promise<void> {
  await db.write('rest', async (tx) => {
    const [row] = await tx.all<BulkRow>(`SELECT * FROM bulk WHERE id = ?${tx.locks.update}`, [bulkId])
    if (row === undefined) throw bulkNotFound(bulkId)
    if (row.stage !== BULK_STAGE.running) {
      const state = stateOfBulk(row)
      throw new AppError('BULK_ENDED', `Bulk operation ${bulkId} has ended already: ${state}.`, { params: { state } })
    }
    await tx.run('UPDATE bulk SET stage = ?, ended_at = ? WHERE id = ?', [BULK_STAGE.canceled, now, bulkId])
    await writeAudit(tx, now, auditId, caller, {
      action: 'bulk:cancel',
      resource: { kind: 'bulk', id: bulkId, key: `${kindOfBulk(row)}:${actionOfBulk(row)}` },
      groupId: null,
      after: { done: row.done, failed: row.failed, left: row.total - row.done - row.failed },
    })
  })
}

export function bulkNotFound(id: number): AppError {
  return new AppError('BULK_NOT_FOUND', `There is no bulk operation ${id} that you may see.`, { params: { id } })
}
