import { readFileSync } from 'node:fs'
import type { ClusterView } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import { ApiClient } from './kit/api-client.ts'
import { openPage, signInByHand } from './kit/browser.ts'
import { describeConsole } from './kit/console.ts'
import { waitFor } from './kit/wait-for.ts'

describeConsole('the system page of one node on SQLite', { path: '/system' }, (test) => {
  it('is reached by the menu, shows this node, and every slot in its hands', async () => {
    const { page, server, complaints } = test
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
    expect(complaints()).toEqual([])
  })

  it('is walked by the keyboard, pins a slot in the address, and keeps it over a reload', async () => {
    const { page, complaints } = test
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
    expect(complaints()).toEqual([])
  })

  it('is read again by itself, and speaks Chinese', async () => {
    const { page, complaints } = test
    await page.waitForResponse((response) => response.url().endsWith('/api/v1/cluster') && response.ok())
    await page.waitForResponse((response) => response.url().endsWith('/api/v1/cluster') && response.ok())
    await page.getByRole('button', { name: 'Language' }).click()
    await page.getByRole('menuitem', { name: '中文' }).click()
    await page.getByRole('heading', { name: '系统', exact: true }).waitFor()
    await page.getByText('存活 1 / 1').waitFor()
    await page.getByText('只有这一个节点').waitFor()
    await page.locator('.nodes-table .el-table__row').filter({ hasText: '当前' }).waitFor()
    expect(complaints()).toEqual([])
  })

  it('tells what the store takes, and keeps the choice of a kind in the address', async () => {
    const { page, complaints } = test
    await page.getByRole('navigation', { name: 'Pages of the system' }).getByRole('link', { name: 'Storage' }).click()
    await page.waitForURL('**/system/storage')
    const rows = page.locator('.storage-table .el-table__row')
    await rows.filter({ hasText: 'task_version' }).waitFor()
    await page.getByText('retention.runsDays').waitFor()
    await page.getByRole('button', { name: /^Audit log/ }).click()
    await page.waitForURL('**/system/storage?kind=audit')
    await waitFor(async () => (await rows.count()) === 1, { what: 'only the audit log' })
    await page.reload()
    await rows.filter({ hasText: 'audit' }).waitFor()
    expect(await rows.count()).toBe(1)
    expect(complaints()).toEqual([])
  })
})

const JOBS = `tickwheel: 1
groups:
  - { name: settle, appName: settle }
tasks:
  - group: settle
    name: nightly
    schedule: { kind: cron, expression: 0 0 2 * * *, timezone: UTC }
    handler: { kind: shell, script: ./run.sh }
`

describeConsole('import and export', { path: '/system/transfer' }, (test) => {
  it('shows what a document would change, applies just that, and what is wrong with its line', async () => {
    const { page, admin, complaints } = test
    const editor = page.getByRole('textbox', { name: 'Document, YAML or JSON' })
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'jobs.yaml', mimeType: 'application/yaml', buffer: Buffer.from(JOBS.replace('0 0 2', '0 0 25')) })
    await page.getByRole('button', { name: 'Compare' }).click()
    await page.getByRole('button', { name: 'Line 7' }).click()
    await page.getByText('1 problem; nothing can be applied').waitFor()
    expect(await page.getByRole('button', { name: /^Apply/ }).count()).toBe(0)

    await page.locator('input[type=file]').setInputFiles({ name: 'jobs.yaml', mimeType: 'application/yaml', buffer: Buffer.from(JOBS) })
    await editor.getByText('0 0 2 * * *').waitFor()
    await page.getByRole('button', { name: 'Compare' }).click()
    await page.locator('.plan-view').getByText('settle/nightly').waitFor()
    await page.getByRole('button', { name: 'Apply 2 changes' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Apply 2 changes' }).click()
    await page.getByRole('heading', { name: 'What was changed' }).waitFor()
    expect((await admin.get<{ items: { name: string }[] }>('/task')).items.map(({ name }) => name)).toEqual(['nightly'])
    await page.locator('.plan-view summary').filter({ hasText: 'settle/nightly' }).click()
    await page.locator('.plan-view').getByRole('link', { name: 'Open it' }).click()
    await page.waitForURL(/\/task\/\d+$/)
    expect(complaints().filter((line) => !line.includes('422'))).toEqual([])
  })

  it('gives the chosen groups as a file, which the address keeps', async () => {
    const { page, complaints } = test
    await page.locator('.export-section .el-select').click()
    await page.getByRole('option', { name: 'settle' }).click()
    await page.waitForURL('**/system/transfer?groups=settle')
    await page.keyboard.press('Escape')
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export' }).click()])
    expect(file.suggestedFilename()).toMatch(/^tickwheel-\d{8}T\d{6}Z\.yaml$/)
    expect(readFileSync(await file.path(), 'utf8')).toContain('    name: nightly\n')
    expect(complaints()).toEqual([])
  })

  it('is not there for a viewer', async () => {
    const { server, admin, browser } = test
    const group = (await admin.get<{ items: { id: number }[] }>('/group')).items[0]?.id ?? 0
    await admin.post('/user', { username: 'viewer', password: 'a road to the sea', bindings: [{ role: 'viewer', groupIds: [group] }] })
    const first = await ApiClient.signIn(server.url, 'viewer', 'a road to the sea')
    await first.put('/auth/password', { current: 'a road to the sea', next: 'a bridge at dawn' })
    await using other = await openPage(browser, server.url)
    const { page } = other
    await page.goto('/login?next=/system/transfer')
    await signInByHand(page, 'viewer', 'a bridge at dawn')
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    expect(await page.getByRole('navigation').getByRole('link', { name: 'System' }).count()).toBe(0)
  })
})
