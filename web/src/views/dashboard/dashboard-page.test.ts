import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { busyWorld, type World } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import DashboardPage from './dashboard-page.vue'

const pages: VueWrapper[] = []
const Blank = { template: '<div />' }

async function open(ledger: World['ledger']) {
  const calls = useMockApi({ ...busyWorld(Date.now()), ledger })
  const routes = [{ path: '/dashboard', name: 'dashboard', component: DashboardPage }, { path: '/run', name: 'runs', component: Blank }, { path: '/task', name: 'tasks', component: Blank }, { path: '/task/:id', name: 'task', component: Blank }, { path: '/workflow/:id', name: 'workflow', component: Blank }]
  const router = createRouter({ history: createMemoryHistory(), routes })
  await router.push('/dashboard')
  const pinia = createPinia()
  setActivePinia(pinia)
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  pages.push(page)
  await flushPromises()
  return { page, calls }
}

const figure = (page: VueWrapper, name: string) => Number(page.find(`[data-figure="${name}"]`).text().replaceAll(',', ''))

describe('the dashboard', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    document.body.innerHTML = ''
    localStorage.clear()
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
  })
  afterEach(() => {
    for (const page of pages.splice(0)) page.unmount()
  })

  it('says that everything due is accounted for, with an equation that is one', async () => {
    const { page, calls } = await open('sound')
    expect(page.find('.completeness .sentence').text()).toBe('Everything that was due is accounted for.')
    expect(figure(page, 'expected')).toBe(figure(page, 'fired') + figure(page, 'skipped') + figure(page, 'missing'))
    expect(page.findAll('.hours li')).toHaveLength(24)
    expect(page.find('.completeness .fault').exists()).toBe(false)
    expect(page.find('.findings').text()).toContain('No finding')
    expect(calls.map((call) => call.path).sort()).toEqual(['/completeness', '/completeness/finding', '/recovery'])
  })

  it('shows what is missing and doubled in red, and leads to why', async () => {
    const { page } = await open('broken')
    expect(page.find('.completeness').classes()).toContain('bad')
    expect([figure(page, 'missing'), figure(page, 'doubled')]).toEqual([3, 1])
    const [missing, overdue] = page.findAll('.findings .el-table__row')
    expect(missing?.text()).toContain('the ledger has no entry')
    expect(missing?.find('a').attributes('href')).toContain('tab=why')
    expect(missing?.find('.fault').exists()).toBe(true)
    expect(overdue?.find('.fault').exists()).toBe(false)
    expect(overdue?.text()).toContain('over since')
  })

  it('lists what an outage left, by task and rule', async () => {
    const { page } = await open('sound')
    const report = page.find('.report')
    expect(report.find('summary').text()).toContain('4 made up, 94 left out')
    expect(report.findAll('.el-table__row')[0]?.text()).toContain('Run once for all of them')
    expect(report.findAll('.el-table__row')[2]?.text()).toContain('within its time of grace')
  })

  it('is calm on a new installation', async () => {
    const { page } = await open('new')
    expect(page.text()).toContain('Nothing was due yet.')
    expect(page.text()).toContain('No outage')
    expect(page.find('.hours').exists()).toBe(false)
  })
})
