import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { ElMessageBox, type MessageBoxData } from 'element-plus'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useMockApi } from '../../../dev/mock/axios.ts'
import { addCalendar, chinaRules } from '../../../dev/mock/calendars.ts'
import { addTask, busyWorld, type World } from '../../../dev/mock/world.ts'
import { adoptSession } from '../../api/client.ts'
import { i18n, loadLocale } from '../../locales/i18n.ts'
import { useSession } from '../../store/session.ts'
import CalendarPage from './calendar-page.vue'
import CalendarsPage from './calendars-page.vue'

// a page that waits to ask what a change does would ask after its test
enableAutoUnmount(afterEach)

const Blank = { template: '<i />' }
let world: World
let calls: ReturnType<typeof useMockApi>

async function open(path: string) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/calendar', name: 'calendars', component: CalendarsPage },
      { path: '/calendar/new', name: 'calendar-new', component: CalendarPage },
      { path: '/calendar/:id', name: 'calendar', component: CalendarPage },
      { path: '/task/:id', name: 'task', component: Blank },
      { path: '/', component: Blank },
    ],
  })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  await useSession().loadGrants()
  const page = mount(RouterView, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  await flushPromises()
  const day = (date: string) => page.find(`[data-date="${date}"]`)
  const button = (words: string) => page.findAll('button').find((one) => one.text() === words)
  return { page, router, day, button }
}

const sent = (method: string) => calls.filter((call) => call.method === method && call.path.startsWith('/calendar'))

describe('the pages of calendars', () => {
  beforeAll(() => loadLocale('en'))
  beforeEach(() => {
    localStorage.clear()
    world = busyWorld(Date.parse('2026-09-20T05:00:00.000Z'))
    calls = useMockApi(world)
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user: { id: 1, username: 'admin', displayName: '', mustChangePassword: false } })
  })
  afterEach(() => {
    document.body.innerHTML = ''
    vi.restoreAllMocks()
  })

  it('begin with prepared days, and save what was painted', async () => {
    const { page } = await open('/calendar')
    expect(page.text()).toContain('No calendars yet')
    const { page: fresh, day, button, router } = await open('/calendar/new?preset=cn&year=2026')
    expect(fresh.find<HTMLInputElement>('#calendar-name').element.value).toBe('Mainland China')
    expect(day('2026-10-01').attributes('aria-label')).toContain('day off, 国庆节')
    await day('2026-12-24').trigger('click')
    await day('2026-10-10').trigger('click')
    await button('Save')?.trigger('click')
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('calendar'), { timeout: 15_000 })
    const { rules } = sent('POST')[0]?.body as { rules: ReturnType<typeof chinaRules> }
    expect(rules.days).toContainEqual({ from: '2026-12-24', kind: 'off' })
    expect(rules.days).toContainEqual({ from: '2026-10-10', kind: 'off' })
    expect(rules.days).not.toContainEqual(expect.objectContaining({ name: '国庆节补班' }))
  })

  it('are walked by keys, over the end of a year, and several days are chosen at once', async () => {
    const calendar = addCalendar(world, { groupId: null, name: 'cn', rules: chinaRules() })
    const { page, day, router } = await open(`/calendar/${calendar.id}?year=2026`)
    const key = (name: string, shiftKey = false) => page.find('.year-grid').trigger('keydown', { key: name, shiftKey })
    await key('End')
    expect(document.activeElement?.getAttribute('data-date')).toBe('2026-12-31')
    await key('ArrowLeft', true)
    await day('2026-12-30').trigger('click')
    expect([day('2026-12-30').classes(), day('2026-12-31').classes()].every((classes) => classes.includes('off'))).toBe(true)
    await key('PageDown')
    await flushPromises()
    await vi.waitFor(() => expect(router.currentRoute.value.query['year']).toBe('2027'), { timeout: 15_000 })
    await vi.waitFor(() => expect(day('2027-01-30').attributes('tabindex')).toBe('0'), { timeout: 15_000 })
  })

  it('tell who follows, what saving changes for them, and refuse to delete', async () => {
    const calendar = addCalendar(world, { groupId: null, name: 'cn', rules: chinaRules() })
    addTask(world, { groupId: 1, name: 'daily-report', schedule: { kind: 'cron', expression: '0 0 9 * * ?', timezone: 'UTC', calendarId: calendar.id }, handler: { kind: 'shell', script: 'true' } })
    const { page, day, button } = await open(`/calendar/${calendar.id}?year=2026`)
    expect(page.find('.follower-list').text()).toContain('daily-report')
    await day('2026-10-09').trigger('click')
    await vi.waitFor(() => expect(page.find('.followers-impact').text()).toContain('1 removed'), { timeout: 15_000 })
    vi.spyOn(ElMessageBox, 'confirm').mockResolvedValue('confirm' as MessageBoxData)
    await button('Delete')?.trigger('click')
    await vi.waitFor(() => expect(document.body.textContent).toContain('still use this calendar'), { timeout: 15_000 })
  })

  it('say what somebody else has saved meanwhile, and go back to an older version', async () => {
    const calendar = addCalendar(world, { groupId: null, name: 'cn', rules: chinaRules() })
    const { page, day, button } = await open(`/calendar/${calendar.id}?year=2026`)
    Object.assign(calendar, { version: 2 })
    await day('2026-12-24').trigger('click')
    await button('Save')?.trigger('click')
    await vi.waitFor(() => expect(page.text()).toContain('Somebody else has saved version 2'), { timeout: 15_000 })
    await button('Save')?.trigger('click')
    await vi.waitFor(() => expect(sent('PUT').at(-1)?.body).toMatchObject({ version: 2 }), { timeout: 15_000 })
    await flushPromises()
    await button('Versions')?.trigger('click')
    const restore = () => [...document.querySelectorAll('button')].find((one) => one.textContent.trim() === 'Take into the form')
    await vi.waitFor(() => expect(restore()).toBeDefined(), { timeout: 15_000 })
    expect(document.querySelector('.changes')?.textContent).toBe('Thu, Dec 24, 2026: working day in place of day off')
    restore()?.click()
    await vi.waitFor(() => expect(day('2026-12-24').classes()).not.toContain('off'), { timeout: 15_000 })
  })

  it('for a viewer are to look at', async () => {
    world.permissions = ['calendar:view']
    const calendar = addCalendar(world, { groupId: null, name: 'cn', rules: chinaRules() })
    const { page, day, button } = await open(`/calendar/${calendar.id}?year=2026`)
    expect(button('Save')).toBeUndefined()
    expect(page.text()).toContain('not change it')
    await day('2026-12-24').trigger('click')
    expect(day('2026-12-24').classes()).not.toContain('off')
    expect(day('2026-12-24').attributes('aria-disabled')).toBe('true')
  })
})
