import { SLOT_COUNT } from '@tickwheel/core'
import type { ClusterNode, ClusterSlot, ClusterView } from '../../api/cluster.ts'
import { markAt, type NodeMark } from './node-marks.ts'

export const MAP_WIDTH = 16

/** `owned`: by a live node; `orphaned`: its owner is silent or unknown; `free`: nobody's. */
export type SlotState = 'owned' | 'orphaned' | 'free'

export interface SlotCell {
  readonly slot: number
  readonly state: SlotState
  /** null: nobody, or a node that has left the list */
  readonly owner: ClusterNode | null
  readonly ownerId: number | null
  readonly mark: NodeMark | null
  readonly fence: number
  /** null: never taken */
  readonly takenAt: string | null
  readonly lease: { readonly holder: ClusterNode | null; readonly holderId: number; readonly remainingMs: number; readonly isOther: boolean } | null
}

/** Every slot, in order; one that the answer leaves out is free. */
export function slotCells(view: ClusterView, places: ReadonlyMap<number, number>): SlotCell[] {
  const nodes = new Map(view.nodes.map((node) => [node.runId, node]))
  const told = new Map(view.slots.map((slot) => [slot.slot, slot]))
  return Array.from({ length: SLOT_COUNT }, (_, slot) => cellOf(told.get(slot) ?? untold(slot), nodes, places))
}

/** How many slots are in each state. */
export function countStates(cells: readonly SlotCell[]): Record<SlotState, number> {
  const counts: Record<SlotState, number> = { owned: 0, orphaned: 0, free: 0 }
  for (const cell of cells) counts[cell.state] += 1
  return counts
}

/** The slot that a key leads to from `slot`, inside the map; null: the key means nothing here. */
export function slotByKey(slot: number, key: string): number | null {
  const column = slot % MAP_WIDTH
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, slot - 1)
    case 'ArrowRight':
      return Math.min(SLOT_COUNT - 1, slot + 1)
    case 'ArrowUp':
      return slot < MAP_WIDTH ? slot : slot - MAP_WIDTH
    case 'ArrowDown':
      return slot + MAP_WIDTH < SLOT_COUNT ? slot + MAP_WIDTH : slot
    case 'Home':
      return slot - column
    case 'End':
      return slot - column + MAP_WIDTH - 1
    case 'PageUp':
      return column
    case 'PageDown':
      return SLOT_COUNT - MAP_WIDTH + column
    default:
      return null
  }
}

function cellOf({ slot, owner, fence, takenAt, lease }: ClusterSlot, nodes: ReadonlyMap<number, ClusterNode>, places: ReadonlyMap<number, number>): SlotCell {
  const node = owner === null ? null : (nodes.get(owner) ?? null)
  const place = owner === null ? undefined : places.get(owner)
  return {
    slot, fence, owner: node, ownerId: owner,
    state: owner === null ? 'free' : node?.isAlive === true ? 'owned' : 'orphaned',
    mark: place === undefined ? null : markAt(place),
    takenAt: fence === 0 ? null : takenAt,
    lease: lease === null ? null : { holder: nodes.get(lease.owner) ?? null, holderId: lease.owner, remainingMs: lease.remainingMs, isOther: lease.owner !== owner },
  }
}

function untold(slot: number): ClusterSlot {
  return { slot, owner: null, fence: 0, takenAt: new Date(0).toISOString(), lease: null }
}
