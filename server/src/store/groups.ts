import { AppError, type FieldProblem, type Group, type GroupCreate, type GroupUpdate } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { changedFields, writeAudit } from './audit.ts'
import { forgetGroup } from './bindings.ts'
import type { Change } from './caller.ts'
import { DuplicateKey, query, type Database, type ReadTx, type Tx } from './database.ts'
import { nameKey } from './definition.ts'
import { dropCalendarsOf } from './drop-calendars.ts'
import { dropVariablesOf } from './drop-variables.ts'
import { takeEntityId } from './ids.ts'
import { EXECUTORS_LEVEL, FLEET_LEVEL, requireLevel } from './levels.ts'
import { contains, instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import type { GroupRow } from './schema.ts'
import { groupsOf, isVisible } from './scope.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

export interface GroupListQuery extends PageRequest {
  readonly keyword?: string | undefined
}

/** How many tasks and executors that are online each group has; a group that is not named has none. Plain data. */
export interface GroupSums {
  readonly tasks: Readonly<Record<number, number>>
  readonly executors: Readonly<Record<number, number>>
}

export async function readGroupSums(tx: ReadTx, groupIds: readonly number[]): Promise<GroupSums> {
  return {
    tasks: Object.fromEntries(await taskCounts(tx, groupIds, 'tasks')),
    executors: Object.fromEntries(await executorCounts(tx, groupIds)),
  }
}

/** Groups that are visible, by name, with what each has: `sums` says how it is found out. */
export async function listGroups(
  db: Database,
  scope: Scope,
  { keyword, ...page }: GroupListQuery,
  sums: (groupIds: readonly number[]) => Promise<GroupSums> = async (ids) => db.read((tx) => readGroupSums(tx, ids)),
): Promise<Page<Group>> {
  const groupIds = groupsOf(scope, undefined)
  const offset = offsetOf(page)
  if (groupIds?.length === 0) return { items: [], total: 0, ...page }
  const { rows, total } = await db.read(async (tx) => {
    let found = query.selectFrom('task_group')
    if (groupIds !== null) found = found.where('id', 'in', groupIds)
    if (keyword !== undefined && keyword !== '')
      found = found.where((is) => is.or([contains('name_key', nameKey(keyword)), contains('app_name', keyword.toLowerCase())]))
    const count = await tx.first(found.select((of) => of.fn.countAll<number>().as('total')))
    const rows = await tx.rows(found.selectAll().orderBy('name_key').limit(page.pageSize).offset(offset))
    return { rows, total: count?.total ?? 0 }
  })
  return { items: described(rows, await sums(rows.map((row) => row.id))), total, ...page }
}

/** 404 `GROUP_NOT_FOUND` when it does not exist or is not visible. */
export async function getGroup(db: Database, scope: Scope, groupId: number): Promise<Group> {
  return db.read(async (tx) => {
    const row = await tx.first(query.selectFrom('task_group').selectAll().where('id', '=', groupId))
    if (row === null || !isVisible(scope, groupId)) throw groupNotFound(groupId)
    const [group] = described([row], await readGroupSums(tx, [groupId]))
    if (group === undefined) throw groupNotFound(groupId)
    return group
  })
}

/** The group that executors join under this name; null: there is none. */
export async function findGroupByAppName(db: Database, appName: string): Promise<{ id: number; name: string } | null> {
  return db.read((tx) => tx.first(query.selectFrom('task_group').select(['id', 'name']).where('app_name', '=', appName)))
}

/** The groups whose XXL-JOB executors do not send what all send: empty, or a token as it was given to `createGroup`. */
export async function xxlTokensOfGroups(db: Database): Promise<{ groupId: number; token: string }[]> {
  const rows = await db.read((tx) => tx.rows(query.selectFrom('task_group').select(['id', 'xxl_token']).where('xxl_token', 'is not', null)))
  return rows.flatMap(({ id, xxl_token: token }) => (token === null ? [] : [{ groupId: id, token }]))
}

/** The id of a group, by its name; null: there is none in the scope. */
export async function groupNamed(db: Database, name: string, scope: Scope): Promise<number | null> {
  const row = await db.read((tx) => tx.first(query.selectFrom('task_group').select('id').where('name_key', '=', nameKey(name))))
  return row !== null && isVisible(scope, row.id) ? row.id : null
}

/** Makes a group; its id. Who makes one must see all groups (403). A token in `input.xxlToken` is sealed already: it is stored as it is. */
export async function createGroup(db: Database, { input }: { input: GroupCreate }, change: Change): Promise<{ groupId: number }> {
  if (change.scope !== 'all') throw notForAllGroups()
  return db.write('rest', (tx) => createGroupIn(tx, { input }, change))
}

function notForAllGroups(): AppError {
  return new AppError('FORBIDDEN', 'only who may edit all groups can make a new one', { params: { permission: 'group:edit' } })
}

/** As `createGroup`, in a transaction of the caller. */
export async function createGroupIn(tx: Tx, { input }: { input: GroupCreate }, change: Change): Promise<{ groupId: number }> {
  if (change.scope !== 'all') throw notForAllGroups()
  const fields = fieldsOf(input, null)
  await requireLimits(tx, fields)
  await requireOwnToken(tx, fields)
  await refuseTaken(tx, fields, null)
  const groupId = await takeEntityId(tx)
  await keyGuard(() =>
    tx.insert('task_group', [{ id: groupId, ...columnsOf(fields), version: 1, created_at: change.now, updated_at: change.now }]),
  )
  await writeAudit(tx, change.now, change.auditId, change.caller, {
    action: 'group:create',
    resource: { kind: 'group', id: groupId, key: fields.name },
    groupId,
    ...changedFields(null, shown(fields, null)),
  })
  return { groupId }
}

function columnsOf(fields: GroupFields) {
  return {
    name: fields.name,
    name_key: nameKey(fields.name),
    app_name: fields.appName,
    description: fields.description,
    concurrency: fields.concurrency,
    xxl_token: fields.xxlToken,
  }
}

interface GroupSave {
  readonly groupId: number
  readonly input: GroupUpdate
}

/** Changes a group. 409 `STALE_VERSION` with the current version. A token is stored as it is given. */
export async function updateGroup(db: Database, save: GroupSave, change: Change): Promise<void> {
  await db.write('rest', (tx) => updateGroupIn(tx, save, change))
}

/** As `updateGroup`, in a transaction of the caller. */
export async function updateGroupIn(tx: Tx, { groupId, input }: GroupSave, change: Change): Promise<void> {
  const row = await lockGroup(tx, groupId, change.scope)
  if (row.version !== input.version) {
    throw new AppError(
      'STALE_VERSION',
      `the group is at version ${row.version}, not ${input.version}: read it again and repeat the change`,
      { params: { version: row.version } },
    )
  }
  const fields = fieldsOf(input, row)
  if (fields.concurrency !== (row.concurrency ?? 0)) await requireLimits(tx, fields)
  if (fields.xxlToken !== row.xxl_token) await requireOwnToken(tx, fields)
  await refuseTaken(tx, fields, groupId)
  const columns = { ...columnsOf(fields), version: row.version + 1, updated_at: change.now }
  await keyGuard(() => tx.execute(query.updateTable('task_group').set(columns).where('id', '=', groupId)))
  await writeAudit(tx, change.now, change.auditId, change.caller, {
    action: 'group:edit',
    resource: { kind: 'group', id: groupId, key: fields.name },
    groupId,
    ...changedFields(shown(fieldsOfRow(row), null), shown(fields, row)),
  })
}

/** Deletes a group with what is known of its executors. 409 `GROUP_NOT_EMPTY` while it has tasks or workflows. */
export async function deleteGroup(db: Database, { groupId }: { groupId: number }, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockGroup(tx, groupId, change.scope)
    const tasks = (await taskCounts(tx, [groupId], 'all')).get(groupId) ?? 0
    if (tasks > 0)
      throw new AppError('GROUP_NOT_EMPTY', `the group has ${tasks} tasks and workflows: delete or move them first`, { params: { tasks } })
    await tx.run('DELETE FROM executor_beat WHERE executor_id IN (SELECT id FROM executor WHERE group_id = ?)', [groupId])
    await tx.run('DELETE FROM executor WHERE group_id = ?', [groupId])
    await tx.run('DELETE FROM task_group WHERE id = ?', [groupId])
    await forgetGroup(tx, groupId)
    await dropVariablesOf(tx, groupId)
    await dropCalendarsOf(tx, groupId, change.now)
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'group:delete',
      resource: { kind: 'group', id: groupId, key: row.name },
      groupId,
      before: { name: row.name, appName: row.app_name },
    })
  })
}

/** Names of groups by id; an id that has no group any more is not in the map. */
export async function namesOfGroups(tx: ReadTx, groupIds: Iterable<number>): Promise<Map<number, string>> {
  const ids = [...new Set(groupIds)]
  if (ids.length === 0) return new Map()
  const rows = await tx.rows(query.selectFrom('task_group').select(['id', 'name']).where('id', 'in', ids))
  return new Map(rows.map((row) => [row.id, row.name]))
}

function described(rows: readonly GroupRow[], { tasks, executors }: GroupSums): Group[] {
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    appName: row.app_name,
    description: row.description,
    concurrency: row.concurrency ?? 0,
    xxlAccess: accessOf(row.xxl_token),
    version: row.version,
    taskCount: tasks[row.id] ?? 0,
    executorCount: executors[row.id] ?? 0,
    createdAt: instantText(row.created_at),
    updatedAt: instantText(row.updated_at),
  }))
}

/** `all`: workflows too. */
async function taskCounts(tx: ReadTx, groupIds: readonly number[], which: 'tasks' | 'all'): Promise<Map<number, number>> {
  if (groupIds.length === 0) return new Map()
  const counted = query.selectFrom('task').select((of) => ['group_id' as const, of.fn.countAll<number>().as('n')])
  const living = counted.where('group_id', 'in', groupIds).where('deleted_at', 'is', null).groupBy('group_id')
  const rows = await tx.rows(which === 'all' ? living : living.where('handler_kind', '<>', WORKFLOW_KIND))
  return new Map(rows.map((row) => [row.group_id, row.n]))
}

async function executorCounts(tx: ReadTx, groupIds: readonly number[]): Promise<Map<number, number>> {
  if (groupIds.length === 0) return new Map()
  const counted = query.selectFrom('executor').select((of) => ['group_id' as const, of.fn.countAll<number>().as('n')])
  const rows = await tx.rows(counted.where('group_id', 'in', groupIds).where('state', '=', 1).groupBy('group_id'))
  return new Map(rows.map((row) => [row.group_id, row.n]))
}

interface GroupFields {
  readonly name: string
  readonly appName: string
  readonly description: string
  readonly concurrency: number
  readonly xxlToken: string | null
}

/** `concurrency` or `xxlToken` absent: as it is. */
function fieldsOf({ name, appName, description, concurrency, xxlToken }: GroupCreate, row: GroupRow | null): GroupFields {
  return {
    name: name.trim(),
    appName,
    description: description ?? '',
    concurrency: concurrency ?? row?.concurrency ?? 0,
    xxlToken: xxlToken === undefined ? (row?.xxl_token ?? null) : xxlToken,
  }
}

function fieldsOfRow({ name, app_name: appName, description, concurrency, xxl_token: xxlToken }: GroupRow): GroupFields {
  return { name, appName, description, concurrency: concurrency ?? 0, xxlToken }
}

function accessOf(token: string | null): Group['xxlAccess'] {
  if (token === null) return 'shared'
  return token === '' ? 'none' : 'own'
}

/** What the audit log says: of a token only that there is another. */
function shown({ xxlToken, ...fields }: GroupFields, before: GroupRow | null): Readonly<Record<string, unknown>> {
  const xxlAccess = accessOf(xxlToken)
  const isOther = before !== null && xxlAccess === 'own' && xxlToken !== before.xxl_token
  return { ...fields, xxlAccess, ...(isOther ? { xxlToken: '***' } : {}) }
}

/** A node of an older release would refuse them, or send them what all are sent. */
async function requireOwnToken(tx: Tx, { xxlToken }: GroupFields): Promise<void> {
  if (xxlToken === null) return
  await requireLevel(tx, FLEET_LEVEL, await tx.now(), {
    what: 'keep to XXL-JOB access tokens of single groups',
    remedy: 'leave the group with the token of the settings',
  })
}

/** A node of an older release would send more at once. */
async function requireLimits(tx: Tx, { concurrency }: GroupFields): Promise<void> {
  if (concurrency > 0) await requireLevel(tx, EXECUTORS_LEVEL, await tx.now(), { what: 'keep to limits of groups', remedy: 'set no limit' })
}

async function lockGroup(tx: Tx, groupId: number, scope: Scope): Promise<GroupRow> {
  const [row] = await tx.lock(query.selectFrom('task_group').selectAll().where('id', '=', groupId))
  if (row === undefined || !isVisible(scope, groupId)) throw groupNotFound(groupId)
  return row
}

function groupNotFound(groupId: number): AppError {
  return new AppError('GROUP_NOT_FOUND', `there is no group ${groupId}`)
}

async function refuseTaken(tx: Tx, { name, appName }: GroupFields, exceptId: number | null): Promise<void> {
  const others = await tx.rows(
    query
      .selectFrom('task_group')
      .select(['id', 'name_key', 'app_name'])
      .where((is) => is.or([is('name_key', '=', nameKey(name)), is('app_name', '=', appName)])),
  )
  const taken = others.filter((other) => other.id !== exceptId)
  const problems = [
    ...(taken.some((other) => other.name_key === nameKey(name)) ? [takenProblem('name', name)] : []),
    ...(taken.some((other) => other.app_name === appName) ? [takenProblem('appName', appName)] : []),
  ]
  if (problems.length > 0) throw new AppError('UNPROCESSABLE', problems.map((problem) => problem.message).join('; '), { errors: problems })
}

function takenProblem(path: string, value: string): FieldProblem {
  return { path, code: 'NAME_TAKEN', message: `another group has the ${path} "${value}"`, params: { value } }
}

/** Two writers at the same instant: the unique key decides, and the loser is told as if it had come later. */
async function keyGuard<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error
    const message = 'the name or appName was taken by another group meanwhile'
    throw new AppError('UNPROCESSABLE', message, { errors: [{ path: 'name', code: 'NAME_TAKEN', message }] })
  }
}
