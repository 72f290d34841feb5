/** The editor's form, flat and friendly, and its two translations: from a task, and to the body that is sent. */
import { TASK_DEFAULTS, type Handler, type ScheduleInput, type Sharding, type TaskCreate, type TaskDefinition } from '@tickwheel/contract'
import type { DayOffRule } from '@tickwheel/core'
import { calendarIdOf, dayOffOf } from '../../components/schedule-words.ts'
import { localZone } from '../../utils/time.ts'

export type ScheduleKind = ScheduleInput['kind']
export type HandlerKind = Handler['kind']

/** Values of all kinds stay while a person tries one after the other. */
export interface ScheduleForm {
  kind: ScheduleKind
  expression: string
  timezone: string
  dialect: 'auto' | 'quartz' | 'unix'
  everyMs: number
  delayMs: number
  at: string | null
  /** followed by a cron, a rate and a delay; null: none */
  calendarId: number | null
  /** of a cron */
  onDayOff: DayOffRule
  validFrom: string | null
  validUntil: string | null
}

export interface HandlerForm {
  kind: HandlerKind
  script: string
  language: 'node' | 'python' | 'bash'
  source: string
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  url: string
  /** of a shell or a script */
  env: { name: string; value: string }[]
  headers: { name: string; value: string }[]
  body: string
  expectStatus: string
  name: string
}

export interface ShardingForm {
  kind: Sharding['kind']
  total: number
  from: number
  to: number
  size: number
}

export interface TaskForm extends Omit<TaskDefinition, 'schedule' | 'handler' | 'sharding' | 'labels'> {
  groupId: number | null
  labels: { name: string; value: string }[]
  schedule: ScheduleForm
  handler: HandlerForm
  sharding: ShardingForm
}

export function emptyForm(groupId: number | null): TaskForm {
  return {
    ...structuredClone(TASK_DEFAULTS), name: '', tags: [], labels: [], groupId,
    sharding: { kind: 'none', total: 8, from: 0, to: 1_000_000, size: 50_000 },
    schedule: { kind: 'cron', expression: '0 0 2 * * ?', timezone: localZone(), dialect: 'auto', everyMs: 60_000, delayMs: 60_000, at: null, calendarId: null, onDayOff: 'skip', validFrom: null, validUntil: null },
    handler: { kind: 'shell', script: 'echo "Hello from Tickwheel"\n', language: 'node', source: '', method: 'GET', url: '', env: [], headers: [], body: '', expectStatus: '', name: '' },
  }
}

export function formOf(definition: TaskDefinition, groupId: number): TaskForm {
  const { schedule, handler, sharding, labels, ...plain } = structuredClone(definition)
  return { ...plain, groupId, labels: Object.entries(labels).map(([name, value]) => ({ name, value })), sharding: shardingFormOf(sharding), schedule: scheduleFormOf(schedule), handler: handlerFormOf(handler) }
}

/** The body of a POST; a PUT adds `version`. */
export function bodyOf(form: TaskForm, groupId: number, enabled: boolean): TaskCreate {
  return { ...definitionOf(form), groupId, enabled }
}

/** The form as a definition, for sending and for comparing. */
export function definitionOf(form: TaskForm): TaskDefinition {
  const { groupId: _chosen, schedule, handler, sharding, labels, overlap, misfire, retry, ...plain } = form
  return { ...plain, ...(sharding.kind === 'none' ? {} : { sharding: shardingOf(sharding) }), name: form.name.trim(), tags: [...form.tags], labels: labelsOf(labels), routingKey: form.routingKey.trim(), overlap: { ...overlap }, misfire: { ...misfire }, retry: { ...retry }, schedule: scheduleOf(schedule), handler: handlerOf(handler) }
}

export function shardingOf({ kind, total, from, to, size }: ShardingForm): Sharding {
  switch (kind) {
    case 'none':
    case 'broadcast':
      return { kind }
    case 'fixed':
      return { kind, total }
    case 'range':
      return { kind, from, to, size }
    case 'list':
      return { kind, itemsFrom: 'params', size }
  }
}

/** A row whose name is empty is not meant. */
function labelsOf(rows: TaskForm['labels']): Record<string, string> {
  return Object.fromEntries(rows.filter(({ name }) => name.trim() !== '').map(({ name, value }) => [name.trim(), value.trim()]))
}

/** The schedule as the API takes it. */
export function scheduleOf(form: ScheduleForm): ScheduleInput {
  const follows = form.calendarId === null ? {} : { calendarId: form.calendarId }
  const onDayOff = form.calendarId === null || form.onDayOff === 'skip' ? {} : { onDayOff: form.onDayOff }
  const window = { ...(form.validFrom === null ? {} : { validFrom: form.validFrom }), ...(form.validUntil === null ? {} : { validUntil: form.validUntil }) }
  switch (form.kind) {
    case 'cron':
      return { kind: 'cron', expression: form.expression.trim(), timezone: form.timezone, ...(form.dialect === 'auto' ? {} : { dialect: form.dialect }), ...follows, ...onDayOff, ...window }
    case 'fixedRate':
      return { kind: 'fixedRate', everyMs: form.everyMs, ...follows, ...window }
    case 'fixedDelay':
      return { kind: 'fixedDelay', delayMs: form.delayMs, ...follows, ...window }
    case 'once':
      return { kind: 'once', at: form.at ?? '' }
    case 'manual':
      return { kind: 'manual' }
  }
}

/** The handler as the API takes it. */
export function handlerOf(form: HandlerForm): Handler {
  switch (form.kind) {
    case 'shell':
      return { kind: 'shell', script: form.script, ...envOf(form) }
    case 'script':
      return { kind: 'script', language: form.language, source: form.source, ...envOf(form) }
    case 'named':
      return { kind: 'named', name: form.name.trim() }
    case 'http': {
      const headers = Object.fromEntries(form.headers.filter((header) => header.name.trim() !== '').map((header) => [header.name.trim(), header.value]))
      const expectStatus = statusesOf(form.expectStatus) ?? []
      return {
        kind: 'http', method: form.method, url: form.url.trim(),
        ...(Object.keys(headers).length === 0 ? {} : { headers }), ...(form.body === '' ? {} : { body: form.body }), ...(expectStatus.length === 0 ? {} : { expectStatus }),
      }
    }
  }
}

/** A row whose name is empty is not meant. */
function envOf({ env }: HandlerForm): { env?: Record<string, string> } {
  const rows = env.filter(({ name }) => name.trim() !== '').map(({ name, value }) => [name.trim(), value] as const)
  return rows.length === 0 ? {} : { env: Object.fromEntries(rows) }
}

/** `200, 204` as numbers; null when it is anything else. */
export function statusesOf(text: string): number[] | null {
  const numbers = text.split(/[\s,，]+/).filter((word) => word !== '').map(Number)
  return numbers.every((status) => Number.isInteger(status) && status >= 100 && status <= 599) ? numbers : null
}

/** The other way round: each with the values of the other kinds as a new form has them. */
export function scheduleFormOf(schedule: ScheduleInput): ScheduleForm {
  return { ...emptyForm(null).schedule, ...scheduleForm(schedule) }
}
export function handlerFormOf(handler: Handler): HandlerForm {
  return { ...emptyForm(null).handler, script: '', ...handlerForm(handler) }
}
export function shardingFormOf(sharding: Sharding | undefined): ShardingForm {
  return { ...emptyForm(null).sharding, ...sharding }
}

function scheduleForm(schedule: ScheduleInput): Partial<ScheduleForm> {
  const window = { ...('validFrom' in schedule || 'validUntil' in schedule ? { validFrom: schedule.validFrom ?? null, validUntil: schedule.validUntil ?? null } : {}), calendarId: calendarIdOf(schedule), onDayOff: dayOffOf(schedule) }
  switch (schedule.kind) {
    case 'cron':
      return { kind: 'cron', expression: schedule.expression, timezone: schedule.timezone ?? localZone(), dialect: schedule.dialect ?? 'auto', ...window }
    case 'fixedRate':
      return { kind: 'fixedRate', everyMs: schedule.everyMs, ...window }
    case 'fixedDelay':
      return { kind: 'fixedDelay', delayMs: schedule.delayMs, ...window }
    case 'once':
      return { kind: 'once', at: schedule.at }
    case 'manual':
      return { kind: 'manual' }
  }
}

function handlerForm(handler: Handler): Partial<HandlerForm> {
  switch (handler.kind) {
    case 'shell':
    case 'script':
      return { ...handler, env: Object.entries(handler.env ?? {}).map(([name, value]) => ({ name, value })) }
    case 'named':
      return handler
    case 'http':
      return {
        kind: 'http', method: handler.method ?? 'GET', url: handler.url, body: handler.body ?? '', expectStatus: (handler.expectStatus ?? []).join(', '),
        headers: Object.entries(handler.headers ?? {}).map(([name, value]) => ({ name, value })),
      }
  }
}
