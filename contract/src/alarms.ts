import { ALARM_EVENTS, ALARM_TARGETS, INCIDENT_STATES, MISSED_REASONS, RECOVERIES } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { Name } from './groups.ts'
import { defineRoute } from './route.ts'
import { CursorQuery, Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** rules of an installation; conditions, targets and channels of a rule */
export const MAX_ALARM_RULES = 1_000
export const MAX_RULE_TARGETS = 100
export const MAX_RULE_CHANNELS = 20
export const MAX_SILENCE_MS = 30 * DAY_MS

const TimeOfDay = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description: 'HH:MM', examples: ['08:30'] })
const TimeZone = Type.String({ minLength: 1, maxLength: 64, description: 'IANA zone' })
/** 1 = Monday to 7 = Sunday */
const Days = Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { minItems: 1, maxItems: 7, uniqueItems: true }))

/** What a rule watches for. Absent settings have the defaults of core's `alarm/condition.ts`. */
export const AlarmCondition = Type.Union([
  strict({ event: Type.Literal('failed') }),
  strict({ event: Type.Literal('timedOut') }),
  strict({ event: Type.Literal('lost') }),
  strict({ event: Type.Literal('failedInARow'), times: Type.Optional(Type.Integer({ minimum: 2, maximum: 100, default: 3 })) }),
  strict({
    event: Type.Literal('failedInWindow'),
    times: Type.Optional(Type.Integer({ minimum: 2, maximum: 100, default: 5 })),
    windowMs: Type.Optional(Type.Integer({ minimum: MINUTE_MS, maximum: DAY_MS, default: 600_000 })),
  }),
  strict({
    event: Type.Literal('late'),
    afterMs: Type.Optional(
      Type.Integer({ minimum: SECOND_MS, maximum: 7 * DAY_MS, default: MINUTE_MS, description: 'not started so long after it was due' }),
    ),
  }),
  strict({
    event: Type.Literal('missed'),
    reasons: Type.Optional(
      Type.Array(oneOf(MISSED_REASONS), { minItems: 1, uniqueItems: true, description: 'absent: whatever the reason' }),
    ),
  }),
  strict({ event: Type.Literal('unfinished'), by: TimeOfDay, timezone: TimeZone, days: Days }),
  strict({
    event: Type.Literal('slow'),
    percent: Type.Optional(
      Type.Integer({
        minimum: 110,
        maximum: 10_000,
        default: 200,
        description: 'of the 95th percentile of its last 50 successes, once 20 are known',
      }),
    ),
  }),
  strict({
    event: Type.Literal('noExecutor'),
    afterMs: Type.Optional(Type.Integer({ minimum: SECOND_MS, maximum: DAY_MS, default: MINUTE_MS })),
  }),
  strict({ event: Type.Literal('queueFull') }),
  strict({ event: Type.Literal('nodeDown') }),
  strict({ event: Type.Literal('incomplete') }),
  strict({ event: Type.Literal('undeliverable') }),
])
export type AlarmCondition = Static<typeof AlarmCondition>

/** A part of the day, in which nothing is sent; what is left is told at its end. `from` after `to`: over midnight. `days`: on which it begins. */
export const QuietHours = strict({ from: TimeOfDay, to: TimeOfDay, timezone: TimeZone, days: Days })
export type QuietHours = Static<typeof QuietHours>

const editable = {
  name: Name,
  groupId: nullable(Id),
  taskIds: Type.Optional(
    Type.Array(Id, {
      maxItems: MAX_RULE_TARGETS,
      uniqueItems: true,
      default: [],
      description: 'tasks and workflows of the group; empty: everything in it',
    }),
  ),
  conditions: Type.Array(AlarmCondition, { minItems: 1, maxItems: 14, description: 'one for each event' }),
  channelIds: Type.Array(Id, { maxItems: MAX_RULE_CHANNELS, uniqueItems: true, description: 'empty: incidents, and no messages' }),
  grouping: Type.Optional(oneOf(['target', 'rule'])),
  tellsRecovery: Type.Optional(Type.Boolean({ default: true })),
  quietHours: Type.Optional(nullable(QuietHours)),
  enabled: Type.Optional(Type.Boolean({ default: true })),
}

/**
 * A rule belongs to a group, or to none and watches all of them. `grouping`: an incident for each thing that has trouble (`target`, the default), or one
 * for the rule.
 */
export const AlarmRuleCreate = strict(editable)
export type AlarmRuleCreate = Static<typeof AlarmRuleCreate>
export const AlarmRuleUpdate = strict({ ...editable, version: Type.Integer({ minimum: 1 }) })
export type AlarmRuleUpdate = Static<typeof AlarmRuleUpdate>

export const AlarmRule = strict({
  id: Id,
  name: Type.String(),
  groupId: nullable(Id),
  taskIds: Type.Array(Id),
  conditions: Type.Array(AlarmCondition),
  channelIds: Type.Array(Id),
  grouping: oneOf(['target', 'rule']),
  tellsRecovery: Type.Boolean(),
  quietHours: nullable(QuietHours),
  enabled: Type.Boolean(),
  silencedUntil: nullable(Instant),
  openIncidents: Type.Integer({ minimum: 0 }),
  version: Type.Integer(),
  createdAt: Instant,
  updatedAt: Instant,
})
export type AlarmRule = Static<typeof AlarmRule>

/** Until when nothing is told; null: from now on again. At most 30 days ahead. */
export const Silence = strict({ until: nullable(Instant) })
export type Silence = Static<typeof Silence>

export const AlarmTarget = strict({ kind: oneOf(ALARM_TARGETS), id: nullable(Id), name: Type.String() })

/**
 * `count`: how often it happened. `recoveredBy`: a run succeeded, what it was about is gone or works again, it did not happen again for long, whoever raised
 * it took it back, the rule was changed, or a person closed it.
 */
export const Incident = strict({
  id: Id,
  ruleId: Id,
  ruleName: Type.String(),
  groupId: nullable(Id),
  event: oneOf(ALARM_EVENTS),
  target: AlarmTarget,
  state: oneOf(INCIDENT_STATES),
  count: Type.Integer({ minimum: 1 }),
  openedAt: Instant,
  lastAt: Instant,
  acknowledgedAt: nullable(Instant),
  acknowledgedBy: nullable(Type.String()),
  silencedUntil: nullable(Instant),
  recoveredAt: nullable(Instant),
  recoveredBy: nullable(oneOf(RECOVERIES)),
  facts: Type.Record(Type.String(), Type.Unknown()),
  runs: Type.Array(strict({ id: Id, outcome: Type.String(), at: Instant, error: nullable(Type.String()) }), {
    description: 'the last runs behind it, newest first',
  }),
})
export type Incident = Static<typeof Incident>

export const IncidentListQuery = strict({
  ...CursorQuery,
  state: Type.Optional(Type.String({ maxLength: 60, description: 'one state, or several joined by commas' })),
  ruleId: Type.Optional(Id),
  groupId: Type.Optional(Id),
  taskId: Type.Optional(Id),
})
export type IncidentListQuery = Static<typeof IncidentListQuery>

/** A run behind an incident. */
export const IncidentRun = strict({ instanceId: Id, taskId: nullable(Id), taskName: Type.String(), outcome: Type.String(), at: Instant })
export type IncidentRun = Static<typeof IncidentRun>

const tag = 'alarm'
export const alarmRoutes = [
  defineRoute({
    id: 'listAlarmRules',
    method: 'GET',
    path: '/alarm/rule',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'List alarm rules',
    query: strict({
      ...PageQuery,
      keyword: Type.Optional(Type.String({ maxLength: 128 })),
      groupId: Type.Optional(Id),
      taskId: Type.Optional(
        Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'rules that name this task or workflow' }),
      ),
      channelId: Type.Optional(Id),
    }),
    status: 200,
    answer: listOf(AlarmRule),
  }),
  defineRoute({
    id: 'getAlarmRule',
    method: 'GET',
    path: '/alarm/rule/:id',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'One alarm rule',
    params: IdParams,
    status: 200,
    answer: AlarmRule,
  }),
  defineRoute({
    id: 'createAlarmRule',
    method: 'POST',
    path: '/alarm/rule',
    access: 'alarm:edit',
    budget: 'write',
    tag,
    summary: 'Create an alarm rule',
    body: AlarmRuleCreate,
    status: 201,
    answer: AlarmRule,
  }),
  defineRoute({
    id: 'updateAlarmRule',
    method: 'PUT',
    path: '/alarm/rule/:id',
    access: 'alarm:edit',
    budget: 'write',
    tag,
    summary: 'Change an alarm rule',
    params: IdParams,
    body: AlarmRuleUpdate,
    status: 200,
    answer: AlarmRule,
  }),
  defineRoute({
    id: 'deleteAlarmRule',
    method: 'DELETE',
    path: '/alarm/rule/:id',
    access: 'alarm:delete',
    budget: 'write',
    tag,
    summary: 'Delete an alarm rule; its incidents stay, and are over',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'silenceAlarmRule',
    method: 'POST',
    path: '/alarm/rule/:id/silence',
    access: 'alarm:operate',
    budget: 'write',
    tag,
    summary: 'Tell nothing of a rule until an instant, or from now on again; its incidents go on being kept',
    params: IdParams,
    body: Silence,
    status: 200,
    answer: AlarmRule,
  }),
  defineRoute({
    id: 'listIncidents',
    method: 'GET',
    path: '/alarm/incident',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'List incidents, newest first',
    query: IncidentListQuery,
    status: 200,
    answer: listOf(Incident),
  }),
  defineRoute({
    id: 'getIncident',
    method: 'GET',
    path: '/alarm/incident/:id',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'One incident',
    params: IdParams,
    status: 200,
    answer: Incident,
  }),
  defineRoute({
    id: 'listIncidentRuns',
    method: 'GET',
    path: '/alarm/incident/:id/run',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'The runs behind an incident, newest first; at most the first 1,000 are known',
    params: IdParams,
    query: strict(PageQuery),
    status: 200,
    answer: listOf(IncidentRun),
  }),
  defineRoute({
    id: 'acknowledgeIncident',
    method: 'POST',
    path: '/alarm/incident/:id/acknowledge',
    access: 'alarm:operate',
    budget: 'write',
    tag,
    summary: 'Acknowledge an incident: it is told again only when it is over',
    params: IdParams,
    status: 200,
    answer: Incident,
  }),
  defineRoute({
    id: 'silenceIncident',
    method: 'POST',
    path: '/alarm/incident/:id/silence',
    access: 'alarm:operate',
    budget: 'write',
    tag,
    summary: 'Tell nothing of an incident until an instant, or from now on again',
    params: IdParams,
    body: Silence,
    status: 200,
    answer: Incident,
  }),
  defineRoute({
    id: 'closeIncident',
    method: 'POST',
    path: '/alarm/incident/:id/close',
    access: 'alarm:operate',
    budget: 'write',
    tag,
    summary: 'Say that an incident is over; the next occurrence opens another',
    params: IdParams,
    status: 200,
    answer: Incident,
  }),
] as const
