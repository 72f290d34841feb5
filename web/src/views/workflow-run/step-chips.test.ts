import { STEP_STATES } from '@tickwheel/core'
import { expect, it } from 'vitest'
import { chipsOfCounts, stepChips } from './step-chips.ts'

it('shows each state that steps are in, what failed first and what succeeded last', () => {
  expect(stepChips([{ state: 'succeeded' }, { state: 'running' }, { state: 'failed' }, { state: 'succeeded' }])).toEqual([
    { state: 'failed', count: 1 },
    { state: 'running', count: 1 },
    { state: 'succeeded', count: 2 },
  ])
})

it('leaves no state out, and a state of a newer server aside', () => {
  const counts = Object.fromEntries([...STEP_STATES, 'dreaming'].map((state) => [state, 1]))
  expect(new Set(chipsOfCounts(counts).map((chip) => chip.state))).toEqual(new Set(STEP_STATES))
})
