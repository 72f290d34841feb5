import { flushPromises, mount, type DOMWrapper, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { busyWorld } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import { useSession } from '../../store/session.ts'
import WorkflowRunPage from './workflow-run-page.vue'

const pages: VueWrapper[] = []
const Elsewhere = { template: '<p />' }

async function open(path: string, permissions?: readonly string[]) {
  const world = { ...busyWorld(Date.now()), ...(permissions === undefined ? {} : { permissions }) }
  const calls = useMockApi(world)
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/workflow-run/:id(\\d+)', name: 'workflow-run', component: WorkflowRunPage },
      { path: '/run/:id', name: 'run', component: Elsewhere },
      { path: '/:rest(.*)*', component: Elsewhere },
    ],
  })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  await useSession().loadGrants()
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router], stubs: { LogView: true, RunCanvas: true } }, attachTo: document.body })
  pages.push(page)
  await flushPromises()
  return { page, router, calls }
}

const buttons = (page: VueWrapper) => page.findAll('button').map((button) => button.text())
const button = (within: Pick<VueWrapper, 'findAll'>, name: string): DOMWrapper<HTMLButtonElement> => {
  const found = within.findAll<'button'>('button').find((one) => one.text() === name)
  if (found === undefined) throw new Error(`there is no button ${name}`)
  return found
}
const inBody = (name: string) => [...document.body.querySelectorAll('button')].findLast((one) => one.textContent.trim() === name)

describe('the page of a workflow run', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    document.body.innerHTML = ''
    localStorage.clear()
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
  })
  afterEach(() => {
    for (const page of pages.splice(0)) page.unmount()
  })

  it('says what failed, why a step was skipped, and which run took over', async () => {
    const { page } = await open('/workflow-run/9001?view=data&step=report')
    expect(page.find('header').text()).toContain('nightly-orders')
    expect(page.find('.notice.bad').text()).toContain('table orders_staging is locked')
    expect(page.find('.step-panel').text()).toContain('Skipped, because repair did not succeed.')
    expect(page.find('.step-ways').text()).toContain('enough')
    expect(page.find('header a[href="/workflow-run/9003"]').exists()).toBe(true)
  })

  it('goes from a step to the one before it by its ways', async () => {
    const { page, router } = await open('/workflow-run/9001?view=data&step=report')
    await button(page, 'enough').trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.query).toMatchObject({ step: 'enough', view: 'data' })
    expect(page.find('.step-panel h2').text()).toBe('enough')
  })

  it('lets a person decide who may, and sends the comment', async () => {
    const { page, calls } = await open('/workflow-run/9002?view=data&step=check')
    await button(page, 'Approve').trigger('click')
    await flushPromises()
    const field = document.body.querySelector<HTMLTextAreaElement>('.el-message-box textarea')
    if (field === null) throw new Error('there is no field for a comment')
    field.value = 'looked at, fine'
    field.dispatchEvent(new Event('input'))
    inBody('Approve')?.click()
    await flushPromises()
    expect(calls.filter((call) => call.method === 'POST').map(({ path, body }) => [path, body])).toEqual([['/workflow-run/9002/step/check/approve', { comment: 'looked at, fine' }]])
    expect(page.find('.step-panel').text()).toContain('Approved by admin')
    expect(buttons(page)).not.toContain('Reject')
  })

  it('shows a viewer no button that changes something', async () => {
    const { page } = await open('/workflow-run/9002?view=data&step=check', ['workflow:view', 'instance:view'])
    for (const name of ['Approve', 'Reject', 'Pause', 'Cancel', 'Mark as done…']) expect(buttons(page)).not.toContain(name)
  })

  it('shows which steps run again and which are kept before a new run begins', async () => {
    const { page, router, calls } = await open('/workflow-run/9001?view=data')
    await button(page, 'Run again from failure…').trigger('click')
    await flushPromises()
    // the definition has been mended: the latest version is chosen
    expect(document.body.querySelector('.plan')?.textContent).toContain('load, repair, report, notify (new)')
    expect(document.body.querySelector('.plan')?.textContent).toContain('extract, enough')
    inBody('Start the new run')?.click()
    await flushPromises()
    expect(calls.findLast((call) => call.method === 'POST')).toMatchObject({ path: '/workflow-run/9001/retry', body: { version: 'latest' } })
    expect(router.currentRoute.value.path).toBe('/workflow-run/9003')
  })

  it('says that a run does not exist', async () => {
    const { page } = await open('/workflow-run/1')
    expect(page.find('[role=alert]').text()).toContain('run')
  })
})
