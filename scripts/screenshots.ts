/**
 * Photographs every page of the console in both languages and both themes: `npm run screenshots [WORD …]` (pages whose name holds a word).
 * A real server on a folder of its own is filled through the public API; the pictures go to screenshots/, named PAGE.LANGUAGE.THEME.png.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor as ExecutorRow, Group, Instance, LedgerEntry, Secret, Task, Variable } from '@tickwheel/contract'
import { createExecutor, type Executor } from '@tickwheel/executor'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { ApiClient } from '../tests/kit/api-client.ts'
import { launchBrowser, openPage, signInByHand } from '../tests/kit/browser.ts'
import { GENEROUS_BUDGETS, trigger } from '../tests/kit/runs.ts'
import { startServer, type ServerProcess } from '../tests/kit/server-process.ts'
import { makeDir, removeDir } from '../tests/kit/temp-dir.ts'
import { waitFor } from '../tests/kit/wait-for.ts'
import { accessShots, fillAccess } from './screenshots-access.ts'
import { GROUPS, SECRETS, TASKS, VARIABLES } from './screenshots-world.ts'

const LOOKS = [
  { locale: 'en', theme: 'light' },
  { locale: 'en', theme: 'dark' },
  { locale: 'zh', theme: 'light' },
  { locale: 'zh', theme: 'dark' },
] as const
type Look = (typeof LOOKS)[number]

interface Shot {
  readonly name: string
  readonly path: string
  /** CSS selectors that are clicked, one after the other */
  readonly clicks?: readonly string[]
  /** CSS selector of what must be seen before the picture is taken */
  readonly shows?: string
  readonly isPhone?: boolean
  readonly isSignedOut?: boolean
}

const folder = join(import.meta.dirname, '..', 'screenshots')
const words = process.argv.slice(2)

async function main(): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const server = await startServer({ env: GENEROUS_BUDGETS })
  const browser = await launchBrowser()
  const spool = makeDir()
  const executors: Executor[] = []
  try {
    const photographer = new Photographer(browser, server)
    await photographer.takeAll([
      { name: 'tasks-empty', path: '/task' },
      { name: 'runs-empty', path: '/run' },
    ])
    executors.push(...(await fill(server, spool)))
    await fillAccess(server)
    const admin = await server.signIn()
    await photographer.takeAll([...(await shots(admin)), ...(await accessShots(admin))])
    process.stdout.write(`${String(photographer.taken)} pictures in ${folder}\n`)
  } finally {
    await browser.close()
    await Promise.all(executors.map(async (executor) => executor.stop({ graceMs: 0 })))
    await server.close()
    removeDir(spool)
  }
}

class Photographer {
  taken = 0
  readonly #browser: Browser
  readonly #server: ServerProcess

  constructor(browser: Browser, server: ServerProcess) {
    this.#browser = browser
    this.#server = server
  }

  async takeAll(shots: readonly Shot[]): Promise<void> {
    const wanted = shots.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
    for (const look of LOOKS) {
      for (const kind of [{ isPhone: false, isSignedOut: true }, { isPhone: false }, { isPhone: true }] as const) {
        const some = wanted.filter(
          (shot) => (shot.isPhone ?? false) === kind.isPhone && (shot.isSignedOut ?? false) === 'isSignedOut' in kind,
        )
        if (some.length > 0) await this.#takeSome(some, look, 'isSignedOut' in kind, kind.isPhone)
      }
    }
  }

  async #takeSome(shots: readonly Shot[], look: Look, isSignedOut: boolean, isPhone: boolean): Promise<void> {
    await using opened = await openPage(this.#browser, this.#server.url, lookOf(look, isPhone))
    const { page } = opened
    if (!isSignedOut) {
      await page.goto('/login')
      await signInByHand(page)
    }
    await page.addInitScript(
      `localStorage.setItem('tickwheel.locale', '${look.locale}'); localStorage.setItem('tickwheel.theme', '${look.theme}')`,
    )
    for (const shot of shots) {
      await page.goto(shot.path)
      await settle(page)
      for (const click of shot.clicks ?? []) {
        await page.locator(`${click}:visible`).first().click()
        await settle(page)
      }
      if (shot.shows !== undefined) await page.locator(shot.shows).first().waitFor()
      await settle(page)
      await page.screenshot({ path: join(folder, `${shot.name}.${look.locale}.${look.theme}.png`), animations: 'disabled' })
      this.taken += 1
      for (const complaint of opened.complaints()) process.stdout.write(`${shot.name}.${look.locale}.${look.theme}: ${complaint}\n`)
    }
  }
}

function lookOf(look: Look, isPhone: boolean): BrowserContextOptions {
  const viewport = isPhone ? { width: 390, height: 844 } : { width: 1280, height: 800 }
  return { viewport, colorScheme: look.theme, timezoneId: 'Asia/Shanghai', deviceScaleFactor: 1 }
}

/** Until what the page asked for has come. A picture itself ends what moves. */
async function settle(page: Page): Promise<void> {
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
  await page.waitForLoadState('networkidle', { timeout: 1_500 }).catch(() => null)
  await page
    .locator('.el-skeleton, .el-loading-mask, [class*="-enter-active"]')
    .first()
    .waitFor({ state: 'detached', timeout: 3_000 })
    .catch(() => null)
}

async function fill(server: ServerProcess, spool: string): Promise<Executor[]> {
  const admin = await server.signIn()
  for (const group of GROUPS) await admin.post<Group>('/group', group)
  const groups = (await admin.get<{ items: Group[] }>('/group')).items
  for (const variable of VARIABLES) await admin.post<Variable>('/variable', variable)
  for (const secret of SECRETS) await admin.post<Secret>('/secret', secret)
  const idOf = (appName: string): number => groups.find((group) => group.appName === appName)?.id ?? 0
  const { token } = await admin.post<{ token: string }>('/token', { kind: 'executor', groupIds: [idOf('data-platform')] })
  const executors = ['etl-beijing-01', 'etl-frankfurt-02'].map((name, index) =>
    dataExecutor(server.url, token, name, join(spool, name), index),
  )
  await makeAlarms(admin, server.url)
  for (const executor of executors) await executor.start()
  for (const { group, runs = 0, ...task } of TASKS) {
    const handler = task.handler.kind === 'http' ? { ...task.handler, url: task.handler.url.replace('SERVER', server.url) } : task.handler
    const made = await admin.post<Task>('/task', { ...task, handler, groupId: idOf(group) })
    for (let run = 0; run < runs; run += 1) await trigger(admin, made.id)
  }
  await grow(admin)
  return executors
}

function dataExecutor(server: string, token: string, name: string, spoolDir: string, index: number): Executor {
  const executor = createExecutor({
    server,
    appName: 'data-platform',
    token,
    name,
    capacity: index === 0 ? 4 : 8,
    spoolDir,
    builtIn: { shell: true, script: true },
    labels: { region: index === 0 ? 'cn-north' : 'eu-central' },
    logger: silent,
  })
  executor.handle('profiles.sync', async (run) => {
    run.log.info(`syncing ${run.params}`)
    run.progress(0.62, '31000 of 50000 profiles')
    await new Promise((resolve) => run.signal.addEventListener('abort', resolve))
  })
  executor.handle('orders.load', async (run) => {
    run.log.info('0 late facts')
    return { inserted: 18_204, updated: 311, watermark: '2024-11-22T16:00:00Z' }
  })
  return executor
}

const ignore = (): void => undefined
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/** Two channels, of which one leads nowhere, and rules: what fails while the world grows makes incidents of them. */
async function makeAlarms(admin: ApiClient, url: string): Promise<void> {
  const common = { groupId: null, language: 'zh', timezone: 'Asia/Shanghai' }
  const slack = { kind: 'slack', url: `${url}/no-such-webhook` }
  const mail = {
    kind: 'email',
    host: 'smtp.example.com',
    port: 465,
    security: 'tls',
    checkCertificate: true,
    user: 'alarm@example.com',
    password: 'not-a-password',
    from: 'Tickwheel <alarm@example.com>',
    to: ['oncall@example.com', 'data@example.com'],
  }
  const channel = await admin.post<{ id: number }>('/alarm/channel', { ...common, name: 'on-call', settings: slack })
  const post = await admin.post<{ id: number }>('/alarm/channel', { ...common, name: '值班邮件', settings: mail })
  const conditions = [
    { event: 'failed' },
    { event: 'timedOut' },
    { event: 'lost' },
    { event: 'missed' },
    { event: 'failedInARow', times: 3 },
  ]
  await admin.post('/alarm/rule', { name: '全部任务失败通知', groupId: null, conditions, channelIds: [channel.id] })
  const slow = [{ event: 'late' }, { event: 'slow', percent: 300 }, { event: 'noExecutor', afterMs: 300_000 }]
  const quietHours = { from: '23:00', to: '07:00', timezone: 'Asia/Shanghai' }
  await admin.post('/alarm/rule', { name: 'slow and late at night', groupId: null, conditions: slow, channelIds: [post.id], quietHours })
}

/** Waits for a past: enough firings, a skip, a failure, a time limit; a second version and a pause of a task. */
async function grow(admin: ApiClient): Promise<void> {
  const backup = await taskOf(admin, '数据库每日备份')
  const { id, groupId, name, owner, schedule, handler, version, description, tags, params } = backup
  await admin.put<Task>(`/task/${String(id)}`, {
    groupId,
    name,
    owner,
    schedule,
    handler,
    version,
    description,
    tags,
    params,
    retry: { max: 5, delayMs: 60_000 },
    timeoutMs: 7_200_000,
  })
  await waitFor(async () => (await runsOf(admin, 'heartbeat', 'succeeded')).length >= 6, { what: 'six heartbeats', timeoutMs: 120_000 })
  await waitFor(async () => (await runsOf(admin, '数据质量检查', 'failed')).length >= 3, { what: 'three failures', timeoutMs: 120_000 })
  const heartbeat = await taskOf(admin, 'heartbeat')
  const past = { from: new Date(Date.now() - 3_600_000).toISOString(), to: new Date().toISOString(), only: 'all' }
  await admin.post(`/task/${String(heartbeat.id)}/backfill`, { ...past, concurrency: 2 })
  await waitFor(async () => (await runsOf(admin, 'certificate expiry check', 'timedOut')).length >= 1, {
    what: 'a run out of time',
    timeoutMs: 120_000,
  })
}

async function shots(admin: ApiClient): Promise<Shot[]> {
  const task = async (name: string): Promise<string> => `/task/${String((await taskOf(admin, name)).id)}`
  const run = async (name: string, state: Instance['state']): Promise<string> => `/run/${String((await runsOf(admin, name, state))[0]?.id)}`
  const executor = (await admin.get<{ items: ExecutorRow[] }>('/executor')).items.find(({ name }) => name === 'etl-beijing-01')
  const [backup, poller, quality, etl] = await Promise.all(
    ['数据库每日备份', 'slow poller that skips while it runs', '数据质量检查', TASKS[11]?.name ?? ''].map(task),
  )
  const [running, failed, succeeded, waiting] = [
    await run('重建商品搜索索引（全量）', 'running'),
    await run('数据质量检查', 'failed'),
    await run(TASKS[11]?.name ?? '', 'succeeded'),
    `/run/${String((await openRuns(admin, '订单超时关单'))[0]?.id)}`,
  ]
  const synced = await run('sync-customer-profiles', 'running')
  const { items: firings } = await admin.get<{ items: LedgerEntry[] }>(`/task/${String((await taskOf(admin, 'slow poller')).id)}/firing`)
  const skipped = firings.find((entry) => entry.kind === 'skipped')?.fromAt ?? ''
  return [
    { name: 'login', path: '/login', isSignedOut: true },
    { name: 'login-refused', path: '/login', isSignedOut: true, clicks: ['button[type="submit"]'], shows: '.el-form-item__error' },
    { name: 'dashboard', path: '/dashboard' },
    { name: 'tasks', path: '/task' },
    { name: 'tasks-nothing', path: '/task?q=nothing-like-this' },
    { name: 'tasks-selected', path: '/task', clicks: ['.el-table__header .el-checkbox'] },
    { name: 'task-menu', path: '/task', clicks: ['.el-table__row .el-dropdown button'] },
    { name: 'task-new', path: '/task/new' },
    { name: 'task-new-refused', path: '/task/new', clicks: ['.page-head .el-button--primary'], shows: '.el-form-item__error' },
    { name: 'task-edit', path: `${String(backup)}/edit` },
    { name: 'task-edit-script', path: `${String(quality)}/edit`, clicks: ['.fold-row:nth-of-type(2) button'] },
    { name: 'task', path: String(quality) },
    { name: 'task-long-name', path: String(etl) },
    { name: 'task-firings', path: `${String(poller)}?tab=firings` },
    { name: 'task-why', path: `${String(poller)}?tab=why&at=${skipped}` },
    { name: 'task-settings', path: `${String(backup)}?tab=settings` },
    { name: 'task-trigger', path: String(backup), clicks: ['.buttons .el-dropdown button', '.el-dropdown-menu__item'] },
    { name: 'task-versions', path: String(backup), clicks: ['.buttons .el-dropdown button', '.el-dropdown-menu__item:nth-child(3)'] },
    {
      name: 'task-backfill',
      path: String(poller),
      clicks: ['.buttons .el-dropdown button', '.el-dropdown-menu__item:nth-child(2)', '.el-drawer__body > .el-button'],
      shows: '.preview li',
    },
    {
      name: 'task-backfills',
      path: await task('heartbeat'),
      clicks: ['.buttons .el-dropdown button', '.el-dropdown-menu__item:nth-child(2)'],
      shows: '[data-backfill]',
    },
    { name: 'task-delete', path: String(backup), clicks: ['.buttons .el-dropdown button', '.el-dropdown-menu__item.is-danger'] },
    { name: 'runs', path: '/run' },
    { name: 'runs-problems', path: '/run?state=failed,timedOut,lost' },
    { name: 'runs-waiting', path: '/run?state=waiting,queued' },
    { name: 'run-running', path: running },
    { name: 'run-progress', path: synced },
    { name: 'run-failed', path: failed },
    { name: 'run-failed-attempts', path: `${failed}?tab=attempts` },
    { name: 'run-succeeded', path: `${succeeded}?tab=result` },
    { name: 'run-waiting', path: waiting },
    { name: 'executors', path: '/executor' },
    { name: 'executor', path: `/executor?executor=${String(executor?.id)}` },
    { name: 'executor-add', path: '/executor', clicks: ['.page-head .el-button--primary'] },
    { name: 'variables', path: '/variable' },
    { name: 'variable-new', path: '/variable', clicks: ['.page-head .el-button--primary'] },
    { name: 'variables-secrets', path: '/variable?kind=secret' },
    { name: 'variables-secret-edit', path: '/variable?kind=secret', clicks: ['.frame .el-icon-edit, .frame .icon-button'] },
    {
      name: 'variables-in-editor',
      path: '/task/new?group=1',
      clicks: ['.handler-section .headers > .el-button', '.handler-section .header.env .el-dropdown'],
    },
    { name: 'groups', path: '/group' },
    { name: 'group-new', path: '/group', clicks: ['.page-head .el-button--primary'] },
    { name: 'alarm-incidents', path: '/alarm' },
    { name: 'alarm-incident', path: '/alarm', clicks: ['.incidents .strong'] },
    { name: 'alarm-rules', path: '/alarm/rule' },
    { name: 'alarm-rule-new', path: '/alarm/rule?new=1' },
    { name: 'alarm-channels', path: '/alarm/channel' },
    { name: 'alarm-channel-new', path: '/alarm/channel?new=1' },
    { name: 'alarm-channel-edit', path: '/alarm/channel', clicks: ['.el-table__row:last-child .icon-button'] },
    { name: 'alarm-deliveries', path: '/alarm/delivery' },
    { name: 'phone-alarm-incidents', path: '/alarm', isPhone: true },
    { name: 'phone-alarm-channel-new', path: '/alarm/channel?new=1', isPhone: true },
    { name: 'phone-alarm-deliveries', path: '/alarm/delivery', isPhone: true },
    { name: 'password', path: '/password' },
    { name: 'not-found', path: '/nowhere' },
    { name: 'phone-dashboard', path: '/dashboard', isPhone: true },
    { name: 'phone-tasks', path: '/task', isPhone: true },
    { name: 'phone-menu', path: '/task', isPhone: true, clicks: ['.top-bar .menu'] },
    { name: 'phone-task', path: String(quality), isPhone: true },
    {
      name: 'phone-backfill',
      path: await task('heartbeat'),
      isPhone: true,
      clicks: ['.buttons .el-dropdown button', '.el-dropdown-menu__item:nth-child(2)'],
      shows: '[data-backfill]',
    },
    { name: 'phone-runs', path: '/run', isPhone: true },
    { name: 'phone-run', path: running, isPhone: true },
    { name: 'phone-run-failed', path: `${failed}?tab=trace`, isPhone: true },
    { name: 'phone-executors', path: '/executor', isPhone: true },
  ]
}

async function taskOf(admin: ApiClient, name: string): Promise<Task> {
  const found = (await admin.get<{ items: Task[] }>(`/task?keyword=${encodeURIComponent(name)}`)).items[0]
  if (found === undefined) throw new Error(`there is no task ${name}`)
  return admin.get<Task>(`/task/${String(found.id)}`)
}

async function runsOf(admin: ApiClient, name: string, state: Instance['state']): Promise<Instance[]> {
  return (await admin.get<{ items: Instance[] }>(`/instance?taskId=${String((await taskOf(admin, name)).id)}&state=${state}`)).items
}

async function openRuns(admin: ApiClient, name: string): Promise<Instance[]> {
  return (await admin.get<{ items: Instance[] }>(`/instance?taskId=${String((await taskOf(admin, name)).id)}`)).items
}

await main()
