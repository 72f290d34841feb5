/**
 * A server in miniature for developing the console and for its component tests: groups, tasks, runs and executors in memory, moved by `step`.
 * It answers with the contract's own types, so that it stops compiling when the contract changes.
 */
import { TASK_DEFAULTS, type Executor, type Group, type Instance, type LogLine, type Task, type TaskCreate, type TaskDefinition, type TaskVersion, type Workflow, type WorkflowVersion } from '@tickwheel/contract'
import { compileSchedule, type Schedule } from '@tickwheel/core'
import type { MockCluster } from './cluster.ts'
import { addSampleWorkflows } from './workflows.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

export interface World {
  now: number
  lastId: number
  lastRunId: number
  readonly groups: Map<number, Group>
  readonly tasks: Map<number, Task>
  readonly versions: Map<number, TaskVersion[]>
  readonly workflows: Map<number, Workflow>
  readonly workflowVersions: Map<number, WorkflowVersion[]>
  readonly runs: Map<number, Instance>
  readonly logs: Map<number, LogLine[]>
  readonly executors: Map<number, Executor>
  /** what functions take, by name */
  readonly paramsSchemas: Map<string, Record<string, unknown>>
  readonly endsAt: Map<number, number>
  password: string
  username: string
  /** null: all */
  permissions: readonly string[] | null
  /** which cluster the system page shows */
  cluster: MockCluster
  /** firing was held, and a person chose how to go on */
  hasResumed: boolean
  /** what the reckoner has found: nothing yet, all in order, or faults */
  ledger: 'new' | 'sound' | 'broken'
}

export const iso = (ms: number) => new Date(ms).toISOString()

/** A world without tasks, as after the first start. */
export function emptyWorld(now: number): World {
  const world: World = {
    now, lastId: 10, lastRunId: 7_300_000, password: 'admin123', username: 'admin', permissions: null, cluster: 'three', hasResumed: false, ledger: 'sound',
    groups: new Map(), tasks: new Map(), versions: new Map(), workflows: new Map(), workflowVersions: new Map(), runs: new Map(), logs: new Map(), executors: new Map(), paramsSchemas: new Map(), endsAt: new Map(),
  }
  addGroup(world, { id: 1, name: 'default', appName: 'default', description: '' })
  addExecutor(world, { id: 1, groupId: 1, name: 'tickwheel-embedded', host: 'localhost', state: 'online' })
  return world
}

/** A world after some weeks of use. */
export function busyWorld(now: number): World {
  const world = emptyWorld(now)
  addGroup(world, { id: 2, name: 'billing', appName: 'billing-jobs', description: 'Invoices, dunning and everything that touches money' })
  addGroup(world, { id: 3, name: '数据平台', appName: 'data-platform', description: '离线数仓的抽取、清洗与报表' })
  addGroup(world, { id: 4, name: 'sandbox', appName: 'sandbox', description: '' })
  addExecutor(world, { id: 2, groupId: 2, name: 'billing-01', host: '10.4.1.17', state: 'online' })
  addExecutor(world, { id: 3, groupId: 2, name: 'billing-02', host: '10.4.1.18', state: 'draining' })
  addExecutor(world, { id: 4, groupId: 3, name: 'etl-a', host: '10.4.7.3', state: 'online' })
  addExecutor(world, { id: 5, groupId: 3, name: 'etl-b', host: '10.4.7.4', state: 'offline' })
  world.paramsSchemas.set('createInvoices', {
    type: 'object', additionalProperties: false, required: ['currency'],
    properties: {
      currency: { enum: ['CNY', 'EUR', 'USD'], title: 'Currency' }, dryRun: { type: 'boolean', default: false, description: 'Counts, and writes nothing.' }, batch: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
      prefix: { type: 'string', maxLength: 8 }, only: { type: 'array', items: { type: 'integer' } },
    },
  })
  for (const [index, seed] of SEEDS.entries()) seedTask(world, seed, index)
  addSampleWorkflows(world)
  return world
}

interface Seed {
  readonly body: TaskCreate
  readonly enabled: boolean
  readonly failEvery: number
  readonly durationMs: number
}

const cron = (expression: string, timezone = 'Asia/Shanghai') => ({ kind: 'cron', expression, timezone }) as const
const shell = (script: string) => ({ kind: 'shell', script }) as const
const SEEDS: readonly Seed[] = [
  { body: { groupId: 1, name: 'heartbeat', schedule: { kind: 'fixedRate', everyMs: 5_000 }, handler: shell('echo "tick $(date)"') }, enabled: true, failEvery: 0, durationMs: 180 },
  { body: { groupId: 2, name: 'nightly-invoices', description: 'Creates invoices for all contracts that are due', owner: 'mei.lin', tags: ['finance', 'critical'], schedule: cron('0 0 2 * * ?'), handler: { kind: 'named', name: 'createInvoices' }, retry: { max: 3 }, timeoutMs: 1_800_000, params: '{\n  "dryRun": false,\n  "currency": "CNY"\n}' }, enabled: true, failEvery: 7, durationMs: 184_000 },
  { body: { groupId: 3, name: '订单宽表同步', owner: '王磊', tags: ['数仓'], schedule: cron('0 */15 * * * ?'), handler: { kind: 'script', language: 'python', source: 'import json, time\n\nfor page in range(10):\n    print(json.dumps({"page": page}))\n    time.sleep(0.2)\n' } }, enabled: true, failEvery: 9, durationMs: 42_000 },
  { body: { groupId: 3, name: '用户画像全量重算', tags: ['数仓'], schedule: cron('0 30 3 ? * MON'), handler: { kind: 'named', name: 'rebuildProfiles' }, timeoutMs: 4 * HOUR }, enabled: false, failEvery: 4, durationMs: 5_400_000 },
  { body: { groupId: 2, name: 'dunning-letters', schedule: cron('0 15 9 1,15 * ?', 'Europe/Berlin'), handler: { kind: 'http', method: 'POST', url: 'https://letters.internal/api/dunning' } }, enabled: true, failEvery: 0, durationMs: 2_300 },
  { body: { groupId: 1, name: 'clean-temp-files', schedule: { kind: 'fixedDelay', delayMs: 600_000 }, handler: shell('find /tmp -mtime +3 -delete') }, enabled: true, failEvery: 0, durationMs: 900 },
  { body: { groupId: 3, name: 'export-to-lake', tags: ['parquet'], schedule: cron('0 5 * * * ?'), handler: { kind: 'named', name: 'exportLake' }, overlap: { policy: 'skip' } }, enabled: true, failEvery: 5, durationMs: 250_000 },
  { body: { groupId: 2, name: 'exchange-rates', schedule: cron('30 0/10 8-18 ? * MON-FRI', 'Europe/Berlin'), handler: { kind: 'http', url: 'https://rates.internal/refresh' } }, enabled: true, failEvery: 0, durationMs: 640 },
  { body: { groupId: 1, name: 'rebuild-search-index', schedule: { kind: 'manual' }, handler: { kind: 'script', language: 'node', source: 'console.log("rebuilding")\n' } }, enabled: false, failEvery: 3, durationMs: 75_000 },
  { body: { groupId: 4, name: 'launch-2027', schedule: { kind: 'once', at: '2027-01-01T00:00:00.000Z' }, handler: shell('echo happy new year') }, enabled: true, failEvery: 0, durationMs: 100 },
  { body: { groupId: 4, name: 'a-task-with-quite-a-long-name-that-somebody-once-generated-from-a-path', schedule: cron('0 0 0 L * ?'), handler: shell('exit 3') }, enabled: true, failEvery: 1, durationMs: 60 },
]

function seedTask(world: World, seed: Seed, index: number): void {
  const task = addTask(world, { ...seed.body, enabled: seed.enabled })
  for (let age = 20; age >= 1; age -= 1) {
    const firedAt = world.now - age * Math.max(seed.durationMs * 1.4, MINUTE * (5 + index))
    const state = seed.failEvery > 0 && age % seed.failEvery === 0 ? (age % 2 === 0 ? 'failed' : 'timedOut') : 'succeeded'
    const durationMs = Math.round(seed.durationMs * (0.6 + 0.8 * ((age * 37) % 10) / 10))
    addRun(world, task, { firedAt, cause: 'schedule', state, durationMs })
  }
  if (index === 2 || index === 6) addRun(world, task, { firedAt: world.now - 30_000, cause: 'schedule', state: 'running', durationMs: index === 2 ? 86_400_000 : 900_000 })
  if (index === 6) addRun(world, task, { firedAt: world.now - 2_000, cause: 'manual', state: 'queued', durationMs: 90_000 })
}

export function addGroup(world: World, group: { id: number; name: string; appName: string; description: string; concurrency?: number | undefined }): Group {
  const at = iso(world.now - 20 * 24 * HOUR)
  const made: Group = { ...group, concurrency: group.concurrency ?? 0, xxlAccess: 'shared', version: 1, taskCount: 0, executorCount: 0, createdAt: at, updatedAt: at }
  world.groups.set(made.id, made)
  return made
}

export function addExecutor(world: World, given: { id: number; groupId: number; name: string; host: string; state: Executor['state'] }): void {
  const seenAt = iso(given.state === 'offline' ? world.now - 3 * HOUR : world.now - 1_200)
  world.executors.set(given.id, {
    ...given, groupName: world.groups.get(given.groupId)?.name ?? '', transport: 'stream', address: null, version: '0.1.0', pid: 4000 + given.id, capacity: 16, inFlight: 0, running: [],
    load: given.state === 'offline' ? null : { cpu: 0.12 * given.id, memory: 90e6 + given.id * 17e6, running: 0, queued: 0 }, labels: { zone: given.id % 2 === 0 ? 'a' : 'b' },
    handlers: [
      { name: 'shell', description: '', kind: 'builtIn' }, { name: 'script', description: '', kind: 'builtIn' }, { name: 'http', description: '', kind: 'builtIn' },
      ...(given.groupId === 2 ? [{ name: 'createInvoices', description: 'Creates invoices for contracts that are due', kind: 'named' as const }, { name: 'sendReminders', description: '', kind: 'named' as const }] : []),
      ...(given.groupId === 3 ? [{ name: 'rebuildProfiles', description: '', kind: 'named' as const }, { name: 'exportLake', description: 'Writes Parquet to the lake', kind: 'named' as const }] : []),
    ],
    registeredAt: iso(world.now - 26 * HOUR), seenAt,
  })
}

/** Fills a body's absent fields as the server does. */
export function define(body: TaskCreate): TaskDefinition {
  const { groupId: _groupId, enabled: _enabled, ...given } = body
  const schedule = given.schedule.kind === 'cron' ? { ...given.schedule, timezone: given.schedule.timezone ?? 'UTC' } : given.schedule
  return {
    ...TASK_DEFAULTS, tags: [], ...given, schedule,
    overlap: { ...TASK_DEFAULTS.overlap, ...given.overlap }, misfire: { ...TASK_DEFAULTS.misfire, ...given.misfire }, retry: { ...TASK_DEFAULTS.retry, ...given.retry },
  }
}

export function addTask(world: World, body: TaskCreate): Task {
  world.lastId += 1
  const at = iso(world.now - 12 * 24 * HOUR)
  const task: Task = {
    id: world.lastId, groupId: body.groupId, groupName: world.groups.get(body.groupId)?.name ?? '', ...define(body),
    enabled: body.enabled === true, version: 0, nextFireAt: null, lastFiredAt: null, held: null, paused: null, createdAt: at, updatedAt: at,
  }
  world.tasks.set(task.id, task)
  saveVersion(world, task)
  return task
}

export function saveVersion(world: World, task: Task): void {
  task.version += 1
  task.updatedAt = iso(world.now)
  task.nextFireAt = task.enabled ? nextFire(task, world.now) : null
  const { id: _i, groupId: _g, groupName: _n, enabled: _e, version, nextFireAt: _f, lastFiredAt: _l, held: _h, paused: _p, createdAt: _c, updatedAt: _u, hidden: _x, ...definition } = task
  const entry: TaskVersion = { version, savedAt: task.updatedAt, savedBy: { id: 1, name: 'admin' }, definition: structuredClone({ ...definition, params: definition.params ?? '' }) }
  world.versions.set(task.id, [entry, ...(world.versions.get(task.id) ?? [])])
}

export function nextFire(task: Task, after: number): string | null {
  const compilation = compileSchedule(plainSchedule(task), { anchorAt: Date.parse(task.createdAt) })
  const next = compilation.ok ? compilation.compiled.next(after) : null
  return next === null ? null : iso(next)
}

function plainSchedule(task: Task): Schedule {
  const schedule = task.schedule
  switch (schedule.kind) {
    case 'cron':
      return { kind: 'cron', expression: schedule.expression, timezone: schedule.timezone ?? 'UTC' }
    case 'fixedRate':
      return { kind: 'fixedRate', everyMs: schedule.everyMs }
    case 'fixedDelay':
      return { kind: 'fixedRate', everyMs: schedule.delayMs }
    case 'once':
    case 'manual':
      return schedule
  }
}

export function addRun(world: World, task: Task, given: { firedAt: number; cause: Instance['cause']; state: Instance['state']; durationMs: number }): Instance {
  world.lastRunId += 17
  const isQueued = given.state === 'queued'
  const isRunning = given.state === 'running'
  const startedAt = given.firedAt + 24
  const endedAt = isQueued || isRunning ? null : startedAt + given.durationMs
  const executor = [...world.executors.values()].find((one) => one.groupId === task.groupId)
  const error = given.state === 'failed' ? { code: 'EXIT_CODE', message: 'The process ended with code 3' } : given.state === 'timedOut' ? { code: 'TIMED_OUT', message: 'The run did not end in time' } : null
  const run: Instance = {
    id: world.lastRunId, taskId: task.id, taskName: task.name, groupId: task.groupId, groupName: task.groupName, taskVersion: task.version, cause: given.cause,
    actor: given.cause === 'manual' ? { kind: 'user', id: 1, name: 'admin' } : null, state: given.state, attempt: 1, priority: 5,
    scheduledAt: given.cause === 'schedule' ? iso(given.firedAt) : null, firedAt: iso(given.firedAt), queuedAt: iso(given.firedAt + 3), dispatchedAt: isQueued ? null : iso(given.firedAt + 9),
    acceptedAt: isQueued ? null : iso(given.firedAt + 14), startedAt: isQueued ? null : iso(startedAt), endedAt: endedAt === null ? null : iso(endedAt),
    executorId: isQueued ? null : (executor?.id ?? 1), executorName: isQueued ? null : (executor?.name ?? null), cancelRequestedAt: null, retryOf: null, parentId: null, shard: null, shards: null, retriedBy: null, error,
    waitingFor: isQueued ? { reason: 'waitsForEarlierRun', facts: { blocker: world.lastRunId - 17 } } : null, step: null,
    params: task.params, result: given.state === 'succeeded' ? { rows: 1842 } : null, progress: null, attempts: [],
  }
  world.runs.set(run.id, run)
  world.logs.set(run.id, logOf(run))
  if (endedAt === null) world.endsAt.set(run.id, startedAt + given.durationMs)
  return run
}

function logOf(run: Instance): LogLine[] {
  if (run.startedAt === null) return []
  const startedAt = Date.parse(run.startedAt)
  const count = Math.min(60, Math.max(4, (Date.parse(run.endedAt ?? iso(startedAt + 10_000)) - startedAt) / 500))
  return Array.from({ length: Math.floor(count) }, (_, index): LogLine => ({
    seq: run.attempt * 2 ** 32 + index + 1, at: iso(startedAt + index * 500), attempt: run.attempt, stream: index % 9 === 8 ? 'stderr' : 'stdout', level: index % 9 === 8 ? 'warn' : 'info',
    text: index % 9 === 8 ? `\u001b[33mslow page ${index}\u001b[0m: took ${120 + index * 7} ms` : `page ${index}: ${200 + index} rows`,
  }))
}

/** Moves the world to `now`: fires what is due and ends what is over. Answers with the runs that changed. */
export function step(world: World, now: number): Instance[] {
  world.now = now
  const changed: Instance[] = []
  for (const task of world.tasks.values()) {
    if (!task.enabled || task.nextFireAt === null || Date.parse(task.nextFireAt) > now) continue
    const durationMs = task.name.startsWith('sample') || task.name === 'heartbeat' ? 600 : 12_000
    changed.push(addRun(world, task, { firedAt: Date.parse(task.nextFireAt), cause: 'schedule', state: 'running', durationMs }))
    task.nextFireAt = nextFire(task, now)
  }
  for (const [id, at] of world.endsAt) {
    const run = world.runs.get(id)
    if (run === undefined || at > now) continue
    const ended: Instance = { ...run, state: run.taskName.includes('fail') ? 'failed' : 'succeeded', startedAt: run.startedAt ?? iso(now - 10), endedAt: iso(now), waitingFor: null }
    world.runs.set(id, ended)
    world.endsAt.delete(id)
    changed.push(ended)
  }
  return changed
}
