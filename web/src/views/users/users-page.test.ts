import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { busyWorld } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import { useSession } from '../../store/session.ts'
import RightsPage from '../rights/rights-page.vue'
import RolesPage from '../roles/roles-page.vue'
import TokensPage from '../tokens/tokens-page.vue'
import { makePassword } from './user-form.ts'
import UsersPage from './users-page.vue'

const pages: VueWrapper[] = []

async function open(path: string, permissions?: readonly string[]) {
  const calls = useMockApi({ ...busyWorld(Date.now()), ...(permissions === undefined ? {} : { permissions }) })
  const routes = [
    { path: '/user', name: 'users', component: UsersPage }, { path: '/role', name: 'roles', component: RolesPage }, { path: '/token', name: 'tokens', component: TokensPage }, { path: '/rights', name: 'rights', component: RightsPage },
    { path: '/audit', name: 'audit', component: { template: '<i />' } },
  ]
  const router = createRouter({ history: createMemoryHistory(), routes })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  await useSession().loadGrants()
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  pages.push(page)
  await flushPromises()
  return { page, router, calls }
}

const button = (text: string) => [...document.querySelectorAll('button')].find((one) => one.textContent.trim() === text)

describe('the pages of access', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    document.body.innerHTML = ''
    localStorage.clear()
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
  })
  afterEach(() => {
    for (const page of pages.splice(0)) page.unmount()
  })

  it('list accounts with what they may do, and where', async () => {
    const { page } = await open('/user')
    const rows = page.findAll('.users-table .el-table__row').map((row) => row.text())
    expect(rows[0]).toMatch(/^admin · you.*Administrator · all groups.*Active/)
    expect(rows[1]).toMatch(/wang\.lei.*王磊.*Developer · .*Viewer · all groups/)
    expect(rows[3]).toContain('Password to be changed')
    expect(rows[4]).toContain('Disabled')
  })

  it('show who may only look nothing to change', async () => {
    const { page } = await open('/user', ['user:view', 'group:view'])
    expect(page.findAll('.users-table .el-table__row')).toHaveLength(5)
    expect(button('New user')).toBeUndefined()
    await page.find('.users-table .name').trigger('click')
    await flushPromises()
    expect(button('Save')).toBeUndefined()
    expect(button('Close')).toBeDefined()
  })

  it('check a new account before it is sent', async () => {
    const { calls } = await open('/user')
    button('New user')?.click()
    await flushPromises()
    button('Create')?.click()
    await flushPromises()
    const errors = () => [...document.querySelectorAll('.el-form-item__error')].map((one) => one.textContent.trim())
    await vi.waitFor(() => expect(errors()).toEqual(['Enter a user name.', 'At least 8 characters.']))
    expect(calls.filter((call) => call.method === 'POST')).toEqual([])
  })

  it('show every role against every permission, and warn of scripts', async () => {
    const { page } = await open('/role')
    const row = page.findAll('.role-matrix tr').find((one) => one.text().startsWith('Write scripts'))
    expect(row?.findAll('td').map((cell) => cell.text())).toEqual(['may not', 'may not', 'may', 'may', 'may', 'may'])
    expect(page.text()).toContain('can run any command on the executors')
    const deletes = page.findAll('.card [aria-disabled]').map((one) => one.attributes('aria-disabled'))
    expect(deletes).toEqual(['true', 'false'])
  })

  it('show a token once, when it is made', async () => {
    const { page, calls } = await open('/token')
    expect(page.text()).toContain('deploy pipeline')
    button('New API token')?.click()
    await flushPromises()
    const name = document.querySelector<HTMLInputElement>('#token-name')
    if (name === null) expect.fail('there is no field for the name')
    name.value = 'ci'
    name.dispatchEvent(new Event('input'))
    button('Create')?.click()
    await flushPromises()
    expect(calls.find((call) => call.method === 'POST')?.body).toMatchObject({ kind: 'api', name: 'ci', bindings: [{ role: 'viewer', groupIds: null }] })
    expect(document.querySelector('[data-token]')?.textContent).toMatch(/^twk_/)
    expect(document.querySelector('.el-drawer')?.textContent).toContain('it is not shown again')
  })

  it('answer why somebody may do something, or may not', async () => {
    const { page } = await open('/rights?user=2&permission=task:edit&group=1')
    expect(page.find('.answer').text()).toMatch(/^Yes\. wang\.lei may do this in “.+”\..*Because of.*Developer/)
    const { page: denied } = await open('/rights?user=4&permission=user:edit')
    expect(denied.find('.answer').text()).toMatch(/^No\. new\.colleague may not do this for all groups\..*These roles would allow it: Administrator\./)
  })

  it('make passwords that nobody has to guess at', () => {
    const made = Array.from({ length: 50 }, makePassword)
    expect(new Set(made).size).toBe(50)
    for (const password of made) expect(password).toMatch(/^[a-km-np-zA-HJ-NP-Z2-9]{5}(-[a-km-np-zA-HJ-NP-Z2-9]{5}){3}$/)
  })
})
