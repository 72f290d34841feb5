import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createOccupancy, firstOccupied, isOccupied, occupy, vacate } from './occupancy.ts'

describe('the occupancy of lists', () => {
  it('finds the first set bit of any range, as a plain set does', () => {
    const index = fc.nat(199)
    fc.assert(
      fc.property(fc.array(index), fc.array(index), index, fc.integer({ min: 0, max: 200 }), (set, cleared, from, to) => {
        const bits = createOccupancy(200)
        for (const one of set) occupy(bits, one)
        for (const one of cleared) vacate(bits, one)
        const expected = new Set(set).difference(new Set(cleared))
        for (let one = 0; one < 200; one++) expect(isOccupied(bits, one)).toBe(expected.has(one))
        const first = [...expected].filter((one) => one >= from && one < to).sort((a, b) => a - b)[0]
        expect(firstOccupied(bits, from, to)).toBe(first ?? -1)
      }),
    )
  })
})
