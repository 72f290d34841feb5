import { describe, expect, it } from 'vitest'
import { addTask, busyWorld, define } from '../../../dev/mock/world.ts'
import { bodyOf, definitionOf, emptyForm, formOf, statusesOf } from './task-form.ts'

describe('the editor’s form', () => {
  it('gives back every task of the list as it was', () => {
    const world = busyWorld(Date.parse('2026-11-23T05:00:00.000Z'))
    for (const task of world.tasks.values()) {
      const saved = world.versions.get(task.id)?.[0]?.definition
      if (saved === undefined) throw new Error('no version')
      const { groupId, enabled: _enabled, ...sent } = bodyOf(formOf(saved, task.groupId), task.groupId, true)
      expect(groupId).toBe(task.groupId)
      const expected = saved.handler.kind === 'http' ? { ...saved, handler: { method: 'GET', ...saved.handler } } : saved
      expect(sent).toEqual(expected)
    }
  })

  it('sends only what the chosen kinds have', () => {
    const form = emptyForm(1)
    form.schedule.kind = 'fixedRate'
    form.handler.kind = 'named'
    form.handler.name = ' sync '
    const body = bodyOf(form, 1, false)
    expect(body.schedule).toEqual({ kind: 'fixedRate', everyMs: 60_000 })
    expect(body.handler).toEqual({ kind: 'named', name: 'sync' })
  })

  it('sends labels whose name is filled in, and the key as it is meant', () => {
    const form = emptyForm(1)
    form.routing = 'consistentHash'
    form.routingKey = ' params.customer '
    form.labels = [{ name: ' zone ', value: ' a ' }, { name: '', value: 'lost' }]
    expect(bodyOf(form, 1, false)).toMatchObject({ routing: 'consistentHash', routingKey: 'params.customer', labels: { zone: 'a' } })
    expect(formOf({ ...definitionOf(form), labels: { zone: 'a' } }, 1).labels).toEqual([{ name: 'zone', value: 'a' }])
  })

  it('is not shared with the task it came from', () => {
    const world = busyWorld(0)
    const task = addTask(world, { groupId: 1, name: 'x', schedule: { kind: 'manual' }, handler: { kind: 'shell', script: 'true' } })
    const definition = define({ groupId: 1, name: 'x', schedule: { kind: 'manual' }, handler: { kind: 'shell', script: 'true' } })
    const form = formOf(definition, task.groupId)
    form.retry.max = 9
    form.tags.push('y')
    expect(definition.retry.max).toBe(0)
    expect(definition.tags).toEqual([])
  })

  it.each([['200, 204', [200, 204]], ['200，301', [200, 301]], ['', []], ['abc', null], ['99', null], ['200.5', null]] as const)('reads %j as the statuses %j', (text, statuses) => {
    expect(statusesOf(text)).toEqual(statuses)
  })
})
