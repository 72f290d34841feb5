import { BUILT_IN_ROLES, type Permission } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import { accessPages } from '../components/access/access-pages.ts'
import { firstPage, mayOpen, PAGE_NEEDS } from './page-needs.ts'
import { router } from './router.ts'

const as = (role: keyof typeof BUILT_IN_ROLES) => (permission: Permission) => BUILT_IN_ROLES[role].has(permission)
const OPEN_TO_ALL = ['login', 'password', 'account', 'not-found']

describe('the pages of the console', () => {
  it('each say what one must be allowed to open them, or are for everybody', () => {
    const names = router.getRoutes().flatMap(({ name }) => (typeof name === 'string' ? [name] : []))
    expect(names.filter((name) => PAGE_NEEDS[name] === undefined && !OPEN_TO_ALL.includes(name))).toEqual([])
  })

  it('for a viewer are those to look at', () => {
    const open = Object.keys(PAGE_NEEDS).filter((page) => mayOpen(page, as('viewer')))
    expect(open).toEqual(['dashboard', 'tasks', 'workflows', 'runs', 'executors', 'groups', 'alarms', 'incident', 'alarm-rules', 'alarm-channels', 'alarm-deliveries', 'variables', 'task', 'workflow', 'calendars', 'calendar', 'run', 'workflow-runs', 'workflow-run'])
    expect(accessPages(as('viewer'))).toEqual([])
  })

  it('begin with the first that one may open', () => {
    expect(firstPage(as('viewer'))).toBe('dashboard')
    expect(firstPage((permission) => permission === 'alarm:view')).toBe('dashboard')
    expect(firstPage((permission) => permission === 'audit:view')).toBe('audit')
    expect(firstPage(() => false)).toBe('account')
  })

  it('of access are shown to who may open them', () => {
    expect(accessPages(as('admin'))).toEqual(['users', 'roles', 'tokens', 'rights', 'audit'])
    expect(accessPages((permission) => permission === 'executor:enroll')).toEqual(['tokens'])
  })
})
