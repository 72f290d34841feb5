import { AppError, VARIABLE_LIMITS, type FieldProblem, type VariableListQuery } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import type { Change } from './caller.ts'
import { DuplicateKey, query, type Database, type ReadTx, type Tx } from './database.ts'
import { namesOfGroups } from './groups.ts'
import { requireLevel, VARIABLES_LEVEL } from './levels.ts'
import { contains, instantText, offsetOf, type Page } from './page.ts'
import type { Schema, SecretRow, VariableRow } from './schema.ts'
import { groupsOf, isVisible } from './scope.ts'

/*
 * What variables and secrets have in common: a name in a group, or in none (`group_id` 0), where it is for all groups.
 */

export type NamedTable = 'variable' | 'secret'
/** `group_id` of what belongs to all groups. */
export const OF_ALL = 0

const NOT_FOUND = { variable: 'VARIABLE_NOT_FOUND', secret: 'SECRET_NOT_FOUND' } as const

/** Whether somebody may see, or do, it: what belongs to all groups is for those who may in all of them. */
export function isInReach(scope: Scope, groupId: number): boolean {
  return groupId === OF_ALL ? scope === 'all' : isVisible(scope, groupId)
}

/** The rows that are visible, by name, and what belongs to all groups before what belongs to one. */
export async function listNamed<T extends NamedTable>(
  db: Database,
  table: T,
  scope: Scope,
  { groupId, scope: only, keyword, page = 1, pageSize = 20 }: VariableListQuery,
): Promise<{ rows: Schema[T][]; groups: ReadonlyMap<number, string> } & Omit<Page<never>, 'items'>> {
  const groupIds = groupsOf(scope, groupId)
  const offset = offsetOf({ page, pageSize })
  if (groupIds?.length === 0) return { rows: [], groups: new Map(), total: 0, page, pageSize }
  return db.read(async (tx) => {
    const named: NamedTable = table
    let found = query.selectFrom(named)
    if (groupIds !== null) found = found.where('group_id', 'in', groupIds)
    if (only !== undefined) found = found.where('group_id', only === 'all' ? '=' : '<>', OF_ALL)
    if (keyword !== undefined && keyword !== '')
      found = found.where((is) => is.or([contains('name', keyword), contains('description', keyword)]))
    const count = await tx.first(found.select((of) => of.fn.countAll<number>().as('total')))
    const rows = await tx.rows(found.selectAll().orderBy('name').orderBy('group_id').limit(pageSize).offset(offset))
    const groups = await namesOfGroups(
      tx,
      rows.map((row) => row.group_id),
    )
    return { rows, groups, total: count?.total ?? 0, page, pageSize }
  })
}

/** A row that is visible; the 404 of its kind otherwise. */
export async function visibleNamed<T extends NamedTable>(tx: ReadTx, table: T, id: number, scope: Scope): Promise<Schema[T]> {
  const named: NamedTable = table
  const row = await tx.first(query.selectFrom(named).selectAll().where('id', '=', id))
  if (row === null || !isInReach(scope, row.group_id)) throw new AppError(NOT_FOUND[table], `There is no ${table} ${id} that you may see.`)
  return row
}

/** As `visibleNamed`, locked, and of the version that the caller has read (409 `STALE_VERSION`); null: whatever its version. */
export async function lockNamed<T extends NamedTable>(
  tx: Tx,
  table: T,
  { id, version }: { id: number; version: number | null },
  scope: Scope,
): Promise<Schema[T]> {
  const named: NamedTable = table
  await tx.lock(query.selectFrom(named).select('id').where('id', '=', id))
  const row = await visibleNamed(tx, table, id, scope)
  if (version === null || row.version === version) return row
  throw new AppError('STALE_VERSION', `the ${table} is at version ${row.version}, not ${version}: read it again and repeat the change`, {
    params: { version: row.version },
  })
}

/** Refuses a new one where the caller may not make it, where there are too many, and where the name is taken. Answers the name of its group. */
export async function requirePlace(
  tx: Tx,
  table: NamedTable,
  { groupId, name }: { groupId: number; name: string },
  change: Change,
): Promise<string | null> {
  await requireLevel(tx, VARIABLES_LEVEL, await tx.now(), { what: `give runs a ${table}`, remedy: 'wait with it' })
  if (groupId === OF_ALL && change.scope !== 'all')
    throw new AppError('FORBIDDEN', `only who may edit the ${table}s of all groups can make one for all groups: name a groupId`, {
      params: { permission: `${table}:edit` },
    })
  const group = groupId === OF_ALL ? null : await lockGroup(tx, groupId, change.scope)
  const rows = await tx.rows(query.selectFrom(table).select('name').where('group_id', '=', groupId))
  if (rows.some((row) => row.name === name)) throw refusedField(nameTaken(table, name))
  if (rows.length < VARIABLE_LIMITS.perGroup) return group
  throw refusedField({
    path: 'name',
    code: 'TOO_MANY',
    message: `there are ${rows.length} ${table}s in its place already, which is as many as may be: delete some`,
    params: { max: VARIABLE_LIMITS.perGroup },
  })
}

/** Two writers with one name at the same instant: the unique key decides, and the loser is told as if it had come later. */
export async function nameGuard(table: NamedTable, name: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error
    throw refusedField(nameTaken(table, name))
  }
}

/** Refuses a value that is longer than the column holds: the schema counts characters, the store bytes. */
export function requireBytes(value: string, max: number): void {
  const bytes = Buffer.byteLength(value)
  if (bytes <= max) return
  throw refusedField({ path: 'value', code: 'TOO_LONG', message: `has ${bytes} bytes as UTF-8, at most ${max} are kept`, params: { max } })
}

export function refusedField(problem: FieldProblem): AppError {
  return new AppError('UNPROCESSABLE', `${problem.path}: ${problem.message}`, { errors: [problem] })
}

/** What the audit log calls it: `group/NAME`, or `NAME`. */
export function keyOfNamed(group: string | null, name: string): string {
  return group === null ? name : `${group}/${name}`
}

/** What both are described by. */
export function describedNamed(row: Pick<VariableRow | SecretRow, KnownColumn>, groups: ReadonlyMap<number, string>) {
  return {
    id: row.id,
    groupId: row.group_id === OF_ALL ? null : row.group_id,
    groupName: row.group_id === OF_ALL ? null : (groups.get(row.group_id) ?? ''),
    name: row.name,
    description: row.description,
    version: row.version,
    createdAt: instantText(row.created_at),
    updatedAt: instantText(row.updated_at),
  }
}
type KnownColumn = 'id' | 'group_id' | 'name' | 'description' | 'version' | 'created_at' | 'updated_at'

function nameTaken(table: NamedTable, name: string): FieldProblem {
  return { path: 'name', code: 'NAME_TAKEN', message: `there is another ${table} named ${name} in its place`, params: { value: name } }
}

/** Its group, so that it is not removed meanwhile; 422 for one that does not exist or is not visible. */
async function lockGroup(tx: Tx, groupId: number, scope: Scope): Promise<string> {
  const [group] = isVisible(scope, groupId) ? await tx.lock(query.selectFrom('task_group').select('name').where('id', '=', groupId)) : []
  if (group !== undefined) return group.name
  throw refusedField({ path: 'groupId', code: 'UNKNOWN_REFERENCE', message: `there is no group ${groupId}`, params: { value: groupId } })
}
