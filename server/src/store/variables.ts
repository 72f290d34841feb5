import { VARIABLE_LIMITS, type Variable, type VariableCreate, type VariableListQuery, type VariableUpdate } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { changedFields, writeAudit } from './audit.ts'
import type { Change } from './caller.ts'
import { query, type Database, type ReadTx } from './database.ts'
import { namesOfGroups } from './groups.ts'
import { takeEntityId } from './ids.ts'
import type { Page } from './page.ts'
import type { VariableRow } from './schema.ts'
import {
  describedNamed,
  keyOfNamed,
  listNamed,
  lockNamed,
  nameGuard,
  OF_ALL,
  requireBytes,
  requirePlace,
  visibleNamed,
} from './variable-place.ts'
import { countVariableChange } from './variable-revision.ts'

export async function listVariables(db: Database, scope: Scope, asked: VariableListQuery): Promise<Page<Variable>> {
  const { rows, groups, ...page } = await listNamed(db, 'variable', scope, asked)
  return { items: rows.map((row) => described(row, groups)), ...page }
}

/** 404 `VARIABLE_NOT_FOUND` when it does not exist or is not visible. */
export async function getVariable(db: Database, scope: Scope, variableId: number): Promise<Variable> {
  return db.read(async (tx) => {
    const row = await visibleNamed(tx, 'variable', variableId, scope)
    return described(row, await namesOfGroups(tx, [row.group_id]))
  })
}

/** Makes a variable; its id. One of all groups (`groupId` null) is made by who may edit in all of them (403). */
export async function createVariable(db: Database, input: VariableCreate, change: Change): Promise<number> {
  const { name, value, description = '' } = input
  const groupId = input.groupId ?? OF_ALL
  return db.write('rest', async (tx) => {
    requireBytes(value, VARIABLE_LIMITS.valueBytes)
    const group = await requirePlace(tx, 'variable', { groupId, name }, change)
    const id = await takeEntityId(tx)
    const row = { id, group_id: groupId, name, description, value, version: 1, created_at: change.now, updated_at: change.now }
    await nameGuard('variable', name, () => tx.insert('variable', [row]))
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'variable:create',
      resource: { kind: 'variable', id, key: keyOfNamed(group, name) },
      groupId: input.groupId,
      ...changedFields(null, { name, value, description }),
    })
    await countVariableChange(tx)
    return id
  })
}

/** Changes a variable. 409 `STALE_VERSION` with the present version. Name and group stay: tasks refer to them. */
export async function updateVariable(db: Database, variableId: number, input: VariableUpdate, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    requireBytes(input.value, VARIABLE_LIMITS.valueBytes)
    const row = await lockNamed(tx, 'variable', { id: variableId, version: input.version }, change.scope)
    const after = { value: input.value, description: input.description ?? row.description }
    await tx.execute(
      query
        .updateTable('variable')
        .set({ ...after, version: row.version + 1, updated_at: change.now })
        .where('id', '=', variableId),
    )
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'variable:edit',
      resource: await resourceOf(tx, row),
      groupId: row.group_id === OF_ALL ? null : row.group_id,
      ...changedFields({ value: row.value, description: row.description }, after),
    })
    await countVariableChange(tx)
  })
}

/** Deletes a variable. What refers to it fails from then on. */
export async function deleteVariable(db: Database, variableId: number, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockNamed(tx, 'variable', { id: variableId, version: null }, change.scope)
    await tx.run('DELETE FROM variable WHERE id = ?', [variableId])
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'variable:delete',
      resource: await resourceOf(tx, row),
      groupId: row.group_id === OF_ALL ? null : row.group_id,
      ...changedFields({ name: row.name, value: row.value, description: row.description }, null),
    })
    await countVariableChange(tx)
  })
}

/** The variables that tasks of a group know, by name: the group's own before those of all groups. */
export async function variablesOf(tx: ReadTx, groupId: number, names: readonly string[] | 'all'): Promise<Map<string, string>> {
  if (names !== 'all' && names.length === 0) return new Map()
  const known = query.selectFrom('variable').select(['name', 'value', 'group_id']).where('group_id', 'in', [OF_ALL, groupId])
  const rows = await tx.rows((names === 'all' ? known : known.where('name', 'in', names)).orderBy('group_id'))
  return new Map(rows.map((row) => [row.name, row.value]))
}

async function resourceOf(tx: ReadTx, row: VariableRow): Promise<{ kind: string; id: number; key: string }> {
  const groups = await namesOfGroups(tx, [row.group_id])
  return { kind: 'variable', id: row.id, key: keyOfNamed(groups.get(row.group_id) ?? null, row.name) }
}

function described(row: VariableRow, groups: ReadonlyMap<number, string>): Variable {
  return { ...describedNamed(row, groups), value: row.value }
}
