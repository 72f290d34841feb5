import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { busyWorld, emptyWorld, type World } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import { useSession } from '../../store/session.ts'
import DashboardPage from './dashboard-page.vue'

const pages: VueWrapper[] = []
const Blank = { template: '<div />' }
const NAMES = { runs: '/run', tasks: '/task', 'task-new': '/task/new', task: '/task/:id', workflow: '/workflow/:id', run: '/run/:id', 'workflow-run': '/workflow-run/:id', executors: '/executor', incident: '/alarm/incident/:id', 'alarm-deliveries': '/alarm/delivery' }

async function open(ledger: World['ledger'], { path = '/dashboard', world = busyWorld(Date.now()), permissions = null }: { path?: string; world?: World; permissions?: readonly string[] | null } = {}) {
  const calls = useMockApi({ ...world, ledger, permissions })
  const routes = [{ path: '/dashboard', name: 'dashboard', component: DashboardPage }, ...Object.entries(NAMES).map(([name, at]) => ({ path: at, name, component: Blank }))]
  const router = createRouter({ history: createMemoryHistory(), routes })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  await useSession().loadGrants()
  // a canvas draws nothing without a browser: what it shows is tried in one, and stands in the tables
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router], stubs: { ChartCanvas: true } }, attachTo: document.body })
  pages.push(page)
  await flushPromises()
  return { page, calls, router }
}

const textOf = (page: VueWrapper, selector: string) => page.find(selector).text()

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
    expect(calls.map((call) => call.path)).toEqual(expect.arrayContaining(['/completeness', '/completeness/finding', '/recovery']))
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

  it('says what is broken, late, full and next, and each number leads to what explains it', async () => {
    const { page } = await open('sound')
    const tiles = page.findAll('.tile')
    expect(tiles.map((tile) => tile.attributes('data-tile'))).toEqual(['broken', 'late', 'full', 'next'])
    expect(tiles.map((tile) => tile.find('b').text()).slice(0, 2)).toEqual(['3', '1'])
    for (const tile of tiles) for (const link of tile.findAll('a')) expect(link.attributes('href')).toMatch(/^\/(run|task|executor|dashboard)/)
    expect(textOf(page, '[data-tile="full"]')).toMatch(/\d+ \/ \d+ slots in use.*12 runs wait/)
  })

  it('lists what needs attention, the worst first, in words and with a way to it', async () => {
    const { page } = await open('broken')
    const rows = page.findAll('.attention li')
    expect(rows.map((row) => row.attributes('data-kind'))).toEqual(['finding', 'failing', 'paused', 'channel', 'waiting', 'executorsGone'])
    expect(rows[1]?.text()).toContain('failed 4 times in a row')
    expect(rows[1]?.find('a').attributes('href')).toBe('/run/7300001')
    expect(rows[4]?.text()).toContain('12 runs wait')
    expect(rows[4]?.find('a').attributes('href')).toBe('/run?state=queued&group=3')
  })

  it('shows only what is late, where that is asked, and everything again', async () => {
    const { page, router } = await open('sound')
    expect(page.find('[data-tile="late"] .figure').attributes('href')).toBe('/dashboard?level=late#attention')
    await router.push('/dashboard?level=late#attention')
    await flushPromises()
    expect(page.findAll('.attention li').map((row) => row.attributes('data-kind'))).toEqual(['waiting'])
    expect(document.activeElement?.id).toBe('attention')
    await page.find('.attention .head a').trigger('click')
    await flushPromises()
    expect(page.findAll('.attention li')).toHaveLength(5)
  })

  it('says the charts as tables, too, for who does not see them', async () => {
    const { page } = await open('sound')
    expect(page.findAll('.chart-frame .chart').map((chart) => chart.attributes('aria-label'))).toEqual([
      expect.stringMatching(/^How runs ended: [\d,]+ Succeeded/), expect.stringMatching(/^How late runs start: [\d,]+ starts/), expect.stringMatching(/^What comes next: [\d,]+ firings/),
    ])
    expect(page.findAll('.outcomes tbody tr')).toHaveLength(24)
    expect(page.find('.outcomes tbody a').attributes('href')).toMatch(/^\/run\?from=.*&to=/)
    expect(page.findAll('.lateness tbody tr')).toHaveLength(24)
    expect(page.findAll('.coming tbody tr')).toHaveLength(60)
  })

  it('follows the group and the hours of the address', async () => {
    const { page, calls, router } = await open('sound', { path: '/dashboard?group=3&hours=48' })
    expect(calls.find((call) => call.path === '/dashboard')?.query.toString()).toBe('hours=48&groupId=3')
    expect(page.findAll('.outcomes tbody tr')).toHaveLength(48)
    expect(page.findAll('.load li')).toHaveLength(1)
    await router.replace('/dashboard')
    await flushPromises()
    expect(calls.filter((call) => call.path === '/dashboard').at(-1)?.query.toString()).toBe('hours=24')
  })

  it('shows what somebody may see, and asks for nothing else', async () => {
    const { page, calls } = await open('sound', { permissions: ['executor:view'] })
    expect(page.find('.load').exists()).toBe(true)
    expect([page.find('.outcomes').exists(), page.find('.coming').exists(), page.find('.completeness').exists()]).toEqual([false, false, false])
    expect(calls.some((call) => call.path === '/completeness')).toBe(false)
  })

  it('of an empty console offers the samples', async () => {
    const { page } = await open('new', { world: emptyWorld(Date.now()) })
    expect(page.find('.empty-hint').text()).toContain('Nothing is scheduled yet')
    expect(page.find('.tiles').exists()).toBe(false)
    await page.find('.samples').trigger('click')
    await flushPromises()
    expect(page.find('.empty-hint').exists()).toBe(false)
    expect(page.find('.tiles').exists()).toBe(true)
  })
})
