import { expect, it } from 'vitest'
import { middleFor, wholeZoom } from './sight.ts'

const row = new Map(Array.from({ length: 10 }, (_, index) => [`s${String(index)}`, { x: index * 300, y: 0 }]))
const view = { width: 1000, height: 500 }

it('sees the whole at the zoom at which its longer side fits', () => {
  expect(wholeZoom(row, view)).toBeCloseTo(1000 / (2700 + 216 + 80))
  expect(wholeZoom(new Map([['a', { x: 7, y: 9 }]]), view)).toBeGreaterThan(1)
})

it('puts a step into the middle, but looks past no end of the graph', () => {
  expect(middleFor('s5', row, view, 1)?.x).toBe(1608)
  expect(middleFor('s0', row, view, 1)?.x).toBe(460)
  expect(middleFor('s9', row, view, 1)?.x).toBe(2916 + 40 - 500)
  // across there is room for all of it
  expect(middleFor('s5', row, view, 1)?.y).toBe(30)
})

it('looks at nothing where a step has no place', () => {
  expect(middleFor('x', row, view, 1)).toBeNull()
})
