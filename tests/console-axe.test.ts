import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Incident, Task } from '@tickwheel/contract'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { axeComplaints } from './axe.fixture.ts'
import type { ApiClient } from './kit/api-client.ts'
import { buildConsole, describeInBrowser, launchBrowser, openPage, signInByHand } from './kit/browser.ts'
import { ended, GENEROUS_BUDGETS, homeGroup, shellTask, trigger } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { makeDir, removeDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

/*
 * Every page of the console before axe, with things in it: all rules in the light theme, those of colours in the dark one. A page that is not in the table
 * makes the first test fail.
 */

/** A page as it is looked at: an address, what is opened on it (selectors that are clicked), and what must be seen then. */
interface View {
  readonly path: string
  readonly clicks?: readonly string[]
  readonly shows?: string
}

interface World {
  readonly taskId: number
  readonly runId: number
  readonly workflowId: number
  readonly workflowRunId: number
  readonly incidentId: number
  readonly bulkId: number
  readonly calendarId: number
}

const at = (path: string, shows = 'main h1', clicks: readonly string[] = []): View => ({ path, shows, clicks })
const DRAWER = '.el-drawer'
const NEW = '.page-head .el-button--primary'

/** By the names of routes. Those that are not signed in for are looked at first. */
const VIEWS: Readonly<Record<string, (world: World) => readonly View[]>> = {
  login: () => [at('/login', 'h1')],
  password: () => [at('/password', 'h1')],
  dashboard: () => [at('/dashboard'), at('/dashboard', 'dialog[open]', ['.top-bar .find'])],
  tasks: () => [at('/task', '.el-table__row'), at('/task', '.el-dropdown-menu', ['.el-table__row .el-dropdown button'])],
  bulks: () => [at('/bulk', '.bulks')],
  bulk: ({ bulkId }) => [
    at(`/bulk/${bulkId}`, '.bulk-items'),
    at('/task', '.el-dialog .names', ['.el-table__header .el-checkbox', '.bulk-bar .buttons .el-button:last-child']),
  ],
  'task-new': () => [at('/task/new', '.consequences')],
  task: ({ taskId }) => [
    at(`/task/${taskId}`, '.el-table__row'),
    at(`/task/${taskId}?tab=firings`),
    at(`/task/${taskId}?tab=why&at=2026-11-22T08:00:00.000Z`),
    at(`/task/${taskId}?tab=settings`),
    at(`/task/${taskId}`, DRAWER, ['.buttons .el-dropdown button', '.el-dropdown-menu__item']),
  ],
  'task-edit': ({ taskId }) => [at(`/task/${taskId}/edit`, '.cm-content')],
  workflows: () => [at('/workflow', '.el-table__row')],
  'workflow-new': () => [at('/workflow/new', '.vue-flow')],
  workflow: ({ workflowId }) => [at(`/workflow/${workflowId}`), at(`/workflow/${workflowId}?tab=overview`, '.vue-flow')],
  'workflow-edit': ({ workflowId }) => [at(`/workflow/${workflowId}/edit`, '.vue-flow__node')],
  runs: () => [at('/run', '.el-table__row')],
  run: ({ runId }) => [at(`/run/${runId}`, '.block'), at(`/run/${runId}?tab=attempts`, '.block')],
  'workflow-runs': () => [at('/workflow-run', '.el-table__row')],
  'workflow-run': ({ workflowRunId }) => [
    at(`/workflow-run/${workflowRunId}?step=load`, '.vue-flow__node'),
    at(`/workflow-run/${workflowRunId}?view=timeline`),
    at(`/workflow-run/${workflowRunId}?view=table`),
    at(`/workflow-run/${workflowRunId}?view=data`),
  ],
  executors: () => [at('/executor', '.el-table__row'), at('/executor', DRAWER, [NEW])],
  groups: () => [at('/group', '.el-table__row'), at('/group', DRAWER, [NEW])],
  variables: () => [at('/variable', '.el-table__row'), at('/variable?kind=secret'), at('/variable', DRAWER, [NEW])],
  calendars: () => [at('/calendar', '.el-table__row')],
  'calendar-new': () => [at('/calendar/new')],
  calendar: ({ calendarId }) => [at(`/calendar/${calendarId}`)],
  alarms: () => [at('/alarm', '.incidents')],
  incident: ({ incidentId }) => [at(`/alarm/incident/${incidentId}`, DRAWER)],
  'alarm-rules': () => [at('/alarm/rule', '.el-table__row'), at('/alarm/rule?new=1', DRAWER)],
  'alarm-channels': () => [at('/alarm/channel', '.el-table__row'), at('/alarm/channel?new=1', DRAWER)],
  'alarm-deliveries': () => [at('/alarm/delivery')],
  users: () => [at('/user', '.el-table__row'), at('/user', DRAWER, [NEW])],
  roles: () => [at('/role'), at('/role', DRAWER, [NEW])],
  tokens: () => [at('/token', '.el-table__row')],
  rights: () => [at('/rights?permission=task:edit')],
  audit: () => [at('/audit', '.el-table__row')],
  account: () => [at('/account'), at('/account', 'dialog[open]', ['.keys .el-button'])],
  system: () => [at('/system', '.slot-map')],
  'system-storage': () => [at('/system/storage')],
  'system-transfer': () => [at('/system/transfer')],
  'not-found': () => [at('/nowhere')],
}

const LANES = 3

describeInBrowser('every page of the console, by axe', () => {
  const dataDir = makeDir()
  let server: ServerProcess
  let world: World
  beforeAll(async () => {
    buildConsole()
    server = await startServer({ dataDir, env: GENEROUS_BUDGETS })
    world = await makeWorld(await server.signIn())
  })
  afterAll(async () => {
    await server.close()
    removeDir(dataDir)
  })

  it('is in the table of pages that are looked at', () => {
    const text = readFileSync(join(import.meta.dirname, '..', 'web', 'src', 'router', 'router.ts'), 'utf8')
    const names = [...text.matchAll(/\bname: '([\w-]+)', component:/g)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(25)
    expect(names.sort()).toEqual(Object.keys(VIEWS).sort())
  })

  it('has nothing against it in either theme, and complains of nothing', async () => {
    const browser = await launchBrowser()
    const found: string[] = []
    const views = Object.entries(VIEWS).flatMap(([name, of]) => of(world).map((view) => ({ name, view })))
    const lane = async (isLogin: boolean): Promise<void> => {
      await using opened = await openPage(browser, server.url, { reducedMotion: 'reduce' })
      const { page } = opened
      page.setDefaultTimeout(15_000)
      if (!isLogin) {
        await page.goto('/login')
        await signInByHand(page)
      }
      const own = isLogin ? views.filter(({ name }) => name === 'login') : rest
      for (let next = own.pop(); next !== undefined; next = own.pop()) {
        const { path, clicks = [] } = next.view
        const where = [path, ...clicks].join(' ')
        const complaints = await look(page, next.view).catch((error: unknown) => [`was not seen: ${String(error).slice(0, 300)}`])
        found.push(...[...complaints, ...opened.complaints()].map((complaint) => `${where}: ${complaint}`))
      }
    }
    const rest = views.filter(({ name }) => name !== 'login').reverse()
    await Promise.all([lane(true), ...Array.from({ length: LANES }, async () => lane(false))])
    await browser.close()
    expect([...new Set(found)].sort()).toEqual([])
  })
})

async function look(page: Page, { path, clicks = [], shows = 'h1' }: View): Promise<string[]> {
  await page.goto(path)
  await page.addStyleTag({ content: '*, *::before, *::after { transition: none !important }' })
  await page.evaluate("document.documentElement.classList.remove('dark')")
  for (const click of clicks) await page.locator(`${click}:visible`).first().click()
  await page.locator(`${shows}:visible`).first().waitFor()
  await page.locator('.el-skeleton:visible, .el-loading-mask:visible').first().waitFor({ state: 'detached' })
  const light = await axeComplaints(page)
  await page.evaluate("document.documentElement.classList.add('dark')")
  return [...light, ...(await axeComplaints(page, ['color-contrast'])).map((complaint) => `dark: ${complaint}`)]
}

/** One of everything, some of it gone wrong. */
async function makeWorld(admin: ApiClient): Promise<World> {
  const groupId = await homeGroup(admin)
  const channel = await admin.post<{ id: number }>('/alarm/channel', {
    name: 'nowhere',
    groupId: null,
    language: 'en',
    timezone: 'UTC',
    settings: { kind: 'webhook', url: 'http://127.0.0.1:9/', secret: '', headers: {} },
  })
  await admin.post('/alarm/rule', { name: 'everything', groupId: null, conditions: [{ event: 'failed' }], channelIds: [channel.id] })
  await admin.post('/variable', { groupId: null, name: 'REGION', value: 'north' })
  await admin.post('/secret', { groupId, name: 'TOKEN', value: 'not to be seen' })
  await admin.post('/user', { username: 'ann', password: 'a road to the sea', bindings: [{ role: 'viewer', groupIds: [groupId] }] })
  await admin.post('/token', { kind: 'api', name: 'pipeline', bindings: [{ role: 'viewer', groupIds: [groupId] }] })
  const task = await shellTask(admin, 'nightly report', 'echo before; echo "no such table" >&2; exit 3', {
    tags: ['finance'],
    schedule: { kind: 'cron', expression: '0 0 2 * * *', timezone: 'UTC' },
    description: 'Sends the report.',
    owner: 'ann',
  })
  await shellTask(admin, 'fine', 'echo fine').then(async ({ id }: Task) => ended(admin, await trigger(admin, id)))
  const runId = await trigger(admin, task.id)
  await ended(admin, runId)
  const shell = (key: string, script: string) => ({ key, kind: 'task', inline: { handler: { kind: 'shell', script } } })
  const { id: workflowId } = await admin.post<{ id: number }>('/workflow', {
    groupId,
    name: 'orders',
    schedule: { kind: 'manual' },
    steps: [shell('extract', 'echo fine'), shell('load', 'exit 3'), shell('tell', 'echo')],
    edges: [
      { from: 'extract', to: 'load' },
      { from: 'load', to: 'tell' },
    ],
  })
  const { workflowRunId } = await admin.post<{ workflowRunId: number }>(`/workflow/${workflowId}/trigger`, {})
  await waitFor(async () => (await admin.get<{ endedAt: string | null }>(`/workflow-run/${workflowRunId}`)).endedAt !== null, {
    what: 'the run of the workflow to end',
  })
  const { bulkId } = await admin.post<{ bulkId: number }>('/bulk', { kind: 'task', action: 'trigger', filter: { scheduleKind: 'manual' } })
  const rules = { weekend: [6, 7], days: [{ from: '2026-10-01', kind: 'off', name: 'National Day' }], blackouts: [] }
  const { id: calendarId } = await admin.post<{ id: number }>('/calendar', { groupId, name: 'working days', rules })
  // the rule is in force within a second
  const incident = await waitFor(async () => {
    await ended(admin, await trigger(admin, task.id))
    return (await admin.get<{ items: Incident[] }>('/alarm/incident')).items[0]
  })
  return { taskId: task.id, runId, workflowId, workflowRunId, incidentId: incident.id, bulkId, calendarId }
}
