import { describe, expect, it } from 'vitest'
import { SLOT_COUNT, slotOf } from './slot.ts'
import type { SlotKind } from './slot.ts'

const KINDS: readonly SlotKind[] = ['task', 'workflow', 'series', 'group']

describe('the slot of a thing', () => {
  it('is what it has always been, because it is stored on rows', () => {
    const ids = [1, 2, 3, 1000, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]
    expect(Object.fromEntries(KINDS.map((kind) => [kind, ids.map((id) => slotOf(kind, id))]))).toMatchInlineSnapshot(`
      {
        "group": [
          17,
          189,
          31,
          168,
          58,
          176,
          144,
          150,
        ],
        "series": [
          149,
          203,
          211,
          207,
          135,
          133,
          110,
          234,
        ],
        "task": [
          120,
          177,
          82,
          35,
          36,
          255,
          30,
          167,
        ],
        "workflow": [
          89,
          120,
          160,
          172,
          99,
          159,
          116,
          11,
        ],
      }
    `)
  })

  it.each([
    ['counted one by one', (n: number) => n + 1],
    ['counted in steps of 256', (n: number) => n * 256],
    ['like run ids, beyond 32 bits', (n: number) => 10_000_000 * 2 ** 21 + n * 2 ** 21],
  ])('spreads ids that are %s evenly over all slots', (_, idOf) => {
    for (const kind of KINDS) {
      const counts = new Array<number>(SLOT_COUNT).fill(0)
      for (let n = 0; n < 256_000; n++) counts[slotOf(kind, idOf(n))] = (counts[slotOf(kind, idOf(n))] ?? 0) + 1
      const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
      expect(chiSquare, 'five standard deviations around the 255 degrees of freedom').toBeLessThan(255 + 5 * Math.sqrt(2 * 255))
    }
  })

  it('differs between kinds for the same id', () => {
    const same = Array.from({ length: 2560 }, (_, id) => slotOf('task', id) === slotOf('series', id)).filter(Boolean).length
    expect(same).toBeLessThan(40)
  })
})
