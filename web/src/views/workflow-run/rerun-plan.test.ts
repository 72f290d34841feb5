import { describe, expect, it } from 'vitest'
import { hasUnfinished, rerunPlan, rootsOf } from './rerun-plan.ts'
import { runOf } from './workflow-run.fixture.ts'

const run = runOf(
  { a: { from: 0, to: 1 }, b: { from: 1, to: 2, state: 'failed' }, c: { to: 2, state: 'skipped', skippedBy: [1] }, side: { from: 1, to: 5 }, other: { to: 1, state: 'skipped', skippedBy: [3] } },
  { 'a>b': 'taken', 'b>c': 'blocked', 'a>side': 'taken', 'a>other': 'passed' },
)
const shape = (keys: readonly string[], ...edges: readonly string[]) => ({
  steps: keys.map((key) => ({ key, kind: 'task' as const, task: 'default/x' })),
  edges: edges.map((edge) => ({ from: edge.split('>')[0] ?? '', to: edge.split('>')[1] ?? '' })),
})

describe('what runs again', () => {
  it('without a choice is what failed and what was blocked by it; what was not chosen is decided anew', () => {
    expect(rerunPlan(run, run.definition, null)).toEqual({ again: ['b', 'c'], kept: ['a', 'side'], anew: ['other'], added: [], problem: null })
  })

  it('from a step is that step and all behind it, and what never succeeded', () => {
    expect(rerunPlan(run, run.definition, ['a'])).toMatchObject({ again: ['a', 'b', 'c', 'side'], kept: [] })
    expect(rerunPlan(run, run.definition, ['side'])).toMatchObject({ again: ['b', 'c', 'side'], kept: ['a'] })
  })

  it('in a later version includes what was added and stands behind it', () => {
    const graph = shape(['a', 'b', 'c', 'side', 'other', 'fix'], 'a>b', 'b>c', 'a>side', 'a>other', 'fix>side')
    expect(rerunPlan(run, graph, null)).toMatchObject({ again: ['b', 'c', 'side', 'fix'], kept: ['a'], added: ['fix'] })
  })

  it('names a kept step that a later version lacks, but not one that would run again anyway', () => {
    expect(rerunPlan(run, shape(['a', 'b'], 'a>b'), null).problem).toEqual({ code: 'unknownStep', key: 'side' })
    expect(rerunPlan(run, shape(['a']), ['a']).problem).toBeNull()
  })
})

it('says whether there is anything to go on with', () => {
  expect(hasUnfinished(run)).toBe(true)
  expect(hasUnfinished(runOf({ a: { from: 0, to: 1 }, b: { to: 1, state: 'skipped' } }))).toBe(false)
})

it('finds the steps with which everything begins', () => {
  expect(rootsOf(shape(['a', 'b', 'c'], 'a>b'))).toEqual(['a', 'c'])
})
