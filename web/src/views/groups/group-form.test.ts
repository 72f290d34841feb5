import type { Group } from '@tickwheel/contract'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { bodyOf, checkGroup, formOf } from './group-form.ts'

const at = '2026-11-22T08:00:00.000Z'
const group = (xxlAccess: Group['xxlAccess']): Group => ({ id: 1, name: 'Orders', appName: 'orders', description: '', concurrency: 0, xxlAccess, version: 1, taskCount: 0, executorCount: 0, createdAt: at, updatedAt: at })

describe('the XXL-JOB token of a group', () => {
  beforeAll(() => loadLocale('en'))

  it.each([
    ['a new group has that of the server', null, {}, undefined, false],
    ['a new one of its own is sent', null, { xxlAccess: 'own', xxlToken: 'abc' }, 'abc', false],
    ['one of its own is not empty', null, { xxlAccess: 'own' }, undefined, true],
    ['and has no blanks', 'shared', { xxlAccess: 'own', xxlToken: 'a b' }, 'a b', true],
    ['what is there is kept when nothing is typed', 'own', {}, undefined, false],
    ['and replaced when something is', 'own', { xxlToken: 'newer' }, 'newer', false],
    ['none is sent as empty', 'own', { xxlAccess: 'none' }, '', false],
    ['that of the server as null', 'none', { xxlAccess: 'shared' }, null, false],
    ['what did not change is not sent', 'none', {}, undefined, false],
  ] as const)('%s', (_what, access, typed, sent, isWrong) => {
    const edited = access === null ? null : group(access)
    const form = { ...formOf(edited, { name: 'Orders', appName: 'orders' }), ...typed }
    expect(bodyOf(form, edited).xxlToken).toBe(sent)
    expect('xxlToken' in checkGroup(form, edited)).toBe(isWrong)
  })
})
