import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { busyWorld, emptyWorld, type World } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import { useSession } from '../../store/session.ts'
import TasksPage from './tasks-page.vue'

vi.mock('../../live/use-live.ts', () => ({ useLive: () => undefined }))

const Blank = { template: '<i />' }

async function open(world: World, path = '/task') {
  const calls = useMockApi(world)
  const names = ['task', 'task-new', 'task-edit', 'run', 'runs', 'executors', 'bulks', 'bulk']
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/task', name: 'tasks', component: TasksPage }, ...names.map((name) => ({ path: `/other/${name}/:id?`, name, component: Blank }))] })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  await useSession().loadGrants()
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  await flushPromises()
  return { page, router, calls }
}

describe('the task list', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    document.body.innerHTML = ''
    localStorage.clear()
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
  })

  it('shows each task with its group, its schedule in words and its last runs', async () => {
    const { page } = await open(busyWorld(Date.now()))
    const row = page.findAll('.el-table__row').find((one) => one.text().includes('nightly-invoices'))
    expect(row?.text()).toContain('billing')
    expect(row?.text()).toContain('every day at 02:00')
    expect(row?.findAll('a.slot')).toHaveLength(20)
    expect(row?.find('.recent-bars').attributes('aria-label')).toMatch(/^Last 20 runs: \d+ Succeeded, \d+ (Failed|Timed out)/)
  })

  it('takes its filters from the address and writes them there', async () => {
    const { page, router, calls } = await open(busyWorld(Date.now()), '/task?group=2&enabled=true')
    expect(calls.find((call) => call.path === '/task')?.query.toString()).toContain('groupId=2&enabled=true')
    expect(page.findAll('.el-table__row')).toHaveLength(3)
    await page.find('.task-filters input').setValue('nightly')
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ group: '2', enabled: 'true', q: 'nightly' })
    expect(page.findAll('.el-table__row')).toHaveLength(1)
  })

  it('offers three samples while there is nothing, and makes them by one click', async () => {
    const world = emptyWorld(Date.now())
    const { page } = await open(world)
    await page.find('.samples').trigger('click')
    await vi.waitFor(() => expect(page.findAll('.el-table__row')).toHaveLength(3), { timeout: 15_000 })
    expect([...world.tasks.values()].every((task) => task.enabled)).toBe(true)
    expect(world.runs.size).toBe(3)
  })

  it('stops a task by its switch', async () => {
    const world = busyWorld(Date.now())
    const { page } = await open(world)
    const row = page.findAll('.el-table__row').find((one) => one.text().includes('heartbeat'))
    await row?.find('.el-switch').trigger('click')
    await vi.waitFor(() => expect([...world.tasks.values()].find((task) => task.name === 'heartbeat')?.enabled).toBe(false), { timeout: 15_000 })
  })
})
