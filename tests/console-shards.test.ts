import { join } from 'node:path'
import type { Instance, Task } from '@tickwheel/contract'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type ApiClient } from './kit/api-client.ts'
import { buildConsole, describeInBrowser, launchBrowser, openPage, signInByHand, type ConsolePage } from './kit/browser.ts'
import { ended, GENEROUS_BUDGETS, shellTask, trigger } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { makeDir, removeDir } from './kit/temp-dir.ts'

describeInBrowser('the console, for runs that are split', () => {
  const dataDir = makeDir()
  let server: ServerProcess
  let admin: ApiClient
  let browser: Browser
  let opened: ConsolePage
  let page: Page

  beforeAll(async () => {
    buildConsole()
    server = await startServer({ dataDir, env: GENEROUS_BUDGETS })
    admin = await server.signIn()
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
    await page.goto('/login')
    await signInByHand(page)
    await page.getByRole('heading', { name: 'Tasks' }).waitFor()
  })

  it('shows the shards of a run, failed ones first, and runs one of them again', async () => {
    const task = await shellTask(admin, 'regions', `test "$2" != 2`, { sharding: { kind: 'range', from: 0, to: 500, size: 100 } })
    const runId = await trigger(admin, task.id)
    await ended(admin, runId)
    await page.goto(`/run/${String(runId)}`)
    const shards = page.getByRole('region', { name: 'Shards of the run' })
    await shards.getByText('5 of 5 have ended').waitFor()
    const first = shards.getByRole('row').nth(1)
    await first.getByText('200..300').waitFor()
    await first.getByText('Failed').waitFor()
    await first.getByRole('button', { name: 'Run again' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Run again' }).click()
    await first.getByText(/run again as/).waitFor()
    await shards.getByRole('button', { name: /^Succeeded/ }).click()
    await shards.getByText('200..300').waitFor({ state: 'detached' })
    await shards.getByRole('row').nth(1).getByRole('link').first().click()
    await page.getByText(/^Shard 0 of 5 of run/).waitFor()
    expect(opened.complaints()).toEqual([])
  })

  it('splits a task in the editor', async () => {
    const task = await shellTask(admin, 'to split', 'true')
    await page.goto(`/task/${String(task.id)}/edit`)
    await page.getByRole('button', { name: /^Shards/ }).click()
    await page.getByText('Parts of a range').click()
    await page.getByText('Makes 20 shards.').waitFor()
    await page.getByRole('button', { name: 'Save', exact: true }).first().click()
    await page.waitForURL(`**/task/${String(task.id)}`)
    const saved = await admin.get<Task>(`/task/${String(task.id)}`)
    expect(saved.sharding).toEqual({ kind: 'range', from: 0, to: 1_000_000, size: 50_000 })
    const run = await ended(admin, await trigger(admin, task.id))
    expect(run satisfies Instance).toMatchObject({ state: 'succeeded', shards: { total: 20, made: 20, ended: { succeeded: 20 } } })
    expect(opened.complaints()).toEqual([])
  })
})
