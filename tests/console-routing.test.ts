import type { Task } from '@tickwheel/contract'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildConsole, describeInBrowser, launchBrowser, openPage, signInByHand, type ConsolePage } from './kit/browser.ts'
import { GENEROUS_BUDGETS, shellTask } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'

describeInBrowser('routing in the console', () => {
  let server: ServerProcess
  let browser: Browser
  let console: ConsolePage
  let page: Page
  let task: Task

  beforeAll(async () => {
    buildConsole()
    server = await startServer({ env: GENEROUS_BUDGETS })
    task = await shellTask(await server.signIn(), 'routed', 'true')
    browser = await launchBrowser()
    console = await openPage(browser, server.url)
    page = console.page
    await page.goto(`/login?next=/task/${String(task.id)}/edit`)
    await signInByHand(page)
  })
  afterAll(async () => {
    await browser.close()
    await server.close()
  })

  it('a strategy, a key and a label are chosen in the editor, and kept', async () => {
    await page.getByRole('button', { name: /Routing and priority/ }).click()
    await page.locator('.el-select', { has: page.locator('#routing') }).click()
    await page.getByRole('option', { name: 'Same key, same executor' }).click()
    await page.locator('#routing-key').fill('params.customerId')
    await page.getByRole('button', { name: 'Add a label' }).click()
    await page.getByPlaceholder('Label', { exact: true }).fill('zone')
    await page.getByPlaceholder('Value', { exact: true }).fill('a')
    await page.getByRole('button', { name: 'Save', exact: true }).first().click()
    await page.getByText('Task “routed” is saved.').waitFor()
    const saved = await (await server.signIn()).get<Task>(`/task/${String(task.id)}`)
    expect(saved).toMatchObject({ routing: 'consistentHash', routingKey: 'params.customerId', labels: { zone: 'a' } })
  })

  it('the settings of the task say who would get it now, and what is missing', async () => {
    await page.goto(`/task/${String(task.id)}?tab=settings`)
    const panel = page.locator('.task-route')
    await panel.getByText('Waits for an executor with the labels zone=a').waitFor()
    await panel.getByText('lacks the label zone=a').waitFor()
    const { groupId, name, schedule, handler } = task
    await (await server.signIn()).put(`/task/${String(task.id)}`, { groupId, name, schedule, handler, version: 2 })
    await panel.getByText('has a free slot').waitFor()
    await panel.getByText(/would get it\./).waitFor()
    expect(console.complaints()).toEqual([])
  })
})
