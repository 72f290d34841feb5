import { AppError, type FieldProblem, type ScheduleInput } from '@tickwheel/contract'
import { CAUSE, type Scope } from '@tickwheel/core'
import { changedFields, writeAudit } from './audit.ts'
import { endBackfillsOf } from './backfill-ends.ts'
import { bindCalendar, findCalendar, saveCalendarUse, type BoundOrNot } from './calendar-binding.ts'
import { accountOf, type Change } from './caller.ts'
import { DuplicateKey, query, type ReadTx, type Tx } from './database.ts'
import { nameKey } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import { takeEntityId } from './ids.ts'
import type { PlacedReference } from './references.ts'
import { saveUses } from './variable-uses.ts'
import { requireLevel, type LevelNeed } from './levels.ts'
import type { SeriesRow, TaskRow } from './schema.ts'
import { kindOfRow, notFound, type ScheduledKind } from './scheduled-kind.ts'
import { calendarIdOf, checkSchedule } from './schedules.ts'
import { isVisible } from './scope.ts'
import { noteShards } from './shard-mark.ts'
import { endSpans, insertSpan, moveSpan, newSeries, writeSeries } from './span-moves.ts'
import { lastSpan } from './spans.ts'

/**
 * What a task and a workflow have in common: a row with a name in a group, a series with its spans, versions that never change, an audit entry for each
 * change. They differ in what a version holds, which is given here as `Content`.
 */
export interface Content {
  readonly name: string
  readonly schedule: ScheduleInput
  readonly columns: Pick<TaskRow, 'description' | 'owner' | 'tags' | 'handler_kind'>
  /** as the version stores it */
  readonly text: string
  /** its fields, of which the audit entry keeps those that have changed */
  readonly fields: Readonly<Record<string, unknown>>
  /** the schema level of the programs that know all of it; null: every program does */
  readonly need: (LevelNeed & { readonly level: number }) | null
  readonly hasShards: boolean
}

/** What somebody wants to be saved. `problems`: what is wrong with it beside group, name and schedule. */
export interface Wish {
  readonly groupId: number
  readonly content: Content
  readonly isEnabled: boolean
  readonly problems: readonly FieldProblem[]
  /** variables and secrets that it refers to */
  readonly references: readonly PlacedReference[]
  /** by whose clock a calendar tells the days of a schedule that has no zone of its own */
  readonly serverZone: string
}

/** What a change left behind, so that the engine can move its timers. `openRunIds`: filled by a stop and a deletion, in order. */
export interface TaskChanged {
  readonly taskId: number
  readonly groupId: number
  readonly seriesId: number
  readonly slot: number
  readonly nextDueAt: number | null
  readonly revision: number
  readonly openRunIds: readonly number[]
}

export interface Locked {
  readonly kind: ScheduledKind
  readonly row: TaskRow
  readonly series: SeriesRow
  readonly groupName: string
}

/**
 * Makes a row, its first version, its series and its first span. 422 `UNPROCESSABLE` names every field that has no meaning. `id`: taken for it before; absent: it
 * is taken here.
 */
export async function createScheduled(
  tx: Tx,
  kind: ScheduledKind,
  wish: Wish & { readonly id?: number | null },
  change: Change,
): Promise<TaskChanged> {
  const { groupId, content, isEnabled } = wish
  const { schedule } = content
  const { now } = change
  const group = await visibleGroup(tx, groupId, change.scope)
  const { calendar, problems } = await bindCalendar(tx, bindingOf(wish), now)
  refuse([
    ...(await placeProblems(tx, kind, { group, wish, exceptId: null })),
    ...scheduleProblems(kind, wish, now),
    ...problems,
    ...wish.problems,
  ])
  const id = wish.id ?? (await takeEntityId(tx))
  const seriesId = await takeEntityId(tx)
  const series = newSeries({ taskId: id, seriesId, groupId, schedule, calendar, isEnabled, now })
  await nameGuard(kind, content.name, () =>
    tx.insert('task', [
      {
        ...columnsOf(kind, content),
        id,
        group_id: groupId,
        version: 1,
        enabled: flag(isEnabled),
        series_id: seriesId,
        deleted_at: null,
        created_at: now,
        updated_at: now,
        paused: null,
      },
    ]),
  )
  await insertVersion(tx, { id, version: 1, content }, change)
  await saveUses(tx, id, wish.references)
  await saveCalendarUse(tx, id, calendar)
  await insertSpan(tx, { seriesId, fromAt: now, taskVersion: 1, isEnabled, schedule, anchorAt: now, calendar })
  await tx.insert('series', [series])
  await writeAudit(tx, now, change.auditId, change.caller, {
    action: `${kind.noun}:create`,
    resource: { kind: kind.noun, id, key: `${group ?? ''}/${content.name}` },
    groupId,
    ...changedFields(null, { ...content.fields, enabled: isEnabled }),
  })
  return { taskId: id, groupId, seriesId, slot: series.slot, nextDueAt: series.next_due_at, revision: 1, openRunIds: [] }
}

/** Saves a new version. `before`: what the present one holds, null where it cannot be read. `verb`: what the audit entry calls it. */
export async function saveScheduled(
  tx: Tx,
  thing: Locked,
  { verb, before, ...wish }: Wish & { readonly verb: 'edit' | 'restore'; readonly before: Content | null },
  change: Change,
): Promise<TaskChanged> {
  const { kind, row } = thing
  const { content, groupId, isEnabled } = wish
  const group = await visibleGroup(tx, groupId, change.scope)
  const isPending = content.schedule.kind !== 'once' || thing.series.next_due_at !== null
  const isSameSchedule = row.enabled === 1 && isPending && JSON.stringify(before?.schedule) === JSON.stringify(content.schedule)
  const { calendar, problems } = await bindCalendar(tx, bindingOf(wish), change.now)
  refuse([
    ...(await placeProblems(tx, kind, { group, wish, exceptId: row.id })),
    ...(isSameSchedule ? [] : scheduleProblems(kind, wish, change.now)),
    ...(isSameSchedule && groupId === row.group_id ? [] : problems),
    ...wish.problems,
  ])
  const version = row.version + 1
  const cursor = await moveSpan(tx, thing, { schedule: content.schedule, isEnabled, taskVersion: version, calendar }, change.now)
  const columns = {
    ...columnsOf(kind, content),
    group_id: groupId,
    version,
    enabled: flag(isEnabled),
    updated_at: change.now,
    ...(isEnabled ? { paused: null } : {}),
  }
  await nameGuard(kind, content.name, () => tx.execute(query.updateTable('task').set(columns).where('id', '=', row.id)))
  await insertVersion(tx, { id: row.id, version, content }, change)
  await saveUses(tx, row.id, wish.references)
  await saveCalendarUse(tx, row.id, calendar)
  const series = await writeSeries(tx, thing.series, { ...cursor, group_id: groupId })
  await writeAudit(tx, change.now, change.auditId, change.caller, {
    action: `${kind.noun}:${verb}`,
    resource: { kind: kind.noun, id: row.id, key: `${group ?? ''}/${content.name}` },
    groupId,
    ...changedFields(
      { ...before?.fields, enabled: row.enabled === 1, groupId: row.group_id },
      { ...content.fields, enabled: isEnabled, groupId },
    ),
  })
  return { ...changedOf(thing, series), groupId }
}

/** Starts or stops a schedule; nothing happens when it is so already. The version stays: it counts definitions. */
export async function toggleScheduled(
  tx: Tx,
  thing: Locked,
  { isEnabled, schedule }: { isEnabled: boolean; schedule: ScheduleInput },
  change: Change,
): Promise<TaskChanged> {
  const { kind, row } = thing
  const { now } = change
  const openRunIds = isEnabled ? [] : await openRunsOf(tx, thing)
  if ((row.enabled === 1) === isEnabled) return { ...changedOf(thing, thing.series), openRunIds }
  const { calendar, problems } = await boundAgain(tx, thing, schedule, now)
  if (isEnabled) refuse([...scheduleProblems(kind, { content: { schedule }, isEnabled }, now), ...problems])
  const cursor = await moveSpan(tx, thing, { schedule, isEnabled, taskVersion: row.version, calendar }, now)
  await saveCalendarUse(tx, row.id, calendar)
  await tx.execute(
    query
      .updateTable('task')
      .set({ enabled: flag(isEnabled), updated_at: now, ...(isEnabled ? { paused: null } : {}) })
      .where('id', '=', row.id),
  )
  const series = await writeSeries(tx, thing.series, { ...cursor, group_id: row.group_id })
  await writeAudit(tx, now, change.auditId, change.caller, {
    action: `${kind.noun}:${isEnabled ? 'start' : 'stop'}`,
    resource: resourceOf(thing),
    groupId: row.group_id,
    before: { enabled: !isEnabled },
    after: { enabled: isEnabled },
  })
  return { ...changedOf(thing, series), openRunIds }
}

/**
 * Deletes: the name is free again, the history stays. 409 (`hasOpenRuns` of the kind) unless the caller will cancel them (`openRunIds`). No run can be made
 * for it afterwards: a trigger locks the row, a firing compares the revision.
 */
export async function deleteScheduled(tx: Tx, thing: Locked, cancelRunning: boolean, change: Change): Promise<TaskChanged> {
  const { kind, row } = thing
  const { now } = change
  const openRunIds = await openRunsOf(tx, thing)
  if (openRunIds.length > 0 && !cancelRunning) {
    throw new AppError(
      kind.hasOpenRuns,
      `the ${kind.noun} has ${openRunIds.length} runs that have not ended: wait, cancel them, or delete with cancelRunning=true`,
      { params: { openRuns: openRunIds.length } },
    )
  }
  const cursor = await endSpans(tx, thing, now)
  await endBackfillsOf(tx, row.id, now)
  await tx.execute(query.updateTable('task').set({ enabled: 0, deleted_at: now, updated_at: now, name_key: null }).where('id', '=', row.id))
  await saveUses(tx, row.id, [])
  await saveCalendarUse(tx, row.id, null)
  const series = await writeSeries(tx, thing.series, { ...cursor, group_id: row.group_id })
  await writeAudit(tx, now, change.auditId, change.caller, {
    action: `${kind.noun}:delete`,
    resource: resourceOf(thing),
    groupId: row.group_id,
    before: { name: row.name, enabled: row.enabled === 1, version: row.version },
  })
  return { ...changedOf(thing, series), openRunIds }
}

/** The calendar of something that is saved already, at the version of its rules now. Its clock stays the one that its last span tells days by. */
export async function boundAgain(tx: Tx, { row, series }: Locked, schedule: ScheduleInput, now: number): Promise<BoundOrNot> {
  if (calendarIdOf(schedule) === null) return { calendar: null, problems: [] }
  const last = await lastSpan(tx, series.id)
  return bindCalendar(tx, { schedule, groupId: row.group_id, zone: last?.calendar?.zone ?? 'UTC' }, now)
}

function bindingOf({ content, groupId, serverZone }: Wish): { schedule: ScheduleInput; groupId: number; zone: string } {
  return { schedule: content.schedule, groupId, zone: serverZone }
}

/** Locks what lives and is visible, with its series; the `notFound` of its kind otherwise. */
export async function lockScheduled(tx: Tx, kind: ScheduledKind, id: number, scope: Scope): Promise<Locked> {
  const thing = await lockAny(tx, id)
  if (thing === null || thing.kind !== kind || thing.row.deleted_at !== null || !isVisible(scope, thing.row.group_id))
    throw notFound(kind, id)
  return thing
}

/** As `lockScheduled`, of either kind and whoever may see it; null: there is no such row. */
export async function lockAny(tx: Tx, id: number): Promise<Locked | null> {
  const [row] = await tx.lock(query.selectFrom('task').selectAll().where('id', '=', id))
  if (row === undefined) return null
  const [series] = await tx.lock(query.selectFrom('series').selectAll().where('id', '=', row.series_id))
  if (series === undefined) throw new Error(`task ${id} has no series ${row.series_id}`)
  const group = await tx.first(query.selectFrom('task_group').select('name').where('id', '=', row.group_id))
  return { kind: kindOfRow(row), row, series, groupName: group?.name ?? '' }
}

/** 409 `STALE_VERSION` unless the version that somebody has read is the present one. */
export function requireVersion({ kind, row }: Locked, version: number): void {
  if (version === row.version) return
  throw new AppError(
    'STALE_VERSION',
    `the ${kind.noun} is at version ${row.version}, not ${version}: read it again and repeat the change`,
    { params: { version: row.version } },
  )
}

export function resourceOf({ kind, row, groupName }: Locked): { kind: string; id: number; key: string } {
  return { kind: kind.noun, id: row.id, key: `${groupName}/${row.name}` }
}

export function changedOf({ row }: Locked, series: SeriesRow): TaskChanged {
  return {
    taskId: row.id,
    groupId: row.group_id,
    seriesId: series.id,
    slot: series.slot,
    nextDueAt: series.next_due_at,
    revision: series.revision,
    openRunIds: [],
  }
}

async function insertVersion(
  tx: Tx,
  { id, version, content }: { id: number; version: number; content: Content },
  { now, caller }: Change,
): Promise<void> {
  const { need, hasShards, text } = content
  if (need !== null) await requireLevel(tx, need.level, await tx.now(), need)
  if (hasShards) await noteShards(tx)
  await tx.insert('task_version', [
    {
      task_id: id,
      version,
      saved_at: now,
      saved_by: accountOf(caller),
      saved_by_name: caller.actor.name,
      definition: text,
    },
  ])
}

function columnsOf(kind: ScheduledKind, { name, schedule, columns }: Content) {
  return { ...columns, name, name_key: keyOf(kind, name), schedule_kind: schedule.kind, schedule: JSON.stringify(schedule) }
}

/** What makes a name unique among its kind in a group. */
export function keyOf(kind: ScheduledKind, name: string): string {
  return kind.namePrefix + nameKey(name)
}

/**
 * Runs of it that have not ended, without shards (they end by their parents, and a transaction holds never both) and, of a workflow, without what its
 * steps do.
 */
async function openRunsOf(tx: Tx, { kind, row }: Locked): Promise<number[]> {
  const open = query.selectFrom('open_instance').select('id').where('task_id', '=', row.id).where('cause', '<>', CAUSE.shard).orderBy('id')
  const rows = await tx.rows(kind.noun === 'workflow' ? open.where('runs_workflow', '=', 1) : open)
  return rows.map(({ id }) => id)
}

/** The name of a group that is visible, locked so that it is not removed meanwhile; null otherwise. */
async function visibleGroup(tx: Tx, groupId: number, scope: Scope): Promise<string | null> {
  if (!isVisible(scope, groupId)) return null
  const [group] = await tx.lock(query.selectFrom('task_group').select('name').where('id', '=', groupId))
  return group?.name ?? null
}

/** What a save would refuse about the group, the name and the schedule of something that is not saved yet. */
export async function placeProblemsOf(
  tx: ReadTx,
  kind: ScheduledKind,
  { wish, exceptId, scope, now }: { wish: Wish; exceptId: number | null; scope: Scope; now: number },
): Promise<FieldProblem[]> {
  const names = isVisible(scope, wish.groupId) ? await namesOfGroups(tx, [wish.groupId]) : new Map<number, string>()
  const group = names.get(wish.groupId) ?? null
  const { problems } = await findCalendar(tx, bindingOf(wish), now)
  return [...(await placeProblems(tx, kind, { group, wish, exceptId })), ...scheduleProblems(kind, wish, now), ...problems]
}

async function placeProblems(
  tx: ReadTx,
  kind: ScheduledKind,
  { group, wish, exceptId }: { group: string | null; wish: Wish; exceptId: number | null },
): Promise<FieldProblem[]> {
  const { groupId, content } = wish
  if (group === null)
    return [{ path: 'groupId', code: 'UNKNOWN_REFERENCE', message: `there is no group ${groupId}`, params: { value: groupId } }]
  const other = await tx.first(
    query.selectFrom('task').select('id').where('group_id', '=', groupId).where('name_key', '=', keyOf(kind, content.name)),
  )
  return other === null || other.id === exceptId ? [] : [nameTaken(kind, content.name)]
}

function nameTaken(kind: ScheduledKind, name: string): FieldProblem {
  return { path: 'name', code: 'NAME_TAKEN', message: `the group has another ${kind.noun} named "${name}"`, params: { value: name } }
}

function scheduleProblems(
  kind: ScheduledKind,
  { content: { schedule }, isEnabled }: { content: Pick<Content, 'schedule'>; isEnabled: boolean },
  now: number,
): FieldProblem[] {
  const problems = checkSchedule(schedule, 'UTC')
  if (!isEnabled || problems.length > 0) return problems
  if (schedule.kind === 'manual')
    return [
      { path: 'enabled', code: 'ENABLED_WITHOUT_SCHEDULE', message: `a ${kind.noun} that only runs by hand has no schedule to enable` },
    ]
  if (schedule.kind === 'once' && Date.parse(schedule.at) <= now) {
    return [{ path: 'schedule.at', code: 'ONCE_IN_PAST', message: `${schedule.at} has passed`, params: { value: schedule.at } }]
  }
  return []
}

function refuse(problems: readonly FieldProblem[]): void {
  if (problems.length > 0)
    throw new AppError('UNPROCESSABLE', problems.map((problem) => `${problem.path}: ${problem.message}`).join('; '), { errors: problems })
}

/** Two writers with one name at the same instant: the unique key decides, and the loser is told as if it had come later. */
async function nameGuard<T>(kind: ScheduledKind, name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error
    throw new AppError('UNPROCESSABLE', nameTaken(kind, name).message, { errors: [nameTaken(kind, name)] })
  }
}

function flag(is: boolean): number {
  return is ? 1 : 0
}
