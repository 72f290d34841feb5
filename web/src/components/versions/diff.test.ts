import { TASK_DEFAULTS, type TaskDefinition } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { fieldChanges, lineChanges } from './diff.ts'

const base: TaskDefinition = { ...structuredClone(TASK_DEFAULTS), name: 'a', tags: ['x'], schedule: { kind: 'fixedRate', everyMs: 1000 }, handler: { kind: 'shell', script: 'one\ntwo\nthree' } }

describe('differences between versions', () => {
  it('name only the fields that differ, by the API’s paths, in the order of the editor', () => {
    const changes = fieldChanges(base, { ...base, retry: { ...base.retry, max: 3 }, tags: ['x', 'y'] })
    expect(changes).toEqual([
      { path: 'retry.max', then: '0', now: '3', lines: null },
      { path: 'tags', then: 'x', now: 'x, y', lines: null },
    ])
  })

  it('show a field that only one kind of schedule has', () => {
    const paths = fieldChanges(base, { ...base, schedule: { kind: 'cron', expression: '0 0 * * * ?', timezone: 'UTC' } }).map((change) => change.path)
    expect(paths).toEqual(['schedule.kind', 'schedule.everyMs', 'schedule.expression', 'schedule.timezone'])
  })

  it('go line by line through a script', () => {
    const [change] = fieldChanges(base, { ...base, handler: { kind: 'shell', script: 'one\n2\nthree\nfour' } })
    expect(change?.lines).toEqual([
      { kind: 'same', text: 'one' }, { kind: 'then', text: 'two' }, { kind: 'now', text: '2' }, { kind: 'same', text: 'three' }, { kind: 'now', text: 'four' },
    ])
  })

  it('are complete: the kept and old lines are the old text, the kept and new ones the new text', () => {
    const words = ['a', 'b', 'c']
    for (let seed = 1; seed <= 300; seed += 1) {
      const make = (salt: number) => Array.from({ length: (seed * salt) % 9 }, (_, index) => words[(seed * 7 + index * index * salt) % 3]).join('\n')
      const [then, now] = [make(3), make(5)]
      const changes = lineChanges(then, now)
      expect(changes.filter((line) => line.kind !== 'now').map((line) => line.text).join('\n')).toBe(then)
      expect(changes.filter((line) => line.kind !== 'then').map((line) => line.text).join('\n')).toBe(now)
    }
  })
})
