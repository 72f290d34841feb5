import type { Group } from '@tickwheel/contract'
import { expect, it, onTestFinished } from 'vitest'
import { StubExecutor } from '../server/src/link/xxl/stub-executor.fixture.ts'
import { describeConsole } from './kit/console.ts'

const TOKEN = 'default_token'

describeConsole('executors in the console', { path: '/executor', env: { TICKWHEEL_XXL_ACCESS_TOKEN: TOKEN } }, (test) => {
  it('names XXL-JOB executors that no group has, and makes their group', async () => {
    const { page, server, admin, complaints } = test
    const stub = new StubExecutor('2.3', async (path, body, headers) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
      return (await fetch(`${server.url}/api/${path}`, init)).json()
    })
    stub.token = TOKEN
    await stub.listen()
    onTestFinished(() => stub.die())
    await stub.register('Order_Service')
    await page.reload()
    const notice = page.getByRole('region', { name: 'Executors without a group' })
    await notice.getByText('1 XXL-JOB executor registered under an app name that no group has.').waitFor()
    await notice.getByText(new URL(stub.address).host).waitFor()
    await notice.getByRole('button', { name: 'Make the group' }).click()
    const drawer = page.getByRole('dialog', { name: 'New group' })
    expect(await drawer.getByLabel('Name', { exact: true }).inputValue()).toBe('Order_Service')
    expect(await drawer.getByLabel('Application name').inputValue()).toBe('order-service')
    await drawer.getByText('Its own', { exact: true }).click()
    await drawer.getByRole('button', { name: 'Create' }).click()
    await drawer.getByText('Enter the token: visible characters without blanks.').waitFor()
    await drawer.getByLabel('Token', { exact: true }).fill('only-ours')
    await drawer.getByLabel('Runs at once').fill('7')
    await drawer.getByRole('button', { name: 'Create' }).click()
    await notice.waitFor({ state: 'detached' })
    const made = (await admin.get<{ items: Group[] }>('/group?keyword=order')).items
    expect(made).toMatchObject([{ name: 'Order_Service', appName: 'order-service', xxlAccess: 'own', concurrency: 7 }])
    await page.goto('/group')
    await page.getByRole('row', { name: /Order_Service.*\b7\b/ }).waitFor()
    expect(complaints()).toEqual([])
  })

  it('gives a command for an executor with an HTTP endpoint', async () => {
    const { page, complaints } = test
    await page.getByRole('button', { name: 'Add an executor' }).first().click()
    const drawer = page.getByRole('dialog', { name: 'Add an executor' })
    await drawer.getByRole('button', { name: 'Make the command' }).last().click()
    await drawer.getByText('HTTP endpoint', { exact: true }).click()
    await drawer.getByText('python3 examples/http-python/executor.py', { exact: true }).waitFor()
    await drawer.getByText(/^curl .*executor\/register/).waitFor()
    expect(complaints()).toEqual([])
  })
})
