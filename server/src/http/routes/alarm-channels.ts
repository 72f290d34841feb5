import {
  AppError,
  SEND_FAILURES,
  type AlarmChannel,
  type AlarmChannelCreate,
  type AlarmDelivery,
  type AlarmPreview,
  type AlarmPreviewBody,
  type ChannelTest,
  type FieldProblem,
  type SendProblem,
} from '@tickwheel/contract'
import {
  alarmEventOf,
  DELIVERY_STATE,
  DELIVERY_STATES,
  isValidZone,
  MESSAGE_KINDS,
  NOTICE_FIELDS,
  templateProblem,
  visibleScope,
  type DeliveryState,
  type Scope,
} from '@tickwheel/core'
import { mergedSettings } from '../../auth/channel-secrets.ts'
import { columnsOfChannel, openChannel, type OpenChannel, type Seal } from '../../auth/stored-channel.ts'
import type { Caller } from '../../store/caller.ts'
import {
  auditChannelTest,
  channelsById,
  createChannel,
  deleteChannel,
  getChannel,
  holdsChannel,
  listChannels,
  updateChannel,
  type ChannelFields,
} from '../../store/alarm-channels.ts'
import type { Database } from '../../store/database.ts'
import { listDeliveries, noteChannelTest, retryDelivery } from '../../store/deliveries.ts'
import { instantText, offsetOf } from '../../store/page.ts'
import type { AlarmChannelRow, DeliveryRow } from '../../store/schema.ts'
import type { SignedUser } from '../../auth/signed-user.ts'
import type { MakeChange } from '../change.ts'
import type { HandlersOf } from '../handlers.ts'
import { requireWhereSeen } from '../may-also.ts'
import { pageOf } from '../paging.ts'

/** What sends and words messages: `app.ts` gives it, for one edge knows no other. */
export interface AlarmPost {
  /** Sends a test message now. */
  readonly test: (channel: AlarmChannelRow) => Promise<ChannelTest>
  readonly preview: (asked: AlarmPreviewBody) => AlarmPreview
  /** The title of the message that a delivery carries, as its channel would word it. */
  readonly subjectOf: (delivery: DeliveryRow, language: string, timezone: string) => string
  /** A delivery was made due. */
  readonly kick: () => void
}

export interface AlarmChannelNeeds {
  readonly db: Database
  readonly change: MakeChange
  readonly seal: Seal
  readonly post: AlarmPost
}

export function alarmChannelHandlers({
  db,
  change,
  seal,
  post,
}: AlarmChannelNeeds): HandlersOf<
  | 'listAlarmChannels'
  | 'getAlarmChannel'
  | 'createAlarmChannel'
  | 'updateAlarmChannel'
  | 'deleteAlarmChannel'
  | 'testAlarmChannel'
  | 'previewAlarmMessage'
  | 'listAlarmDeliveries'
  | 'retryAlarmDelivery'
> {
  const shown = (row: AlarmChannelRow, scope: Scope): AlarmChannel => channelOf(row, openChannel(row, seal), scope)
  const made = (input: AlarmChannelCreate, before: OpenChannel | null): ChannelFields => fieldsOf(input, before, seal)

  return {
    listAlarmChannels: async ({ query, scope }) => {
      const page = await listChannels(db, scope, { ...pageOf(query), keyword: query.keyword, groupId: query.groupId })
      return { ...page, items: page.items.map((row) => shown(row, scope)) }
    },
    getAlarmChannel: async ({ params, scope }) => shown(await getChannel(db, scope, params.id), scope),
    createAlarmChannel: async (asked) => {
      requireWhereSeen(asked.who, 'alarm:edit', asked.body.groupId)
      const { channelId } = await createChannel(db, { fields: made(asked.body, null) }, await change(asked))
      return shown(await getChannel(db, asked.scope, channelId), asked.scope)
    },
    updateAlarmChannel: async (asked) => {
      requireWhereSeen(asked.who, 'alarm:edit', asked.body.groupId)
      const row = await heldChannel(db, asked)
      const before = openChannel(row, seal)
      const fields = made(asked.body, before)
      const shownBefore = shownFields({ ...row, groupId: row.group_id, enabled: row.enabled === 1 }, before)
      const { version } = asked.body
      await updateChannel(db, { channelId: row.id, version, before: shownBefore, fields }, await change(asked))
      return shown(await getChannel(db, asked.scope, row.id), asked.scope)
    },
    deleteAlarmChannel: async (asked) => {
      await heldChannel(db, asked)
      await deleteChannel(db, { channelId: asked.params.id }, await change(asked))
      return null
    },
    testAlarmChannel: async (asked) => {
      const row = await heldChannel(db, asked)
      const result = await post.test(row)
      const made = await change(asked)
      await noteChannelTest(db, row.id, result.problem === null ? null : JSON.stringify(result.problem), made.now)
      await auditChannelTest(db, row, { sent: result.sent }, made)
      return result
    },
    previewAlarmMessage: async ({ body }) => {
      const errors = [...zoneProblems(body.timezone), ...templateProblems(body.template ?? null)]
      if (errors.length > 0) throw unprocessable(errors)
      return post.preview(body)
    },
    listAlarmDeliveries: async ({ query, scope }) => {
      const { page = 1, pageSize = 20, cursor } = query
      const skipped = cursor === undefined ? offsetOf({ page, pageSize }) : 0
      const below = cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor)
      const filter = { states: statesOf(query.state), channelId: query.channelId, incidentId: query.incidentId, below }
      const { rows, next } = await listDeliveries(db, scope, { ...filter, limit: skipped + pageSize })
      const items = await described(db, rows.slice(skipped), { seal, post })
      const nextCursor = next === null ? null : `1.${next.toString(36)}`
      return { items, total: skipped + items.length, totalCapped: next !== null, page, pageSize, nextCursor }
    },
    retryAlarmDelivery: async (asked) => {
      const row = await retryDelivery(db, { deliveryId: asked.params.id }, await change(asked))
      post.kick()
      const [item] = await described(db, [row], { seal, post })
      if (item === undefined) throw new AppError('ALARM_DELIVERY_NOT_FOUND', `there is no delivery ${row.id} that can be read`)
      return item
    },
  }
}

interface AskedForOne {
  readonly params: { readonly id: number }
  readonly scope: Scope
  readonly who: SignedUser
  readonly caller: Caller
}

/** 404 for a channel that the caller may not see, 403 for one that they see and may not do this to. */
async function heldChannel(db: Database, { params, scope, who }: AskedForOne): Promise<AlarmChannelRow> {
  const row = await getChannel(db, visibleScope(who.grants, 'alarm:view'), params.id)
  if (holdsChannel(scope, row.group_id)) return row
  throw new AppError('FORBIDDEN', 'You see this channel and may not do this to it.', { params: { permission: 'alarm:edit' } })
}

function fieldsOf(input: AlarmChannelCreate, before: OpenChannel | null, seal: Seal): ChannelFields {
  const merged = mergedSettings(before?.settings ?? null, input.settings)
  const errors = [
    ...zoneProblems(input.timezone),
    ...templateProblems(input.template ?? null, 'template.'),
    ...(merged.kind === 'refused' ? merged.errors : addressProblems(merged.settings)),
  ]
  if (errors.length > 0 || merged.kind === 'refused') throw unprocessable(errors)
  const columns = columnsOfChannel(input, merged.settings, seal)
  const common = { name: input.name.trim(), groupId: input.groupId, enabled: input.enabled ?? true }
  return { ...common, ...columns, shown: shownFields(common, openChannel(columns, seal)) }
}

type Common = { readonly name: string; readonly groupId: number | null; readonly enabled: boolean }

/** As the audit log has it: secrets are masked. */
function shownFields({ name, groupId, enabled }: Common, { masked, timezone, language, template }: OpenChannel): Record<string, unknown> {
  return { name, groupId, enabled, language, timezone, template, settings: masked }
}

function channelOf(row: AlarmChannelRow, open: OpenChannel, scope: Scope): AlarmChannel {
  const { id, name, group_id: groupId, version } = row
  return {
    id,
    name,
    groupId,
    enabled: row.enabled === 1,
    language: open.language,
    timezone: open.timezone,
    template: open.template,
    kind: kindOf(row.kind),
    settings: holdsChannel(scope, groupId) ? open.masked : null,
    lastSentAt: instantText(row.last_sent_at),
    failedInARow: row.failed_in_a_row,
    lastProblem: problemOf(row.last_error),
    version,
    createdAt: instantText(row.created_at),
    updatedAt: instantText(row.updated_at),
  }
}

const KINDS = ['email', 'webhook', 'dingtalk', 'feishu', 'wecom', 'slack'] as const

/** A kind of a newer version is shown as a webhook, whose settings it does not have. */
function kindOf(text: string): AlarmChannel['kind'] {
  return KINDS.find((kind) => kind === text) ?? 'webhook'
}

function problemOf(text: string | null): SendProblem | null {
  if (text === null) return null
  const value = readObject(text)
  const code = SEND_FAILURES.find((known) => known === value['code'])
  return { code: code ?? 'error', answer: typeof value['answer'] === 'string' ? value['answer'] : '' }
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

async function described(
  db: Database,
  rows: readonly DeliveryRow[],
  { seal, post }: Pick<AlarmChannelNeeds, 'seal' | 'post'>,
): Promise<AlarmDelivery[]> {
  const channels = await channelsById(db, [...new Set(rows.map((row) => row.channel_id))])
  return rows.flatMap((row): AlarmDelivery[] => {
    const channel = channels.get(row.channel_id)
    const { language, timezone } = channel === undefined ? { language: 'en', timezone: 'UTC' } : openChannel(channel, seal)
    const kind = MESSAGE_KINDS.find((known) => known === row.kind)
    const event = alarmEventOf(row.event)
    const state = DELIVERY_STATES.find((known) => DELIVERY_STATE[known] === row.state)
    // what a newer version wrote is not shown by an older one
    if (kind === undefined || event === null || state === undefined) return []
    return [
      {
        id: row.id,
        channelId: row.channel_id,
        channelName: channel?.name ?? null,
        incidentId: row.incident_id,
        ruleId: row.rule_id,
        groupId: row.group_id,
        kind,
        event,
        subject: post.subjectOf(row, language, timezone),
        state,
        tries: row.tries,
        createdAt: instantText(row.created_at),
        nextTryAt: state === 'waiting' ? instantText(row.next_try_at) : null,
        endedAt: instantText(row.ended_at),
        problem: problemOf(row.error),
      },
    ]
  })
}

function statesOf(text: string | undefined): DeliveryState[] | null {
  if (text === undefined || text === '') return null
  return text.split(',').map((word) => {
    const state = DELIVERY_STATES.find((known) => known === word)
    if (state !== undefined) return state
    const message = `there is no state "${word}"; states are ${DELIVERY_STATES.join(', ')}`
    throw new AppError('VALIDATION_FAILED', message, {
      errors: [{ path: 'state', code: 'NOT_ALLOWED_VALUE', message, params: { value: word } }],
    })
  })
}

function readCursor(cursor: string): number {
  const below = Number.parseInt(/^1\.([0-9a-z]{1,11})$/.exec(cursor)?.[1] ?? '', 36)
  if (Number.isSafeInteger(below)) return below
  const message = 'the cursor is not one that this list has given: begin without one'
  throw new AppError('VALIDATION_FAILED', message, { errors: [{ path: 'cursor', code: 'BAD_FORMAT', message }] })
}

function zoneProblems(timezone: string | undefined): FieldProblem[] {
  return timezone === undefined || isValidZone(timezone)
    ? []
    : [{ path: 'timezone', code: 'BAD_FORMAT', message: `there is no time zone ${timezone}`, params: { value: timezone } }]
}

/** An address must be one, and a name and a password in it would be shown to everybody. */
function addressProblems(settings: AlarmChannelCreate['settings']): FieldProblem[] {
  if (settings.kind === 'email') return []
  const url = URL.canParse(settings.url) ? new URL(settings.url) : null
  if (url !== null && url.username === '' && url.password === '') return []
  const message = url === null ? 'must be an address like https://example.com/hook' : 'must hold no user name: send it as a header'
  return [{ path: 'settings.url', code: 'BAD_FORMAT', message }]
}

type Template = AlarmChannelCreate['template']

function templateProblems(template: NonNullable<Template> | null, at = 'template.'): FieldProblem[] {
  if (template === null) return []
  return (['subject', 'body'] as const).flatMap((part): FieldProblem[] => {
    const text = template[part]
    const problem = text === null ? null : templateProblem(text, NOTICE_FIELDS)
    if (problem === null) return []
    const path = `${at}${part}`
    const known = `it may name ${NOTICE_FIELDS.join(', ')}`
    return problem.code === 'UNKNOWN_NAME'
      ? [{ path, code: 'NOT_ALLOWED_VALUE', message: `there is no {{${problem.name}}}; ${known}`, params: { value: problem.name } }]
      : [{ path, code: 'BAD_FORMAT', message: `two braces that hold no name; ${known}` }]
  })
}

function unprocessable(errors: readonly FieldProblem[]): AppError {
  return new AppError('UNPROCESSABLE', errors.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors })
}
