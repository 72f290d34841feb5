import { grantPlaces, REASON } from '@tickwheel/core'
import type { Database, ReadTx, Tx } from './database.ts'
import { listOfNumbers } from './list.ts'

/** Waiting runs of other nodes that are looked at beyond the places that are free. */
const LOOKED_AT = 100

/** Groups that have a limit, with how many of their attempts may be in flight over all nodes. */
export async function readGroupLimits(db: Database): Promise<Map<number, number>> {
  const rows = await db.read((tx) => tx.all<LimitRow>('SELECT id, concurrency FROM task_group WHERE concurrency > 0'))
  return new Map(rows.map((row) => [row.id, row.concurrency]))
}

/** Which of these groups have a limit. */
export async function limitedOf(tx: ReadTx, groupIds: Iterable<number>): Promise<Set<number>> {
  const ids = [...new Set(groupIds)].sort((a, b) => a - b)
  if (ids.length === 0) return new Set()
  const list = listOfNumbers(ids)
  const rows = await tx.all<{ id: number }>(`SELECT id FROM task_group WHERE id IN ${list.sql} AND concurrency > 0`, list.params)
  return new Set(rows.map((row) => row.id))
}

interface LimitRow {
  readonly id: number
  readonly concurrency: number
}

/** A run that its node would dispatch now. */
export interface Candidate {
  readonly id: number
  readonly groupId: number
  readonly rankAt: number
}

/** Why not all of a group's candidates may go. */
export interface GroupFull {
  readonly groupId: number
  readonly used: number
  readonly max: number
  /** another node is just taking places: look again at once */
  readonly isBusy: boolean
}

export interface Places {
  /** ids of the candidates that may go */
  readonly granted: ReadonlySet<number>
  readonly full: readonly GroupFull[]
}

/**
 * Which of some queued runs may be dispatched under the limits of their groups. Counts what is in flight in the store itself, under a lock of the group's
 * row that this transaction keeps until its commit: whoever dispatches for the group at another node counts before it or after it, so that the limit
 * holds exactly whatever becomes of messages. Ends take no lock: they only make room. `ownSlots`: of the caller, as far as it knows. Lock order: slot, group,
 * open_instance.
 */
export async function takePlaces(tx: Tx, ownSlots: ReadonlySet<number>, candidates: readonly Candidate[]): Promise<Places> {
  const granted = new Set(candidates.map((one) => one.id))
  const limited = [
    ...(await limitedOf(
      tx,
      candidates.map((one) => one.groupId),
    )),
  ].sort((a, b) => a - b)
  if (limited.length === 0) return { granted, full: [] }
  const locked = await lockLimits(tx, limited)
  const used = await inFlight(tx, limited)
  const full: GroupFull[] = []
  for (const groupId of limited) {
    const own = candidates.filter((one) => one.groupId === groupId)
    const max = locked.get(groupId)
    const now = used.get(groupId) ?? 0
    const room = max === undefined ? 0 : max - now
    const may = room <= 0 ? new Set<number>() : await grantOf(tx, { groupId, ownSlots, own, room })
    for (const { id } of own) if (!may.has(id)) granted.delete(id)
    if (may.size < own.length) full.push({ groupId, used: now + may.size, max: max ?? 0, isBusy: max === undefined })
  }
  return { granted, full }
}

/** A group whose row another transaction has locked is left out: firing does not wait for it. */
async function lockLimits(tx: Tx, groupIds: readonly number[]): Promise<Map<number, number>> {
  const list = listOfNumbers(groupIds)
  const rows = await tx.all<{ id: number; concurrency: number | null }>(
    `SELECT id, concurrency FROM task_group WHERE id IN ${list.sql} ORDER BY id${tx.locks.updateFree}`,
    list.params,
  )
  // a limit that was taken away meanwhile is none
  return new Map(rows.map((row) => [row.id, (row.concurrency ?? 0) > 0 ? Number(row.concurrency) : Infinity]))
}

async function inFlight(tx: ReadTx, groupIds: readonly number[]): Promise<Map<number, number>> {
  const list = listOfNumbers(groupIds)
  const rows = await tx.all<{ group_id: number; n: number }>(
    `SELECT group_id, COUNT(*) AS n FROM open_instance WHERE phase IN (3, 4) AND (children_made IS NULL OR reduce = 2) AND runs_workflow IS NULL AND group_id IN ${list.sql} GROUP BY group_id`,
    list.params,
  )
  return new Map(rows.map((row) => [row.group_id, row.n]))
}

/** Runs of other nodes that wait for nothing but the limit, and stand before ours, come first. */
async function grantOf(
  tx: ReadTx,
  { groupId, ownSlots, own, room }: { groupId: number; ownSlots: ReadonlySet<number>; own: readonly Candidate[]; room: number },
): Promise<Set<number>> {
  const heads = await tx.all<{ id: number; rank_at: number; slot: number; wait_code: number | null }>(
    'SELECT id, rank_at, slot, wait_code FROM open_instance WHERE phase = 2 AND lane = ? ORDER BY rank_at LIMIT ?',
    [groupId, LOOKED_AT + Math.min(room, 1000)],
  )
  const others = heads.filter((row) => row.wait_code === REASON.waitsForGroupLimit && !ownSlots.has(row.slot))
  return grantPlaces(
    [
      ...own.map(({ id, rankAt }) => ({ id, rankAt, isMine: true })),
      ...others.map((row) => ({ id: row.id, rankAt: row.rank_at, isMine: false })),
    ],
    room,
  )
}
