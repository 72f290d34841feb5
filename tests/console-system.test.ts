import { join } from 'node:path'
import type { ClusterView } from '@tickwheel/contract'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { buildConsole, describeInBrowser, launchBrowser, openPage, signInByHand, type ConsolePage } from './kit/browser.ts'
import { GENEROUS_BUDGETS } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { makeDir, removeDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

describeInBrowser('the system page of one node on SQLite', () => {
  const dataDir = makeDir()
  let server: ServerProcess
  let browser: Browser
  let opened: ConsolePage
  let page: Page

  beforeAll(async () => {
    buildConsole()
    server = await startServer({ dataDir, env: GENEROUS_BUDGETS })
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await server.close()
    removeDir(dataDir)
  })
  beforeEach(async ({ onTestFailed }) => {
    onTestFailed(async ({ task }) => {
      await page.screenshot({ path: join(import.meta.dirname, '..', 'screenshots', `failed-${task.id}.png`) })
    })
    opened = await openPage(browser, server.url)
    page = opened.page
    await page.goto('/login?next=/system')
    await signInByHand(page)
    await page.getByRole('heading', { name: 'System', exact: true }).waitFor()
  })

  it('is reached by the menu, shows this node, and every slot in its hands', async () => {
    await page.goto('/task')
    await page.getByRole('navigation').getByRole('link', { name: 'System' }).click()
    await page.waitForURL('**/system')
    const { nodes } = await (await server.signIn()).get<ClusterView>('/cluster')
    const row = page.locator('.nodes-table .el-table__row')
    await row.filter({ hasText: 'this one' }).waitFor()
    expect(await row.count()).toBe(1)
    expect(await row.textContent()).toContain(nodes[0]?.name)
    await waitFor(async () => (await page.locator('.slot-map .owned').count()) === 256, { what: '256 owned slots' })
    await row.filter({ hasText: /256\s*·\s*100%/ }).waitFor()
    const head = page.locator('.cluster-head')
    expect(await head.innerText()).toMatch(/1 of 1 alive[^]*256 of 256[^]*SQLite[^]*not used/)
    await page.getByText('This node is alone').waitFor()
    expect(opened.complaints()).toEqual([])
  })

  it('is walked by the keyboard, pins a slot in the address, and keeps it over a reload', async () => {
    await page.locator('[data-slot="0"]').focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowRight')
    const facts = page.locator('.slot-facts')
    await facts.getByRole('heading', { name: 'Slot 17' }).waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/system?slot=17')
    await page.reload()
    await facts.getByRole('heading', { name: 'Slot 17' }).waitFor()
    await facts.getByRole('row', { name: /^Owner/ }).waitFor()
    expect(opened.complaints()).toEqual([])
  })

  it('is read again by itself, and speaks Chinese', async () => {
    await page.waitForResponse((response) => response.url().endsWith('/api/v1/cluster') && response.ok())
    await page.waitForResponse((response) => response.url().endsWith('/api/v1/cluster') && response.ok())
    await page.getByRole('button', { name: 'Language' }).click()
    await page.getByRole('menuitem', { name: '中文' }).click()
    await page.getByRole('heading', { name: '系统', exact: true }).waitFor()
    await page.getByText('存活 1 / 1').waitFor()
    await page.getByText('只有这一个节点').waitFor()
    await page.locator('.nodes-table .el-table__row').filter({ hasText: '当前' }).waitFor()
    expect(opened.complaints()).toEqual([])
  })
})
