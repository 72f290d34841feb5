import { expect, it } from 'vitest'
import { businessDate } from './business-date.ts'
import type { Step } from './graph.ts'
import { afterRound, retryPolicyOf } from './rounds.ts'
import { task } from './run-through.fixture.ts'

const child: Step = { key: 'c', kind: 'subWorkflow', workflow: 'g/w', retry: { max: 2, delayMs: 500 } }

it('a sub-workflow or a fan-out that failed is tried again as often as its retry says', () => {
  expect(afterRound(child, { round: 0, state: 'failed' })).toEqual({ kind: 'retry', delayMs: 500 })
  expect(afterRound(child, { round: 1, state: 'timedOut' })).toEqual({ kind: 'retry', delayMs: 1000 })
  expect(afterRound(child, { round: 2, state: 'failed' })).toEqual({ kind: 'final' })
  for (const state of ['succeeded', 'canceled', 'skipped'] as const)
    expect(afterRound(child, { round: 0, state })).toEqual({ kind: 'final' })
})

it('a task has one round: it retries by attempts within its run', () => {
  expect(afterRound(task('a', { retry: { max: 5 } }), { round: 0, state: 'failed' })).toEqual({ kind: 'final' })
})

it('what a retry does not say is as for tasks', () => {
  expect(retryPolicyOf(child)).toEqual({ max: 2, delayMs: 500, backoff: 'exponential', maxDelayMs: 60_000, jitter: 0 })
  expect(retryPolicyOf(task('a')).max).toBe(0)
})

it.each([
  ['2026-05-03T16:00:00Z', 'Asia/Shanghai', '2026-05-04'],
  ['2026-05-03T15:59:59Z', 'Asia/Shanghai', '2026-05-03'],
  ['2026-05-04T03:59:59Z', 'America/New_York', '2026-05-03'],
  ['2026-05-04T02:00:00Z', 'UTC', '2026-05-04'],
  ['2026-05-04T02:00:00Z', 'No/Where', '2026-05-04'],
])('%s in %s is business on %s', (at, zone, date) => {
  expect(businessDate(Date.parse(at), zone)).toBe(date)
})
