import { expect, it } from 'vitest'
import { openRow } from '../store/store.fixture.ts'
import { OpenRuns } from './open-runs.ts'

it('a run that has ended does not come back by a row that was read before', () => {
  const runs = new OpenRuns()
  runs.put(openRow(7))
  runs.end(7)
  expect(runs.put(openRow(7, { cancel_at: 1 }))).toBeNull()
  expect([runs.size, runs.get(7), runs.isLaneEmpty(1)]).toEqual([0, null, true])
})

it('an attempt that has ended is not begun again by a row that was read before its end', () => {
  const runs = new OpenRuns()
  runs.put(openRow(7, { attempt: 1, phase: 3, executor_id: 5, boot_id: 9 }))
  runs.put(openRow(7, { attempt: 1, phase: 1, rank_at: 99 }))
  runs.put(openRow(7, { attempt: 1, phase: 3, executor_id: 5, boot_id: 9 }))
  expect(runs.get(7)).toMatchObject({ phase: 1, rankAt: 99, executorId: null })
  runs.put(openRow(7, { attempt: 2, phase: 3, executor_id: 6, boot_id: 9 }))
  expect(runs.get(7)).toMatchObject({ attempt: 2, executorId: 6 })
})

it('a row of an earlier attempt does not replace a later one', () => {
  const runs = new OpenRuns()
  runs.put(openRow(7, { attempt: 2, phase: 3, executor_id: 5, boot_id: 9 }))
  runs.put(openRow(7, { attempt: 1 }))
  expect(runs.get(7)).toMatchObject({ attempt: 2, phase: 3 })
  expect([runs.isLaneEmpty(1), runs.inFlight(5, 9)]).toEqual([true, 1])
})
