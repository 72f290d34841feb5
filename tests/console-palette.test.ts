import type { Group, Task } from '@tickwheel/contract'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { describeConsole } from './kit/console.ts'
import { openPage, signInByHand } from './kit/browser.ts'
import { waitFor } from './kit/wait-for.ts'
import { makePerson, PASSWORD } from './person.fixture.ts'

const MANUAL = { schedule: { kind: 'manual' }, handler: { kind: 'shell', script: 'true' } }

const palette = (page: Page) => page.getByRole('dialog').filter({ has: page.getByRole('combobox') })
const active = async (page: Page): Promise<string> =>
  (await palette(page).getByRole('option', { selected: true }).innerText()).replace(/\s+/g, ' ').trim()
const focused = async (page: Page): Promise<string> => {
  const place = page.locator(':focus')
  return (await place.getAttribute('aria-label')) ?? (await place.innerText())
}

/** Called at each stop of the Tab key: the stop before, if it looks the same now that the focus has left it; else null. */
const UNSEEN = `(() => {
  const look = ({ outlineStyle, outlineColor, boxShadow }) => [outlineStyle, outlineColor, boxShadow].join()
  const looks = (places) => places.map((place) => look(getComputedStyle(place))).join('; ')
  const last = window.lastStop
  const here = document.activeElement
  const places = [here, here.parentElement, here.parentElement.parentElement, here.nextElementSibling].filter((place) => place !== null)
  window.lastStop = { places, shown: looks(places), name: here.outerHTML.slice(0, 120) }
  return last !== undefined && looks(last.places) === last.shown ? last.name : null
})()`

describeConsole('the console by keyboard', { path: '/group' }, (test) => {
  it('the palette goes to pages, finds things by a part of their names, and offers what was seen before', async () => {
    const { page, admin, complaints } = test
    const group = (await admin.get<{ items: Group[] }>('/group')).items[0]?.id
    const task = await admin.post<Task>('/task', { groupId: group, name: '同步订单 nightly', ...MANUAL })

    await page.keyboard.press('Control+k')
    await palette(page).getByRole('combobox').waitFor()
    expect(await active(page)).toMatch(/^Dashboard/)
    await page.keyboard.press('ArrowUp')
    expect(await active(page)).toMatch(/^Sign out/)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.type('exe')
    expect(await active(page)).toMatch(/^Executors/)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/executor')
    expect(await palette(page).count()).toBe(0)

    await page.keyboard.press('Control+k')
    await page.keyboard.insertText('订单')
    await palette(page).getByRole('option', { name: '同步订单 nightly default' }).waitFor()
    await waitFor(async () => (await palette(page).getByRole('status').textContent()) === '1 result', { what: 'the number of results' })
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/task/${String(task.id)}`)
    await waitFor(async () => (await page.title()) === '同步订单 nightly · Tickwheel', { what: 'the title of the window' })

    await page.goto('/dashboard')
    await page.getByRole('heading', { name: 'Dashboard' }).waitFor()
    await page.keyboard.press('Meta+k')
    await palette(page).getByRole('group', { name: 'Seen lately' }).getByRole('option', { name: '同步订单 nightly Task' }).click()
    await page.waitForURL(`**/task/${String(task.id)}`)
    expect(complaints()).toEqual([])
  })

  it('the palette is left by Escape, gives the focus back, and does things at once', async () => {
    const { page, complaints } = test
    await page.getByRole('button', { name: 'Language' }).focus()
    await page.keyboard.press('Control+k')
    await palette(page).getByText('Pages', { exact: true }).waitFor()
    await page.keyboard.press('Escape')
    await palette(page).waitFor({ state: 'detached' })
    expect(await focused(page)).toBe('Language: English')

    await page.getByRole('button', { name: 'Search or jump to' }).click()
    await page.keyboard.type('dark th')
    await page.keyboard.press('Enter')
    await page.locator('html.dark').waitFor()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('中文')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: '任务组' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('zzzz')
    await page.getByText('没有找到“zzzz”。').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('Control+k')
    await page.keyboard.type('task')
    expect(await active(page)).toContain('任务')
    await page.keyboard.press('Escape')
    expect(complaints()).toEqual([])
  })

  it('the palette offers a viewer only what they may see', async () => {
    const { admin, server, browser } = test
    const groups = await Promise.all(['north', 'south'].map((name) => admin.post<Group>('/group', { name, appName: name })))
    for (const { id, name } of groups) await admin.post<Task>('/task', { groupId: id, name: `count ${name}`, ...MANUAL })
    await using viewer = await openPage(browser, server.url)
    await makePerson({ admin, url: server.url }, 'vic', [{ role: 'viewer', groupIds: groups.slice(0, 1).map(({ id }) => id) }])
    await viewer.page.goto('/login?next=/task')
    await signInByHand(viewer.page, 'vic', PASSWORD)
    await viewer.page.getByRole('heading', { name: 'Tasks' }).waitFor()
    await viewer.page.keyboard.press('Control+k')
    const options = palette(viewer.page).getByRole('option')
    await options.first().waitFor()
    const offered = (await options.allInnerTexts()).map((text) => text.split('\n')[0])
    expect(offered).toContain('Tasks')
    for (const hidden of ['Users', 'System', 'New task', 'Audit log']) expect(offered).not.toContain(hidden)
    await viewer.page.keyboard.type('count')
    await palette(viewer.page).getByRole('option', { name: 'count north' }).waitFor()
    expect(await palette(viewer.page).getByRole('option', { name: 'count south' }).count()).toBe(0)
    expect(viewer.complaints()).toEqual([])
  })

  it('keys of one letter go to pages, to the filter, to rows, make something new, and are no keys while somebody types', async () => {
    const { page, admin, complaints } = test
    const group = (await admin.get<{ items: Group[] }>('/group')).items[0]?.id
    for (const name of ['first', 'second']) await admin.post<Task>('/task', { groupId: group, name, ...MANUAL })
    await page.getByRole('heading', { name: 'Groups' }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('t')
    await page.waitForURL('**/task')
    await page.getByRole('link', { name: 'second' }).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    expect(await focused(page)).toBe('first')
    await page.keyboard.press('k')
    expect(await focused(page)).toBe('second')
    await page.keyboard.press('/')
    await page.keyboard.type('gn/?')
    await page.waitForURL((url) => url.searchParams.get('q') === 'gn/?')
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.getByRole('heading', { name: 'Tasks' }).click()
    await page.keyboard.press('n')
    await page.waitForURL('**/task/new')
    await page.goto('/group')
    await page.getByRole('heading', { name: 'Groups' }).waitFor()
    await page.keyboard.press('n')
    await page.getByRole('dialog', { name: 'New group' }).waitFor()
    expect(complaints()).toEqual([])
  })

  it('keys of one letter are listed by a question mark, and can be switched off', async () => {
    const { page, complaints } = test
    await page.getByRole('heading', { name: 'Groups' }).waitFor()
    await page.keyboard.press('?')
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await help.getByText('To the filter of the page').waitFor()
    await page.keyboard.press('Escape')
    await help.waitFor({ state: 'detached' })
    await page.goto('/account')
    await page.getByText('Keys of one letter', { exact: true }).click()
    await page.getByRole('heading', { name: 'Keyboard' }).click()
    await page.keyboard.press('g')
    await page.keyboard.press('t')
    await page.keyboard.press('?')
    // what came before it has been heard when the palette is there
    await page.keyboard.press('Control+k')
    await page.keyboard.type('shortcuts')
    await page.keyboard.press('Enter')
    await help.getByText('Keys of one letter are off').waitFor()
    expect(await help.getByText('To the filter of the page').count()).toBe(0)
    expect(new URL(page.url()).pathname).toBe('/account')
    await page.reload()
    await page.getByRole('switch', { name: 'Keys of one letter', checked: false }).waitFor({ state: 'attached' })
    expect(complaints()).toEqual([])
  })

  it('the first Tab leads past the menu, what has the focus shows it, and a drawer keeps it', async () => {
    const { page, complaints } = test
    await page.goto('/group')
    await page.getByRole('link', { name: 'default' }).first().waitFor()
    await page.addStyleTag({ content: '*, *::before, *::after { transition: none !important }' })
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    await page.locator('main:focus').waitFor()
    await page.keyboard.press('Tab')
    expect(await focused(page)).toMatch(/^(Search|New group)/)
    for (let stop = 0; stop < 8; stop += 1) {
      expect(await page.evaluate<string | null>(UNSEEN)).toBe(null)
      await page.keyboard.press('Tab')
    }
    const opener = page.getByRole('button', { name: 'New group' })
    await opener.focus()
    await page.keyboard.press('Enter')
    const drawer = page.getByRole('dialog', { name: 'New group' })
    await drawer.locator('input').first().waitFor()
    for (let stop = 0; stop < 14; stop += 1) {
      await page.keyboard.press('Tab')
      expect(await drawer.locator(':focus').count(), `stop ${stop}`).toBe(1)
    }
    await page.keyboard.press('Escape')
    await drawer.waitFor({ state: 'hidden' })
    await page.locator('.page-head .el-button--primary:focus').waitFor()
    expect(complaints()).toEqual([])
  })
})
