import { expect, it } from 'vitest'
import { requestOf, statesOf } from './workflow-run-query.ts'

it('asks for what the address says, from the last cursor of its trail', () => {
  expect(requestOf({ workflow: '7', state: 'failed,paused', cause: 'retry', date: '2026-11-22' }, 'a~b', 20)).toEqual({ pageSize: 20, cursor: 'b', workflowId: 7, state: 'failed,paused', cause: 'retry', date: '2026-11-22' })
})

it('asks for a business date only with its workflow', () => {
  expect(requestOf({ date: '2026-11-22', group: '3' }, undefined, 50)).toEqual({ pageSize: 50, groupId: 3 })
})

it('leaves states aside that it does not know', () => {
  expect(statesOf('paused,asleep,failed')).toEqual(['paused', 'failed'])
})
