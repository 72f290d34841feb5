import { AppError, MAX_ALARM_CHANNELS, type FieldProblem } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { changedFields, writeAudit } from './audit.ts'
import type { Change } from './caller.ts'
import { DuplicateKey, query, type Database, type ReadTx, type Tx } from './database.ts'
import { nameKey, parseJson } from './definition.ts'
import { takeEntityId } from './ids.ts'
import { ALARMS_LEVEL, requireLevel } from './levels.ts'
import { contains, offsetOf, type Page, type PageRequest } from './page.ts'
import type { AlarmChannelRow } from './schema.ts'
import { isVisible } from './scope.ts'

export interface ChannelListQuery extends PageRequest {
  readonly keyword?: string | undefined
  readonly groupId?: number | undefined
}

/** What a person gives a channel, ready for the store: `config` holds no secret, `secrets` are sealed. `shown` is the same as the audit log may have it. */
export interface ChannelFields {
  readonly name: string
  readonly groupId: number | null
  readonly enabled: boolean
  readonly kind: string
  /** JSON */
  readonly config: string
  /** JSON of sealed texts by field; null: none */
  readonly secrets: string | null
  readonly language: string
  /** JSON; null: the texts that come with the program */
  readonly template: string | null
  readonly shown: Readonly<Record<string, unknown>>
}

/** Channels of visible groups and those of no group, by name. */
export async function listChannels(db: Database, scope: Scope, asked: ChannelListQuery): Promise<Page<AlarmChannelRow>> {
  const { keyword, groupId, page, pageSize } = asked
  const offset = offsetOf(asked)
  return db.read(async (tx) => {
    let found = query.selectFrom('alarm_channel')
    if (keyword !== undefined && keyword !== '') found = found.where(contains('name_key', nameKey(keyword)))
    if (groupId !== undefined) found = found.where('group_id', '=', groupId)
    const rows = await tx.rows(found.selectAll().orderBy('name_key').limit(MAX_ALARM_CHANNELS))
    const visible = rows.filter((row) => seesChannel(scope, row.group_id))
    return { items: visible.slice(offset, offset + pageSize), total: visible.length, page, pageSize }
  })
}

/** Everybody who may see alarms at all sees that a channel of no group exists: rules of every group may send to it. */
function seesChannel(scope: Scope, groupId: number | null): boolean {
  return groupId === null ? scope === 'all' || scope.length > 0 : isVisible(scope, groupId)
}

/** Whether somebody with a permission in these groups has it for a channel. One of no group is everybody's. */
export function holdsChannel(scope: Scope, groupId: number | null): boolean {
  return groupId === null ? scope === 'all' : isVisible(scope, groupId)
}

/** 404 `ALARM_CHANNEL_NOT_FOUND` when it does not exist or is not visible. */
export async function getChannel(db: Database, scope: Scope, channelId: number): Promise<AlarmChannelRow> {
  const row = await db.read((tx) => findChannel(tx, channelId))
  if (row === null || !seesChannel(scope, row.group_id)) throw channelNotFound(channelId)
  return row
}

/** For sending. Channels that are gone are not in the map. */
export async function channelsById(db: Database, channelIds: readonly number[]): Promise<Map<number, AlarmChannelRow>> {
  if (channelIds.length === 0) return new Map()
  const rows = await db.read((tx) => tx.rows(query.selectFrom('alarm_channel').selectAll().where('id', 'in', channelIds)))
  return new Map(rows.map((row) => [row.id, row]))
}

/** Makes a channel; its id. 422 `TOO_MANY_ALARM_CHANNELS`, and for a group that is not the caller's. */
export async function createChannel(db: Database, { fields }: { fields: ChannelFields }, change: Change): Promise<{ channelId: number }> {
  return db.write('rest', async (tx) => {
    await requireAlarms(tx)
    await refuseBad(tx, fields, change, null)
    const [count] = await tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM alarm_channel')
    if ((count?.n ?? 0) >= MAX_ALARM_CHANNELS)
      throw new AppError('TOO_MANY_ALARM_CHANNELS', `there are ${MAX_ALARM_CHANNELS} channels already: delete one first`, {
        params: { max: MAX_ALARM_CHANNELS },
      })
    const channelId = await takeEntityId(tx)
    const quiet = { failed_in_a_row: 0, last_sent_at: null, last_error: null }
    const times = { created_at: change.now, updated_at: change.now }
    await guarded(() => tx.insert('alarm_channel', [{ id: channelId, ...columnsOf(fields), version: 1, ...quiet, ...times }]))
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'alarm:create',
      resource: { kind: 'alarmChannel', id: channelId, key: fields.name },
      groupId: fields.groupId,
      ...changedFields(null, fields.shown),
    })
    return { channelId }
  })
}

export interface ChannelUpdate {
  readonly channelId: number
  /** the version that the fields were made from: secrets that are kept are those of it */
  readonly version: number
  /** what it looked like before, as the audit log may have it */
  readonly before: Readonly<Record<string, unknown>>
  readonly fields: ChannelFields
}

/** Changes a channel. 409 `STALE_VERSION` with the current version. */
export async function updateChannel(db: Database, { channelId, version, before, fields }: ChannelUpdate, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockChannel(tx, channelId, change.scope)
    if (row.version !== version)
      throw new AppError('STALE_VERSION', `the channel is at version ${row.version}, not ${version}: read it again and repeat the change`, {
        params: { version: row.version },
      })
    await refuseBad(tx, fields, change, row)
    const columns = { ...columnsOf(fields), version: row.version + 1, updated_at: change.now }
    await guarded(() => tx.execute(query.updateTable('alarm_channel').set(columns).where('id', '=', channelId)))
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'alarm:edit',
      resource: { kind: 'alarmChannel', id: channelId, key: fields.name },
      groupId: fields.groupId,
      ...changedFields(before, fields.shown),
    })
  })
}

/** Deletes a channel. 409 `ALARM_CHANNEL_USED` while rules name it. What waits for it is dropped by the sender. */
export async function deleteChannel(db: Database, { channelId }: { channelId: number }, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockChannel(tx, channelId, change.scope)
    const rules = await rulesOfChannel(tx, channelId)
    if (rules > 0)
      throw new AppError('ALARM_CHANNEL_USED', `${rules} alarm rules send to it: take it out of them first`, { params: { rules } })
    await tx.run('DELETE FROM alarm_channel WHERE id = ?', [channelId])
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'alarm:delete',
      resource: { kind: 'alarmChannel', id: channelId, key: row.name },
      groupId: row.group_id,
      before: { name: row.name, kind: row.kind },
    })
  })
}

/** Who tested a channel, and what became of it. */
export async function auditChannelTest(db: Database, row: AlarmChannelRow, result: { sent: boolean }, change: Change): Promise<void> {
  await db.write('rest', (tx) =>
    writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'alarm:test',
      resource: { kind: 'alarmChannel', id: row.id, key: row.name },
      groupId: row.group_id,
      after: result,
    }),
  )
}

async function requireAlarms(tx: Tx): Promise<void> {
  await requireLevel(tx, ALARMS_LEVEL, await tx.now(), { what: 'send alarms', remedy: 'make channels after the upgrade' })
}

/** There are 1,000 rules at most. */
async function rulesOfChannel(tx: ReadTx, channelId: number): Promise<number> {
  const rows = await tx.rows(query.selectFrom('alarm_rule').select('channel_ids'))
  return rows.filter(({ channel_ids: text }) => {
    const ids = parseJson(text)
    return Array.isArray(ids) && ids.includes(channelId)
  }).length
}

async function findChannel(tx: ReadTx, channelId: number): Promise<AlarmChannelRow | null> {
  return tx.first(query.selectFrom('alarm_channel').selectAll().where('id', '=', channelId))
}

async function lockChannel(tx: Tx, channelId: number, scope: Scope): Promise<AlarmChannelRow> {
  const [row] = await tx.lock(query.selectFrom('alarm_channel').selectAll().where('id', '=', channelId))
  if (row === undefined || !holdsChannel(scope, row.group_id)) throw channelNotFound(channelId)
  return row
}

async function refuseBad(tx: Tx, fields: ChannelFields, { scope }: Change, row: AlarmChannelRow | null): Promise<void> {
  const errors: FieldProblem[] = []
  const { groupId } = fields
  const exists = groupId === null || (await tx.first(query.selectFrom('task_group').select('id').where('id', '=', groupId))) !== null
  if (!exists || !holdsChannel(scope, groupId))
    errors.push({
      path: 'groupId',
      code: 'UNKNOWN_REFERENCE',
      message:
        groupId === null
          ? 'a channel of no group is made by who may edit alarms in all groups: name a group'
          : `there is no group ${groupId}`,
      params: { value: groupId ?? '' },
    })
  const taken = await tx.first(query.selectFrom('alarm_channel').select('id').where('name_key', '=', nameKey(fields.name)))
  if (taken !== null && taken.id !== row?.id) errors.push(nameTaken())
  if (errors.length > 0) throw unprocessable(errors)
}

function nameTaken(): FieldProblem {
  return { path: 'name', code: 'NAME_TAKEN', message: 'another channel has this name' }
}

function unprocessable(errors: readonly FieldProblem[]): AppError {
  return new AppError('UNPROCESSABLE', errors.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors })
}

function columnsOf(fields: ChannelFields) {
  return {
    group_id: fields.groupId,
    name: fields.name,
    name_key: nameKey(fields.name),
    enabled: fields.enabled ? 1 : 0,
    kind: fields.kind,
    config: fields.config,
    secrets: fields.secrets,
    language: fields.language,
    template: fields.template,
  }
}

async function guarded(write: () => Promise<unknown>): Promise<void> {
  try {
    await write()
  } catch (error) {
    throw error instanceof DuplicateKey ? unprocessable([nameTaken()]) : error
  }
}

function channelNotFound(channelId: number): AppError {
  return new AppError('ALARM_CHANNEL_NOT_FOUND', `there is no alarm channel ${channelId} that you may see`)
}
