import { expect, it } from 'vitest'
import { flowOf, layoutOf, NODE_SIZE, savedFlowOf, type FlowShape } from './layout.ts'

const shape = (keys: string, ...edges: string[]): FlowShape => ({
  steps: [...keys].map((key) => ({ key })),
  edges: edges.map(([from = '', to = '']) => ({ from, to })),
})

it('puts a step to the right of every step that it waits for', () => {
  const places = layoutOf(shape('abcd', 'ab', 'ac', 'bd', 'cd', 'ad'))
  const x = (key: string) => places.get(key)?.x ?? Number.NaN
  for (const [from, to] of ['ab', 'ac', 'bd', 'cd'] as const) expect(x(to ?? '')).toBeGreaterThanOrEqual(x(from ?? '') + NODE_SIZE.width)
})

it('lets no two steps overlap', () => {
  const places = [...layoutOf(shape('abcdefgh', 'ab', 'ac', 'ad', 'be', 'ce', 'fg')).values()]
  for (const [index, one] of places.entries())
    for (const other of places.slice(index + 1)) expect(Math.abs(one.x - other.x) >= NODE_SIZE.width || Math.abs(one.y - other.y) >= NODE_SIZE.height).toBe(true)
})

it('gives the same places for the same graph', () => {
  const graph = shape('abcde', 'ab', 'cd', 'de', 'ae')
  expect([...layoutOf(graph)]).toEqual([...layoutOf(graph)])
})

it('stands an edge to a step that is not there, or to itself', () => {
  expect(layoutOf(shape('ab', 'ab', 'ax', 'xb', 'bb')).size).toBe(2)
})

it('keeps places that were saved for every step, and lays out anew where one is missing', () => {
  const layout = { a: { x: 7, y: 9 }, b: { x: 400, y: 9 } }
  expect(savedFlowOf({ ...shape('ab', 'ab'), layout }).places.get('b')).toEqual({ x: 400, y: 9 })
  expect(savedFlowOf({ ...shape('abc', 'ab'), layout })).toEqual(flowOf(shape('abc', 'ab')))
})

it('leads an edge around the steps that stand between its ends', () => {
  const { places, ways } = flowOf(shape('abcd', 'ab', 'bc', 'cd', 'ad'))
  expect([...ways.keys()]).toEqual([3])
  const isInside = (point: { x: number; y: number }) => [...places.values()].some(({ x, y }) => point.x > x && point.x < x + NODE_SIZE.width && point.y > y && point.y < y + NODE_SIZE.height)
  expect(ways.get(3)?.filter(isInside)).toEqual([])
})

it('lays out a thousand steps', () => {
  const steps = Array.from({ length: 1000 }, (_, index) => ({ key: `s${String(index)}` }))
  const edges = steps.slice(10).map(({ key }, index) => ({ from: `s${String(index)}`, to: key }))
  expect(layoutOf({ steps, edges }).size).toBe(1000)
})
