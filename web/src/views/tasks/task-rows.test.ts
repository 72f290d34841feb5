import { describe, expect, it } from 'vitest'
import { answer } from '../../../dev/mock/answer.ts'
import { addRun, busyWorld } from '../../../dev/mock/world.ts'
import type { InstanceListItem, TaskListItem } from '@tickwheel/contract'
import { nextFiring } from './next-firing.ts'
import { withRuns } from './task-rows.ts'

const NOW = Date.parse('2026-11-23T05:00:00.000Z')

function rows(world = busyWorld(NOW)): TaskListItem[] {
  const { body } = answer(world, { method: 'GET', path: '/task', query: new URLSearchParams(), body: null, token: 't' })
  return (body as { items: TaskListItem[] }).items
}

describe('rows of the task list', () => {
  it('take a new run as their newest bar and count it as open until it ends', () => {
    const world = busyWorld(NOW)
    const before = rows(world)
    const task = world.tasks.get(11)
    if (task === undefined) throw new Error('the mock has no task 11')
    const run: InstanceListItem = addRun(world, task, { firedAt: NOW, cause: 'manual', state: 'running', durationMs: 10 })
    const running = withRuns(before, [run]).find((row) => row.id === 11)
    expect(running?.recent[0]).toMatchObject({ id: run.id, state: 'running', durationMs: null })
    expect(running?.recent).toHaveLength(20)
    expect(running?.openRuns).toBe(1)
    const ended: InstanceListItem = { ...run, state: 'succeeded', endedAt: new Date(NOW + 500).toISOString() }
    const after = withRuns(running === undefined ? [] : [running], [ended])[0]
    expect(after?.recent[0]).toMatchObject({ id: run.id, state: 'succeeded' })
    expect(after?.recent).toHaveLength(20)
    expect(after?.openRuns).toBe(0)
  })

  it('stay the same objects when an event is about other tasks', () => {
    const before = rows()
    expect(withRuns(before, [])[0]).toBe(before[0])
  })
})

describe('the next firing of a row', () => {
  it('moves on by the schedule when its instant has passed, without asking the server', () => {
    const row = { enabled: true, schedule: { kind: 'fixedRate' as const, everyMs: 5_000 }, nextFireAt: new Date(NOW).toISOString() }
    expect(nextFiring(row, NOW - 1)).toBe(row.nextFireAt)
    expect(nextFiring(row, NOW + 12_000)).toBe(new Date(NOW + 15_000).toISOString())
  })

  it('is not guessed where it depends on the end of a run', () => {
    const row = { enabled: true, schedule: { kind: 'fixedDelay' as const, delayMs: 5_000 }, nextFireAt: new Date(NOW).toISOString() }
    expect(nextFiring(row, NOW + 60_000)).toBe(row.nextFireAt)
  })

  it('is none for a task that is stopped', () => {
    expect(nextFiring({ enabled: false, schedule: { kind: 'manual' }, nextFireAt: null }, NOW)).toBeNull()
  })
})
