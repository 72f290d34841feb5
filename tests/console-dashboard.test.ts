import type { Dashboard, Group } from '@tickwheel/contract'
import { createExecutor } from '@tickwheel/executor'
import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { ApiClient } from './kit/api-client.ts'
import { openPage, signInByHand } from './kit/browser.ts'
import { describeConsole } from './kit/console.ts'
import { executorToken } from './kit/runs.ts'
import { makeDir, removeDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const GIVEN = 'handed over on paper'
const OWN = 'known to ann alone'
const EACH_HOUR = { schedule: { kind: 'cron', expression: '0 0/59 * * * ?' }, handler: { kind: 'shell', script: 'true' } }

const tile = (page: Page, name: string) => page.locator(`[data-tile="${name}"]`)

// One after the other: each goes on with what the one before has left.
describeConsole('the dashboard', { path: '/' }, (test) => {
  it('is where one begins; an empty one offers samples, and fills by itself as they run and fail', async () => {
    const { page, server, admin, complaints } = test
    const spoolDir = makeDir()
    const executor = createExecutor({
      ...{ server: server.url, appName: 'default', token: await executorToken(admin), name: 'e', spoolDir },
      builtIn: { shell: true, script: true, http: true },
    })
    await executor.start()
    onTestFinished(async () => {
      await executor.stop({ graceMs: 0 })
      removeDir(spoolDir)
    })
    await page.waitForURL('**/dashboard')
    await page.getByRole('heading', { name: 'Nothing is scheduled yet' }).waitFor()
    await page.getByRole('button', { name: /samples/i }).click()
    await tile(page, 'next').waitFor()
    const failing = page.locator('.attention li[data-kind="failing"]')
    await failing.filter({ hasText: 'failed last time' }).waitFor()
    await tile(page, 'broken').filter({ hasText: '1 run failed in 24 hours' }).waitFor()
    await page.locator('.outcomes canvas').waitFor()
    await failing.getByRole('link').first().click()
    await page.waitForURL(/\/run\/\d+$/)
    expect(complaints()).toEqual([])
  })

  it('has numbers that lead to the lists behind them', async () => {
    const { page, complaints } = test
    await tile(page, 'broken')
      .getByRole('link', { name: /runs? failed/ })
      .click()
    await page.waitForURL(/\/run\?state=failed,timedOut,lost&from=/)
    await page.locator('.el-table__row').filter({ hasText: 'Failed' }).first().waitFor()
    await page.goBack()
    await page
      .locator('.outcomes')
      .getByRole('link', { name: /Succeeded$/ })
      .click()
    await page.waitForURL(/\/run\?state=succeeded&from=/)
    await page.goBack()
    await tile(page, 'full').getByRole('link', { name: 'slots in use' }).click()
    await page.waitForURL('**/executor')
    expect(complaints()).toEqual([])
  })

  it('keeps group and hours in the address, and says its charts in tables that the keyboard opens', async () => {
    const { page, admin, complaints } = test
    await admin.post('/group', { name: 'empty one', appName: 'empty-one' })
    await page.goto('/dashboard?hours=48')
    await page.getByRole('radio', { name: '48 hours' }).and(page.locator(':checked')).waitFor({ state: 'attached' })
    await page.locator('.outcomes summary').focus()
    await page.keyboard.press('Enter')
    const rows = page.locator('.outcomes tbody tr')
    await rows.first().waitFor()
    expect(await rows.count()).toBe(48)
    const { outcomes } = await admin.get<Dashboard>('/dashboard')
    expect(await rows.first().innerText()).toContain(String(outcomes?.failed))
    await page.getByRole('combobox', { name: 'All groups' }).click()
    await page.getByRole('option', { name: 'empty one' }).click()
    await page.waitForURL(/group=\d+/)
    await page.getByText('No run has ended in this time.').waitFor()
    await page.reload()
    await page.getByText('Nothing is due within the hour.').waitFor()
    expect(complaints()).toEqual([])
  })

  it('speaks Chinese, follows the theme, and is read on a phone', async () => {
    const { page, complaints } = test
    await page.getByRole('button', { name: 'Language' }).click()
    await page.getByRole('menuitem', { name: '中文' }).click()
    await page.getByRole('heading', { name: '待处理' }).waitFor()
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.locator('.outcomes canvas').waitFor()
    await page.setViewportSize({ width: 390, height: 800 })
    await waitFor(async () => (await page.evaluate('document.documentElement.scrollWidth')) === 390, {
      what: 'a page as wide as the phone',
    })
    expect(complaints()).toEqual([])
  })

  it('of somebody of one group is that of the group: no failure of others, no group to choose', async () => {
    const { admin, browser, server } = test
    const { items } = await admin.get<{ items: Group[] }>('/group?keyword=empty')
    await admin.post('/user', {
      username: 'ann',
      password: GIVEN,
      bindings: [{ role: 'viewer', groupIds: items.map((group) => group.id) }],
    })
    await (await ApiClient.signIn(server.url, 'ann', GIVEN)).put('/auth/password', { current: GIVEN, next: OWN })
    await using ann = await openPage(browser, server.url)
    await ann.page.goto('/')
    await signInByHand(ann.page, 'ann', OWN)
    await ann.page.waitForURL('**/dashboard')
    await ann.page.getByRole('heading', { name: 'Nothing is scheduled yet' }).waitFor()
    expect(await ann.page.getByRole('button', { name: /samples/i }).count()).toBe(0)
    await admin.post('/task', { groupId: items[0]?.id, name: 'of the group', enabled: true, ...EACH_HOUR })
    await ann.page.locator('.coming').getByRole('link', { name: 'of the group' }).waitFor()
    await tile(ann.page, 'broken').filter({ hasText: '0 runs failed' }).waitFor()
    expect(await ann.page.getByRole('combobox').count()).toBe(0)
    expect(ann.complaints()).toEqual([])
  })
})
