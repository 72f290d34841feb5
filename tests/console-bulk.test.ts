import { readFile } from 'node:fs/promises'
import type { Task, Workflow } from '@tickwheel/contract'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { ApiClient } from './kit/api-client.ts'
import { openPage, signInByHand } from './kit/browser.ts'
import { describeConsole } from './kit/console.ts'
import { homeGroup } from './kit/runs.ts'

const MANY = 25
const manual = { schedule: { kind: 'manual' } }

describeConsole('one thing done to many', { env: { TICKWHEEL_EMBEDDED_EXECUTOR: 'false' } }, (test) => {
  const bar = (page: Page) => page.getByRole('toolbar', { name: 'For the selected ones' })
  /** The names of the tasks in the file that is downloaded. */
  const exported = async (page: Page): Promise<string[]> => {
    const [download] = await Promise.all([page.waitForEvent('download'), bar(page).getByRole('button', { name: 'Export' }).click()])
    const text = await readFile(await download.path(), 'utf8')
    return [...text.matchAll(/^ {4}name: (import \d+|left alone)$/gm)].map(([, name = '']) => name).sort()
  }
  const chooseFirst = async (page: Page, rows: number): Promise<void> => {
    for (let row = 0; row < rows; row += 1) await page.locator('.el-table__row .el-checkbox').nth(row).click()
  }

  it('runs all tasks that match, and cancels all their runs; each has its result', async () => {
    const { page, admin, complaints } = test
    const groupId = await homeGroup(admin)
    const handler = { kind: 'named', name: 'sync' }
    for (let n = 0; n < MANY; n += 1) await admin.post<Task>('/task', { groupId, name: `import ${String(n)}`, ...manual, handler })
    await admin.post<Task>('/task', { groupId, name: 'left alone', ...manual, handler })
    await page.goto('/task?q=import')
    await page.getByRole('link', { name: 'import 24' }).waitFor()
    await chooseFirst(page, 2)
    await bar(page).getByText('2 selected').waitFor()
    expect(await exported(page)).toEqual(['import 23', 'import 24'])
    await bar(page)
      .getByRole('button', { name: `Choose all ${String(MANY)} that match` })
      .click()
    expect(await exported(page)).toHaveLength(MANY)
    await bar(page).getByRole('button', { name: 'Run' }).click()
    const dialog = page.getByRole('dialog', { name: `Run ${String(MANY)} tasks` })
    await dialog.getByText('and 17 more').waitFor()
    await dialog.getByRole('button', { name: `Run ${String(MANY)} tasks` }).click()
    await page.waitForURL(/\/bulk\/\d+$/)
    await page.getByRole('heading', { name: `Run ${String(MANY)} tasks` }).waitFor()
    await page.getByText(`${String(MANY)} of ${String(MANY)} settled`).waitFor()
    await page
      .locator('.bulk-items .el-table__row')
      .filter({ hasText: 'import 3' })
      .getByRole('link', { name: /^Run \d+$/ })
      .waitFor()
    await page.getByRole('link', { name: 'what matched this filter' }).click()
    await page.waitForURL('**/task?q=import')

    await page.goto('/run')
    await page
      .locator('.run-table .el-table__row')
      .nth(MANY - 1)
      .waitFor()
    await chooseFirst(page, 1)
    await bar(page)
      .getByRole('button', { name: `Choose all ${String(MANY)} that match` })
      .click()
    await bar(page).getByRole('button', { name: 'Cancel' }).click()
    await page
      .getByRole('dialog')
      .getByRole('button', { name: `Cancel ${String(MANY)} runs` })
      .click()
    await page.getByText(`${String(MANY)} of ${String(MANY)} settled`).waitFor()
    await page.getByRole('button', { name: `Done ${String(MANY)}` }).click()
    await page.waitForURL(/\?state=done$/)
    await page.getByText('Cancelation asked for').first().waitFor()
    await page.getByRole('link', { name: 'Bulk operations' }).first().click()
    await page.locator('.bulks .el-table__row').nth(1).waitFor()
    expect(await page.locator('.bulks .el-table__row').allInnerTexts()).toEqual([
      expect.stringContaining(`Cancel ${String(MANY)} runs`),
      expect.stringContaining(`Run ${String(MANY)} tasks`),
    ])
    expect(complaints()).toEqual([])
  })

  it('says of each why it was refused, and deletes what is selected', async () => {
    const { page, admin, complaints } = test
    const groupId = await homeGroup(admin)
    const steps = [{ key: 'ask', kind: 'approval', prompt: 'Go on?' }]
    for (const name of ['one', 'two']) await admin.post<Workflow>('/workflow', { groupId, name, ...manual, steps, edges: [] })
    await page.goto('/workflow')
    await page.getByRole('link', { name: 'two' }).waitFor()
    await chooseFirst(page, 2)
    await bar(page).getByRole('button', { name: 'Start' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Start 2 workflows' }).click()
    await page.getByRole('button', { name: 'Refused 2' }).waitFor()
    await page.getByText('has no schedule to start').first().waitFor()
    await page.goto('/workflow')
    await page.getByRole('link', { name: 'two' }).waitFor()
    await chooseFirst(page, 1)
    await bar(page).getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByText('Also cancel their runs that have not ended').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete 1 workflow' }).click()
    await page.getByText('with their runs').waitFor()
    await page.locator('.bulk-items').getByText('Deleted').waitFor()
    expect((await admin.get<{ total: number }>('/workflow')).total).toBe(1)
    expect(complaints()).toEqual([])
  })

  it('is nothing for a viewer: no boxes, no page', async () => {
    const { admin, browser, server } = test
    const [first, own] = ['handed over on paper', 'known to vic alone']
    await admin.post('/user', { username: 'vic', password: first, bindings: [{ role: 'viewer', groupIds: null }] })
    const vicsCalls = await ApiClient.signIn(server.url, 'vic', first)
    await vicsCalls.put('/auth/password', { current: first, next: own })
    await using vic = await openPage(browser, server.url)
    await vic.page.goto('/login')
    await signInByHand(vic.page, 'vic', own)
    for (const path of ['/task', '/workflow', '/run']) {
      await vic.page.goto(path)
      await vic.page.locator('.el-table__row').first().waitFor()
      expect([path, await vic.page.locator('.el-checkbox').count()]).toEqual([path, 0])
      expect(await vic.page.getByRole('link', { name: 'Bulk operations' }).count()).toBe(0)
    }
    await vic.page.goto('/bulk')
    await vic.page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    expect(vic.complaints()).toEqual([])
  })
})
