import { describe, expect, it } from 'vitest'
import { ownersOf, slotsOf } from './owners.ts'
import { SLOT_COUNT } from './slot.ts'

const RUN_ID = 5_000_000 * 2 ** 21
const nodes = Array.from({ length: 12 }, (_, index) => RUN_ID + index * 7)

describe('owners of slots', () => {
  it('are nobody when no node is alive, and the one node when it is alone', () => {
    expect(ownersOf([])).toEqual(new Array(SLOT_COUNT).fill(null))
    expect(ownersOf([5])).toEqual(new Array(SLOT_COUNT).fill(5))
  })

  it('do not depend on the order in which nodes are listed', () => {
    expect(ownersOf(nodes.toReversed())).toEqual(ownersOf(nodes))
  })

  it('change only for the slots of a node that leaves', () => {
    const before = ownersOf(nodes)
    for (const leaving of nodes) {
      const after = ownersOf(nodes.filter((node) => node !== leaving))
      for (let slot = 0; slot < SLOT_COUNT; slot++) if (before[slot] !== leaving) expect(after[slot]).toBe(before[slot])
    }
  })

  it('change only towards a node that joins', () => {
    for (let count = 1; count < nodes.length; count++) {
      const before = ownersOf(nodes.slice(0, count))
      const joined = nodes[count]
      ownersOf(nodes.slice(0, count + 1)).forEach((owner, slot) => expect([before[slot], joined]).toContain(owner))
    }
  })

  it('share the slots: every node has between a third of and twice its fair part, and all slots are had', () => {
    for (let count = 2; count <= nodes.length; count++) {
      const owners = ownersOf(nodes.slice(0, count))
      const shares = nodes.slice(0, count).map((node) => slotsOf(owners, node).length)
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(SLOT_COUNT)
      for (const share of shares) {
        expect(share).toBeGreaterThan(SLOT_COUNT / count / 3)
        expect(share).toBeLessThan((SLOT_COUNT / count) * 2)
      }
    }
  })
})
