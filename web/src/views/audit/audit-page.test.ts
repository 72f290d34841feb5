import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { busyWorld } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import { useSession } from '../../store/session.ts'
import AuditPage from './audit-page.vue'
import { actionWords, actorName, ACTIONS } from './audit-words.ts'
import { auditChanges, auditValues } from './audit-changes.ts'

const pages: VueWrapper[] = []
const Blank = { template: '<i />' }

async function open(path = '/audit') {
  const calls = useMockApi(busyWorld(Date.now()))
  const names = ['users', 'roles', 'tokens', 'rights', 'task', 'tasks', 'workflow', 'executors']
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/audit', name: 'audit', component: AuditPage }, ...names.map((name) => ({ path: `/other/${name}/:id?`, name, component: Blank }))] })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  await useSession().loadGrants()
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  pages.push(page)
  await flushPromises()
  return { page, router, calls }
}

describe('the audit page', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    document.body.innerHTML = ''
    localStorage.clear()
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
  })
  afterEach(() => {
    for (const page of pages.splice(0)) page.unmount()
  })

  it('tells who did what to what, what was changed, and what was refused', async () => {
    const { page } = await open()
    const rows = page.findAll('.audit-table .el-table__row').map((row) => row.text())
    expect(rows[0]).toMatch(/admin.*10\.20\.3\.4.*Edit task.*Changed: schedule, timeoutMs, tags.*billing\/nightly-invoices.*billing.*Done/)
    expect(rows[1]).toMatch(/new\.colleague.*Run task.*Refused · 3 times.*missing permission: task:run/)
    expect(rows[4]).toContain('Tickwheel itself')
    expect(rows[5]).toMatch(/not signed in.*Sign in.*214 times/)
  })

  it('asks for what its address says', async () => {
    const { calls } = await open('/audit?q=night&actor=ann&action=task:*&kind=task&thing=5&outcome=done&from=2026-11-22T00:00:00.000Z&group=3&actorKind=token&actorId=7&ip=::1')
    const asked = calls.find((call) => call.path === '/audit')
    expect(Object.fromEntries(asked?.query ?? [])).toEqual({
      keyword: 'night', actor: 'ann', action: 'task:*', resourceKind: 'task', resourceId: '5', outcome: 'done', from: '2026-11-22T00:00:00.000Z', groupId: '3', actorKind: 'token', actorId: '7', ip: '::1', pageSize: '50',
    })
  })

  it('opens an entry, with what was before and after, and keeps it in the address', async () => {
    const { page, router } = await open('/audit?outcome=done')
    await page.find('.audit-table .action').trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ outcome: 'done', entry: '109' })
    const drawer = document.querySelector('.el-drawer')?.textContent ?? ''
    expect(drawer).toMatch(/0 0 2 \* \* \*.*0 30 2 \* \* \*/)
    expect(drawer).toContain('req-109')
  })
})

describe('entries in words', () => {
  beforeAll(() => loadLocale('en'))

  it('are whole sentences for every action that can be chosen', () => {
    for (const { actions } of ACTIONS) for (const action of actions) expect(actionWords(action), action).not.toBe(action)
    expect(actionWords('moon:land')).toBe('moon:land')
  })

  it('tell who it was also when nobody had signed in, or it was many', () => {
    expect(actorName({ actor: { kind: 'user', id: null, name: '' }, ip: '::1' })).toBe('not signed in')
    expect(actorName({ actor: { kind: 'user', id: null, name: 'others' }, ip: '' })).toBe('many others')
  })

  it('tell of a long value that it is another, and show lists of things line by line', () => {
    expect(auditChanges({ params: 'x' }, { params: { length: 12_000, sha256: 'abc' } })).toMatchObject([{ path: 'params', then: 'x', now: '12 KiB, SHA-256 abc' }])
    expect(auditChanges({ steps: [{ key: 'a' }] }, { steps: [{ key: 'b' }] })[0]?.lines?.map((line) => line.kind)).toContain('now')
    expect(auditValues({ name: 'n', handler: { kind: 'shell' } })).toEqual([{ path: 'name', value: 'n' }, { path: 'handler.kind', value: 'shell' }])
  })
})
