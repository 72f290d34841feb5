import { ownersOf, SLOT_COUNT } from '@tickwheel/core'
import type { ReadTx } from '../../../server/src/store/database.ts'

interface SlotSeen {
  readonly id: number
  readonly fence: number
  readonly owner_run: number | null
}

/** Invariant 7, in calm weather: every slot has one owner, the one that the living nodes agree on. (That fences only grow, triggers see.) */
export async function slotFaults(tx: ReadTx, living: readonly number[]): Promise<string[]> {
  const slots = await slotsSeen(tx)
  const owners = ownersOf([...living].sort((a, b) => a - b))
  const wrong = slots.filter((slot) => slot.owner_run !== owners[slot.id])
  return [
    ...(slots.length === SLOT_COUNT ? [] : [`slots: there are ${slots.length}`]),
    ...(wrong.length === 0
      ? []
      : [
          `slots: ${wrong.length} have another owner than they should, slot ${wrong[0]?.id} node ${wrong[0]?.owner_run} and not ${owners[wrong[0]?.id ?? 0]}`,
        ]),
  ]
}

/** The slots of a node, with their fences. */
export async function slotsOfNode(tx: ReadTx, runId: number): Promise<Map<number, number>> {
  return new Map((await slotsSeen(tx)).filter((slot) => slot.owner_run === runId).map((slot) => [slot.id, slot.fence]))
}

/** Invariant 7: each of these slots has had another owner since. */
export async function notTakenOver(tx: ReadTx, before: ReadonlyMap<number, number>): Promise<number> {
  return (await slotsSeen(tx)).filter((slot) => slot.fence <= (before.get(slot.id) ?? -1)).length
}

function slotsSeen(tx: ReadTx): Promise<SlotSeen[]> {
  return tx.all<SlotSeen>('SELECT id, fence, owner_run FROM slot ORDER BY id')
}
