import { appNameOf, ROUTING_STRATEGIES, SCRIPT_LANGUAGES, type GroupCreate, type TaskCreate } from '@tickwheel/contract'
import { compileSchedule } from '@tickwheel/core'
import type { SqlRow } from './sql-dump.ts'

/** What XXL-JOB's two tables hold. */
export interface XxlTables {
  readonly groups: readonly SqlRow[]
  readonly jobs: readonly SqlRow[]
}

export interface PlannedGroup {
  readonly xxlId: number
  readonly appName: string
  readonly group: GroupCreate | null
  readonly notes: readonly string[]
}

export interface PlannedTask {
  readonly xxlId: number
  readonly name: string
  readonly appName: string
  /** null: it cannot be made, and the notes say why */
  readonly task: Omit<TaskCreate, 'groupId'> | null
  readonly notes: readonly string[]
}

export interface Plan {
  readonly groups: readonly PlannedGroup[]
  readonly tasks: readonly PlannedTask[]
}

export interface PlanOptions {
  /** zone of cron schedules: XXL-JOB has none of its own and takes that of its machine */
  readonly timezone: string
  /** tasks that run in XXL-JOB are started */
  readonly enable: boolean
}

const NAME_LENGTH = 128

/** What becomes of each executor group and each job. Pure: the same tables make the same plan, so that a second import finds what the first has made. */
export function planOf({ groups, jobs }: XxlTables, options: PlanOptions): Plan {
  const planned = planGroups(groups)
  const homes = new Map(planned.filter(({ group }) => group !== null).map(({ xxlId, appName }) => [xxlId, appName]))
  const counts = new Map<string, number>()
  for (const job of jobs) counts.set(titleOf(job), (counts.get(titleOf(job)) ?? 0) + 1)
  return { groups: planned, tasks: jobs.map((job) => planTask(job, { homes, isAmbiguous: (counts.get(titleOf(job)) ?? 0) > 1, options })) }
}

function planGroups(rows: readonly SqlRow[]): PlannedGroup[] {
  const names = new Set<string>()
  const apps = new Map<string, string>()
  return rows.map((row) => {
    const given = text(row, 'app_name')
    const appName = appNameOf(given)
    if (appName === null)
      return {
        xxlId: whole(row, 'id'),
        appName: given,
        group: null,
        notes: [`"${given}" leaves nothing that can be an appName: it needs a letter a-z`],
      }
    const other = apps.get(appName)
    if (other !== undefined)
      return {
        xxlId: whole(row, 'id'),
        appName,
        group: null,
        notes: [`"${given}" and "${other}" would both be the appName ${appName}: rename one`],
      }
    apps.set(appName, given)
    const title = nameFrom(text(row, 'title')) || appName
    const name = names.has(title) ? `${title} ${appName}`.slice(0, NAME_LENGTH) : title
    names.add(name)
    const isManual = whole(row, 'address_type') === 1
    const notes = [
      ...(appName === given ? [] : [`appName ${given} becomes ${appName}; executors that register as ${given} are found all the same`]),
      ...(isManual ? ['its list of addresses is not taken over: executors register themselves'] : []),
    ]
    return { xxlId: whole(row, 'id'), appName, group: { name, appName, description: '' }, notes }
  })
}

interface JobContext {
  readonly homes: ReadonlyMap<number, string>
  readonly isAmbiguous: boolean
  readonly options: PlanOptions
}

function planTask(job: SqlRow, { homes, isAmbiguous, options }: JobContext): PlannedTask {
  const xxlId = whole(job, 'id')
  const title = titleOf(job)
  const suffix = ` #${String(xxlId)}`
  const name = title === '' || isAmbiguous ? `${title.slice(0, NAME_LENGTH - suffix.length)}${suffix}`.trim() : title
  const home = homes.get(whole(job, 'job_group'))
  const refusals: string[] = []
  const notes: string[] = []
  if (home === undefined) refusals.push(`its executor group ${String(whole(job, 'job_group'))} is not there, or was left out`)
  const schedule = take(scheduleOf(job, options.timezone), refusals)
  const handler = take(handlerOf(job), refusals)
  const routing = routingOf(job, notes)
  const isBroadcast = text(job, 'executor_route_strategy') === BROADCAST
  const children = text(job, 'child_jobid')
  if (children !== '') notes.push(`does not start its child jobs (${children}) when it ends: make that anew`)
  if (text(job, 'alarm_email') !== '') notes.push(`mails to ${text(job, 'alarm_email')} are not taken over`)
  if (schedule === null || handler === null || home === undefined || refusals.length > 0)
    return { xxlId, name, appName: home ?? '', task: null, notes: refusals }
  const task: Omit<TaskCreate, 'groupId'> = {
    name,
    description: `XXL-JOB ${String(xxlId)}`,
    owner: text(job, 'author').slice(0, 128),
    schedule,
    handler,
    params: text(job, 'executor_param'),
    routing,
    ...(isBroadcast ? { sharding: { kind: 'broadcast' } } : {}),
    overlap: { policy: OVERLAP[text(job, 'executor_block_strategy')] ?? 'queue' },
    // XXL-JOB calls it a misfire from 5 s on
    misfire: { policy: text(job, 'misfire_strategy') === 'FIRE_ONCE_NOW' ? 'fireOnce' : 'skip', graceMs: 5000 },
    timeoutMs: Math.min(2_147_483_647, whole(job, 'executor_timeout') * 1000),
    retry: { max: Math.min(100, whole(job, 'executor_fail_retry_count')), delayMs: 1000, backoff: 'fixed' },
    enabled: options.enable && whole(job, 'trigger_status') === 1 && schedule.kind !== 'manual',
  }
  return { xxlId, name, appName: home, task, notes }
}

type Taken<T> = { readonly value: T } | { readonly refusal: string }

function take<T>(taken: Taken<T>, refusals: string[]): T | null {
  if ('value' in taken) return taken.value
  refusals.push(taken.refusal)
  return null
}

/** Up to 2.2 a job has a cron expression and nothing else. */
function scheduleOf(job: SqlRow, timezone: string): Taken<TaskCreate['schedule']> {
  const kind = 'schedule_type' in job ? text(job, 'schedule_type').toUpperCase() : 'CRON'
  const conf = ('schedule_conf' in job ? text(job, 'schedule_conf') : text(job, 'job_cron')).trim()
  switch (kind) {
    case 'NONE':
    case '':
      return { value: { kind: 'manual' } }
    case 'FIX_RATE':
    case 'FIX_DELAY': {
      const ms = Number(conf) * 1000
      if (!Number.isSafeInteger(ms) || ms < 100) return { refusal: `${kind} "${conf}": expected whole seconds` }
      return { value: kind === 'FIX_RATE' ? { kind: 'fixedRate', everyMs: ms } : { kind: 'fixedDelay', delayMs: ms } }
    }
    case 'CRON': {
      const schedule = { kind: 'cron', expression: conf, timezone, dialect: 'quartz' } as const
      const compiled = compileSchedule(schedule, { anchorAt: 0 })
      if (compiled.ok) return { value: schedule }
      return { refusal: `cron "${conf}": ${compiled.problems.map((problem) => problem.code).join(', ')}` }
    }
  }
  return { refusal: `schedule type ${kind} is not known` }
}

const LANGUAGES: Readonly<Record<string, string>> = {
  GLUE_SHELL: 'bash',
  GLUE_PYTHON: 'python',
  GLUE_NODEJS: 'node',
  GLUE_PHP: 'php',
  GLUE_POWERSHELL: 'powershell',
}

function handlerOf(job: SqlRow): Taken<TaskCreate['handler']> {
  const glue = text(job, 'glue_type') || 'BEAN'
  if (glue === 'BEAN') {
    const name = text(job, 'executor_handler').trim()
    return name === '' || name.length > 128 ? { refusal: 'it names no handler (executor_handler)' } : { value: { kind: 'named', name } }
  }
  const language = SCRIPT_LANGUAGES.find((one) => one === LANGUAGES[glue])
  const source = text(job, 'glue_source')
  if (language === undefined) return { refusal: `${glue} cannot run here: make it a handler of the executor` }
  return source.trim() === '' ? { refusal: `${glue} without a script` } : { value: { kind: 'script', language, source } }
}

const ROUTING: Readonly<Record<string, string>> = {
  FIRST: 'first',
  LAST: 'last',
  ROUND: 'roundRobin',
  RANDOM: 'random',
  CONSISTENT_HASH: 'consistentHash',
  LEAST_FREQUENTLY_USED: 'leastUsed',
  LEAST_RECENTLY_USED: 'leastRecentlyUsed',
  FAILOVER: 'failover',
  BUSYOVER: 'leastLoaded',
}

const BROADCAST = 'SHARDING_BROADCAST'

function routingOf(job: SqlRow, notes: string[]): (typeof ROUTING_STRATEGIES)[number] {
  const given = text(job, 'executor_route_strategy') || 'FIRST'
  const known = ROUTING_STRATEGIES.find((strategy) => strategy === ROUTING[given])
  if (known === undefined && given !== BROADCAST) notes.push(`routing ${given} becomes roundRobin: there is none like it`)
  return known ?? 'roundRobin'
}

const OVERLAP: Readonly<Record<string, 'queue' | 'skip' | 'replace'>> = {
  SERIAL_EXECUTION: 'queue',
  DISCARD_LATER: 'skip',
  COVER_EARLY: 'replace',
}

function titleOf(job: SqlRow): string {
  return nameFrom(text(job, 'job_desc') || text(job, 'name'))
}

/** A name as this program allows it. */
function nameFrom(given: string): string {
  return given
    .replaceAll('/', '-')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, NAME_LENGTH)
    .trim()
}

function text(row: SqlRow, column: string): string {
  const value = row[column]
  return value === null || value === undefined ? '' : String(value)
}

function whole(row: SqlRow, column: string): number {
  const value = Number(row[column] ?? 0)
  return Number.isSafeInteger(value) && value > 0 ? value : 0
}
