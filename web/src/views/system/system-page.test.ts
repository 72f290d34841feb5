import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import type { MockCluster } from '../../../dev/mock/cluster.ts'
import { busyWorld } from '../../../dev/mock/world.ts'
import { adoptSession, http } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import { useSession } from '../../store/session.ts'
import SystemPage from './system-page.vue'

const pages: VueWrapper[] = []

async function open(cluster: MockCluster, path = '/system', permissions?: readonly string[]) {
  const world = { ...busyWorld(Date.now()), cluster, ...(permissions === undefined ? {} : { permissions }) }
  const calls = useMockApi(world)
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/system', name: 'system', component: SystemPage }, ...['system-storage', 'system-transfer', 'variables', 'calendars'].map((name) => ({ path: `/other/${name}`, name, component: { template: '<i />' } }))] })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  await useSession().loadGrants()
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  pages.push(page)
  await flushPromises()
  return { page, router, world, calls }
}

describe('the system page', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    document.body.innerHTML = ''
    localStorage.clear()
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
  })
  afterEach(() => {
    for (const page of pages.splice(0)) page.unmount()
  })

  it('shows each node once, this one marked and the silent one apart', async () => {
    const { page } = await open('three')
    const rows = page.findAll('.nodes-table .el-table__row')
    expect(rows.map((row) => row.find('.strong').text())).toEqual(['tick-a', 'tick-b', 'tick-c.eu-central-1.compute.internal', 'tick-d'])
    expect(rows.map((row) => row.find('.self').exists())).toEqual([true, false, false, false])
    expect(rows[3]?.classes()).toContain('dead')
    expect(rows[3]?.text()).toContain('silent since')
    expect(page.find('.concern-list').text()).toContain('The clock of tick-b is 1.2 s behind')
    expect(page.find('.held-banner').exists()).toBe(false)
  })

  it('shows what a slot is where the pointer is, keeps it at a click, and writes it into the address', async () => {
    const { page, router } = await open('three')
    const cell = page.find('[data-slot="40"]')
    await cell.trigger('pointerenter')
    expect(page.find('.slot-facts').text()).toContain('Slot 40')
    expect(page.find('.slot-facts').text()).toContain('the slot is changing hands')
    await page.find('.slot-map').trigger('pointerleave')
    expect(page.find('.slot-facts').text()).not.toContain('Slot 40')
    await cell.trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ slot: '40' })
    expect(page.find('.slot-facts').text()).toContain('Slot 40')
  })

  it('is walked by the arrow keys, with one stop for the tabulator', async () => {
    const { page } = await open('three')
    expect(page.findAll('.slot-map .cell[tabindex="0"]')).toHaveLength(1)
    const first = page.find<HTMLElement>('[data-slot="0"]')
    first.element.focus()
    await first.trigger('keydown', { key: 'ArrowDown' })
    expect(document.activeElement?.getAttribute('data-slot')).toBe('16')
    expect(page.findAll('.slot-map .cell[tabindex="0"]').map((one) => one.attributes('data-slot'))).toEqual(['16'])
    expect(page.find('.slot-facts').text()).toContain('Slot 16')
  })

  it('dims the slots of other nodes when the address names one', async () => {
    const { page } = await open('three', '/system?node=tick-b')
    const lit = page.findAll('.slot-map .cell:not(.dim)')
    expect(lit.length).toBeGreaterThan(0)
    expect(lit.every((one) => one.text() === 'B')).toBe(true)
  })

  it('lets firing go on only after it was asked for twice', async () => {
    const { page, world, calls } = await open('held')
    const press = () => page.findAll('.held-banner button').find((one) => one.text() === 'Go on from now')?.trigger('click')
    await press()
    await vi.waitFor(() => expect(document.querySelector('.el-message-box')?.textContent).toContain('recorded as skipped'))
    expect(world.hasResumed).toBe(false)
    document.querySelector<HTMLElement>('.el-message-box .el-button--danger')?.click()
    await vi.waitFor(() => expect(page.find('.held-banner').exists()).toBe(false))
    expect(calls.find((one) => one.path === '/cluster/resume')).toMatchObject({ method: 'POST', body: { how: 'fromNow' } })
  })

  it('says what is held, but offers nothing, to who may only look', async () => {
    const { page } = await open('held', '/system', ['system:view'])
    expect(page.find('.held-banner').text()).toContain('system:edit')
    expect(page.findAll('.held-banner button')).toHaveLength(0)
  })

  it('tells a node that is alone how others join', async () => {
    const { page } = await open('alone')
    expect(page.find('.alone-note').text()).toContain('TICKWHEEL_DATABASE_URL=mysql://')
    expect(page.findAll('.slot-map .cell.owned')).toHaveLength(256)
    expect(page.find('.concern-list').exists()).toBe(false)
  })

  it('keeps what it has when it cannot be read again, and says how old that is', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { page } = await open('three')
      http.defaults.adapter = () => Promise.reject(new Error('gone'))
      await vi.advanceTimersByTimeAsync(2_000)
      await flushPromises()
      expect(page.find('.refusal-box').text()).toMatch(/^This is .* old/)
      expect(page.findAll('.nodes-table .el-table__row')).toHaveLength(4)
    } finally {
      vi.useRealTimers()
    }
  })
})
