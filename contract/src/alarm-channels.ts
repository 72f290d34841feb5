import { ALARM_EVENTS, DELIVERY_STATES, MESSAGE_KINDS } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { Name } from './groups.ts'
import { defineRoute } from './route.ts'
import { CursorQuery, Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'

/** channels of an installation */
export const MAX_ALARM_CHANNELS = 200
export const CHANNEL_LANGUAGES = ['en', 'zh'] as const

const Url = Type.String({ minLength: 8, maxLength: 2048, pattern: '^https?://' })
/** A value that is never given back. null: there is none; absent in an update: as it is. */
const Secret = Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 1024 })))
const Address = Type.String({ minLength: 3, maxLength: 254, pattern: '^[^\\s@<>]+@[^\\s@<>]+$' })

/** Where messages go. The address of a robot (`url`) carries its token, so it is kept sealed and shown without it. */
export const ChannelConfig = Type.Union([
  strict({
    kind: Type.Literal('email'),
    host: Type.String({ minLength: 1, maxLength: 255 }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, default: 587 })),
    security: Type.Optional(oneOf(['starttls', 'tls', 'none'])),
    username: Type.Optional(Type.String({ maxLength: 255 })),
    password: Secret,
    from: Address,
    to: Type.Array(Address, { minItems: 1, maxItems: 50, uniqueItems: true }),
  }),
  strict({ kind: Type.Literal('webhook'), url: Url, secret: Secret }),
  strict({ kind: Type.Literal('dingtalk'), url: Type.Optional(Url), secret: Secret }),
  strict({ kind: Type.Literal('feishu'), url: Type.Optional(Url), secret: Secret }),
  strict({ kind: Type.Literal('wecom'), url: Type.Optional(Url) }),
  strict({ kind: Type.Literal('slack'), url: Type.Optional(Url) }),
])
export type ChannelConfig = Static<typeof ChannelConfig>
export const CHANNEL_KINDS = ['email', 'webhook', 'dingtalk', 'feishu', 'wecom', 'slack'] as const
export type ChannelKind = (typeof CHANNEL_KINDS)[number]

/** Texts with places like `{{target}}` for what a message says. null: the text that comes with Tickwheel. */
export const MessageTemplate = strict({
  title: nullable(Type.String({ maxLength: 500 })),
  text: nullable(Type.String({ maxLength: 8000 })),
})
export type MessageTemplate = Static<typeof MessageTemplate>

const editable = {
  name: Name,
  groupId: nullable(Id),
  config: ChannelConfig,
  language: Type.Optional(oneOf(CHANNEL_LANGUAGES)),
  template: Type.Optional(nullable(MessageTemplate)),
  enabled: Type.Optional(Type.Boolean({ default: true })),
}
/** A channel belongs to a group, whose rules may use it, or to none, and rules of every group may. */
export const AlarmChannelCreate = strict(editable)
export type AlarmChannelCreate = Static<typeof AlarmChannelCreate>
export const AlarmChannelUpdate = strict({ ...editable, version: Type.Integer({ minimum: 1 }) })
export type AlarmChannelUpdate = Static<typeof AlarmChannelUpdate>

export const AlarmChannel = strict({
  id: Id,
  name: Type.String(),
  groupId: nullable(Id),
  kind: oneOf(CHANNEL_KINDS),
  config: Type.Record(Type.String(), Type.Unknown(), { description: 'without secrets' }),
  secrets: Type.Array(Type.String(), { description: 'the names of the secrets that are set' }),
  language: oneOf(CHANNEL_LANGUAGES),
  template: nullable(MessageTemplate),
  enabled: Type.Boolean(),
  failedInARow: Type.Integer({ minimum: 0 }),
  lastSentAt: nullable(Instant),
  lastError: nullable(Type.String()),
  version: Type.Integer(),
  createdAt: Instant,
  updatedAt: Instant,
})
export type AlarmChannel = Static<typeof AlarmChannel>

/** A message on its way through a channel. `failed`: given up after its last try; `dropped`: its channel was deleted or switched off. */
export const AlarmDelivery = strict({
  id: Id,
  incidentId: nullable(Id),
  channelId: Id,
  channelName: Type.String(),
  groupId: nullable(Id),
  kind: oneOf(MESSAGE_KINDS),
  event: oneOf(ALARM_EVENTS),
  state: oneOf(DELIVERY_STATES),
  tries: Type.Integer({ minimum: 0 }),
  createdAt: Instant,
  nextTryAt: nullable(Instant),
  endedAt: nullable(Instant),
  error: nullable(Type.String()),
})
export type AlarmDelivery = Static<typeof AlarmDelivery>

/** Whether a message went out, and what the other end said. */
export const ChannelTest = strict({ ok: Type.Boolean(), detail: Type.String(), tookMs: Type.Integer({ minimum: 0 }) })

const tag = 'alarm'
export const alarmChannelRoutes = [
  defineRoute({
    id: 'listAlarmChannels',
    method: 'GET',
    path: '/alarm/channel',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'List alarm channels',
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
    summary: 'One alarm channel',
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
    summary: 'Create an alarm channel',
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
    summary: 'Change an alarm channel',
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
    summary: 'Delete an alarm channel that no rule uses',
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
    summary: 'Send a test message now',
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
    summary: 'What a message would look like',
    body: strict({
      kind: oneOf(CHANNEL_KINDS),
      language: oneOf(CHANNEL_LANGUAGES),
      template: Type.Optional(nullable(MessageTemplate)),
      message: Type.Optional(oneOf(MESSAGE_KINDS)),
      event: Type.Optional(oneOf(ALARM_EVENTS)),
    }),
    status: 200,
    answer: strict({ title: Type.String(), text: Type.String(), body: Type.String({ description: 'as it would be sent' }) }),
  }),
  defineRoute({
    id: 'listAlarmDeliveries',
    method: 'GET',
    path: '/alarm/delivery',
    access: 'alarm:view',
    budget: 'read',
    tag,
    summary: 'List deliveries of messages, newest first',
    query: strict({
      ...CursorQuery,
      channelId: Type.Optional(Id),
      incidentId: Type.Optional(Id),
      state: Type.Optional(oneOf(DELIVERY_STATES)),
    }),
    status: 200,
    answer: listOf(AlarmDelivery),
  }),
] as const
