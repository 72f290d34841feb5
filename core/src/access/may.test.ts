import { describe, expect, it } from 'vitest'
import { id } from '../ids.ts'
import type { GroupId } from '../ids.ts'
import { isInScope, may, visibleScope } from './may.ts'
import type { Grant } from './may.ts'
import { ALL_PERMISSIONS, PERMISSIONS, isPermission } from './permission.ts'
import { BUILT_IN_ROLES } from './roles.ts'
import type { BuiltInRole } from './roles.ts'

const one = id<'group'>(1)
const two = id<'group'>(2)

function grant(role: BuiltInRole, groups: 'all' | readonly GroupId[]): Grant {
  return { role, permissions: BUILT_IN_ROLES[role], groups, binding: `user 7 in ${String(groups)}` }
}

describe('may', () => {
  it('answers every permission for every role, in a bound group, another group, and no group', () => {
    for (const role of Object.keys(BUILT_IN_ROLES).filter((name): name is BuiltInRole => name in BUILT_IN_ROLES)) {
      for (const permission of ALL_PERMISSIONS) {
        const has = BUILT_IN_ROLES[role].has(permission)
        const inGroup = has && PERMISSIONS[permission] === 'group'
        const everywhere = [grant(role, 'all')]
        const inOne = [grant(role, [one])]
        for (const groupId of [one, two, null]) expect(may(everywhere, permission, groupId).allowed, `${role} ${permission}`).toBe(has)
        expect(may(inOne, permission, one).allowed, `${role} ${permission} in its group`).toBe(inGroup)
        expect(may(inOne, permission, two).allowed, `${role} ${permission} in another`).toBe(false)
        expect(may(inOne, permission, null).allowed, `${role} ${permission} in none`).toBe(false)
        expect(visibleScope(everywhere, permission)).toEqual(has ? 'all' : [])
        expect(visibleScope(inOne, permission)).toEqual(inGroup ? [one] : [])
      }
    }
  })

  it('joins bindings: a right in one is not taken away by another', () => {
    const grants = [grant('viewer', 'all'), grant('developer', [two])]
    expect(may(grants, 'task:edit', one)).toEqual({ allowed: false, by: null })
    expect(may(grants, 'task:edit', two)).toEqual({ allowed: true, by: 'developer: user 7 in 2' })
    expect(may(grants, 'task:view', two)).toEqual({ allowed: true, by: 'viewer: user 7 in all' })
  })

  it('does not join a permission of one binding with the groups of another', () => {
    const grants = [grant('viewer', [one, two]), grant('operator', [two])]
    expect(may(grants, 'task:run', one).allowed).toBe(false)
    expect(visibleScope(grants, 'task:run')).toEqual([two])
  })

  it('gives the groups of a permission once each, ascending', () => {
    expect(visibleScope([grant('viewer', [two, one]), grant('admin', [one])], 'task:view')).toEqual([one, two])
    expect(visibleScope([], 'task:view')).toEqual([])
  })

  it('allows nothing to somebody without a binding', () => {
    for (const permission of ALL_PERMISSIONS) expect(may([], permission, one)).toEqual({ allowed: false, by: null })
  })

  it('knows whether a group is in a scope', () => {
    expect(isInScope('all', one)).toBe(true)
    expect(isInScope([two], one)).toBe(false)
    expect(isInScope([two], two)).toBe(true)
  })
})

describe('the built-in roles', () => {
  it('grow from viewer to admin, and developer is an operator who does not approve', () => {
    const { viewer, operator, developer, admin } = BUILT_IN_ROLES
    expect(viewer.isSubsetOf(operator)).toBe(true)
    expect([...operator.difference(developer)]).toEqual(['workflow:approve'])
    expect(developer.isSubsetOf(admin)).toBe(true)
    expect([...admin]).toEqual(ALL_PERMISSIONS)
  })

  it('keep to themselves what only an admin has', () => {
    const { operator, developer, admin } = BUILT_IN_ROLES
    expect([...admin.difference(developer.union(operator))]).toEqual([
      'group:edit',
      'executor:enroll',
      'secret:edit',
      'secret:delete',
      'user:view',
      'user:edit',
      'role:view',
      'role:edit',
      'token:view',
      'token:edit',
      'audit:view',
      'system:view',
      'system:edit',
    ])
  })
})

describe('the table of permissions', () => {
  it('recognises its names and nothing else', () => {
    expect(isPermission('task:view')).toBe(true)
    for (const other of ['task:', 'toString', 'task:VIEW', '']) expect(isPermission(other)).toBe(false)
  })
})
