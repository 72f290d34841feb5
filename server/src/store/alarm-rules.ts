import {
  AppError,
  MAX_ALARM_RULES,
  type AlarmRule,
  type AlarmRuleCreate,
  type AlarmRuleUpdate,
  type FieldProblem,
} from '@tickwheel/contract'
import { FIRST_PACE, RuleIndex, slotOf, type Scope } from '@tickwheel/core'
import { endIncidents } from './alarm-incidents.ts'
import { compiledConditions, conditionsOf, idsIn, quietOf, watchRuleOf } from './alarm-rule-row.ts'
import { problemsOfRule, type RuleFields } from './alarm-rule-problems.ts'
import { changedFields, writeAudit } from './audit.ts'
import type { Change } from './caller.ts'
import { DuplicateKey, query, type Database, type ReadTx, type Tx } from './database.ts'
import { nameKey } from './definition.ts'
import { takeEntityId } from './ids.ts'
import { ALARMS_LEVEL, requireLevel } from './levels.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { contains, instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import type { AlarmRuleRow } from './schema.ts'
import { isVisible } from './scope.ts'

export interface RuleListQuery extends PageRequest {
  readonly keyword?: string | undefined
  readonly groupId?: number | undefined
  readonly taskId?: number | undefined
  readonly channelId?: number | undefined
}

const REVISION = 'alarms'

/** Rules, by name. There are at most `MAX_ALARM_RULES`, so filters by what a rule names are applied here. */
export async function listRules(db: Database, scope: Scope, asked: RuleListQuery): Promise<Page<AlarmRule>> {
  const offset = offsetOf(asked)
  return db.read(async (tx) => {
    let found = query.selectFrom('alarm_rule').selectAll().orderBy('name_key')
    if (asked.keyword !== undefined && asked.keyword !== '') found = found.where(contains('name_key', nameKey(asked.keyword)))
    if (asked.groupId !== undefined) found = found.where('group_id', '=', asked.groupId)
    const rows = (await tx.rows(found)).filter((row) => isRuleVisible(scope, row) && names(row, asked))
    return {
      items: await shown(tx, rows.slice(offset, offset + asked.pageSize)),
      total: rows.length,
      page: asked.page,
      pageSize: asked.pageSize,
    }
  })
}

function names(row: AlarmRuleRow, { taskId, channelId }: RuleListQuery): boolean {
  return (
    (taskId === undefined || idsIn(row.task_ids).includes(taskId)) &&
    (channelId === undefined || idsIn(row.channel_ids).includes(channelId))
  )
}

/** 404 `ALARM_RULE_NOT_FOUND` when it does not exist or is not visible. */
export async function getRule(db: Database, scope: Scope, ruleId: number): Promise<AlarmRule> {
  return db.read(async (tx) => {
    const row = await tx.first(query.selectFrom('alarm_rule').selectAll().where('id', '=', ruleId))
    const [rule] = row === null || !isRuleVisible(scope, row) ? [] : await shown(tx, [row])
    if (rule === undefined) throw ruleNotFound(ruleId)
    return rule
  })
}

export async function createRule(db: Database, { input }: { input: AlarmRuleCreate }, change: Change): Promise<{ ruleId: number }> {
  const fields = fieldsOf(input)
  return nameGuard(fields, () =>
    db.write('rest', async (tx) => {
      await requireLevel(tx, ALARMS_LEVEL, await tx.now(), { what: 'watch for alarms', remedy: 'create the rule afterwards' })
      await refuse(tx, fields, null, change.scope)
      const [many] = await tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM alarm_rule')
      if ((many?.n ?? 0) >= MAX_ALARM_RULES)
        throw new AppError('TOO_MANY_ALARM_RULES', `there are ${MAX_ALARM_RULES} alarm rules: delete one first`, {
          params: { max: MAX_ALARM_RULES },
        })
      const id = await takeEntityId(tx)
      await tx.insert('alarm_rule', [
        { id, version: 1, silenced_until: null, created_at: change.now, updated_at: change.now, ...columnsOf(fields) },
      ])
      await tx.insert('alarm_state', [
        { rule_id: id, slot: slotOf('alarm', id), next_at: change.now, pace: JSON.stringify({ pace: FIRST_PACE, deadlineAt: change.now }) },
      ])
      await audit(tx, change, { id, action: 'alarm:create', before: null, after: fields })
      await countRevision(tx)
      return { ruleId: id }
    }),
  )
}

/** Incidents of what the rule does not watch for any more are over, and nobody is told. 409 `STALE_VERSION`. */
export async function updateRule(
  db: Database,
  { ruleId, input }: { ruleId: number; input: AlarmRuleUpdate },
  change: Change,
): Promise<void> {
  const fields = fieldsOf(input)
  await nameGuard(fields, () =>
    db.write('rest', async (tx) => {
      const row = await lockRule(tx, ruleId, change.scope)
      if (row.version !== input.version)
        throw new AppError('STALE_VERSION', `alarm rule ${ruleId} has version ${row.version}, not ${input.version}: read it again`, {
          params: { version: row.version },
        })
      await refuse(tx, fields, ruleId, change.scope)
      const next: AlarmRuleRow = { ...row, version: row.version + 1, updated_at: change.now, ...columnsOf(fields) }
      await tx.execute(query.updateTable('alarm_rule').set(next).where('id', '=', ruleId))
      await endIncidents(tx, ruleId, change.now, (incident) => isStillWatched(next, incident))
      await tx.run('UPDATE alarm_state SET next_at = ? WHERE rule_id = ?', [change.now, ruleId])
      await audit(tx, change, { id: ruleId, action: 'alarm:edit', before: fieldsOfRow(row), after: fields })
      await countRevision(tx)
    }),
  )
}

export async function deleteRule(db: Database, { ruleId }: { ruleId: number }, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockRule(tx, ruleId, change.scope)
    await endIncidents(tx, ruleId, change.now, () => false)
    for (const table of ['alarm_state', 'alarm_track', 'alarm_signal']) await tx.run(`DELETE FROM ${table} WHERE rule_id = ?`, [ruleId])
    await tx.run('DELETE FROM alarm_rule WHERE id = ?', [ruleId])
    await audit(tx, change, { id: ruleId, action: 'alarm:delete', before: fieldsOfRow(row), after: null })
    await countRevision(tx)
  })
}

/** `until`: epoch ms; null: it speaks again from now on. */
export async function silenceRule(
  db: Database,
  { ruleId, until }: { ruleId: number; until: number | null },
  change: Change,
): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockRule(tx, ruleId, change.scope)
    await tx.run('UPDATE alarm_rule SET silenced_until = ? WHERE id = ?', [until, ruleId])
    await tx.run('UPDATE alarm_state SET next_at = ? WHERE rule_id = ?', [change.now, ruleId])
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'alarm:silence',
      resource: { kind: 'alarmRule', id: ruleId, key: row.name },
      groupId: row.group_id,
      before: { silencedUntil: instantText(row.silenced_until) },
      after: { silencedUntil: instantText(until) },
    })
  })
}

/** How often rules were changed: while it is the same, what was read of them stands. */
export async function readRevision(tx: ReadTx): Promise<number> {
  const [row] = await tx.all<{ next_id: number }>('SELECT next_id FROM id_block WHERE name = ?', [REVISION])
  return row?.next_id ?? 0
}

/**
 * Takes the rules that are in force into what the transactions of this process watch for, if they have changed since `revision`. `rules` null: they have
 * not.
 */
export async function watchRules(db: Database, revision: number): Promise<{ readonly revision: number; readonly rules: RuleIndex | null }> {
  return db.read(async (tx) => {
    const now = await readRevision(tx)
    if (now === revision) return { revision, rules: null }
    const rows = await tx.rows(query.selectFrom('alarm_rule').selectAll().where('enabled', '=', 1).orderBy('id').limit(MAX_ALARM_RULES))
    tx.watch.rules = new RuleIndex(rows.map(watchRuleOf))
    return { revision: now, rules: tx.watch.rules }
  })
}

/** The last lock that a transaction takes, so that it is held briefly. */
async function countRevision(tx: Tx): Promise<void> {
  const count = 'UPDATE id_block SET next_id = next_id + 1 WHERE name = ?'
  if ((await tx.run(count, [REVISION])) > 0) return
  await tx.insertNew('id_block', [{ name: REVISION, next_id: 0 }])
  await tx.run(count, [REVISION])
}

export function isRuleVisible(scope: Scope, { group_id: groupId }: { readonly group_id: number | null }): boolean {
  return groupId === null ? scope === 'all' : isVisible(scope, groupId)
}

async function lockRule(tx: Tx, ruleId: number, scope: Scope): Promise<AlarmRuleRow> {
  const [row] = await tx.lock(query.selectFrom('alarm_rule').selectAll().where('id', '=', ruleId))
  if (row === undefined || !isRuleVisible(scope, row)) throw ruleNotFound(ruleId)
  return row
}

function ruleNotFound(ruleId: number): AppError {
  return new AppError('ALARM_RULE_NOT_FOUND', `there is no alarm rule ${ruleId}`)
}

/** Whether a rule may still have an incident open of an event (null: one that this program does not know) and a task. */
function isStillWatched(
  row: AlarmRuleRow,
  { event, taskId, groupId }: { event: string | null; taskId: number | null; groupId: number | null },
): boolean {
  const tasks = idsIn(row.task_ids)
  const isEvent = compiledConditions(row).some((condition) => condition.event === event)
  const isTask = taskId === null || tasks.length === 0 || tasks.includes(taskId)
  const isGroup = row.group_id === null || groupId === null || row.group_id === groupId
  return row.enabled === 1 && isEvent && isTask && isGroup
}

function fieldsOf(input: AlarmRuleCreate): RuleFields {
  return {
    name: input.name.trim(),
    groupId: input.groupId,
    taskIds: input.taskIds ?? [],
    conditions: input.conditions,
    channelIds: input.channelIds,
    grouping: input.grouping ?? 'target',
    tellsRecovery: input.tellsRecovery ?? true,
    quietHours: input.quietHours ?? null,
    enabled: input.enabled ?? true,
  }
}

function fieldsOfRow(row: AlarmRuleRow): RuleFields {
  return {
    name: row.name,
    groupId: row.group_id,
    taskIds: idsIn(row.task_ids),
    conditions: conditionsOf(row),
    channelIds: idsIn(row.channel_ids),
    grouping: row.grouping === 'rule' ? 'rule' : 'target',
    tellsRecovery: row.tells_recovery === 1,
    quietHours: quietOf(row),
    enabled: row.enabled === 1,
  }
}

function columnsOf(fields: RuleFields): Omit<AlarmRuleRow, 'id' | 'version' | 'silenced_until' | 'created_at' | 'updated_at'> {
  return {
    group_id: fields.groupId,
    name: fields.name,
    name_key: nameKey(fields.name),
    enabled: fields.enabled ? 1 : 0,
    conditions: JSON.stringify(fields.conditions),
    task_ids: JSON.stringify(fields.taskIds),
    channel_ids: JSON.stringify(fields.channelIds),
    grouping: fields.grouping,
    tells_recovery: fields.tellsRecovery ? 1 : 0,
    quiet_hours: fields.quietHours === null ? null : JSON.stringify(fields.quietHours),
  }
}

async function shown(tx: ReadTx, rows: readonly AlarmRuleRow[]): Promise<AlarmRule[]> {
  const open = await openIncidents(
    tx,
    rows.map((row) => row.id),
  )
  return rows.map((row) => ({
    id: row.id,
    ...fieldsOfRow(row),
    silencedUntil: instantText(row.silenced_until),
    openIncidents: open.get(row.id) ?? 0,
    version: row.version,
    createdAt: instantText(row.created_at),
    updatedAt: instantText(row.updated_at),
  }))
}

async function openIncidents(tx: ReadTx, ruleIds: readonly number[]): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  for (const part of partsOf(ruleIds, 1000)) {
    const list = listOfNumbers(part)
    const rows = await tx.all<{ rule_id: number; n: number }>(
      `SELECT rule_id, COUNT(*) AS n FROM incident WHERE rule_id IN ${list.sql} AND state IN (1, 2) GROUP BY rule_id`,
      list.params,
    )
    for (const row of rows) counts.set(row.rule_id, row.n)
  }
  return counts
}

async function refuse(tx: Tx, fields: RuleFields, exceptId: number | null, scope: Scope): Promise<void> {
  const problems = await problemsOfRule(tx, fields, scope)
  const others = await tx.rows(query.selectFrom('alarm_rule').select('id').where('name_key', '=', nameKey(fields.name)))
  if (others.some((other) => other.id !== exceptId)) problems.push(takenProblem(fields.name))
  if (problems.length > 0)
    throw new AppError('UNPROCESSABLE', problems.map((problem) => `${problem.path}: ${problem.message}`).join('; '), { errors: problems })
}

function takenProblem(name: string): FieldProblem {
  return { path: 'name', code: 'NAME_TAKEN', message: `another alarm rule has the name "${name}"`, params: { value: name } }
}

/** Two writers at the same instant: the unique key decides, and the loser is told as if it had come later. */
async function nameGuard<T>({ name }: RuleFields, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error
    throw new AppError('UNPROCESSABLE', takenProblem(name).message, { errors: [takenProblem(name)] })
  }
}

async function audit(
  tx: Tx,
  change: Change,
  { id, action, before, after }: { id: number; action: string; before: RuleFields | null; after: RuleFields | null },
): Promise<void> {
  await writeAudit(tx, change.now, change.auditId, change.caller, {
    action,
    resource: { kind: 'alarmRule', id, key: (after ?? before)?.name ?? '' },
    groupId: (after ?? before)?.groupId ?? null,
    ...changedFields(before === null ? null : { ...before }, after === null ? null : { ...after }),
  })
}
