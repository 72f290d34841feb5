import { expect, it } from 'vitest'
import { ganttOf, ticksOf } from './gantt.ts'
import { at, runOf } from './workflow-run.fixture.ts'

const NOW = Date.parse(at(100))

it('puts bars in the order in which steps began, as shares of the run', () => {
  const gantt = ganttOf(runOf({ b: { from: 5, to: 10 }, a: { from: 0, to: 5 } }), ['a'], NOW)
  expect(gantt.rows.map(({ key, left, width, isCritical }) => [key, left, width, isCritical])).toEqual([
    ['a', 0, 0.5, true],
    ['b', 0.5, 0.5, false],
  ])
  expect(gantt.spanMs).toBe(10_000)
})

it('ends the bar of a step that runs at this moment', () => {
  const [row] = ganttOf(runOf({ a: { from: 50 } }), [], NOW).rows
  expect(row).toMatchObject({ left: 0, width: 1, ms: 50_000, isOpen: true })
})

it('counts the steps that have no bar', () => {
  const gantt = ganttOf(runOf({ a: { from: 0, to: 1 }, kept: { from: -90, to: -80, reusedFrom: 3 }, skipped: { to: 1, state: 'skipped' }, later: {} }), [], NOW)
  expect(gantt).toMatchObject({ without: 3, spanMs: 1000 })
})

it('keeps a bar of two clocks that disagree from going backwards', () => {
  expect(ganttOf(runOf({ a: { from: 5, to: 4 }, b: { from: 0, to: 6 } }), [], NOW).rows.find(({ key }) => key === 'a')?.ms).toBe(0)
})

it.each([
  ['milliseconds', 7, [0, 1, 2, 3, 4, 5, 6, 7]],
  ['seconds', 61_000, [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]],
  ['hours', 5 * 3_600_000, [0, 1, 2, 3, 4, 5].map((hours) => hours * 3_600_000)],
])('marks round %s', (_why, span, expected) => {
  expect(ticksOf(span, 8).map(({ ms }) => ms)).toEqual(expected)
})

it.each([1, 999, 3_600_000, 400 * 86_400_000])('marks a span of %d ms at most so often', (span) => {
  expect(ticksOf(span, 8).length).toBeLessThanOrEqual(9)
})

it('lays out a thousand steps', () => {
  const steps = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`s${String(index)}`, { from: index, to: index + 2 }]))
  expect(ganttOf(runOf(steps), [], NOW).rows).toHaveLength(1000)
})
