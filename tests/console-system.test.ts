import type { ClusterView } from '@tickwheel/contract'
import { expect, it } from 'vitest'
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
})
