import { DOMWrapper, flushPromises, mount } from '@vue/test-utils'
import { beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { busyWorld } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import TriggerDrawer from './trigger-drawer.vue'

beforeAll(() => loadLocale('en'))
beforeEach(() => {
  document.body.innerHTML = ''
  adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
})

async function open(name: string) {
  const world = busyWorld(Date.now())
  const calls = useMockApi(world)
  const task = [...world.tasks.values()].find((one) => one.name === name)
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: { template: '<i />' } }, { path: '/run/:id', name: 'run', component: { template: '<i />' } }] })
  const host = mount(TriggerDrawer, { props: { modelValue: false, taskId: task?.id ?? 0, name }, global: { plugins: [i18n, router] }, attachTo: document.body })
  await host.setProps({ modelValue: true })
  const drawer = new DOMWrapper(document.body)
  await vi.waitFor(() => expect(drawer.find('[for="trigger-params"]').exists()).toBe(true), { timeout: 15_000 })
  await flushPromises()
  return { drawer, calls }
}

it('a task whose function says what it takes is run with a form, and told before it runs when the function would refuse', async () => {
  const { drawer, calls } = await open('nightly-invoices')
  const field = (name: string) => drawer.find(`[data-param="${name}"]`)
  await vi.waitFor(() => expect(field('currency').exists()).toBe(true), { timeout: 15_000 })
  expect(drawer.text()).toContain('Run now')
  await field('prefix').find('input').setValue('much too long')
  await vi.waitFor(() => expect(field('prefix').text()).toContain('At most 8 characters.'), { timeout: 15_000 })
  expect(drawer.text()).toContain('Run all the same')
  await field('prefix').find('input').setValue('INV')
  const button = drawer.findAll('button').find((one) => one.text() === 'Run now')
  await button?.trigger('click')
  await flushPromises()
  const sent = calls.find((call) => call.method === 'POST' && call.path.endsWith('/trigger'))
  expect(JSON.parse((sent?.body as { params: string }).params)).toEqual({ dryRun: false, currency: 'CNY', prefix: 'INV' })
})

it('a task of another kind has its text only', async () => {
  const { drawer } = await open('export-to-lake')
  expect(drawer.find('#trigger-params').exists()).toBe(true)
  expect(drawer.find('.fields').exists()).toBe(false)
})
