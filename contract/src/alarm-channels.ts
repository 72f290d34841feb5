import { MESSAGE_KINDS, ALARM_EVENTS, NOTICE_LANGUAGES, TEMPLATE_LIMITS, DELIVERY_STATES } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { SECRET_MASK } from './constants.ts'
import { Name } from './groups.ts'
import { defineRoute } from './route.ts'
import { CursorQuery, Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'

/** channels of an installation */
export const MAX_ALARM_CHANNELS = 200
export const CHANNEL_KINDS = ['email', 'webhook', 'dingtalk', 'feishu', 'wecom', 'slack'] as const
export type ChannelKind = (typeof CHANNEL_KINDS)[number]

const Url = Type.String({ minLength: 8, maxLength: 1024, pattern: '^https?://' })
/** An address that is a secret by itself: whoever knows it may write there. Answered as its origin and `***`. */
const SecretUrl = Type.String({
  minLength: 8,
  maxLength: 1024,
  pattern: '^https?://',
  description: `answered as its origin and \`/${SECRET_MASK}\`; sent back so, it stays`,
})
const Secret = Type.String({ maxLength: 512, description: `answered as \`${SECRET_MASK}\`; sent back so, it stays; empty: none` })
const HeaderName = Type.String({ pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$" })

/** Where a channel leads, by its kind. */
export const ChannelSettings = Type.Union([
  strict({
    kind: Type.Literal('email'),
    host: Type.String({ minLength: 1, maxLength: 255, pattern: '^[A-Za-z0-9.:_-]+$' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    security: oneOf(['tls', 'starttls', 'none']),
    checkCertificate: Type.Boolean(),
    user: Type.String({ maxLength: 255 }),
    password: Secret,
    from: Type.String({ minLength: 3, maxLength: 320 }),
    to: Type.Array(Type.String({ minLength: 3, maxLength: 320 }), { minItems: 1, maxItems: 50, uniqueItems: true }),
  }),
  strict({
    kind: Type.Literal('webhook'),
    url: Url,
    secret: Secret,
    headers: Type.Record(HeaderName, Secret, { maxProperties: 16 }),
  }),
  strict({
    kind: Type.Literal('dingtalk'),
    url: SecretUrl,
    secret: Secret,
    atMobiles: Type.Array(Type.String({ pattern: '^[0-9+-]{5,20}$' }), { maxItems: 20, uniqueItems: true }),
    atAll: Type.Boolean(),
  }),
  strict({ kind: Type.Literal('feishu'), url: SecretUrl, secret: Secret }),
  strict({ kind: Type.Literal('wecom'), url: SecretUrl }),
  strict({ kind: Type.Literal('slack'), url: SecretUrl }),
])
export type ChannelSettings = Static<typeof ChannelSettings>

/** Text with names in double braces, `{{target}}: {{error}}`; null: the default one. */
const Template = strict({
  subject: nullable(Type.String({ minLength: 1, maxLength: TEMPLATE_LIMITS.subjectChars })),
  body: nullable(Type.String({ minLength: 1, maxLength: TEMPLATE_LIMITS.bodyChars })),
})

export const ChannelTemplate = Template
export type ChannelTemplate = Static<typeof ChannelTemplate>

const Language = oneOf([...NOTICE_LANGUAGES])
const Timezone = Type.String({ minLength: 1, maxLength: 64, description: 'IANA zone in which instants are written' })

const editable = {
  name: Name,
  groupId: nullable(Id),
  enabled: Type.Optional(Type.Boolean({ default: true })),
  language: Type.Optional(Language),
  timezone: Type.Optional(Timezone),
  template: Type.Optional(nullable(ChannelTemplate)),
  settings: ChannelSettings,
}

/**
 * Where alarms are told. It belongs to a group, whose rules may use it, or to none, and rules of every group may: then it is edited by who may do so in all
 * groups, and its `settings` are null for everybody else.
 */
export const AlarmChannelCreate = strict(editable)
export type AlarmChannelCreate = Static<typeof AlarmChannelCreate>
export const AlarmChannelUpdate = strict({ ...editable, version: Type.Integer({ minimum: 1 }) })
export type AlarmChannelUpdate = Static<typeof AlarmChannelUpdate>

export const SEND_FAILURES = [
  'unreachable',
  'timeout',
  'network',
  'refused',
  'tooMany',
  'error',
  'sealed',
  'channelGone',
  'channelOff',
  'ownTrouble',
] as const
/** Why a message did not arrive, and what the other side said. */
export const SendProblem = strict({ code: oneOf(SEND_FAILURES), answer: Type.String() })
export type SendProblem = Static<typeof SendProblem>
export type SendFailure = SendProblem['code']

export const AlarmChannel = strict({
  id: Id,
  name: Type.String(),
  groupId: nullable(Id),
  enabled: Type.Boolean(),
  language: Language,
  timezone: Type.String(),
  template: nullable(ChannelTemplate),
  kind: oneOf(CHANNEL_KINDS),
  settings: nullable(ChannelSettings),
  lastSentAt: nullable(Instant),
  failedInARow: Type.Integer({ minimum: 0, description: 'tries since the last message that arrived' }),
  lastProblem: nullable(SendProblem),
  version: Type.Integer(),
  createdAt: Instant,
  updatedAt: Instant,
})
export type AlarmChannel = Static<typeof AlarmChannel>

export const ChannelTest = strict({
  sent: Type.Boolean(),
  problem: nullable(SendProblem),
  answer: Type.String(),
  tookMs: Type.Integer({ minimum: 0 }),
})
export type ChannelTest = Static<typeof ChannelTest>

export const AlarmPreviewBody = strict({
  language: Language,
  timezone: Type.Optional(Timezone),
  template: Type.Optional(nullable(ChannelTemplate)),
  event: Type.Optional(oneOf(ALARM_EVENTS)),
  kind: Type.Optional(oneOf(MESSAGE_KINDS)),
})
export type AlarmPreviewBody = Static<typeof AlarmPreviewBody>
/** What would be sent, with made-up facts, in the forms that channels use. */
export const AlarmPreview = strict({ subject: Type.String(), text: Type.String(), html: Type.String(), markdown: Type.String() })
export type AlarmPreview = Static<typeof AlarmPreview>

export const AlarmDelivery = strict({
  id: Id,
  channelId: Id,
  channelName: nullable(Type.String()),
  incidentId: nullable(Id),
  ruleId: nullable(Id),
  groupId: nullable(Id),
  kind: oneOf(MESSAGE_KINDS),
  event: oneOf(ALARM_EVENTS),
  subject: Type.String({ description: 'as the channel words it, by its default template' }),
  state: oneOf(DELIVERY_STATES),
  tries: Type.Integer({ minimum: 0 }),
  createdAt: Instant,
  nextTryAt: nullable(Instant),
  endedAt: nullable(Instant),
  problem: nullable(SendProblem),
})
export type AlarmDelivery = Static<typeof AlarmDelivery>

export const AlarmDeliveryQuery = strict({
  ...CursorQuery,
  state: Type.Optional(Type.String({ maxLength: 60, description: 'one state, or several joined by commas' })),
  channelId: Type.Optional(Id),
  incidentId: Type.Optional(Id),
})
export type AlarmDeliveryQuery = Static<typeof AlarmDeliveryQuery>

const tag = 'alarm'
export const alarmChannelRoutes = [
  defineRoute({
    id: 'listAlarmChannels',
    method: 'GET',
    path: '/alarm/channel',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'List where alarms are told',
    query: strict({ ...PageQuery, keyword: Type.Optional(Type.String({ maxLength: 128 })), groupId: Type.Optional(Id) }),
    status: 200,
    answer: listOf(AlarmChannel),
  }),
  defineRoute({
    id: 'getAlarmChannel',
    method: 'GET',
    path: '/alarm/channel/:id',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'One channel; its secrets are masked',
    params: IdParams,
    status: 200,
    answer: AlarmChannel,
  }),
  defineRoute({
    id: 'createAlarmChannel',
    method: 'POST',
    path: '/alarm/channel',
    access: 'alarm:edit',
    budget: 'write',
    tag,
    summary: 'Create a channel',
    body: AlarmChannelCreate,
    status: 201,
    answer: AlarmChannel,
  }),
  defineRoute({
    id: 'updateAlarmChannel',
    method: 'PUT',
    path: '/alarm/channel/:id',
    access: 'alarm:edit',
    budget: 'write',
    tag,
    summary: 'Change a channel; a secret that is sent back masked stays',
    params: IdParams,
    body: AlarmChannelUpdate,
    status: 200,
    answer: AlarmChannel,
  }),
  defineRoute({
    id: 'deleteAlarmChannel',
    method: 'DELETE',
    path: '/alarm/channel/:id',
    access: 'alarm:delete',
    budget: 'write',
    tag,
    summary: 'Delete a channel that no rule names; what waits for it is not sent',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'testAlarmChannel',
    method: 'POST',
    path: '/alarm/channel/:id/test',
    access: 'alarm:operate',
    budget: 'heavy',
    tag,
    summary: 'Send a test message now and say what became of it',
    params: IdParams,
    status: 200,
    answer: ChannelTest,
  }),
  defineRoute({
    id: 'previewAlarmMessage',
    method: 'POST',
    path: '/alarm/preview',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'What a message would look like, with made-up facts',
    body: AlarmPreviewBody,
    status: 200,
    answer: AlarmPreview,
  }),
  defineRoute({
    id: 'listAlarmDeliveries',
    method: 'GET',
    path: '/alarm/delivery',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'List messages and what became of them, newest first',
    query: AlarmDeliveryQuery,
    status: 200,
    answer: listOf(AlarmDelivery),
  }),
  defineRoute({
    id: 'retryAlarmDelivery',
    method: 'POST',
    path: '/alarm/delivery/:id/retry',
    access: 'alarm:operate',
    budget: 'write',
    tag,
    summary: 'Send a message that was given up or waits for its next try now',
    params: IdParams,
    status: 200,
    answer: AlarmDelivery,
  }),
] as const
