import {
  AppError,
  MAX_CALENDARS,
  type Calendar,
  type CalendarCreate,
  type CalendarListItem,
  type CalendarListQuery,
  type CalendarRules,
  type CalendarUpdate,
  type CalendarUses,
  type CalendarVersion,
  type FieldProblem,
} from '@tickwheel/contract'
import { lastDayOf, type Scope } from '@tickwheel/core'
import { changedFields, writeAudit } from './audit.ts'
import { calendarProblems } from './calendar-problems.ts'
import { accountOf, type Change } from './caller.ts'
import { DuplicateKey, query, type Database, type ReadTx, type Tx } from './database.ts'
import { nameKey } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import { takeEntityId } from './ids.ts'
import { CALENDARS_LEVEL, requireLevel } from './levels.ts'
import { contains, instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import type { CalendarRow, Schema } from './schema.ts'
import { groupsOf, isVisible } from './scope.ts'
import { readRules } from './span-calendar.ts'
import { describedNamed, keyOfNamed, OF_ALL, refusedField } from './variable-place.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

const LISTED_USES = 200
const COUNTED_USES = 1000

/**
 * Whether a calendar may be seen, by who may see calendars in some groups. One of all groups is for all who see any: schedules of their groups may name it.
 */
export function seesCalendar(scope: Scope, groupId: number): boolean {
  return groupId === OF_ALL ? scope === 'all' || scope.length > 0 : isVisible(scope, groupId)
}

/** Calendars that are visible, by name. With `groupId`: those that schedules of that group may name. */
export async function listCalendars(
  db: Database,
  scope: Scope,
  { groupId, scope: only, keyword, page = 1, pageSize = 20 }: CalendarListQuery,
): Promise<Page<CalendarListItem>> {
  const offset = offsetOf({ page, pageSize })
  const groupIds = groupsOf(scope, groupId)
  if (groupIds?.length === 0) return { items: [], total: 0, page, pageSize }
  return db.read(async (tx) => {
    let found = query.selectFrom('calendar').where('deleted_at', 'is', null)
    if (groupIds !== null) found = found.where('group_id', 'in', [OF_ALL, ...groupIds])
    if (only !== undefined) found = found.where('group_id', only === 'all' ? '=' : '<>', OF_ALL)
    if (keyword !== undefined && keyword !== '')
      found = found.where((is) => is.or([contains('name_key', nameKey(keyword)), contains('description', keyword)]))
    const count = await tx.first(found.select((of) => of.fn.countAll<number>().as('total')))
    const rows = await tx.rows(found.selectAll().orderBy('name_key').orderBy('group_id').limit(pageSize).offset(offset))
    const knownOf = await describing(tx, rows)
    const items = rows.map((row) => ({ ...knownOf(row), dayCount: row.day_count, blackoutCount: row.blackout_count }))
    return { items, total: count?.total ?? 0, page, pageSize }
  })
}

/** 404 `CALENDAR_NOT_FOUND` when it does not exist or is not visible. */
export async function getCalendar(db: Database, scope: Scope, id: number): Promise<Calendar> {
  return db.read(async (tx) => {
    const row = await visibleCalendar(tx, id, scope)
    const knownOf = await describing(tx, [row])
    return { ...knownOf(row), rules: await rulesAt(tx, row) }
  })
}

/** Makes a calendar; its id. One of all groups (`groupId` null) is made by who may edit in all of them (403). */
export async function createCalendar(db: Database, input: CalendarCreate, change: Change): Promise<number> {
  return db.write('rest', (tx) => createCalendarIn(tx, input, change))
}

/** As `createCalendar`, in a transaction of the caller. */
export async function createCalendarIn(tx: Tx, input: CalendarCreate, change: Change): Promise<number> {
  const { now } = change
  const { rules, description = '' } = input
  const groupId = input.groupId ?? OF_ALL
  const name = input.name.trim()
  await requireLevel(tx, CALENDARS_LEVEL, await tx.now(), { what: 'keep to calendars', remedy: 'create the calendar afterwards' })
  const { group, problems } = await placeOf(tx, groupId, change)
  refuse([...problems, ...(await nameProblems(tx, { groupId, name, exceptId: null })), ...calendarProblems(rules)])
  const id = await takeEntityId(tx)
  const row: CalendarRow = {
    ...columnsOf(name, description, rules),
    id,
    group_id: groupId,
    version: 1,
    rules_version: 1,
    is_applying: 0,
    created_at: now,
    updated_at: now,
    deleted_at: null,
  }
  await nameGuard(name, () => tx.insert('calendar', [row]))
  await insertRules(tx, { id, version: 1, rules }, change)
  await writeAudit(tx, now, change.auditId, change.caller, {
    action: 'calendar:create',
    resource: { kind: 'calendar', id, key: keyOfNamed(group, name) },
    groupId: input.groupId,
    ...changedFields(null, { name, description, rules }),
  })
  return id
}

/**
 * Changes a calendar. Where its rules are others than before, what uses it follows: the engine moves each follower to the new version. 409 `STALE_VERSION`
 * with the present version.
 */
export async function updateCalendar(db: Database, id: number, input: CalendarUpdate, change: Change): Promise<void> {
  await db.write('rest', (tx) => updateCalendarIn(tx, id, input, change))
}

/** As `updateCalendar`, in a transaction of the caller. */
export async function updateCalendarIn(tx: Tx, id: number, input: CalendarUpdate, change: Change): Promise<void> {
  const { now } = change
  const row = await lockCalendar(tx, id, change.scope)
  if (row.version !== input.version)
    throw new AppError(
      'STALE_VERSION',
      `the calendar is at version ${row.version}, not ${input.version}: read it again and repeat the change`,
      { params: { version: row.version } },
    )
  const before = { name: row.name, description: row.description, rules: await rulesAt(tx, row) }
  const after = { name: input.name.trim(), description: input.description ?? row.description, rules: input.rules }
  refuse([...(await nameProblems(tx, { groupId: row.group_id, name: after.name, exceptId: id })), ...calendarProblems(input.rules)])
  const version = row.version + 1
  const isOther = JSON.stringify(before.rules) !== JSON.stringify(after.rules)
  if (isOther) await insertRules(tx, { id, version, rules: after.rules }, change)
  await nameGuard(after.name, () =>
    tx.execute(
      query
        .updateTable('calendar')
        .set({
          ...columnsOf(after.name, after.description, after.rules),
          version,
          updated_at: now,
          ...(isOther ? { rules_version: version, is_applying: 1 } : {}),
        })
        .where('id', '=', id),
    ),
  )
  await writeAudit(tx, now, change.auditId, change.caller, {
    action: 'calendar:edit',
    resource: await resourceOf(tx, row),
    groupId: row.group_id === OF_ALL ? null : row.group_id,
    ...changedFields(before, after),
  })
}

/** Deletes a calendar; what it said of the past stays known. 409 `CALENDAR_IN_USE` while a task or a workflow uses it. */
export async function deleteCalendar(db: Database, id: number, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockCalendar(tx, id, change.scope)
    const uses = await tx.first(
      query
        .selectFrom('calendar_use')
        .select((of) => of.fn.countAll<number>().as('n'))
        .where('calendar_id', '=', id),
    )
    if (uses !== null && uses.n > 0)
      throw new AppError('CALENDAR_IN_USE', `${uses.n} tasks and workflows use the calendar: take it out of their schedules first`, {
        params: { useCount: uses.n },
      })
    await tx.execute(query.updateTable('calendar').set({ deleted_at: change.now, name_key: null, is_applying: 0 }).where('id', '=', id))
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'calendar:delete',
      resource: await resourceOf(tx, row),
      groupId: row.group_id === OF_ALL ? null : row.group_id,
      ...changedFields({ name: row.name, description: row.description, rules: await rulesAt(tx, row) }, null),
    })
  })
}

/** The versions at which its rules changed, newest first. */
export async function listCalendarVersions(
  db: Database,
  scope: Scope,
  { id, ...page }: PageRequest & { readonly id: number },
): Promise<Page<CalendarVersion>> {
  return db.read(async (tx) => {
    await visibleCalendar(tx, id, scope)
    const found = query.selectFrom('calendar_version').where('calendar_id', '=', id)
    const count = await tx.first(found.select((of) => of.fn.countAll<number>().as('total')))
    const rows = await tx.rows(found.selectAll().orderBy('version', 'desc').limit(page.pageSize).offset(offsetOf(page)))
    const items = rows.map((row) => ({
      version: row.version,
      at: instantText(row.saved_at),
      by: row.saved_by === null ? null : { id: row.saved_by, name: row.saved_by_name },
      rules: readRules(row.rules),
    }))
    return { items, total: count?.total ?? 0, ...page }
  })
}

/** Tasks and workflows that are visible and use it now. */
export async function usesOfCalendar(
  db: Database,
  id: number,
  scopes: { readonly own: Scope; readonly tasks: Scope; readonly workflows: Scope },
): Promise<CalendarUses> {
  return db.read(async (tx) => {
    await visibleCalendar(tx, id, scopes.own)
    const rows = await tx.rows(
      query
        .selectFrom('calendar_use')
        .innerJoin('task', 'task.id', 'calendar_use.task_id')
        .innerJoin('task_group', 'task_group.id', 'task.group_id')
        .select(['task.id', 'task.name', 'task.group_id', 'task_group.name as group_name', 'task.handler_kind'])
        .where('calendar_use.calendar_id', '=', id)
        .where((is) =>
          is.or([
            is.and([
              is('task.handler_kind', '=', WORKFLOW_KIND),
              ...inScope(scopes.workflows, (groups) => is('task.group_id', 'in', groups)),
            ]),
            is.and([is('task.handler_kind', '<>', WORKFLOW_KIND), ...inScope(scopes.tasks, (groups) => is('task.group_id', 'in', groups))]),
          ]),
        )
        .orderBy('task.id')
        .limit(COUNTED_USES),
    )
    const uses = rows.map((row) => ({
      kind: row.handler_kind === WORKFLOW_KIND ? ('workflow' as const) : ('task' as const),
      id: row.id,
      groupId: row.group_id,
      groupName: row.group_name,
      name: row.name,
    }))
    return { items: uses.slice(0, LISTED_USES), total: uses.length }
  })
}

/** A calendar that lives and is visible; 404 `CALENDAR_NOT_FOUND` otherwise. */
export async function visibleCalendar(tx: ReadTx, id: number, scope: Scope): Promise<CalendarRow> {
  const row = await tx.first(query.selectFrom('calendar').selectAll().where('id', '=', id))
  if (row === null || row.deleted_at !== null || !seesCalendar(scope, row.group_id))
    throw new AppError('CALENDAR_NOT_FOUND', `There is no calendar ${id} that you may see.`)
  return row
}

function inScope<Condition>(scope: Scope, of: (groups: readonly number[]) => Condition): Condition[] {
  // no group has the id 0: an empty list is not SQL everywhere
  return scope === 'all' ? [] : [of(scope.length === 0 ? [0] : scope)]
}

async function lockCalendar(tx: Tx, id: number, scope: Scope): Promise<CalendarRow> {
  await tx.lock(query.selectFrom('calendar').select('id').where('id', '=', id))
  const row = await visibleCalendar(tx, id, 'all')
  if (row.group_id === OF_ALL ? scope === 'all' : isVisible(scope, row.group_id)) return row
  throw new AppError('CALENDAR_NOT_FOUND', `There is no calendar ${id} that you may see.`)
}

/** The rules of a calendar as they are now. */
export async function rulesAt(tx: ReadTx, { id, rules_version: version }: CalendarRow): Promise<CalendarRules> {
  const row = await tx.first(
    query.selectFrom('calendar_version').select('rules').where('calendar_id', '=', id).where('version', '=', version),
  )
  if (row === null) throw new Error(`calendar ${id} has no version ${version}`)
  return readRules(row.rules)
}

type Known = Omit<CalendarListItem, 'dayCount' | 'blackoutCount'>

async function describing(tx: ReadTx, rows: readonly CalendarRow[]): Promise<(row: CalendarRow) => Known> {
  const groups = await namesOfGroups(
    tx,
    rows.map((row) => row.group_id),
  )
  const uses = new Map<number, { n: number; behind: number }>()
  for (const row of rows) {
    const [found] = await tx.all<{ n: number; behind: number | string | null }>(
      'SELECT COUNT(*) AS n, SUM(CASE WHEN version < ? THEN 1 ELSE 0 END) AS behind FROM calendar_use WHERE calendar_id = ?',
      [row.rules_version, row.id],
    )
    // MySQL gives the sum as a decimal, which is a text
    uses.set(row.id, { n: found?.n ?? 0, behind: Number(found?.behind ?? '0') })
  }
  return (row) => ({
    ...describedNamed(row, groups),
    lastDay: row.last_day,
    useCount: uses.get(row.id)?.n ?? 0,
    applying: uses.get(row.id)?.behind ?? 0,
  })
}

function columnsOf(name: string, description: string, rules: CalendarRules) {
  return {
    name,
    name_key: nameKey(name),
    description,
    last_day: lastDayOf(rules),
    day_count: rules.days.length,
    blackout_count: rules.blackouts.length,
  }
}

async function insertRules(
  tx: Tx,
  { id, version, rules }: { id: number; version: number; rules: CalendarRules },
  { now, caller }: Change,
): Promise<void> {
  const row: Schema['calendar_version'] = {
    calendar_id: id,
    version,
    saved_at: now,
    saved_by: accountOf(caller),
    saved_by_name: caller.actor.name,
    rules: JSON.stringify(rules),
  }
  await tx.insert('calendar_version', [row])
}

/** Where it is to be: in a group that is visible, or in none, by who may edit in all; with room for one more. */
async function placeOf(tx: Tx, groupId: number, { scope }: Change): Promise<{ group: string | null; problems: FieldProblem[] }> {
  if (groupId === OF_ALL && scope !== 'all')
    throw new AppError('FORBIDDEN', 'only who may edit the calendars of all groups can make one for all groups: name a groupId', {
      params: { permission: 'calendar:edit' },
    })
  const [group] =
    groupId === OF_ALL || !isVisible(scope, groupId)
      ? []
      : await tx.lock(query.selectFrom('task_group').select('name').where('id', '=', groupId))
  if (groupId !== OF_ALL && group === undefined)
    throw refusedField({ path: 'groupId', code: 'UNKNOWN_REFERENCE', message: `there is no group ${groupId}`, params: { value: groupId } })
  const count = await tx.first(
    query
      .selectFrom('calendar')
      .select((of) => of.fn.countAll<number>().as('n'))
      .where('group_id', '=', groupId)
      .where('deleted_at', 'is', null),
  )
  const isFull = (count?.n ?? 0) >= MAX_CALENDARS
  return { group: group?.name ?? null, problems: isFull ? [tooMany()] : [] }
}

function tooMany(): FieldProblem {
  const message = `there are ${MAX_CALENDARS} calendars in its place already, which is as many as may be: delete some`
  return { path: 'name', code: 'TOO_MANY', message, params: { max: MAX_CALENDARS } }
}

async function nameProblems(
  tx: ReadTx,
  { groupId, name, exceptId }: { groupId: number; name: string; exceptId: number | null },
): Promise<FieldProblem[]> {
  const other = await tx.first(
    query.selectFrom('calendar').select('id').where('group_id', '=', groupId).where('name_key', '=', nameKey(name)),
  )
  return other === null || other.id === exceptId ? [] : [nameTaken(name)]
}

function nameTaken(name: string): FieldProblem {
  return { path: 'name', code: 'NAME_TAKEN', message: `there is another calendar named "${name}" in its place`, params: { value: name } }
}

/** Two writers with one name at the same instant: the unique key decides. */
async function nameGuard<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error
    throw refusedField(nameTaken(name))
  }
}

function refuse(problems: readonly FieldProblem[]): void {
  if (problems.length > 0)
    throw new AppError('UNPROCESSABLE', problems.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors: [...problems] })
}

async function resourceOf(tx: ReadTx, row: CalendarRow): Promise<{ kind: string; id: number; key: string }> {
  const groups = await namesOfGroups(tx, [row.group_id])
  return { kind: 'calendar', id: row.id, key: keyOfNamed(groups.get(row.group_id) ?? null, row.name) }
}
