import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { busyWorld } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import { useSession } from '../../store/session.ts'
import WorkflowRunsPanel from './workflow-runs-panel.vue'

const pages: VueWrapper[] = []

async function open(path: string) {
  const calls = useMockApi(busyWorld(Date.now()))
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/workflow/:id', component: WorkflowRunsPanel, props: { workflowId: 501 } },
      { path: '/workflow-run/:id', name: 'workflow-run', component: { template: '<p />' } },
    ],
  })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  await useSession().loadGrants()
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  pages.push(page)
  await flushPromises()
  return { page, router, calls }
}

describe('the runs of one workflow', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    document.body.innerHTML = ''
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
  })
  afterEach(() => {
    for (const page of pages.splice(0)) page.unmount()
  })

  it('are asked for by the filters of the address', async () => {
    const { calls, page } = await open('/workflow/501?state=failed&date=2026-11-22&page=a~b')
    const query = calls.find((call) => call.path === '/workflow-run')?.query
    expect(Object.fromEntries(query ?? [])).toMatchObject({ workflowId: '501', state: 'failed', date: '2026-11-22', cursor: 'b' })
    expect(page.text()).toContain('Nothing matches these filters.')
  })

  it('say how many steps have ended, and lead to the run', async () => {
    const { page, router } = await open('/workflow/501')
    expect(page.findAll('.steps-bar').map((bar) => bar.text())).toEqual(['5/5', '5/5'])
    await page.find('a[href="/workflow-run/9001"]').trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.path).toBe('/workflow-run/9001')
  })

  it('stand as columns of a grid, oldest left, as many as are wanted', async () => {
    const { calls, page } = await open('/workflow/501?look=grid&count=30')
    expect(calls.find((call) => call.path === '/workflow/501/grid')?.query.get('count')).toBe('30')
    const columns = page.findAll('.head a').map((link) => link.attributes('href'))
    expect(columns).toHaveLength(30)
    expect(columns.at(-1)).toBe('/workflow-run/9001')
  })
})
