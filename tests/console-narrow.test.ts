import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AlarmRule, Incident, Task, Workflow, WorkflowRun } from '@tickwheel/contract'
import type { Page, Request } from 'playwright-core'
import { expect, it } from 'vitest'
import type { ApiClient } from './kit/api-client.ts'
import { describeConsole } from './kit/console.ts'
import { ended, homeGroup, shellTask, trigger } from './kit/runs.ts'
import { waitFor } from './kit/wait-for.ts'
import { CUT_OFF } from './cut-off.fixture.ts'

interface World {
  readonly taskId: number
  readonly runId: number
  readonly workflowId: number
  readonly workflowRunId: number
  readonly incidentId: number
  readonly calendarId: number
  readonly bulkId: number
}

/** Where each page of the router stands. A new page fails the first test until it has a line here. */
const PAGES: Readonly<Record<string, (world: World) => string>> = {
  dashboard: () => '/dashboard',
  tasks: () => '/task',
  'task-new': () => '/task/new',
  task: ({ taskId }) => `/task/${taskId}`,
  'task-edit': ({ taskId }) => `/task/${taskId}/edit`,
  workflows: () => '/workflow',
  'workflow-new': () => '/workflow/new',
  workflow: ({ workflowId }) => `/workflow/${workflowId}`,
  'workflow-edit': ({ workflowId }) => `/workflow/${workflowId}/edit`,
  runs: () => '/run',
  run: ({ runId }) => `/run/${runId}?tab=compare`,
  'workflow-runs': () => '/workflow-run',
  'workflow-run': ({ workflowRunId }) => `/workflow-run/${workflowRunId}`,
  bulks: () => '/bulk',
  bulk: ({ bulkId }) => `/bulk/${bulkId}`,
  calendars: () => '/calendar',
  'calendar-new': () => '/calendar/new',
  calendar: ({ calendarId }) => `/calendar/${calendarId}`,
  executors: () => '/executor',
  groups: () => '/group',
  variables: () => '/variable',
  alarms: () => '/alarm',
  incident: ({ incidentId }) => `/alarm/incident/${incidentId}`,
  'alarm-rules': () => '/alarm/rule',
  'alarm-channels': () => '/alarm/channel',
  'alarm-deliveries': () => '/alarm/delivery',
  users: () => '/user',
  roles: () => '/role',
  tokens: () => '/token',
  rights: () => '/rights',
  audit: () => '/audit',
  account: () => '/account',
  system: () => '/system',
  'system-storage': () => '/system/storage',
  'system-transfer': () => '/system/transfer',
  'not-found': () => '/nothing-here',
  password: () => '/password',
}
/** Only for who has not signed in. */
const SIGNED_OUT = ['login']
const WIDTHS = [1280, 390] as const
const LONG = 'settlement_of_every_order_of_the_european_and_the_asian_markets'

describeConsole('the console in narrow windows', {}, (test) => {
  it('has a line for every page of the router', () => {
    const source = readFileSync(join(import.meta.dirname, '../web/src/router/router.ts'), 'utf8')
    const names = [...source.matchAll(/path: '[^\n]*?name: '([\w-]+)'/g)].map(([, name]) => name)
    expect(names.filter((name) => !SIGNED_OUT.includes(name ?? '')).toSorted()).toEqual(Object.keys(PAGES).toSorted())
  })

  it('keeps every page inside the window, at 1280 and at 390 pixels', async () => {
    const { page, admin, complaints } = test
    const world = await fill(admin)
    const calm = watchCalls(page)
    const wrong: string[] = []
    for (const [name, pathOf] of Object.entries(PAGES)) {
      await page.goto(pathOf(world))
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: width === 390 ? 844 : 800 })
        await calm()
        for (const problem of await page.evaluate<string[]>(CUT_OFF)) wrong.push(`${name} at ${width}: ${problem}`)
      }
    }
    expect(wrong).toEqual([])
    expect(complaints()).toEqual([])
  })

  it('opens the rail as a drawer on a phone, which Escape closes', async () => {
    const { page } = test
    await page.setViewportSize({ width: 390, height: 844 })
    const rail = page.getByRole('navigation', { name: 'Main' })
    await rail.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Open the menu' }).click()
    await rail.getByRole('link', { name: 'Executors' }).waitFor()
    await page.keyboard.press('Escape')
    await rail.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Open the menu' }).click()
    await rail.getByRole('link', { name: 'Executors' }).click()
    await page.waitForURL('**/executor')
    await rail.waitFor({ state: 'hidden' })
  })
})

/** Says when what a page asked for has come, and is drawn. */
function watchCalls(page: Page): () => Promise<void> {
  const open = new Set<Request>()
  page.on('request', (request) => open.add(request))
  page.on('requestfinished', (request) => open.delete(request))
  page.on('requestfailed', (request) => open.delete(request))
  return async () => {
    let frames = 0
    while (frames < 3) {
      await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
      frames = open.size === 0 && (await page.locator('main .el-skeleton').count()) === 0 ? frames + 1 : 0
    }
  }
}

/** One of each thing, with names as long as people make them. */
async function fill(admin: ApiClient): Promise<World> {
  const groupId = await homeGroup(admin)
  await admin.post('/group', { name: `${LONG}_group`.slice(0, 64), appName: 'narrow', description: `${LONG} `.repeat(3) })
  await admin.post<AlarmRule>('/alarm/rule', { groupId, name: LONG, conditions: [{ event: 'failed' }], channelIds: [] })
  await admin.post('/variable', { groupId, name: LONG, value: LONG.repeat(4) })
  const task = await shellTask(admin, LONG, `echo ${LONG.repeat(6)}; test "$1" = ok || { echo "cannot ${LONG.repeat(3)}" >&2; exit 3; }`, {
    params: 'ok',
    description: `${LONG} `.repeat(5),
    tags: [LONG.slice(0, 32), 'nightly'],
  })
  await ended(admin, await trigger(admin, task.id))
  const { instanceId } = await admin.post<{ instanceId: number }>(`/task/${task.id}/trigger`, { params: LONG.repeat(3) })
  await ended(admin, instanceId)
  const inline = { handler: { kind: 'shell' as const, script: 'true' } }
  const steps = ['extract', LONG, 'load'].map((key) => ({ key, kind: 'task' as const, inline }))
  const edges = [
    { from: 'extract', to: LONG },
    { from: LONG, to: 'load' },
  ]
  const workflow = await admin.post<Workflow>('/workflow', {
    groupId,
    name: `flow_${LONG}`.slice(0, 64),
    schedule: { kind: 'manual' },
    steps,
    edges,
  })
  const { workflowRunId } = await admin.post<{ workflowRunId: number }>(`/workflow/${workflow.id}/trigger`, {})
  await waitFor(async () => (await admin.get<WorkflowRun>(`/workflow-run/${workflowRunId}`)).endedAt !== null, {
    what: 'the end of the run of the workflow',
  })
  const incident = await waitFor(
    async () => {
      await admin.post(`/task/${task.id}/trigger`, { params: 'bad' } satisfies Partial<Task>)
      return (await admin.get<{ items: Incident[] }>('/alarm/incident')).items[0]
    },
    { what: 'an incident', everyMs: 500 },
  )
  const rules = { weekend: [6, 7], days: [{ from: '2026-12-25', kind: 'off', name: LONG }], blackouts: [] }
  const calendar = await admin.post<{ id: number }>('/calendar', { groupId, name: LONG, rules })
  const bulk = await admin.post<{ bulkId: number }>('/bulk', { kind: 'task', action: 'trigger', ids: [task.id] })
  return {
    calendarId: calendar.id,
    bulkId: bulk.bulkId,
    taskId: task.id,
    runId: instanceId,
    workflowId: workflow.id,
    workflowRunId,
    incidentId: incident.id,
  }
}
