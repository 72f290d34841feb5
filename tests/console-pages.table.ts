import type { Page } from 'playwright-core'
import type { ApiClient } from './kit/api-client.ts'

/** What the pages have to show: made once, by an admin. */
export interface PageWorld {
  readonly groupId: number
  readonly taskId: number
  /** a run that has failed, and can be run again */
  readonly runId: number
  readonly workflowId: number
  readonly workflowRunId: number
  readonly incidentId: number
  readonly calendarId: number
  readonly bulkId: number
  readonly username: string
}

/** A page of the console, what an admin does there first of all, and what somebody sees of it who may only look. */
export interface PageEntry {
  readonly path: (world: PageWorld) => string
  /** what is seen when it is there */
  readonly shows: (page: Page, world: PageWorld) => ReturnType<Page['locator']>
  /** the test that does its main action elsewhere, why it has none, or the action itself */
  readonly action:
    | { readonly by: string }
    | { readonly none: string }
    | ((page: Page, on: { readonly admin: ApiClient; readonly world: PageWorld }) => Promise<void>)
  /** `notThere`: the page says that there is no such page. Else what an admin finds there, as an accessible name, and a viewer does not. */
  readonly viewer: 'notThere' | { readonly lacks: readonly string[] }
}

const heading = (name: string | RegExp) => (page: Page) =>
  page.getByRole('heading', { name, ...(typeof name === 'string' ? { exact: true } : {}) }).first()
const SEES = { lacks: [] } as const

/** Every route of the console's router. */
export const PAGES: Readonly<Record<string, PageEntry>> = {
  login: {
    path: () => '/login',
    shows: (page) => page.locator('#app'),
    action: { by: 'console.test.ts' },
    // who has signed in is led on
    viewer: SEES,
  },
  password: { path: () => '/password', shows: heading('Change password'), action: { by: 'console-access.test.ts' }, viewer: SEES },
  dashboard: {
    path: () => '/dashboard',
    shows: heading('Dashboard'),
    action: { none: 'it is looked at; its links are those of its own tests' },
    viewer: SEES,
  },
  tasks: {
    path: () => '/task',
    shows: heading('Tasks'),
    action: { by: 'console.test.ts' },
    viewer: { lacks: ['New task', 'Run pages-task now'] },
  },
  'task-new': { path: () => '/task/new', shows: heading('New task'), action: { by: 'console.test.ts' }, viewer: 'notThere' },
  'task-edit': {
    path: ({ taskId }) => `/task/${String(taskId)}/edit`,
    shows: heading(/Edit task|pages-task/),
    action: { by: 'console-routing.test.ts' },
    viewer: 'notThere',
  },
  task: {
    path: ({ taskId }) => `/task/${String(taskId)}`,
    shows: heading(/pages-task/),
    action: { by: 'console.test.ts' },
    viewer: { lacks: ['Run now', 'Edit'] },
  },
  workflows: {
    path: () => '/workflow',
    shows: heading('Workflows'),
    action: { by: 'console-workflow-editor.test.ts' },
    viewer: { lacks: ['Create workflow'] },
  },
  'workflow-new': {
    path: () => '/workflow/new',
    shows: heading(/New workflow/),
    action: { by: 'console-workflow-editor.test.ts' },
    viewer: 'notThere',
  },
  workflow: {
    path: ({ workflowId }) => `/workflow/${String(workflowId)}`,
    shows: heading(/pages-workflow/),
    action: { by: 'console-workflow-editor.test.ts' },
    viewer: { lacks: ['Run now', 'Edit'] },
  },
  'workflow-edit': {
    path: ({ workflowId }) => `/workflow/${String(workflowId)}/edit`,
    shows: heading(/pages-workflow/),
    action: { by: 'console-workflow-editor.test.ts' },
    viewer: 'notThere',
  },
  runs: { path: () => '/run', shows: heading('Runs'), action: { by: 'console.test.ts' }, viewer: SEES },
  run: {
    path: ({ runId }) => `/run/${String(runId)}`,
    shows: (page) => page.locator('.run-page header .state'),
    action: async (page) => {
      await page.getByRole('button', { name: 'Run again' }).click()
      await page.waitForURL(/\/run\/\d+$/)
      await page.locator('.run-page header .state').filter({ hasText: 'Failed' }).waitFor()
    },
    viewer: { lacks: ['Run again', 'Run with changes…'] },
  },
  // a viewer sees the operations of nobody: they have none of their own
  bulks: { path: () => '/bulk', shows: heading('Bulk operations'), action: { by: 'console-bulk.test.ts' }, viewer: 'notThere' },
  bulk: {
    path: ({ bulkId }) => `/bulk/${String(bulkId)}`,
    shows: heading(/Start 2 tasks/),
    action: { by: 'console-bulk.test.ts' },
    viewer: 'notThere',
  },
  'workflow-runs': {
    path: () => '/workflow-run',
    shows: heading('Workflow runs'),
    action: { by: 'console-workflow-run.test.ts' },
    viewer: SEES,
  },
  'workflow-run': {
    path: ({ workflowRunId }) => `/workflow-run/${String(workflowRunId)}`,
    shows: heading(/pages-workflow/),
    action: { by: 'console-workflow-run.test.ts' },
    viewer: { lacks: ['Cancel'] },
  },
  executors: {
    path: () => '/executor',
    shows: heading('Executors'),
    action: { by: 'console-executors.test.ts' },
    viewer: { lacks: ['Add an executor'] },
  },
  groups: {
    path: () => '/group',
    shows: heading('Groups'),
    action: async (page) => {
      await page.getByRole('button', { name: 'New group' }).click()
      const drawer = page.getByRole('dialog', { name: 'New group' })
      await drawer.getByLabel('Name', { exact: true }).fill('Pages & co')
      await drawer.getByRole('button', { name: 'Create' }).click()
      await page.getByRole('row', { name: /Pages & co.*pages-co/ }).waitFor()
    },
    viewer: { lacks: ['New group', 'Edit group “default”'] },
  },
  variables: {
    path: () => '/variable',
    shows: heading('Variables and secrets'),
    action: async (page) => {
      await page.getByRole('button', { name: 'New variable' }).click()
      const drawer = page.getByRole('dialog', { name: 'New variable' })
      await drawer.getByLabel('Group').click({ force: true })
      await page.getByRole('option', { name: 'default' }).last().click()
      await drawer.getByLabel('Name', { exact: true }).fill('PAGES_REGION')
      await drawer.getByLabel('Value').fill('eu-west-1')
      await drawer.getByRole('button', { name: 'Create' }).click()
      await page.getByRole('row', { name: /PAGES_REGION.*eu-west-1/ }).waitFor()
    },
    viewer: { lacks: ['New variable', 'Delete PAGES_VARIABLE?', 'Secrets'] },
  },
  calendars: {
    path: () => '/calendar',
    shows: heading('Calendars'),
    action: { by: 'console-calendars.test.ts' },
    viewer: { lacks: ['New calendar'] },
  },
  'calendar-new': {
    path: () => '/calendar/new',
    shows: heading('New calendar'),
    action: { by: 'console-calendars.test.ts' },
    viewer: 'notThere',
  },
  calendar: {
    path: ({ calendarId }) => `/calendar/${String(calendarId)}`,
    shows: heading('pages-calendar'),
    action: { by: 'console-calendars.test.ts' },
    viewer: { lacks: ['Save', 'Import'] },
  },
  alarms: { path: () => '/alarm', shows: heading('Alarms'), action: { by: 'console-alarms.test.ts' }, viewer: SEES },
  incident: {
    path: ({ incidentId }) => `/alarm/incident/${String(incidentId)}`,
    shows: (page) => page.getByRole('dialog', { name: /Incident/ }),
    action: { by: 'console-alarms.test.ts' },
    viewer: { lacks: ['Acknowledge'] },
  },
  'alarm-rules': {
    path: () => '/alarm/rule',
    shows: heading('Alarms'),
    action: { by: 'console-alarms.test.ts' },
    viewer: { lacks: ['New rule'] },
  },
  'alarm-channels': {
    path: () => '/alarm/channel',
    shows: heading('Alarms'),
    action: { by: 'console-alarms.test.ts' },
    viewer: { lacks: ['New channel'] },
  },
  'alarm-deliveries': {
    path: () => '/alarm/delivery',
    shows: (page) => page.getByRole('row', { name: /pages-channel/ }).first(),
    action: async (page) => {
      await page.getByRole('button', { name: 'Try now' }).first().click()
      await page.getByText('It is sent at once.').waitFor()
    },
    viewer: { lacks: ['Try now'] },
  },
  users: { path: () => '/user', shows: heading('Access'), action: { by: 'console-access.test.ts' }, viewer: 'notThere' },
  roles: {
    path: () => '/role',
    shows: heading('Access'),
    action: async (page) => {
      await page.getByRole('button', { name: 'New role' }).click()
      const drawer = page.getByRole('dialog', { name: 'New role' })
      await drawer.getByLabel('Name', { exact: true }).fill('starters')
      await drawer.getByRole('group', { name: 'Tasks' }).getByText('Run now', { exact: true }).click()
      await drawer.getByRole('button', { name: 'Create' }).click()
      await page.getByRole('heading', { name: 'starters' }).waitFor()
    },
    viewer: 'notThere',
  },
  tokens: {
    path: () => '/token',
    shows: heading('Access'),
    action: async (page, { admin }) => {
      await page.getByRole('button', { name: 'New API token' }).click()
      const drawer = page.getByRole('dialog', { name: 'New API token' })
      await drawer.getByLabel('Name', { exact: true }).fill('pages pipeline')
      await drawer.getByRole('button', { name: 'Create' }).click()
      const made = page.getByRole('dialog', { name: 'Token “pages pipeline” is ready' })
      const token = await made.locator('[data-token]').innerText()
      const answer = await fetch(`${admin.url}/api/v1/task`, { headers: { authorization: `Bearer ${token}` } })
      if (!answer.ok) throw new Error(`the token that was shown is answered by ${String(answer.status)}`)
      await made.getByRole('button', { name: 'I have kept it' }).click()
      await page.getByRole('row', { name: /pages pipeline/ }).waitFor()
    },
    viewer: 'notThere',
  },
  rights: {
    path: () => '/rights',
    shows: heading('Access'),
    action: async (page, { world }) => {
      await page.getByLabel('User', { exact: true }).click({ force: true })
      await page.getByRole('option', { name: world.username }).click()
      await page.getByLabel('Permission', { exact: true }).fill('delete')
      await page.getByRole('option', { name: 'Delete', exact: true }).first().click()
      await page
        .getByRole('status')
        .filter({ hasText: `No. ${world.username} may not do this` })
        .waitFor()
    },
    viewer: 'notThere',
  },
  audit: { path: () => '/audit', shows: heading('Access'), action: { by: 'console-access.test.ts' }, viewer: 'notThere' },
  account: {
    path: () => '/account',
    shows: heading('My account'),
    action: async (page) => {
      await page.getByRole('link', { name: 'Change password' }).click()
      await page.waitForURL('**/password?next=/account')
    },
    viewer: SEES,
  },
  system: { path: () => '/system', shows: heading('System'), action: { by: 'console-system.test.ts' }, viewer: 'notThere' },
  'system-storage': {
    path: () => '/system/storage',
    shows: heading('Tables'),
    action: { none: 'it is looked at' },
    viewer: 'notThere',
  },
  'system-transfer': {
    path: () => '/system/transfer',
    shows: heading('Export'),
    action: { by: 'console-system.test.ts' },
    viewer: 'notThere',
  },
  'not-found': {
    path: () => '/nowhere',
    shows: heading('There is no such page'),
    action: async (page) => {
      await page.getByRole('main').getByRole('link').first().click()
      await page.getByRole('heading', { name: 'Dashboard' }).waitFor()
    },
    viewer: SEES,
  },
}
