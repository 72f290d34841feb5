import { hashInteger } from './hash.ts'
import { SLOT_COUNT } from './slot.ts'

/** The node that should own each slot, by slot number; null where no node is alive. */
export type SlotOwners<Node extends number> = readonly (Node | null)[]

/**
 * Who should own which slot when exactly these nodes are alive: rendezvous hashing (Thaler and Ravishankar, 1998). Each slot goes to the
 * node with the highest hash of (node, slot), so every node computes the same answer whatever the order of the list, a leaving node's slots
 * are the only ones that move, and a joining node takes about its share and leaves all others where they are.
 * It says who *should* own; who does own is the row in the database.
 */
export function ownersOf<Node extends number>(nodes: readonly Node[]): SlotOwners<Node> {
  return Array.from({ length: SLOT_COUNT }, (_, slot) => ownerOf(slot, nodes))
}

/** The slots of one node, ascending. */
export function slotsOf<Node extends number>(owners: SlotOwners<Node>, node: Node): readonly number[] {
  return owners.flatMap((owner, slot) => (owner === node ? [slot] : []))
}

function ownerOf<Node extends number>(slot: number, nodes: readonly Node[]): Node | null {
  let owner: Node | null = null
  let highest = -1
  for (const node of nodes) {
    const weight = hashInteger(node, slot + 1)
    if (weight > highest || (weight === highest && owner !== null && node < owner)) [owner, highest] = [node, weight]
  }
  return owner
}
