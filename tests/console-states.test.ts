import { expect, it } from 'vitest'
import { ApiClient } from './kit/api-client.ts'
import { signInByHand } from './kit/browser.ts'
import { describeConsole } from './kit/console.ts'
import { ended, shellTask, trigger } from './kit/runs.ts'

describeConsole('the console, when things go wrong', {}, (test) => {
  it('shows why a run failed: its error, each attempt, and what was decided', async () => {
    const { admin, page, complaints } = test
    const task = await shellTask(admin, 'fails', 'echo before; echo "no such table" >&2; exit 3', { retry: { max: 1, delayMs: 100 } })
    const run = await trigger(admin, task.id)
    await ended(admin, run)
    await page.goto(`/run/${String(run)}`)
    await page.locator('.run-page header .state').filter({ hasText: 'Failed' }).waitFor()
    await page
      .getByRole('status')
      .filter({ hasText: /exit code other than 0.*exit code 3/ })
      .waitFor()
    await page.getByRole('log').getByText('no such table').nth(1).waitFor()
    const decisions = page.getByRole('tabpanel')
    await decisions.getByText('Started by admin.').waitFor()
    await decisions
      .getByText(/^It failed: /)
      .nth(1)
      .waitFor()
    await decisions.getByText(/^A retry after 100 ms was arranged/).waitFor()
    await page.getByRole('tab', { name: /^Attempts/ }).click()
    await decisions.getByText('Attempt 2').waitFor()
    expect(complaints()).toEqual([])
  })

  it('asks before the parameters that somebody has typed are lost', async () => {
    const { admin, page, complaints } = test
    const task = await shellTask(admin, 'with parameters', 'echo "$1"')
    await page.goto(`/task/${String(task.id)}`)
    const more = page.getByRole('button', { name: 'More actions' })
    await more.click()
    await page.getByRole('menuitem', { name: 'Run with parameters…' }).click()
    const drawer = page.getByRole('dialog', { name: 'Run “with parameters”' })
    await drawer.getByLabel('Parameters').fill('typed')
    await page.keyboard.press('Escape')
    const question = page.getByRole('dialog', { name: 'Close without saving?' })
    await question.getByRole('button', { name: 'Keep editing' }).click()
    expect(await drawer.getByLabel('Parameters').inputValue()).toBe('typed')
    await drawer.getByRole('button', { name: 'Cancel' }).click()
    await question.getByRole('button', { name: 'Discard changes' }).click()
    await drawer.waitFor({ state: 'hidden' })
    expect(complaints()).toEqual([])
  })

  it('answers why a task did not run: its schedule was off; and shows its ledger', async () => {
    const { admin, page, complaints } = test
    const task = await shellTask(admin, 'paused', 'echo never', { schedule: { kind: 'cron', expression: '* * * * * ?', timezone: 'UTC' } })
    await admin.post(`/task/${String(task.id)}/start`)
    await admin.post(`/task/${String(task.id)}/stop`)
    await page.goto(`/task/${String(task.id)}`)
    await page.getByRole('tab', { name: 'Why?' }).click()
    await page.getByRole('button', { name: 'Now', exact: true }).click()
    await page.getByText('It was not due then: its schedule was off.').waitFor()
    await page.getByText('Start the schedule; it then fires from the next instant on.').waitFor()
    await page.waitForURL(/tab=why&at=/)
    await page.getByRole('tab', { name: 'Firings' }).click()
    await page.getByText(/^(No firing yet|Outcome)$/).waitFor()
    expect(complaints()).toEqual([])
  })

  it('leads to the sign-in when the session has ended, and back to where one was', async () => {
    const { page, server, complaints } = test
    await page.goto('/run?state=failed')
    await page.getByRole('button', { name: 'Failed', pressed: true }).waitFor()
    const token = await page.evaluate<string>("JSON.parse(localStorage.getItem('tickwheel.session')).token")
    await new ApiClient(server.url, token).post('/auth/logout')
    // by itself: the live connection tells
    await page.waitForURL(/\/login\?/)
    await page.getByText('Your session has ended.').waitFor()
    await signInByHand(page)
    await page.waitForURL((url) => url.pathname === '/run' && url.searchParams.get('state') === 'failed')
    await page.getByRole('button', { name: 'Failed', pressed: true }).waitFor()
    expect(complaints().filter((complaint) => !/\b401\b/.test(complaint))).toEqual([])
  })

  it('says quietly that the server is gone, and heals by itself when it is back', async () => {
    const { admin, page, server, complaints } = test
    const task = await shellTask(admin, 'after the break', 'echo here')
    await page.goto('/run')
    await page.getByRole('heading', { name: 'Runs' }).waitFor()
    const banner = page.getByRole('status').filter({ hasText: 'Live updates are interrupted' })
    await server.program.kill()
    await banner.waitFor()
    await test.restart()
    await banner.waitFor({ state: 'detached' })
    const run = await trigger(admin, task.id)
    await page.locator('.run-table .el-table__row').filter({ hasText: 'after the break' }).filter({ hasText: 'Succeeded' }).waitFor()
    await ended(admin, run)
    expect(complaints().filter((complaint) => !/ERR_CONNECTION|ERR_EMPTY|WebSocket|failed: /.test(complaint))).toEqual([])
  })
})
