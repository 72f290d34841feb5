import { expect, it } from 'vitest'
import { RUN_STATES } from '../../components/run-state.ts'
import { shardChips } from './shard-chips.ts'

it('shows each state that shards are in, what failed first and what succeeded last', () => {
  expect(shardChips({ counts: { succeeded: 9, running: 2, failed: 1 } })).toEqual([
    { state: 'failed', count: 1 },
    { state: 'running', count: 2 },
    { state: 'succeeded', count: 9 },
  ])
})

it('leaves no state out', () => {
  const counts = Object.fromEntries(RUN_STATES.map((state) => [state, 1]))
  expect(new Set(shardChips({ counts }).map((chip) => chip.state))).toEqual(new Set(RUN_STATES))
})
