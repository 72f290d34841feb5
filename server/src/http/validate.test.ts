import { authRoutes, Heartbeat, InstanceListQuery, TaskCreate, TokenCreate } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { fromTexts, problemsOf } from './validate.ts'

const LoginBodyShape = authRoutes[0].body
const good = {
  groupId: 1,
  name: 'nightly',
  schedule: { kind: 'cron', expression: '0 0 2 * * *' },
  handler: { kind: 'shell', script: 'echo' },
}

function codes(value: unknown): Record<string, string> {
  return Object.fromEntries(problemsOf(TaskCreate, value).map((problem) => [problem.path, problem.code]))
}

describe('validation', () => {
  it('accepts what is valid', () => {
    expect(problemsOf(TaskCreate, good)).toEqual([])
    expect(
      problemsOf(Heartbeat, {
        executorId: 1,
        running: [{ instanceId: 3, attempt: 1 }],
        load: { cpu: 0.5, memory: 1, running: 0, queued: 0 },
      }),
    ).toEqual([])
  })

  it('names every wrong field, not only the first', () => {
    const wrong = {
      groupId: 0,
      name: ' ',
      schedule: { kind: 'fixedRate', everyMs: 99 },
      handler: { kind: 'http', url: 'ftp://x', expectStatus: [99] },
      priority: 11,
      retry: { max: -1 },
      colour: 1,
      tags: ['a', 'a'],
    }
    expect(codes(wrong)).toEqual({
      groupId: 'TOO_SMALL',
      name: 'BAD_FORMAT',
      'schedule.everyMs': 'TOO_SMALL',
      'handler.url': 'BAD_FORMAT',
      'handler.expectStatus.0': 'TOO_SMALL',
      priority: 'TOO_LARGE',
      'retry.max': 'TOO_SMALL',
      colour: 'UNKNOWN_FIELD',
      'tags.1': 'NOT_ALLOWED_VALUE',
    })
  })

  it('judges the names of entries as well as what they hold', () => {
    const handler = { kind: 'shell', script: 'echo', env: { DAY: 'monday', 'a b': 'x', TICKWHEEL_TOKEN: 'y' } }
    expect(codes({ ...good, handler })).toEqual({ 'handler.env.a b': 'BAD_FORMAT', 'handler.env.TICKWHEEL_TOKEN': 'BAD_FORMAT' })
  })

  it.each([
    ['no kind', {}, { 'schedule.kind': 'REQUIRED' }],
    ['an unknown kind', { kind: 'weekly' }, { 'schedule.kind': 'NOT_ALLOWED_VALUE' }],
    [
      'a field of another kind',
      { kind: 'fixedRate', everyMs: 1000, expression: '* * * * * *' },
      { 'schedule.expression': 'UNKNOWN_FIELD' },
    ],
    ['a missing field of its kind', { kind: 'once' }, { 'schedule.at': 'REQUIRED' }],
    ['a bad instant', { kind: 'once', at: '2026-02-30T00:00:00Z' }, { 'schedule.at': 'BAD_FORMAT' }],
    ['null where null is allowed', { kind: 'fixedDelay', delayMs: 1000, validFrom: null }, {}],
    ['a number where an instant or null is', { kind: 'fixedDelay', delayMs: 1000, validFrom: 3 }, { 'schedule.validFrom': 'WRONG_TYPE' }],
    ['text', 'daily', { schedule: 'WRONG_TYPE' }],
  ])('judges a union by the chosen variant: %s', (_what, schedule, expected) => {
    expect(codes({ ...good, schedule })).toEqual(expected)
  })

  it('says how to mend it', () => {
    const [problem] = problemsOf(TaskCreate, { ...good, nmae: 'x' })
    expect(problem?.message).toMatch(/is not a field here \(did you mean name\?\)/)
  })

  it('counts characters, not code units', () => {
    expect(problemsOf(TokenCreate, { kind: 'executor', groupIds: [1], name: '😀'.repeat(128) })).toEqual([])
    expect(problemsOf(TokenCreate, { kind: 'executor', groupIds: [1], name: '😀'.repeat(129) })).toMatchObject([
      { path: 'name', code: 'TOO_LONG' },
    ])
  })

  it('reads the numbers and flags of a query, and leaves what is none', () => {
    expect(fromTexts(InstanceListQuery, { page: '2', taskId: 'x', cause: 'manual' })).toEqual({ page: 2, taskId: 'x', cause: 'manual' })
    expect(problemsOf(InstanceListQuery, fromTexts(InstanceListQuery, { page: ['1', '2'] }))).toMatchObject([
      { path: 'page', code: 'WRONG_TYPE' },
    ])
  })

  it('takes a body that is not an object as a wrong type of the whole', () => {
    expect(problemsOf(LoginBodyShape, [])).toMatchObject([{ path: '', code: 'WRONG_TYPE' }])
    expect(problemsOf(LoginBodyShape, {})).toMatchObject([
      { path: 'username', code: 'REQUIRED' },
      { path: 'password', code: 'REQUIRED' },
    ])
  })
})
