import type { Database, Tx } from './database.ts'
import { listOfNumbers } from './list.ts'
import type { SlotRow } from './schema.ts'

/** What a transaction of a slot owner names: the fence that it holds for each slot. */
export type Fences = ReadonlyMap<number, number>

/**
 * Locks the slots (shared) and gives those whose fence is still the caller's. Another fence: someone else owns the slot since, and everything that
 * was decided for it from memory must be dropped.
 */
export async function heldSlots(tx: Tx, fences: Fences): Promise<Set<number>> {
  const slots = [...fences.keys()].sort((a, b) => a - b)
  if (slots.length === 0) return new Set()
  const list = listOfNumbers(slots)
  const rows = await tx.all<{ id: number; fence: number }>(
    `SELECT id, fence FROM slot WHERE id IN ${list.sql} ORDER BY id${tx.locks.share}`,
    list.params,
  )
  return new Set(rows.filter((row) => fences.get(row.id) === row.fence).map((row) => row.id))
}

export interface TakeRequest {
  readonly runId: number
  /** each slot with the fence that it had when the caller decided to take it */
  readonly wanted: Fences
  /** Owners that beat no more, as far as the caller saw, with the last beat that it saw. One that has beaten since keeps its slots, whatever clocks say. */
  readonly dead: ReadonlyMap<number, number>
}

export interface Taken {
  /** what the caller holds now */
  readonly fences: Map<number, number>
  /** slots that another process has taken since the caller looked */
  readonly contended: number
}

/**
 * Takes slots that are free, the caller's already, or of a process that beats no more; each gets a larger fence. A slot whose row another transaction
 * has locked is left out: it is tried again with the next look.
 */
export async function takeSlots(db: Database, { runId, wanted, dead }: TakeRequest): Promise<Taken> {
  return db.write('rest', async (tx) => {
    const slots = [...wanted.keys()].sort((a, b) => a - b)
    if (slots.length === 0) return { fences: new Map(), contended: 0 }
    const list = listOfNumbers(slots)
    const rows = await tx.all<SlotRow>(`SELECT * FROM slot WHERE id IN ${list.sql} ORDER BY id${tx.locks.updateFree}`, list.params)
    const beats = await beatsOf(tx)
    const mine = rows.filter(
      ({ owner_run: owner }) => owner === null || owner === runId || !beats.has(owner) || beats.get(owner) === dead.get(owner),
    )
    const at = await tx.now()
    await tx.runMany(
      'UPDATE slot SET owner_run = ?, fence = ?, taken_at = ? WHERE id = ?',
      mine.map((row) => [runId, row.fence + 1, at, row.id]),
    )
    return {
      fences: new Map(mine.map((row) => [row.id, row.fence + 1])),
      contended: rows.filter((row) => row.fence !== wanted.get(row.id) && row.owner_run !== runId).length,
    }
  })
}

async function beatsOf(tx: Tx): Promise<Map<number, number>> {
  const rows = await tx.all<{ run_id: number; beat_at: number }>('SELECT run_id, beat_at FROM node')
  return new Map(rows.map((row) => [row.run_id, row.beat_at]))
}

/** Gives slots back, as far as they are still the caller's: they are free at once. */
export async function releaseSlots(db: Database, runId: number, fences: Fences): Promise<void> {
  await db.write('rest', async (tx) => {
    const slots = [...fences].sort(([a], [b]) => a - b)
    await tx.runMany(
      'UPDATE slot SET owner_run = NULL WHERE id = ? AND owner_run = ? AND fence = ?',
      slots.map(([slot, fence]) => [slot, runId, fence]),
    )
  })
}
