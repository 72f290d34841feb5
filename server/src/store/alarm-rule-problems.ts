import type { AlarmCondition, AlarmRule, FieldProblem } from '@tickwheel/contract'
import { isValidZone, type Scope } from '@tickwheel/core'
import { query, type ReadTx } from './database.ts'
import { isVisible } from './scope.ts'

/** What a person says of a rule. */
export type RuleFields = Pick<
  AlarmRule,
  'name' | 'groupId' | 'taskIds' | 'conditions' | 'channelIds' | 'grouping' | 'tellsRecovery' | 'quietHours' | 'enabled'
>

/** What is wrong with a rule, beside its name. */
export async function problemsOfRule(tx: ReadTx, fields: RuleFields, scope: Scope): Promise<FieldProblem[]> {
  return [
    ...(await groupProblems(tx, fields, scope)),
    ...fields.conditions.flatMap((condition, index) => conditionProblems(fields, condition, index)),
    ...(fields.quietHours === null ? [] : zoneProblems('quietHours.timezone', fields.quietHours.timezone)),
    ...(await taskProblems(tx, fields, scope)),
    ...(await channelProblems(tx, fields, scope)),
  ]
}

async function groupProblems(tx: ReadTx, { groupId }: RuleFields, scope: Scope): Promise<FieldProblem[]> {
  if (groupId === null) return scope === 'all' ? [] : [problem('groupId', 'REQUIRED', 'name a group: you may not watch all of them')]
  const group = await tx.first(query.selectFrom('task_group').select('id').where('id', '=', groupId))
  return group === null || !isVisible(scope, groupId) ? [unknown('groupId', 'group', groupId)] : []
}

function conditionProblems(fields: RuleFields, condition: AlarmCondition, index: number): FieldProblem[] {
  const path = `conditions.${index}`
  const isSecond = fields.conditions.findIndex((other) => other.event === condition.event) < index
  return [
    ...(isSecond ? [problem(`${path}.event`, 'NOT_ALLOWED_VALUE', `"${condition.event}" is there already: join the two`)] : []),
    ...(condition.event === 'nodeDown' && fields.groupId !== null
      ? [problem(`${path}.event`, 'NOT_ALLOWED_VALUE', 'nodes belong to no group: watch for them in a rule without one')]
      : []),
    ...(condition.event === 'unfinished' ? [...zoneProblems(`${path}.timezone`, condition.timezone), ...needsTasks(fields, path)] : []),
  ]
}

function needsTasks({ taskIds }: RuleFields, path: string): FieldProblem[] {
  return taskIds.length > 0
    ? []
    : [problem(`${path}.event`, 'NOT_ALLOWED_VALUE', 'say which tasks are to be done by then: name them in taskIds')]
}

function zoneProblems(path: string, zone: string): FieldProblem[] {
  return isValidZone(zone) ? [] : [{ ...problem(path, 'ZONE_UNKNOWN', `"${zone}" is no IANA time zone`), params: { zone } }]
}

async function taskProblems(tx: ReadTx, { taskIds, groupId }: RuleFields, scope: Scope): Promise<FieldProblem[]> {
  if (taskIds.length === 0) return []
  const rows = await tx.rows(query.selectFrom('task').select(['id', 'group_id']).where('id', 'in', taskIds).where('deleted_at', 'is', null))
  const groups = new Map(rows.map((row) => [row.id, row.group_id]))
  return taskIds.flatMap((id, index) => {
    const group = groups.get(id)
    const isKnown = group !== undefined && isVisible(scope, group) && (groupId === null || group === groupId)
    return isKnown ? [] : [unknown(`taskIds.${index}`, groupId === null ? 'task' : 'task of this group', id)]
  })
}

/** A rule uses channels of its own group, and those that belong to none. */
async function channelProblems(tx: ReadTx, { channelIds, groupId }: RuleFields, scope: Scope): Promise<FieldProblem[]> {
  if (channelIds.length === 0) return []
  const rows = await tx.rows(query.selectFrom('alarm_channel').select(['id', 'group_id']).where('id', 'in', channelIds))
  const groups = new Map(rows.map((row) => [row.id, row.group_id]))
  return channelIds.flatMap((id, index) => {
    const group = groups.get(id)
    const mayUse = group === null || (group !== undefined && group === groupId && isVisible(scope, group))
    return mayUse ? [] : [unknown(`channelIds.${index}`, 'channel for this rule', id)]
  })
}

function unknown(path: string, what: string, id: number): FieldProblem {
  return { ...problem(path, 'UNKNOWN_REFERENCE', `there is no ${what} ${id}`), params: { value: id } }
}

function problem(path: string, code: string, message: string): FieldProblem {
  return { path, code, message }
}
