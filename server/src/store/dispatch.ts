import { appendTrace, PHASE, type TraceEntry } from '@tickwheel/core'
import type { Database } from './database.ts'
import { takePlaces, type GroupFull } from './group-limits.ts'
import { lockOpen } from './open-runs.ts'
import { heldSlots, type Fences } from './slots.ts'

/** A queued run given to an executor. `rankAt`: where it stood in its lane. */
export interface Claim {
  readonly instanceId: number
  readonly slot: number
  readonly groupId: number
  readonly rankAt: number
  readonly attempt: number
  readonly executorId: number
  readonly bootId: number
  readonly trace: readonly TraceEntry[]
}

/** A run that must wait, or wait for another reason than before. `phase` 2: at its place in the lane; 1: set aside until `rankAt`. */
export interface Parking {
  readonly instanceId: number
  readonly slot: number
  readonly phase: 1 | 2
  readonly lane: number
  readonly rankAt: number
  readonly queuedAt: number | null
  readonly waitCode: number | null
  readonly waitFacts: string | null
  readonly trace: readonly TraceEntry[]
}

export interface DispatchOutcome {
  readonly claimed: ReadonlySet<number>
  readonly parked: ReadonlySet<number>
  /** groups whose limit let not all of their claims go */
  readonly full: readonly GroupFull[]
  /** another process owns some of the slots since */
  readonly isFenced: boolean
}

/**
 * Writes what the dispatcher decided for queued (and waiting) runs, before anything is sent. What has gone, was canceled, or was claimed meanwhile is
 * dropped; so is all of a slot whose fence is another's, and what the limit of its group does not let go. At most 500 runs.
 */
export async function dispatch(
  db: Database,
  at: number,
  fences: Fences,
  { claims, parkings, ownSlots }: { claims: readonly Claim[]; parkings: readonly Parking[]; ownSlots: ReadonlySet<number> },
): Promise<DispatchOutcome> {
  return db.write('fire', async (tx) => {
    const held = await heldSlots(tx, fences)
    const places = await takePlaces(
      tx,
      ownSlots,
      claims.filter((claim) => held.has(claim.slot)).map(({ instanceId, groupId, rankAt }) => ({ id: instanceId, groupId, rankAt })),
    )
    const rows = new Map(
      (
        await lockOpen(
          tx,
          [...claims, ...parkings].map((item) => item.instanceId),
          'updateFree',
        )
      ).map((row) => [row.id, row]),
    )
    const claimed = claims.filter((claim) => {
      const row = rows.get(claim.instanceId)
      return (
        held.has(claim.slot) &&
        places.granted.has(claim.instanceId) &&
        row !== undefined &&
        row.phase === PHASE.queued &&
        row.attempt === claim.attempt - 1 &&
        row.cancel_at === null
      )
    })
    const parked = parkings.filter((parking) => {
      const row = rows.get(parking.instanceId)
      return held.has(parking.slot) && row !== undefined && (row.phase === PHASE.waiting || row.phase === PHASE.queued)
    })
    await tx.runMany(
      'UPDATE open_instance SET phase = 3, lane = 0, attempt = ?, executor_id = ?, boot_id = ?, sent_at = ?, accepted_at = NULL, started_at = NULL, progress = NULL, rank_at = ?, wait_code = NULL, wait_facts = NULL, trace = ? WHERE id = ?',
      claimed.map((claim) => [
        claim.attempt,
        claim.executorId,
        claim.bootId,
        at,
        at + 1000,
        traceOf(rows.get(claim.instanceId), claim.trace),
        claim.instanceId,
      ]),
    )
    await tx.runMany(
      'UPDATE open_instance SET phase = ?, lane = ?, rank_at = ?, queued_at = ?, wait_code = ?, wait_facts = ?, trace = ? WHERE id = ?',
      parked.map((parking) => [
        parking.phase,
        parking.lane,
        parking.rankAt,
        parking.queuedAt,
        parking.waitCode,
        parking.waitFacts,
        traceOf(rows.get(parking.instanceId), parking.trace),
        parking.instanceId,
      ]),
    )
    return {
      claimed: new Set(claimed.map((claim) => claim.instanceId)),
      parked: new Set(parked.map((parking) => parking.instanceId)),
      full: places.full,
      isFenced: [...claims, ...parkings].some((item) => !held.has(item.slot)),
    }
  })
}

function traceOf(row: { trace: string; created_at: number } | undefined, entries: readonly TraceEntry[]): string {
  return row === undefined ? '[]' : appendTrace(row.trace, row.created_at, entries)
}
