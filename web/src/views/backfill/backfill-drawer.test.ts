import type { Backfill, BackfillBody, BackfillPreview } from '@tickwheel/contract'
import { DOMWrapper, flushPromises, mount } from '@vue/test-utils'
import { beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiProblem } from '../../api/problem.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import BackfillDrawer from './backfill-drawer.vue'

const api = vi.hoisted(() => ({ previewBackfill: vi.fn(), startBackfill: vi.fn(), listBackfills: vi.fn(), cancelBackfill: vi.fn() }))
vi.mock('../../api/backfills.ts', () => api)

const PREVIEW: BackfillPreview = {
  total: 3,
  items: [
    { dueAt: '2026-11-22T00:00:00.000Z', local: '2026-11-22 08:00:00', state: null, instanceId: null },
    { dueAt: '2026-11-22T01:00:00.000Z', local: '2026-11-22 09:00:00', state: 'failed', instanceId: 77 },
    { dueAt: '2026-11-22T02:00:00.000Z', local: '2026-11-22 10:00:00', state: 'gone', instanceId: null },
  ],
}
const RUNNING: Backfill = {
  id: 5, kind: 'task', taskId: 1, name: 'nightly', groupId: 1, groupName: 'default', from: '2026-11-22T00:00:00.000Z', to: '2026-11-23T00:00:00.000Z', only: 'failed', order: 'newestFirst', concurrency: 2,
  state: 'running', total: 8, made: 4, open: 2, ended: { succeeded: 1, failed: 1 }, actor: { kind: 'user', id: 1, name: 'alice' }, createdAt: '2026-11-23T01:00:00.000Z', endedAt: null,
}

beforeAll(() => loadLocale('en'))
beforeEach(() => {
  document.body.innerHTML = ''
  for (const call of Object.values(api)) call.mockReset()
  api.listBackfills.mockResolvedValue({ items: [RUNNING], total: 1, page: 1, pageSize: 20 })
})

async function open(mayRun = true) {
  const blank = { template: '<i />' }
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: blank }, { path: '/run/:id', name: 'run', component: blank }] })
  const host = mount(BackfillDrawer, { props: { modelValue: false, kind: 'task', id: 1, name: 'nightly', mayRun }, global: { plugins: [i18n, router] }, attachTo: document.body })
  await host.setProps({ modelValue: true })
  const drawer = new DOMWrapper(document.body)
  await vi.waitFor(() => expect(drawer.find('[data-backfill="5"]').exists()).toBe(true), { timeout: 15_000 })
  const click = async (words: string) => {
    await drawer.findAll('button').find((one) => one.text() === words)?.trigger('click')
    await flushPromises()
  }
  return { host, drawer, click }
}

it('shows what would run, each with how it stands now, and starts it', async () => {
  api.previewBackfill.mockResolvedValue(PREVIEW)
  api.startBackfill.mockResolvedValue({ backfillId: 6 })
  const { drawer, click, host } = await open()
  await click('Show what would run')
  expect(drawer.find('.preview').text()).toContain('3 runs would be made:')
  expect(drawer.findAll('.preview li').map((line) => line.text().replace(/^.*\(UTC.*?\)/, ''))).toEqual(['no run', 'Failed#77', 'fired; its run is no longer kept'])
  expect(drawer.find('.preview a').attributes('href')).toBe('/run/77')
  await click('Start 3 runs')
  const [kind, id, body] = api.startBackfill.mock.calls[0] as [string, number, BackfillBody]
  expect([kind, id, body.only, body.order, body.concurrency]).toEqual(['task', 1, 'missing', 'oldestFirst', 1])
  expect(Date.parse(body.to) - Date.parse(body.from)).toBe(86_400_000)
  expect(drawer.find('.preview').exists()).toBe(false)
  host.unmount()
})

it('shows how far those that run are, and what became of their runs', async () => {
  const { drawer, host } = await open()
  const one = drawer.find('[data-backfill="5"]')
  for (const words of ['Running', '4 of 8 made · 2 under way', 'What failed · Newest first · 2 at once', 'alice', '25%']) expect(one.text()).toContain(words)
  expect(one.findAll('.end').map((end) => end.text())).toEqual(['Succeeded 1', 'Failed 1'])
  host.unmount()
})

it('says in words why nothing is run', async () => {
  const errors = [{ path: 'from', code: 'BACKFILL_NOTHING_DUE', message: 'x' }]
  api.startBackfill.mockRejectedValue(new ApiProblem({ status: 422, code: 'UNPROCESSABLE', detail: 'x', errors }))
  const { drawer, click, host } = await open()
  await click('Start')
  expect(drawer.find('.refusal-box').text()).toBe('Nothing was due between these instants that this would run.')
  host.unmount()
})

it('lets somebody who may only look see both, and start or cancel nothing', async () => {
  const { drawer, host } = await open(false)
  const buttons = drawer.findAll('button').map((one) => one.text())
  expect(buttons).toContain('Show what would run')
  expect(buttons).not.toContain('Start')
  expect(drawer.find('[data-backfill="5"]').findAll('button')).toHaveLength(0)
  host.unmount()
})
