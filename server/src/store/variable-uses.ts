import type { ReferenceChoice, ReferenceChoices, VariableUse, VariableUses } from '@tickwheel/contract'
import type { Reference, Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx, type Tx } from './database.ts'
import type { PlacedReference } from './references.ts'
import { groupsOf } from './scope.ts'
import { isInReach, OF_ALL, visibleNamed, type NamedTable } from './variable-place.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

const LISTED = 200
const COUNTED = 1000

const KIND = { variable: 1, secret: 2 } as const satisfies Record<NamedTable, number>
const KIND_OF = { vars: KIND.variable, secrets: KIND.secret } as const satisfies Record<Reference['kind'], number>

/** Writes down what the present version of a task or a workflow refers to, in place of what the last one did. */
export async function saveUses(tx: Tx, taskId: number, references: readonly PlacedReference[]): Promise<void> {
  await tx.run('DELETE FROM variable_use WHERE task_id = ?', [taskId])
  const rows = references.map(({ kind, name, groupId }) => ({ task_id: taskId, kind: KIND_OF[kind], name, group_id: groupId }))
  if (rows.length > 0) await tx.insertNew('variable_use', rows)
}

/** Tasks and workflows that are visible and whose present version refers to it. Of one of all groups, those whose group has none of its own. */
export async function usesOf(
  db: Database,
  table: NamedTable,
  id: number,
  scopes: { own: Scope; tasks: Scope; workflows: Scope },
): Promise<VariableUses> {
  return db.read(async (tx) => {
    const row = await visibleNamed(tx, table, id, scopes.own)
    const own = await tx.rows(query.selectFrom(table).select('group_id').where('name', '=', row.name).where('group_id', '<>', OF_ALL))
    let found = query
      .selectFrom('variable_use')
      .innerJoin('task', 'task.id', 'variable_use.task_id')
      .innerJoin('task_group', 'task_group.id', 'task.group_id')
      .select(['task.id', 'task.name', 'task.group_id', 'task_group.name as group_name', 'task.handler_kind'])
      .distinct()
      .where('variable_use.name', '=', row.name)
      .where('variable_use.kind', '=', KIND[table])
      .where('task.deleted_at', 'is', null)
    if (row.group_id !== OF_ALL) found = found.where('variable_use.group_id', '=', row.group_id)
    else if (own.length > 0)
      found = found.where(
        'variable_use.group_id',
        'not in',
        own.map((one) => one.group_id),
      )
    const rows = await tx.rows(found.orderBy('task.id').limit(COUNTED))
    const visible = rows.flatMap((use): VariableUse[] => {
      const kind = use.handler_kind === WORKFLOW_KIND ? 'workflow' : 'task'
      const groups = groupsOf(kind === 'task' ? scopes.tasks : scopes.workflows, use.group_id)
      return groups?.length === 0 ? [] : [{ kind, id: use.id, groupId: use.group_id, groupName: use.group_name, name: use.name }]
    })
    return { items: visible.slice(0, LISTED), total: visible.length }
  })
}

/**
 * What tasks of a group may refer to: of each name the one that they get; `groupId` null: what belongs to all groups. Of secrets, those that the caller may
 * see; of both, nothing for who may not see the group.
 */
export async function referenceChoices(
  db: Database,
  groupId: number | null,
  scopes: { readonly variables: Scope; readonly secrets: Scope },
): Promise<ReferenceChoices> {
  const group = groupId ?? OF_ALL
  const items = await db.read(async (tx) => [
    ...(isInReach(scopes.variables, group) ? await choices(tx, 'variable', group) : []),
    ...(await choices(tx, 'secret', group)).filter((choice) => isInReach(scopes.secrets, choice.groupId ?? OF_ALL)),
  ])
  return { items, total: items.length }
}

async function choices(tx: ReadTx, table: NamedTable, groupId: number): Promise<ReferenceChoice[]> {
  const rows = await tx.rows(
    query
      .selectFrom(table)
      .select(['name', 'description', 'group_id'])
      .where('group_id', 'in', [OF_ALL, groupId])
      .orderBy('name')
      .orderBy('group_id'),
  )
  return [...new Map(rows.map((row) => [row.name, row])).values()].map(({ name, description, group_id: of }) => ({
    kind: table === 'variable' ? 'vars' : 'secrets',
    name,
    description,
    groupId: of === OF_ALL ? null : of,
  }))
}
