import type { Instance, Task } from '@tickwheel/contract'
import { expect, it, onTestFinished } from 'vitest'
import { describeConsole } from './kit/console.ts'
import { Program } from './kit/program.ts'
import { ended, executorToken, homeGroup, shellTask, trigger } from './kit/runs.ts'
import { makeDir, removeDir } from './kit/temp-dir.ts'

describeConsole('the console, for runs that are split', {}, (test) => {
  it('shows a run that its handler split: its shards, and what its own attempts printed', async () => {
    const { admin, page, complaints, server } = test
    const folder = makeDir()
    const env = { MAPPER_SERVER: server.url, MAPPER_TOKEN: await executorToken(admin), MAPPER_SPOOL: folder, MAPPER_FOLDER: folder }
    const mapper = new Program({ file: 'tests/fixtures/mapper.ts', env })
    onTestFinished(async () => {
      await mapper.kill()
      removeDir(folder)
    })
    await mapper.printed(/joined/)
    const body = { groupId: await homeGroup(admin), name: 'count', schedule: { kind: 'manual' }, handler: { kind: 'named', name: 'count' } }
    const task = await admin.post<Task>('/task', { ...body, params: '{"items":12}' })
    const runId = await trigger(admin, task.id)
    await ended(admin, runId)
    await page.goto(`/run/${String(runId)}`)
    const shards = page.getByRole('region', { name: 'Shards of the run' })
    await shards.getByText('split by its handler · the last attempt combines their results').waitFor()
    await shards.getByText('item-11', { exact: true }).waitFor()
    await page.getByText('All its shards have ended, 12 of 12 succeeded: one more attempt combines their results.').waitFor()
    await page.getByRole('tab', { name: 'Log' }).click()
    await page.getByText('split into 12').waitFor()
    await page.getByText('combined 12').waitFor()
    await page.getByRole('tab', { name: 'Shards' }).click()
    await shards.waitFor()
    expect(complaints()).toEqual([])
  })

  it('shows the shards of a run, failed ones first, and runs one of them again', async () => {
    const { admin, page, complaints } = test
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
    expect(complaints()).toEqual([])
  })

  it('splits a task in the editor', async () => {
    const { admin, page, complaints } = test
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
    expect(complaints()).toEqual([])
  })
})
