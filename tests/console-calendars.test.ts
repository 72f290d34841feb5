import type { Calendar, Group, Task } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import { ApiClient } from './kit/api-client.ts'
import { openPage, signInByHand } from './kit/browser.ts'
import { describeConsole } from './kit/console.ts'
import { homeGroup } from './kit/runs.ts'
import { waitFor } from './kit/wait-for.ts'

const PASSWORD = 'a road to the sea'
const OWN = 'a bridge at dawn'
const DAILY = { kind: 'cron', expression: '0 0 9 * * ?', timezone: 'UTC' }

/** A working day next week or later, of the year that the page shows: ISO date. */
function someWorkingDay(now: number): string {
  const day = new Date(now + 7 * 86_400_000)
  while (day.getUTCDay() === 0 || day.getUTCDay() === 6) day.setUTCDate(day.getUTCDate() + 1)
  return day.toISOString().slice(0, 10)
}

describeConsole('calendars in the console', { env: { TICKWHEEL_EMBEDDED_EXECUTOR: 'false', TZ: 'UTC' } }, (test) => {
  it('are made from prepared days and pasted lines, followed by a task, and tell what a change does before it is saved', async () => {
    const { page, admin, complaints } = test
    await page.goto('/calendar')
    await page.getByRole('heading', { name: 'No calendars yet' }).waitFor()
    await page.getByRole('link', { name: /Public holidays of mainland China/ }).click()
    await page.getByRole('heading', { name: 'New calendar' }).waitFor()
    await page.getByLabel('Name', { exact: true }).first().fill('working days')
    await page.getByLabel('Group').click({ force: true })
    await page.getByRole('option', { name: 'All groups' }).click()
    await page.getByRole('button', { name: 'Import' }).click()
    const drawer = page.getByRole('dialog', { name: 'Import days' })
    await drawer.getByLabel('Dates, or the content of a file').fill('2026-12-24 ~ 2026-12-26 Christmas\n2026-13-01 never')
    await drawer.getByText('Line 2: 2026-13-01 never').waitFor()
    await drawer.getByRole('button', { name: 'Take' }).click()
    await page.getByRole('button', { name: 'Save' }).first().click()
    await page.waitForURL(/\/calendar\/\d+/)
    const { items } = await admin.get<{ items: Calendar[] }>('/calendar')
    const [made] = items
    expect(items.map(({ name, groupId }) => [name, groupId])).toEqual([['working days', null]])
    const { rules } = await admin.get<Calendar>(`/calendar/${String(made?.id)}`)
    expect(rules.days).toContainEqual({ from: '2026-10-10', kind: 'work', name: '国庆节调休上班' })
    expect(rules.days).toContainEqual({ from: '2026-12-24', to: '2026-12-26', kind: 'off', name: 'Christmas' })

    await page.goto('/task/new')
    await page.getByLabel('Name', { exact: true }).first().fill('morning report')
    await page.getByLabel('Calendar', { exact: true }).click({ force: true })
    await page.getByRole('option', { name: 'working days (all groups)' }).click()
    await page.getByLabel('On a day off').click({ force: true })
    await page.getByRole('option', { name: 'Move to the next working day' }).click()
    await page.getByLabel('Cron expression').fill('0 0 9 ? * SAT')
    await page.getByText('moved', { exact: true }).first().waitFor()

    const groupId = await homeGroup(admin)
    const schedule = { ...DAILY, calendarId: made?.id, onDayOff: 'skip' }
    const task = await admin.post<Task>('/task', {
      groupId,
      name: 'daily report',
      enabled: true,
      schedule,
      handler: { kind: 'named', name: 'report' },
    })
    const date = someWorkingDay(Date.now())
    page.on('dialog', (dialog) => void dialog.accept())
    await page.goto(`/calendar/${String(made?.id)}?year=${date.slice(0, 4)}`)
    await page.getByRole('link', { name: 'daily report' }).waitFor()
    await page.locator(`[data-date="${date}"]`).click()
    await page.getByText('1 removed').waitFor()
    await page.getByRole('button', { name: 'Save' }).first().click()
    await page.getByText('What follows it is moved to the new version now.').waitFor()
    await waitFor(async () => (await admin.get<Calendar>(`/calendar/${String(made?.id)}`)).applying === 0, {
      what: 'the follower at the new version',
    })

    await page.goto(`/task/${String(task.id)}/edit`)
    await page.getByText('day off').first().waitFor()
    await page.getByRole('heading', { name: 'What saving changes' }).waitFor({ state: 'detached' })
    expect(complaints()).toEqual([])
  })

  it('show what a changed schedule adds and removes before it is saved', async () => {
    const { page, admin, complaints } = test
    const groupId = await homeGroup(admin)
    const handler = { kind: 'named', name: 'report' }
    const task = await admin.post<Task>('/task', {
      groupId,
      name: 'hourly',
      enabled: true,
      schedule: { ...DAILY, expression: '0 0 * * * ?' },
      handler,
    })
    await page.goto(`/task/${String(task.id)}/edit`)
    await page.getByLabel('Cron expression').fill('0 0 6 * * ?')
    const impact = page.locator('.impact-block')
    await impact.getByRole('heading', { name: 'What saving changes' }).waitFor()
    await impact
      .getByText(/690 removed/)
      .first()
      .waitFor()
    expect(complaints()).toEqual([])
  })

  it('are read by a viewer, and not changed', async () => {
    const { admin, browser, server } = test
    const group = await admin.get<{ items: Group[] }>('/group').then(({ items }) => items[0])
    const rules = { weekend: [6, 7], days: [{ from: '2026-10-01', kind: 'off', name: 'National Day' }], blackouts: [] }
    const { id } = await admin.post<Calendar>('/calendar', { groupId: group?.id, name: 'seen by many', rules })
    await admin.post('/user', { username: 'vera', password: PASSWORD, bindings: [{ role: 'viewer', groupIds: null }] })
    await (await ApiClient.signIn(server.url, 'vera', PASSWORD)).put('/auth/password', { current: PASSWORD, next: OWN })
    await using opened = await openPage(browser, server.url)
    const { page } = opened
    await page.goto('/login')
    await signInByHand(page, 'vera', OWN)
    await page.goto('/calendar')
    await page.getByRole('link', { name: 'seen by many' }).waitFor()
    expect(await page.getByRole('link', { name: 'New calendar' }).count()).toBe(0)
    await page.goto(`/calendar/${String(id)}?year=2026`)
    await page.getByText('You may see this calendar, not change it.').waitFor()
    expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0)
    await page.locator('[data-date="2026-10-02"]').click({ force: true })
    expect(await page.locator('[data-date="2026-10-02"]').getAttribute('aria-label')).toMatch(/working day/)
    await page.goto('/calendar/new')
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    expect(opened.complaints()).toEqual([])
  })
})
