import type { Group, Task } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import { openPage, signInByHand } from './kit/browser.ts'
import { describeConsole } from './kit/console.ts'

const FIRST = 'handed over on paper'
const OWN = 'known to ann alone'

describeConsole('somebody who may look at one group', { path: '/user' }, (test) => {
  it('is made by an admin, chooses a password, sees that group and nothing else, and the audit log tells of it', async () => {
    const { page, admin, browser, server, complaints } = test
    const billing = await admin.post<Group>('/group', { name: 'billing', appName: 'billing' })
    const shared = { schedule: { kind: 'manual' }, handler: { kind: 'shell', script: 'true' } }
    const seen = await admin.post<Task>('/task', { groupId: billing.id, name: 'send invoices', ...shared })
    const other = (await admin.get<{ items: Group[] }>('/group?keyword=default')).items[0]?.id
    const hidden = await admin.post<Task>('/task', { groupId: other, name: 'rotate keys', ...shared })

    await page.reload()
    await page.getByRole('button', { name: 'New user' }).click()
    const drawer = page.getByRole('dialog', { name: 'New user' })
    await drawer.getByLabel('User name').fill('ann')
    await drawer.getByLabel('First password').fill(FIRST)
    await drawer.getByRole('button', { name: 'Add a role' }).click()
    await drawer.getByText('Choose groups').click()
    await page.getByRole('option', { name: 'billing' }).click()
    await page.keyboard.press('Escape')
    await drawer.getByRole('button', { name: 'Create' }).click()
    await page.locator('.users-table').getByText('Viewer · billing').waitFor()

    await using ann = await openPage(browser, server.url)
    await ann.page.goto('/login')
    await signInByHand(ann.page, 'ann', FIRST)
    await ann.page.waitForURL('**/password**')
    await ann.page.getByLabel('Current password').fill(FIRST)
    await ann.page.getByLabel('New password', { exact: true }).fill(OWN)
    await ann.page.getByLabel('New password, again').fill(OWN)
    await ann.page.getByRole('button', { name: 'Change password' }).click()

    await ann.page.getByRole('navigation').getByRole('link', { name: 'Tasks' }).click()
    await ann.page.getByRole('link', { name: 'send invoices' }).waitFor()
    expect(await ann.page.getByText('rotate keys').count()).toBe(0)
    const entries = await ann.page.getByRole('navigation', { name: 'Main menu' }).getByRole('link').allInnerTexts()
    expect(entries.map((entry) => entry.trim()).filter((entry) => ['Access', 'System'].includes(entry))).toEqual([])
    await ann.page.getByRole('link', { name: 'send invoices' }).click()
    await ann.page.getByRole('heading', { name: 'send invoices' }).waitFor()
    for (const name of ['Run now', 'Edit']) expect(await ann.page.getByRole('button', { name, exact: true }).count()).toBe(0)
    expect(await ann.page.getByRole('switch').isDisabled()).toBe(true)
    expect(ann.complaints()).toEqual([])

    for (const path of ['/user', `/task/${String(seen.id)}/edit`]) {
      await ann.page.goto(path)
      await ann.page.getByRole('heading', { name: 'There is no such page' }).waitFor()
      expect(new URL(ann.page.url()).pathname).toBe(path)
    }
    await ann.page.goto(`/task/${String(hidden.id)}`)
    await ann.page.getByRole('heading', { name: 'Not found' }).waitFor()

    await page.goto('/audit?actor=ann')
    const rows = page.locator('.audit-table .el-table__row')
    await rows.filter({ hasText: 'Change own password' }).waitFor()
    await page.goto('/audit?action=user:create')
    await rows.filter({ hasText: 'ann' }).getByRole('button').click()
    const entry = page.getByRole('dialog', { name: 'Create user' })
    await entry.getByText('"role": "viewer"').waitFor()
    expect(await entry.innerText()).not.toContain(FIRST)
    expect(complaints()).toEqual([])
  })
})
