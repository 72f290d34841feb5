import { expect, it } from 'vitest'
import { criticalPath } from './critical-path.ts'
import { runOf } from './workflow-run.fixture.ts'

const diamond = (join?: 'any' | 'all' | { atLeast: number }) =>
  runOf(
    { start: { from: 0, to: 1 }, quick: { from: 1, to: 3 }, slow: { from: 1, to: 9 }, end: { from: 9, to: 10, ...(join === undefined ? {} : { join }) } },
    { 'start>quick': 'taken', 'start>slow': 'taken', 'quick>end': 'taken', 'slow>end': 'taken' },
  )

it('goes through the step for which the join waited longest', () => {
  expect(criticalPath(diamond())).toEqual({ steps: ['start', 'slow', 'end'], edges: new Set([1, 3]) })
})

it.each([
  ['the first that came where one is enough', 'any' as const, 'quick'],
  ['the second where two are needed', { atLeast: 2 }, 'slow'],
])('follows %s', (_why, join, through) => {
  expect(criticalPath(diamond(join)).steps).toEqual(['start', through, 'end'])
})

it('goes through a step that was skipped late, and waited for all the same', () => {
  const run = runOf(
    { a: { from: 0, to: 5 }, skipped: { to: 5, state: 'skipped' }, b: { from: 0, to: 2 }, end: { from: 5, to: 6 } },
    { 'a>skipped': 'passed', 'skipped>end': 'passed', 'b>end': 'taken' },
  )
  expect(criticalPath(run).steps).toEqual(['a', 'skipped', 'end'])
})

it('while the run goes on leads to the step that has been open longest', () => {
  const run = runOf({ a: { from: 0, to: 1 }, b: { from: 1 }, c: { from: 4 }, later: {} }, { 'a>b': 'taken', 'a>c': 'taken', 'b>later': null })
  expect(criticalPath(run).steps).toEqual(['a', 'b'])
})

it('begins behind steps that were kept from an earlier run', () => {
  const run = runOf({ kept: { from: 0, to: 50, reusedFrom: 7 }, again: { from: 60, to: 61 } }, { 'kept>again': 'taken' })
  expect(criticalPath(run)).toEqual({ steps: ['again'], edges: new Set() })
})

it('is empty before anything has begun', () => {
  expect(criticalPath(runOf({ a: {} }))).toEqual({ steps: [], edges: new Set() })
})
