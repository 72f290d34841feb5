import type { Task } from '@tickwheel/contract'
import { beforeAll, expect, it } from 'vitest'
import { describeConsole } from './kit/console.ts'
import { shellTask } from './kit/runs.ts'

describeConsole('routing in the console', {}, (test) => {
  let task: Task
  beforeAll(async () => {
    task = await shellTask(test.admin, 'routed', 'true')
  })

  it('a strategy, a key and a label are chosen in the editor, and kept', async () => {
    const { page, admin } = test
    await page.goto(`/task/${String(task.id)}/edit`)
    await page.getByRole('button', { name: /Routing and priority/ }).click()
    await page.locator('.el-select', { has: page.locator('#routing') }).click()
    await page.getByRole('option', { name: 'Same key, same executor' }).click()
    await page.locator('#routing-key').fill('params.customerId')
    await page.getByRole('button', { name: 'Add a label' }).click()
    await page.getByPlaceholder('Label', { exact: true }).fill('zone')
    await page.getByPlaceholder('Value', { exact: true }).fill('a')
    await page.getByRole('button', { name: 'Save', exact: true }).first().click()
    await page.getByText('Task “routed” is saved.').waitFor()
    const saved = await admin.get<Task>(`/task/${String(task.id)}`)
    expect(saved).toMatchObject({ routing: 'consistentHash', routingKey: 'params.customerId', labels: { zone: 'a' } })
  })

  it('the settings of the task say who would get it now, and what is missing', async () => {
    const { page, admin } = test
    await page.goto(`/task/${String(task.id)}?tab=settings`)
    const panel = page.locator('.task-route')
    await panel.getByText('Waits for an executor with the labels zone=a').waitFor()
    await panel.getByText('lacks the label zone=a').waitFor()
    const { groupId, name, schedule, handler } = task
    await admin.put(`/task/${String(task.id)}`, { groupId, name, schedule, handler, version: 2 })
    await panel.getByText('has a free slot').waitFor()
    await panel.getByText(/would get it\./).waitFor()
    expect(test.complaints()).toEqual([])
  })
})
