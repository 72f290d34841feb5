import { expect, it } from 'vitest'
import { linePath } from './line-path.ts'

const places = new Map([['a', { x: 0, y: 0 }], ['b', { x: 400, y: 100 }]])
const edge = { place: 0, from: 'a', to: 'b' }

it('leads from the right of a node to the left of the other', () => {
  expect(linePath({ places, ways: new Map() }, edge)?.path).toBe('M216,30C305.5,30 305.5,130 395,130')
})

it('passes by the points of its way', () => {
  expect(linePath({ places, ways: new Map([[0, [{ x: 300, y: -40 }]]]) }, edge)?.path).toContain(' 300,-40C')
})

it('is not drawn to a step that has no place', () => {
  expect(linePath({ places, ways: new Map() }, { ...edge, to: 'c' })).toBeNull()
})
