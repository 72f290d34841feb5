import type { AlarmChannelCreate, AlarmRuleCreate, ChannelSettings, Dispatch, GroupCreate, Register, TaskCreate } from '@tickwheel/contract'
import { CALENDAR_PRESETS } from '@tickwheel/core'
import { hashPassword } from '../../server/src/auth/passwords.ts'
import { columnsOfChannel, type Seal } from '../../server/src/auth/stored-channel.ts'
import type { Config } from '../../server/src/config/schema.ts'
import type { Clock } from '../../server/src/engine/clock.ts'
import type { Engine } from '../../server/src/engine/engine.ts'
import type { Vault } from '../../server/src/secret/vault.ts'
import { createAccount, getAccount, updateAccount } from '../../server/src/store/accounts.ts'
import { createChannel } from '../../server/src/store/alarm-channels.ts'
import { createRule } from '../../server/src/store/alarm-rules.ts'
import { createApiToken } from '../../server/src/store/api-tokens.ts'
import { FULL_ADMIN, grantOf, type Giver } from '../../server/src/store/bindings.ts'
import type { Caller, Change } from '../../server/src/store/caller.ts'
import type { Database } from '../../server/src/store/database.ts'
import { createGroup, findGroupByAppName } from '../../server/src/store/groups.ts'
import type { RunIds } from '../../server/src/store/ids.ts'
import { createCalendar } from '../../server/src/store/calendars.ts'
import { createRole } from '../../server/src/store/roles.ts'
import { ALL_RIGHTS } from '../../server/src/store/run-rights.ts'
import { createSecret } from '../../server/src/store/secrets.ts'
import { findUserByName, setPassword } from '../../server/src/store/users.ts'
import { createVariable } from '../../server/src/store/variables.ts'
import { bindingsOf, GROUPS, PASSWORD, PEOPLE, ROLES, SECRETS, VARIABLES, WORKDAYS } from './company.ts'
import { demoTasks, type DemoTask } from './tasks.ts'
import type { Work } from './work.ts'
import { STEP_WORKS, WORKFLOWS } from './workflows.ts'

export interface FoundingParts {
  readonly db: Database
  readonly ids: RunIds
  readonly clock: Pick<Clock, 'now'>
  readonly config: Config
  readonly seal: Seal
  readonly vault: Vault
  readonly url: string
}

const IDLE: Work = { ms: [1_000, 2_000] }
const ADDRESSES = ['10.4.0.12', '10.4.0.31', '10.7.2.118', '192.168.31.7']

/** What the company of the demo set up when it began: groups, people, channels, tasks; and the way from their names to their ids. */
export class Founding {
  readonly #parts: FoundingParts
  readonly #groups = new Map<string, number>()
  readonly #people = new Map<string, number>()
  readonly #tasks = new Map<string, { readonly id: number; readonly one: DemoTask }>()
  readonly #workflows = new Map<string, number>()
  readonly #calendars = new Map<string, number>()
  /** the run that somebody started last */
  lastByHand = 0

  constructor(parts: FoundingParts) {
    this.#parts = parts
  }

  get url(): string {
    return this.#parts.url
  }

  // ── by name ──

  groupIdOf(app: string): number {
    return found(this.#groups, app)
  }

  taskIdOf(name: string): number {
    return found(this.#tasks, name).id
  }

  workflowIdOf(name: string): number {
    return found(this.#workflows, name)
  }

  callerOf(username: string): Caller {
    const id = found(this.#people, username)
    return { actor: { kind: 'user', id, name: username }, ip: ADDRESSES[id % ADDRESSES.length] ?? '', requestId: '' }
  }

  workOf({ task, handler }: Dispatch): Work {
    const known = [...this.#tasks.values()].find(({ id }) => id === task.id)
    return known?.one.work ?? (handler.kind === 'named' ? STEP_WORKS[handler.name] : undefined) ?? IDLE
  }

  handlersOf(app: string): Register['handlers'] {
    const builtIn = (['shell', 'script', 'http'] as const).map((name) => ({ name, kind: 'builtIn' as const }))
    return [...builtIn, ...namedHandlersOf(app, this.url).map((name) => ({ name, kind: 'named' as const }))]
  }

  // ── the beginning ──

  /** What is there before anything runs. */
  async begin(): Promise<void> {
    const { db } = this.#parts
    const admin = await db.read((tx) => findUserByName(tx, 'admin'))
    this.#people.set('admin', admin?.id ?? 1)
    await this.#makeGroups()
    await this.#makePeople()
    await this.#makeValues()
    await this.#makeCalendars()
    await this.#makeAlarms()
  }

  async makeWork(engine: Engine): Promise<void> {
    for (const one of demoTasks(this.url)) if (one.daysOld === undefined) await this.makeTask(engine, one)
    for (const { app, workflow } of WORKFLOWS) {
      const input = { ...workflow, groupId: this.groupIdOf(app) }
      const { workflowId } = await engine.createWorkflow(input, ALL_RIGHTS, 'all', this.callerOf('wang.lei'))
      this.#workflows.set(workflow.name, workflowId)
    }
  }

  async makeTask(engine: Engine, one: DemoTask): Promise<void> {
    const input: TaskCreate = { ...one.task, schedule: this.#scheduleOf(one), groupId: this.groupIdOf(one.app) }
    const { taskId } = await engine.createTask(input, 'all', this.callerOf(one.app === 'default' ? 'chen.jing' : 'wang.lei'), 'all')
    this.#tasks.set(one.task.name, { id: taskId, one })
  }

  /** A new version of a task. */
  async editTask(engine: Engine, username: string, name: string, change: Partial<TaskCreate>): Promise<void> {
    const { id, one } = found(this.#tasks, name)
    const { enabled: _enabled, ...task } = one.task
    const version = 1 + (this.#versions.get(id) ?? 0)
    this.#versions.set(id, version)
    const schedule = this.#scheduleOf(one)
    await engine.updateTask(
      id,
      { ...task, schedule, ...change, groupId: this.groupIdOf(one.app), version },
      'all',
      this.callerOf(username),
      'all',
    )
  }
  readonly #versions = new Map<number, number>()

  #scheduleOf({ task, calendar }: DemoTask): TaskCreate['schedule'] {
    const { schedule } = task
    return calendar === undefined || schedule.kind !== 'cron' ? schedule : { ...schedule, calendarId: found(this.#calendars, calendar) }
  }

  async #makeGroups(): Promise<void> {
    const { db } = this.#parts
    const home = await findGroupByAppName(db, 'default')
    this.#groups.set('default', home?.id ?? 1)
    for (const input of GROUPS) {
      const { groupId } = await createGroup(db, { input: input satisfies GroupCreate }, await this.#change())
      this.#groups.set(input.appName, groupId)
    }
  }

  async #makePeople(): Promise<void> {
    const { db, clock } = this.#parts
    const giver = this.#giver
    for (const input of ROLES)
      await createRole(db, { input: { ...input, permissions: [...input.permissions] }, grants: giver.grants }, await this.#change())
    const passwordHash = await hashPassword(PASSWORD)
    for (const person of PEOPLE) {
      const { username, displayName, hasLeft } = person
      const bindings = bindingsOf(person, (app) => this.groupIdOf(app))
      const userId = await createAccount(
        db,
        { input: { username, displayName, password: PASSWORD, bindings }, passwordHash, giver },
        await this.#change(),
      )
      await db.write('rest', (tx) => setPassword(tx, userId, passwordHash, clock.now()))
      this.#people.set(username, userId)
      if (hasLeft === undefined) continue
      const { version } = await getAccount(db, userId)
      await updateAccount(db, { userId, input: { displayName, bindings: [], disabled: true, version }, giver }, await this.#change())
    }
    const input = { kind: 'api' as const, name: 'deploy pipeline', bindings: [{ role: 'operator', groupIds: [this.groupIdOf('growth')] }] }
    await createApiToken(db, { input, ownerId: found(this.#people, 'chen.jing'), giver }, await this.#change('chen.jing'))
  }

  async #makeValues(): Promise<void> {
    const { db, vault } = this.#parts
    for (const { app, ...input } of VARIABLES)
      await createVariable(db, { ...input, ...this.#placeOf(app) }, await this.#change('chen.jing'))
    for (const { app, value, ...input } of SECRETS)
      await createSecret(db, { ...input, ...this.#placeOf(app) }, (id) => vault.seal(id, value), await this.#change('chen.jing'))
  }

  async #makeCalendars(): Promise<void> {
    const { db } = this.#parts
    const [china] = CALENDAR_PRESETS
    if (china !== undefined) {
      const rules = { weekend: [...china.rules.weekend], days: china.rules.days.map((day) => ({ ...day })), blackouts: [] }
      const input = { groupId: null, name: WORKDAYS, description: '国务院办公厅公布的放假与调休', rules }
      this.#calendars.set(WORKDAYS, await createCalendar(db, input, await this.#change('chen.jing')))
    }
    const freeze = {
      groupId: this.groupIdOf('payments-emea'),
      name: 'payments freeze',
      description: 'nothing that moves money while the bank settles',
      rules: { weekend: [], days: [], blackouts: [{ kind: 'daily' as const, from: '23:30', to: '00:30', name: 'settlement of the bank' }] },
    }
    this.#calendars.set(freeze.name, await createCalendar(db, freeze, await this.#change('chen.jing')))
  }

  async #makeAlarms(): Promise<void> {
    const onCall = await this.#makeChannel('on-call', { kind: 'slack', url: `${this.url}/no-such-webhook` })
    const robot = await this.#makeChannel('数据平台值班群', {
      kind: 'dingtalk',
      url: `${this.url}/no-such-robot`,
      secret: '',
      atMobiles: [],
      atAll: false,
    })
    const post = await this.#makeChannel('值班邮件', {
      kind: 'email',
      host: '127.0.0.1',
      port: 2525,
      security: 'none',
      checkCertificate: true,
      user: 'alarm@example.com',
      password: 'not-a-password',
      from: 'Tickwheel <alarm@example.com>',
      to: ['oncall@example.com', 'data@example.com'],
    })
    await this.#makeRule(
      '全部任务失败通知',
      [{ event: 'timedOut' }, { event: 'lost' }, { event: 'missed' }, { event: 'failedInARow', times: 3 }],
      [onCall],
    )
    await this.#makeRule('数据平台失败', [{ event: 'failed' }], [robot], { groupId: this.groupIdOf('data-platform') })
    const quietHours = { from: '23:00', to: '07:00', timezone: 'Asia/Shanghai' }
    const slow: AlarmRuleCreate['conditions'] = [
      { event: 'late' },
      { event: 'slow', percent: 400 },
      { event: 'noExecutor', afterMs: 300_000 },
    ]
    await this.#makeRule('slow and late, told by day', slow, [post], { quietHours })
  }

  async #makeChannel(name: string, settings: ChannelSettings): Promise<number> {
    const { db, seal } = this.#parts
    const input: AlarmChannelCreate = { name, groupId: null, language: 'zh', timezone: 'Asia/Shanghai', settings }
    const fields = { name, groupId: null, enabled: true, ...columnsOfChannel(input, settings, seal), shown: { name } }
    return (await createChannel(db, { fields }, await this.#change('chen.jing'))).channelId
  }

  async #makeRule(
    name: string,
    conditions: AlarmRuleCreate['conditions'],
    channelIds: number[],
    more: Partial<AlarmRuleCreate> = {},
  ): Promise<void> {
    const input: AlarmRuleCreate = { name, groupId: null, conditions, channelIds, ...more }
    await createRule(this.#parts.db, { input }, await this.#change('chen.jing'))
  }

  #placeOf(app: string | undefined): { readonly groupId?: number } {
    return app === undefined ? {} : { groupId: this.groupIdOf(app) }
  }

  get #giver(): Giver {
    return { grants: [grantOf(FULL_ADMIN, { kind: 'user', id: found(this.#people, 'admin') })], groups: 'all' }
  }

  async #change(username = 'admin'): Promise<Change> {
    const { ids, clock } = this.#parts
    return { now: clock.now(), auditId: await ids.take(1), scope: 'all', caller: this.callerOf(username) }
  }
}

/** What executors of a group can do by name. */
export function namedHandlersOf(app: string, url: string): string[] {
  const ofTasks = demoTasks(url).flatMap(({ app: own, task }) => (own === app && task.handler.kind === 'named' ? [task.handler.name] : []))
  const ofSteps = WORKFLOWS.some((one) => one.app === app) ? Object.keys(STEP_WORKS) : []
  return [...new Set([...ofTasks, ...ofSteps])]
}

function found<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name)
  if (value === undefined) throw new Error(`there is no ${name} in the demo`)
  return value
}
