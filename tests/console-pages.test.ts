import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Incident, Workflow } from '@tickwheel/contract'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { PAGES, type PageEntry, type PageWorld } from './console-pages.table.ts'
import { ApiClient } from './kit/api-client.ts'
import { openPage, signInByHand } from './kit/browser.ts'
import { consoleRoutes } from './kit/console-routes.ts'
import { describeConsole } from './kit/console.ts'
import { ended, homeGroup, shellTask, trigger } from './kit/runs.ts'
import { waitFor } from './kit/wait-for.ts'

const VIEWER = 'vera'
const OWN = 'a bridge at dawn'
const DRAWERS = [
  ['/group', 'New group'],
  ['/variable', 'New variable'],
  ['/role', 'New role'],
  ['/user', 'New user'],
  ['/alarm/rule', 'New rule'],
  ['/alarm/channel', 'New channel'],
] as const

describe('the table of the console’s pages', () => {
  it('has every route of the router, and no other', () => {
    expect(Object.keys(PAGES).sort()).toEqual(consoleRoutes().sort())
  })

  it('names tests that are there', () => {
    const named = Object.values(PAGES).flatMap(({ action }) => ('by' in action ? [action.by] : []))
    expect(named.filter((file) => !existsSync(join(import.meta.dirname, file)))).toEqual([])
  })
})

describeConsole('the pages of the console', {}, (test) => {
  let world: PageWorld

  beforeAll(async () => {
    world = await makeWorld(test.admin)
  })

  it('are there for an admin, with what a viewer lacks, and do what they are for', async () => {
    const { page, admin, complaints } = test
    for (const [route, entry] of Object.entries(PAGES)) {
      const { path, shows, action } = entry
      await page.goto(path(world))
      if (route === 'login') continue
      await shows(page, world).waitFor()
      for (const name of lackedBy(entry)) await named(page, name).waitFor()
      if (typeof action === 'function') await action(page, { admin, world })
      expect([route, ...complaints()]).toEqual([route])
    }
  })

  it('are there for a viewer without what a viewer may not do, or not there at all', async () => {
    const { browser, server } = test
    await using opened = await openPage(browser, server.url)
    const { page } = opened
    await page.goto('/login')
    await signInByHand(page, VIEWER, OWN)
    for (const [route, entry] of Object.entries(PAGES)) {
      await page.goto(entry.path(world))
      if (route === 'login') continue
      if (entry.viewer === 'notThere') {
        await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
        continue
      }
      await entry.shows(page, world).waitFor()
      await page.locator('.el-skeleton').first().waitFor({ state: 'detached' })
      for (const name of lackedBy(entry)) expect([route, name, await named(page, name).count()]).toEqual([route, name, 0])
    }
    expect(opened.complaints()).toEqual([])
  })

  it('ask before a drawer is closed with changes, and only then', async () => {
    const { page, complaints } = test
    for (const [path, button] of DRAWERS) {
      await page.goto(path)
      await page.getByRole('button', { name: button }).first().click()
      const drawer = page.getByRole('dialog', { name: /^New / })
      const name = drawer.getByLabel(/^(Name|User name)$/).first()
      await name.fill('changed')
      await name.press('Escape')
      await page.getByRole('button', { name: 'Keep editing' }).click()
      await name.fill('')
      await page.keyboard.press('Escape')
      await drawer.waitFor({ state: 'hidden' })
    }
    expect(complaints()).toEqual([])
  })
})

function lackedBy({ viewer }: PageEntry): readonly string[] {
  return viewer === 'notThere' ? [] : viewer.lacks
}

/** Something to press, by its name. */
function named(page: Page, name: string) {
  const options = { name, exact: true }
  return page.getByRole('button', options).or(page.getByRole('link', options)).or(page.getByRole('radio', options)).first()
}

/** A task that has failed, a workflow that waits for an approval, an incident, a message that cannot be sent, and somebody who may only look. */
async function makeWorld(admin: ApiClient): Promise<PageWorld> {
  const groupId = await homeGroup(admin)
  const username = VIEWER
  await admin.post('/user', { username, password: 'a road to the sea', bindings: [{ role: 'viewer', groupIds: null }] })
  const first = await ApiClient.signIn(admin.url, username, 'a road to the sea')
  await first.put('/auth/password', { current: 'a road to the sea', next: OWN })
  await admin.post('/variable', { groupId, name: 'PAGES_VARIABLE', value: '1' })
  const channel = await admin.post<{ id: number }>('/alarm/channel', {
    groupId: null,
    name: 'pages-channel',
    settings: { kind: 'webhook', url: `${admin.url}/no-such-webhook`, secret: '', headers: {} },
  })
  await admin.post('/alarm/rule', { groupId: null, name: 'pages-rule', conditions: [{ event: 'failed' }], channelIds: [channel.id] })
  const workflow = await admin.post<Workflow>('/workflow', {
    groupId,
    name: 'pages-workflow',
    schedule: { kind: 'manual' },
    steps: [{ key: 'ask', kind: 'approval', prompt: 'Go on?' }],
    edges: [],
  })
  const { workflowRunId } = await admin.post<{ workflowRunId: number }>(`/workflow/${String(workflow.id)}/trigger`, {})
  const { id: taskId } = await shellTask(admin, 'pages-task', 'exit 3')
  const rules = { weekend: [6, 7], days: [{ from: '2026-10-01', kind: 'off', name: 'National Day' }], blackouts: [] }
  const { id: calendarId } = await admin.post<{ id: number }>('/calendar', { groupId: null, name: 'pages-calendar', rules })
  const { bulkId } = await admin.post<{ bulkId: number }>('/bulk', { kind: 'task', action: 'start', ids: [taskId, 999_999] })
  let runId = 0
  // a rule watches what ends a second after it was made
  const incident = await waitFor(
    async () => {
      runId = await trigger(admin, taskId)
      await ended(admin, runId)
      return (await admin.get<{ items: Incident[] }>('/alarm/incident')).items[0] ?? null
    },
    { what: 'an incident', everyMs: 300 },
  )
  return { groupId, taskId, runId, workflowId: workflow.id, workflowRunId, incidentId: incident.id, calendarId, bulkId, username }
}
