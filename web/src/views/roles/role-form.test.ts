import { describe, expect, it } from 'vitest'
import { bodyOf, formOf, toggled } from './role-form.ts'

describe('the permissions of a role', () => {
  it('bring what they are of no use without', () => expect([...toggled(new Set(), 'task:run')]).toEqual(['task:run', 'task:view']))

  it('go with the sight of a thing', () => {
    expect([...toggled(new Set(['task:view', 'task:run', 'instance:view']), 'task:view')]).toEqual(['instance:view'])
    expect([...toggled(new Set(['task:view', 'task:run']), 'task:run')]).toEqual(['task:view'])
  })

  it('are sent in the order of the table, without what this console does not know', () => {
    const permissions = ['task:run', 'group:view', 'task:fly'] as unknown as ['task:run']
    expect(bodyOf(formOf({ name: ' r ', description: '', permissions })).permissions).toEqual(['group:view', 'task:run'])
  })
})
