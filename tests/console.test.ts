import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Task } from '@tickwheel/contract'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { buildConsole, describeInBrowser, launchBrowser, openPage, signInByHand, type ConsolePage } from './kit/browser.ts'
import { GENEROUS_BUDGETS } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { waitFor } from './kit/wait-for.ts'

const TASK = 'ticks-every-second'

/** Prints three lines, and goes on printing for as long as the file `hold` is there. */
function scriptOf(hold: string): string {
  return [
    'echo "for $TICKWHEEL_PARAMS"',
    'for n in 1 2 3; do echo "line $n"; done',
    `while [ -e '${hold}' ]; do n=$((n + 1)); echo "line $n"; sleep 0.1; done`,
  ].join('\n')
}

// One walk, in order: each part goes on where the one before it ended.
describeInBrowser('a walk through the console', () => {
  let server: ServerProcess
  let browser: Browser
  let console: ConsolePage
  let page: Page
  let hold: string
  let hasFailed = false

  beforeAll(async () => {
    buildConsole()
    server = await startServer({ env: GENEROUS_BUDGETS })
    browser = await launchBrowser()
    console = await openPage(browser, server.url)
    page = console.page
    hold = join(server.dataDir, 'hold')
  })
  afterAll(async () => {
    await browser.close()
    await server.close()
  })

  beforeEach(({ skip, onTestFailed }) => {
    if (hasFailed) skip('an earlier part of the walk has failed')
    onTestFailed(async () => {
      hasFailed = true
      await page.screenshot({ path: join(import.meta.dirname, '..', 'screenshots', 'failed-walk.png') })
    })
  })

  it('leads to the sign-in, and refuses a wrong password in words', async () => {
    await page.goto('/')
    await page.waitForURL(/\/login(\?|$)/)
    await page.getByLabel('User name').fill('admin')
    await page.getByLabel('Password', { exact: true }).fill('not this one')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').filter({ hasText: 'User name or password is wrong' }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/login')
    expect(console.complaints().filter((complaint) => !/\b401\b/.test(complaint))).toEqual([])
  })

  it('signs in with the right one', async () => {
    await signInByHand(page)
    await page.getByRole('heading', { name: 'Nothing is scheduled yet' }).waitFor()
    await page.getByText('This account still has its first password').waitFor()
  })

  it('creates a task that runs every second', async () => {
    await page.getByRole('link', { name: 'New task' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill(TASK)
    await page.getByText('At an interval').click()
    await page.getByRole('spinbutton', { name: 'Interval' }).fill('1')
    await page.locator('.duration-input .el-select').first().click()
    await page.getByRole('option', { name: 'seconds', exact: true }).click()
    await page.getByRole('textbox', { name: 'Shell script' }).fill(scriptOf(hold))
    await page.getByRole('complementary', { name: 'What follows from it' }).getByText('every second').first().waitFor()
    await page.getByRole('button', { name: 'Save and start' }).click()
    await page.waitForURL(/\/task\/\d+$/)
    await page.getByRole('heading', { name: TASK }).waitFor()
  })

  it('shows its runs as they come', async () => {
    const rows = page.locator('.run-table .el-table__row')
    const succeeded = rows.filter({ hasText: 'Succeeded' })
    await succeeded.nth(2).waitFor()
    const newest = await rows.first().innerText()
    await waitFor(async () => (await rows.first().innerText()) !== newest, { what: 'a newer run at the top' })
  })

  it('moves the log of a run while it runs, and changes its state when it ends', async () => {
    writeFileSync(hold, '')
    const running = page.locator('.run-table .el-table__row').filter({ hasText: 'Running' }).first()
    // by the keyboard: rows move on while a mouse would aim
    await running.getByRole('link', { name: /^Run \d+ ·/ }).press('Enter')
    await page.waitForURL(/\/run\/\d+$/)
    await stateIs(page, 'Running')
    const log = page.getByRole('log')
    await log.getByText('line 3', { exact: true }).waitFor()
    const before = await lineCount(page)
    await waitFor(async () => (await lineCount(page)) >= before + 10, { what: 'ten more lines' })
    await page.getByText('Follow', { exact: true }).waitFor()
    rmSync(hold)
    await stateIs(page, 'Succeeded')
    expect(await lineCount(page)).toBeGreaterThanOrEqual(before + 10)
    await page.getByRole('tab', { name: 'Decisions' }).waitFor()
  })

  it('stops the task with its switch', async () => {
    await page.getByRole('link', { name: TASK }).click()
    await page
      .getByRole('switch', { name: `Stop the schedule of ${TASK}` })
      .locator('..')
      .click()
    await page.getByRole('switch', { name: `Start the schedule of ${TASK}` }).waitFor({ state: 'attached' })
    await page.getByText('The schedule is off').waitFor()
    const { items } = await (await server.signIn()).get<{ items: Task[] }>('/task')
    expect(items).toMatchObject([{ name: TASK, enabled: false, nextFireAt: null }])
  })

  it('starts a long run with parameters and cancels it', async () => {
    writeFileSync(hold, '')
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Run with parameters…' }).click()
    await page.getByRole('textbox', { name: 'Parameters' }).fill('{"who":"the walker"}')
    await page.getByRole('dialog').getByRole('button', { name: 'Run now' }).click()
    await page.waitForURL(/\/run\/\d+$/)
    await page.getByRole('log').getByText('for {"who":"the walker"}').waitFor()
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel run' }).click()
    await stateIs(page, 'Canceled')
    await page.getByRole('tab', { name: 'Input' }).click()
    await page.getByRole('tabpanel').getByText('the walker').waitFor()
    expect(new URL(page.url()).search).toBe('?tab=input')
    rmSync(hold)
  })

  it('keeps filters in the address over a reload', async () => {
    await page.getByRole('link', { name: 'Runs', exact: true }).click()
    await page.getByRole('search').getByRole('button', { name: 'Canceled' }).click()
    await page.waitForURL('**/run?state=canceled')
    const rows = page.locator('.run-table .el-table__row')
    await waitFor(async () => (await rows.count()) === 1, { what: 'the canceled run alone' })
    await page.reload()
    await page.getByRole('button', { name: 'Canceled', pressed: true }).waitFor()
    await rows.first().waitFor()
    expect(await rows.count()).toBe(1)
    expect(await rows.first().innerText()).toContain('Canceled')
    expect(new URL(page.url()).search).toBe('?state=canceled')
  })

  it('speaks Chinese and English, is light and dark, and remembers both', async () => {
    await page.getByRole('button', { name: 'Language' }).click()
    await page.getByRole('menuitem', { name: '中文' }).click()
    await page.getByRole('heading', { name: '执行记录' }).waitFor()
    await page.getByRole('button', { name: '主题' }).click()
    await page.getByRole('menuitem', { name: '深色' }).click()
    await page.locator('html.dark').waitFor()
    await page.reload()
    await page.locator('html.dark[lang="zh-CN"]').waitFor()
    await page.getByRole('button', { name: '语言' }).click()
    await page.getByRole('menuitem', { name: 'English' }).click()
    await page.getByRole('heading', { name: 'Runs' }).waitFor()
    await page.getByRole('button', { name: 'Theme' }).click()
    await page.getByRole('menuitem', { name: 'Light' }).click()
    await page.locator('html:not(.dark)[lang="en"]').waitFor()
  })

  it('has not complained on the way: no error in its console, no breach of the policy, no failed request', () => {
    expect(console.complaints()).toEqual([])
  })
})

async function stateIs(page: Page, state: string): Promise<void> {
  await page.locator('.run-page header .state').filter({ hasText: state }).waitFor()
}

/** What the log says under its lines, such as "12 lines". */
async function lineCount(page: Page): Promise<number> {
  return Number.parseInt(await page.locator('.log-view .status').innerText(), 10)
}
