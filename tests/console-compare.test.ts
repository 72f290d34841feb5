import type { Task } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import { describeConsole } from './kit/console.ts'
import { ended, shellTask, trigger } from './kit/runs.ts'

describeConsole('the console, for a run beside the last success', {}, (test) => {
  it('says on a failed run what is other than it was, and shows both sides', async () => {
    const { admin, page, complaints } = test
    const task = await shellTask(admin, 'settle', 'echo settled', { params: '{"day":1}' })
    const good = await trigger(admin, task.id)
    await ended(admin, good)
    const { groupId, name, schedule, version } = task
    const handler = { kind: 'shell', script: 'echo no ledger >&2; exit 3' }
    await admin.put<Task>(`/task/${task.id}`, { groupId, name, schedule, version, handler, params: '{"day":2}' })
    const bad = await trigger(admin, task.id)
    await ended(admin, bad)

    await page.goto(`/run/${bad}`)
    await page.getByText(`Against the last success #${good}: other parameters, version 2 in place of 1.`).waitFor()
    await page.getByRole('button', { name: 'Compare' }).click()
    expect(new URL(page.url()).searchParams.get('tab')).toBe('compare')
    const panel = page.getByRole('tabpanel')
    await panel.getByRole('row', { name: 'Version (differs) 2 1' }).waitFor()
    await panel.getByText('{"day":1}').waitFor()
    await panel.getByText('{"day":2}').waitFor()
    await panel.getByText('echo settled').waitFor()
    await panel.getByRole('link', { name: 'Last success' }).click()
    await page.waitForURL(`**/run/${good}`)
    expect(complaints()).toEqual([])
  })

  it('says plainly where nothing has succeeded yet', async () => {
    const { admin, page, complaints } = test
    const task = await shellTask(admin, 'never well', 'exit 1')
    const run = await trigger(admin, task.id)
    await ended(admin, run)
    await page.goto(`/run/${run}`)
    await page.getByText('No run of it before this one has succeeded, as far as runs are kept.').first().waitFor()
    expect(complaints()).toEqual([])
  })
})
