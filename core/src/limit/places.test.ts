import { expect, it } from 'vitest'
import { grantPlaces } from './places.ts'

const one = (id: number, rankAt: number, isMine = true) => ({ id, rankAt, isMine })

it('gives the places that are free to the first in the queue, and none beyond', () => {
  expect(grantPlaces([one(3, 30), one(1, 10), one(2, 20)], 2)).toEqual(new Set([1, 2]))
  expect(grantPlaces([one(1, 10)], 0)).toEqual(new Set())
  expect(grantPlaces([one(1, 10)], -3)).toEqual(new Set())
})

it('leaves a place that falls to the run of another to it', () => {
  expect(grantPlaces([one(1, 10), one(2, 5, false), one(3, 20)], 2)).toEqual(new Set([1]))
  expect(grantPlaces([one(1, 10), one(2, 15, false)], 1)).toEqual(new Set([1]))
})

it('goes by id where ranks are the same, so that two nodes never leave a place to each other', () => {
  expect(grantPlaces([one(7, 10), one(5, 10, false)], 1)).toEqual(new Set())
  expect(grantPlaces([one(7, 10, false), one(5, 10)], 1)).toEqual(new Set([5]))
})
