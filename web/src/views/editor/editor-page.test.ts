import { flushPromises, mount } from '@vue/test-utils'
import { ElMessageBox } from 'element-plus'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { busyWorld, saveVersion, type World } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import { useSession } from '../../store/session.ts'
import EditorPage from './editor-page.vue'

const Blank = { template: '<i />' }
let world: World
let calls: ReturnType<typeof useMockApi>

async function open(path: string) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/task/new', name: 'task-new', component: EditorPage },
      { path: '/task/:id', name: 'task', component: Blank },
      { path: '/task/:id/edit', name: 'task-edit', component: EditorPage },
      { path: '/executor', name: 'executors', component: Blank },
      { path: '/calendar/new', name: 'calendar-new', component: Blank },
      { path: '/calendar/:id', name: 'calendar', component: Blank },
      { path: '/', name: 'tasks', component: Blank },
    ],
  })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  await useSession().loadGrants()
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router], stubs: { CodeEditor: { props: ['modelValue'], template: '<textarea class="code" :value="modelValue" />' } } }, attachTo: document.body })
  await flushPromises()
  return { page, router }
}

const sent = (method: string) => calls.filter((call) => call.method === method)

describe('the task editor', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    localStorage.clear()
    world = busyWorld(Date.now())
    calls = useMockApi(world)
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
  })
  afterEach(() => {
    document.body.innerHTML = ''
    vi.restoreAllMocks()
  })

  it('says what follows from the schedule before anything is saved', async () => {
    const { page } = await open('/task/new')
    expect(page.find('.consequences').text()).toContain('every day at 02:00')
    expect(page.findAll('.consequences li')).toHaveLength(10)
    await page.find('#cron-expression').setValue('0 0 9 ? * MON')
    expect(page.find('.consequences').text()).toContain('every Monday at 09:00')
    expect(page.find('.days [aria-pressed="true"]').text()).toBe('Mon')
  })

  it('explains a schedule that can never fire while it is typed', async () => {
    const { page } = await open('/task/new')
    await page.find('#cron-expression').setValue('0 0 0 31 2 ?')
    expect(page.find('.consequences').text()).toContain('never fire')
  })

  it('sends nothing while a name or a group is missing, and says so', async () => {
    const { page } = await open('/task/new')
    await page.find('form').trigger('submit')
    await vi.waitFor(() => expect(page.text()).toContain('Enter a name.'), { timeout: 15_000 })
    expect(sent('POST')).toHaveLength(0)
  })

  it('has a form for the parameters of a function that says what it takes', async () => {
    const invoices = [...world.tasks.values()].find(({ name }) => name === 'nightly-invoices')
    const { page } = await open(`/task/${invoices?.id}/edit`)
    const fold = page.findAll('.more-settings button').find((one) => one.text().startsWith('Parameters'))
    await fold?.trigger('click')
    await vi.waitFor(() => expect(page.find('[data-param="batch"]').exists()).toBe(true), { timeout: 15_000 })
    await page.find('[data-param="batch"] input').setValue('7')
    await page.find('[data-param="batch"] input').trigger('change')
    await page.find('form').trigger('submit')
    await vi.waitFor(() => expect(sent('PUT')).toHaveLength(1), { timeout: 15_000 })
    expect(JSON.parse((sent('PUT')[0]?.body as { params: string }).params)).toEqual({ dryRun: false, currency: 'CNY', batch: 7 })
  })

  it('puts the server’s refusal at its field', async () => {
    const { page } = await open('/task/12/edit')
    await page.find('#task-name').setValue('exchange-rates')
    await page.find('form').trigger('submit')
    await vi.waitFor(() => expect(page.find('.el-form-item__error').text()).toBe('This name is taken.'), { timeout: 15_000 })
    await page.find('#task-name').setValue('another')
    await vi.waitFor(() => expect(page.find('.el-form-item__error').exists()).toBe(false), { timeout: 15_000 })
  })

  it('saves the whole task with its version and shows it', async () => {
    const { page, router } = await open('/task/12/edit')
    await page.find('#task-name').setValue('nightly')
    await page.find('form').trigger('submit')
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('task'), { timeout: 15_000 })
    expect(sent('PUT')[0]?.body).toMatchObject({ name: 'nightly', version: 1, enabled: true, handler: { kind: 'named', name: 'createInvoices' }, retry: { max: 3 } })
  })

  it('shows what somebody else has saved meanwhile, and can save over it', async () => {
    const { page, router } = await open('/task/12/edit')
    const task = world.tasks.get(12)
    if (task === undefined) throw new Error('the mock has no task 12')
    task.priority = 9
    saveVersion(world, task)
    await page.find('#task-name').setValue('nightly')
    await page.find('form').trigger('submit')
    await vi.waitFor(() => expect(page.find('.stale-notice').text()).toContain('version 2'), { timeout: 15_000 })
    expect(page.find('.stale-notice').text()).toContain('Priority')
    await page.findAll('.stale-notice button')[1]?.trigger('click')
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('task'), { timeout: 15_000 })
    expect(world.tasks.get(12)).toMatchObject({ name: 'nightly', priority: 5, version: 3 })
  })

  it('asks before unsaved changes are lost, and not without any', async () => {
    const { page, router } = await open('/task/12/edit')
    const ask = vi.spyOn(ElMessageBox, 'confirm').mockRejectedValue('cancel')
    await page.find('#task-name').setValue('changed')
    await router.push('/')
    expect(ask).toHaveBeenCalledOnce()
    expect(router.currentRoute.value.name).toBe('task-edit')
    await page.find('#task-name').setValue('nightly-invoices')
    await router.push('/')
    expect(ask).toHaveBeenCalledOnce()
    expect(router.currentRoute.value.name).toBe('tasks')
  })
})
