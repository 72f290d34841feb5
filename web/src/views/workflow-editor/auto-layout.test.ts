import type { Edge, Step } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { autoLayout, GRID, placesOf } from './auto-layout.ts'
import { nodeSize } from './node-size.ts'

const task = (key: string): Step => ({ key, kind: 'task', task: 'default/a' })
const steps = ['a', 'b', 'c', 'd'].map(task)
const edges: Edge[] = [{ from: 'a', to: 'b' }, { from: 'a', to: 'c' }, { from: 'b', to: 'd' }, { from: 'c', to: 'd' }]

describe('automatic layout', () => {
  it('goes left to right along the edges, and lays no step over another', () => {
    const places = autoLayout(steps, edges)
    for (const { from, to } of edges) expect((places[to]?.x ?? 0) - (places[from]?.x ?? 0)).toBeGreaterThan(nodeSize(task(from)).width)
    expect(Math.abs((places['b']?.y ?? 0) - (places['c']?.y ?? 0))).toBeGreaterThanOrEqual(nodeSize(task('b')).height)
    for (const { x, y } of Object.values(places)) expect([x % GRID, y % GRID].map(Math.abs)).toEqual([0, 0])
  })

  it('is the same for the same graph, and bears circles and edges to nowhere', () => {
    expect(autoLayout(steps, edges)).toEqual(autoLayout(steps, edges))
    expect(Object.keys(autoLayout(steps, [...edges, { from: 'd', to: 'a' }, { from: 'a', to: 'gone' }, { from: 'a', to: 'a' }]))).toHaveLength(4)
    expect(autoLayout([], [])).toEqual({})
  })

  it.each([[1, 2], [2, 1]])('puts what follows a step in the order of its handles, and a repair below the normal way (edges told as %i, %i)', (first, second) => {
    const drawn: Step[] = [{ key: 'enough', kind: 'condition', when: 'true' }, task('load'), task('repair'), task('report')]
    const joined: Edge[] = [
      ...[first, second].map((one): Edge => (one === 1 ? { from: 'enough', to: 'load', on: 'branch', branch: 'true' } : { from: 'enough', to: 'report', on: 'branch', branch: 'false' })),
      { from: 'load', to: 'report' }, { from: 'load', to: 'repair', on: 'failure' }, { from: 'repair', to: 'report' },
    ]
    const places = autoLayout(drawn, joined)
    expect(places['repair']?.y).toBeGreaterThanOrEqual(places['load']?.y ?? 0)
    expect(places['load']?.y).toBeLessThanOrEqual(places['enough']?.y ?? 0)
  })

  it('leaves what a person placed where it is, and puts the rest below it', () => {
    const given = { a: { x: 0, y: 0 }, b: { x: 400, y: 160 } }
    const places = placesOf(steps, edges, given)
    expect(places).toMatchObject(given)
    expect(Math.min(places['c']?.y ?? 0, places['d']?.y ?? 0)).toBeGreaterThan(160)
    expect(placesOf(steps.slice(0, 2), [], given)).toBe(given)
  })
})
