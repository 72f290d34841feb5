import { AppError, type FieldProblem, type TaskCreate, type TaskDefinition, type TaskUpdate } from '@tickwheel/contract'
import { CAUSE, OUTCOME, planShards, REASON, slotOf, type Scope } from '@tickwheel/core'
import { changedFields, writeAudit } from './audit.ts'
import { SYSTEM, type Change } from './caller.ts'
import { DuplicateKey, query, type Database, type ReadTx, type Tx } from './database.ts'
import { completeDefinition, definitionText, levelOf, nameKey, parseDefinition } from './definition.ts'
import { floorOfInstant, takeEntityId } from './ids.ts'
import { requireLevel } from './levels.ts'
import { instantText } from './page.ts'
import { routingProblems } from './routing.ts'
import { FAILURES } from './run-writes.ts'
import type { SeriesRow, TaskRow } from './schema.ts'
import { checkSchedule } from './schedules.ts'
import { isVisible } from './scope.ts'
import { noteShards } from './shard-mark.ts'
import { firstDue, planRun, planStop, stoppedAnchor, type Cursor, type SpanPlanInput, type StoppedSkip } from './span-plan.ts'
import { lastSpan, spansSince } from './spans.ts'

/** `series.kind` of the schedule of a task. */
export const TASK_SERIES = 1

/** A run's id may have been taken so long before the run was made. */
const IDS_KEPT_MS = 15_000

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

/**
 * Makes a task, its first version, its series and its first span. The series begins one millisecond before it exists (`last_due_at`), so that the
 * chain of the ledger has a beginning. 422 `UNPROCESSABLE` names every field that has no meaning.
 */
export async function createTask(
  db: Database,
  { input, serverZone }: { input: TaskCreate; serverZone: string },
  change: Change,
): Promise<TaskChanged> {
  const isEnabled = input.enabled ?? false
  return db.write('rest', async (tx) => {
    const definition = completeDefinition(input, serverZone)
    const group = await visibleGroup(tx, input.groupId, change.scope)
    refuse([
      ...(group === null ? [unknownGroup(input.groupId)] : await nameProblems(tx, input.groupId, definition.name, null)),
      ...scheduleProblems(definition, isEnabled, change.now),
      ...routingProblems(definition),
      ...shardingProblems(definition),
    ])
    const taskId = await takeEntityId(tx)
    const seriesId = await takeEntityId(tx)
    const changed = newSeries({ taskId, seriesId, groupId: input.groupId, definition, isEnabled, now: change.now })
    await nameGuard(definition.name, () =>
      tx.insert('task', [
        {
          ...listColumns(definition),
          id: taskId,
          group_id: input.groupId,
          version: 1,
          enabled: flag(isEnabled),
          series_id: seriesId,
          deleted_at: null,
          created_at: change.now,
          updated_at: change.now,
          paused: null,
        },
      ]),
    )
    await insertVersion(tx, taskId, 1, definition, change)
    await insertSpan(tx, { seriesId, fromAt: change.now, taskVersion: 1, isEnabled, definition, anchorAt: change.now })
    await tx.insert('series', [changed])
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'task:create',
      resource: { kind: 'task', id: taskId, key: `${group ?? ''}/${definition.name}` },
      groupId: input.groupId,
      ...changedFields(null, { ...definition, enabled: isEnabled }),
    })
    return { taskId, groupId: input.groupId, seriesId, slot: changed.slot, nextDueAt: changed.next_due_at, revision: 1, openRunIds: [] }
  })
}

/** Saves a new version of a task. `input.version` must be the current one (409 `STALE_VERSION`). Without `enabled` it stays as it is. */
export async function updateTask(
  db: Database,
  { taskId, input, serverZone }: { taskId: number; input: TaskUpdate; serverZone: string },
  change: Change,
): Promise<TaskChanged> {
  return db.write('rest', async (tx) => {
    const task = await lockTask(tx, taskId, change.scope)
    if (input.version !== task.row.version) {
      throw new AppError(
        'STALE_VERSION',
        `the task is at version ${task.row.version}, not ${input.version}: read it again and repeat the change`,
        { params: { version: task.row.version } },
      )
    }
    const wish = {
      groupId: input.groupId,
      definition: completeDefinition(input, serverZone),
      isEnabled: input.enabled ?? task.row.enabled === 1,
    }
    return saveVersion(tx, task, wish, 'task:edit', change)
  })
}

/** Saves a new version that equals an old one. Group and enabled stay as they are. */
export async function restoreTaskVersion(
  db: Database,
  { taskId, version }: { taskId: number; version: number },
  change: Change,
): Promise<TaskChanged> {
  return db.write('rest', async (tx) => {
    const task = await lockTask(tx, taskId, change.scope)
    const definition = await definitionOf(tx, taskId, version)
    if (definition === null) throw new AppError('TASK_VERSION_NOT_FOUND', `task ${taskId} has no version ${version}`)
    return saveVersion(tx, task, { groupId: task.row.group_id, definition, isEnabled: task.row.enabled === 1 }, 'task:restore', change)
  })
}

/** Starts or stops the schedule of a task; nothing happens when it is so already. The version stays: it counts definitions. */
export async function setTaskEnabled(
  db: Database,
  { taskId, isEnabled }: { taskId: number; isEnabled: boolean },
  change: Change,
): Promise<TaskChanged> {
  return db.write('rest', async (tx) => {
    const task = await lockTask(tx, taskId, change.scope)
    const openRunIds = isEnabled ? [] : await openRunsOf(tx, taskId)
    if ((task.row.enabled === 1) === isEnabled) return { ...unchanged(task), openRunIds }
    const definition = await definitionOf(tx, taskId, task.row.version)
    if (definition === null) throw new Error(`task ${taskId} has no definition of its version ${task.row.version}`)
    if (isEnabled) refuse(scheduleProblems(definition, true, change.now))
    const cursor = await moveSpan(tx, task, { definition, isEnabled, taskVersion: task.row.version }, change.now)
    await tx.execute(
      query
        .updateTable('task')
        .set({ enabled: flag(isEnabled), updated_at: change.now, ...(isEnabled ? { paused: null } : {}) })
        .where('id', '=', taskId),
    )
    const series = await writeSeries(tx, task.series, { ...cursor, group_id: task.row.group_id })
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: isEnabled ? 'task:start' : 'task:stop',
      resource: resourceOf(task),
      groupId: task.row.group_id,
      before: { enabled: !isEnabled },
      after: { enabled: isEnabled },
    })
    return { ...changedOf(task, series), openRunIds }
  })
}

/**
 * Stops the schedule of a task whose last runs have all failed, as many as its definition says. What was made before the task was last started or saved
 * does not count, nor what was canceled or skipped; runs count in the order in which they were made. The caller holds the locks of the task and of its
 * series, and calls again when another run fails: a task that is stopped already is left as it is. Null: nothing has changed.
 */
export async function pauseAfterFailures(
  tx: Tx,
  { taskId, instanceId }: { taskId: number; instanceId: number },
  { now, auditId }: { now: number; auditId: number },
): Promise<TaskChanged | null> {
  const row = await tx.first(query.selectFrom('task').selectAll().where('id', '=', taskId))
  if (row === null || row.deleted_at !== null || row.enabled === 0) return null
  const definition = await definitionOf(tx, taskId, row.version)
  const span = await lastSpan(tx, row.series_id)
  if (definition === null || span === null || definition.pauseAfterFailures === 0) return null
  const failures = definition.pauseAfterFailures
  const ended = await tx.all<{ outcome: number }>(
    `SELECT outcome FROM instance WHERE task_id = ? AND id > ? AND created_at >= ? AND outcome IN (${[OUTCOME.succeeded, ...FAILURES].join(', ')}) ORDER BY id DESC LIMIT ?`,
    [taskId, floorOfInstant(span.fromAt - IDS_KEPT_MS), span.fromAt, failures],
  )
  if (ended.length < failures || !ended.every(({ outcome }) => FAILURES.includes(outcome))) return null
  const task = await lockTask(tx, taskId, 'all')
  const cursor = await moveSpan(tx, task, { definition, isEnabled: false, taskVersion: row.version }, now)
  const paused = JSON.stringify({ at: instantText(now), failures, instanceId })
  await tx.execute(query.updateTable('task').set({ enabled: 0, paused, updated_at: now }).where('id', '=', taskId))
  const series = await writeSeries(tx, task.series, { ...cursor, group_id: row.group_id })
  await writeAudit(tx, now, auditId, SYSTEM, {
    action: 'task:pause',
    resource: resourceOf(task),
    groupId: row.group_id,
    before: { enabled: true },
    after: { enabled: false, failures, instanceId },
  })
  return changedOf(task, series)
}

/**
 * Deletes a task: its name is free again, its history stays. 409 `TASK_HAS_OPEN_RUNS` unless the caller will cancel them (`openRunIds`). No run can be
 * made for it afterwards: a trigger locks the task's row, a firing compares the revision.
 */
export async function deleteTask(
  db: Database,
  { taskId, cancelRunning }: { taskId: number; cancelRunning: boolean },
  change: Change,
): Promise<TaskChanged> {
  return db.write('rest', async (tx) => {
    const task = await lockTask(tx, taskId, change.scope)
    const openRunIds = await openRunsOf(tx, taskId)
    if (openRunIds.length > 0 && !cancelRunning) {
      throw new AppError(
        'TASK_HAS_OPEN_RUNS',
        `the task has ${openRunIds.length} runs that have not ended: wait, cancel them, or delete with cancelRunning=true`,
        { params: { openRuns: openRunIds.length } },
      )
    }
    const plan = planStop(await planInput(tx, task.series, change.now), task.row.version)
    await closeSpan(tx, task.series.id, plan.fromAt)
    await insertStoppedSkip(tx, task.series.id, plan.skip, change.now)
    await tx.execute(
      query
        .updateTable('task')
        .set({ enabled: 0, deleted_at: change.now, updated_at: change.now, name_key: null })
        .where('id', '=', taskId),
    )
    const series = await writeSeries(tx, task.series, { ...plan.cursor, group_id: task.row.group_id })
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'task:delete',
      resource: resourceOf(task),
      groupId: task.row.group_id,
      before: { name: task.row.name, enabled: task.row.enabled === 1, version: task.row.version },
    })
    return { ...changedOf(task, series), openRunIds }
  })
}

/** The definition of a version; null when there is none. Versions never change, so it may be kept for ever. */
export async function readDefinition(db: Database, taskId: number, version: number): Promise<TaskDefinition | null> {
  return db.read((tx) => definitionOf(tx, taskId, version))
}

/** As `readDefinition`, inside a transaction. */
export async function definitionOf(tx: ReadTx, taskId: number, version: number): Promise<TaskDefinition | null> {
  const row = await tx.first(
    query.selectFrom('task_version').select('definition').where('task_id', '=', taskId).where('version', '=', version),
  )
  return row === null ? null : parseDefinition(row.definition)
}

/** The row of a task that lives and is visible; 404 `TASK_NOT_FOUND` otherwise. */
export async function visibleTask(tx: ReadTx, taskId: number, scope: Scope): Promise<TaskRow> {
  const row = await tx.first(query.selectFrom('task').selectAll().where('id', '=', taskId))
  if (row === null || row.deleted_at !== null || !isVisible(scope, row.group_id)) throw taskNotFound(taskId)
  return row
}

interface LockedTask {
  readonly row: TaskRow
  readonly series: SeriesRow
  readonly groupName: string
}

async function lockTask(tx: Tx, taskId: number, scope: Scope): Promise<LockedTask> {
  const [row] = await tx.lock(query.selectFrom('task').selectAll().where('id', '=', taskId))
  if (row === undefined || row.deleted_at !== null || !isVisible(scope, row.group_id)) throw taskNotFound(taskId)
  const [series] = await tx.lock(query.selectFrom('series').selectAll().where('id', '=', row.series_id))
  if (series === undefined) throw new Error(`task ${taskId} has no series ${row.series_id}`)
  const group = await tx.first(query.selectFrom('task_group').select('name').where('id', '=', row.group_id))
  return { row, series, groupName: group?.name ?? '' }
}

function taskNotFound(taskId: number): AppError {
  return new AppError('TASK_NOT_FOUND', `there is no task ${taskId}`)
}

interface TaskWish {
  readonly groupId: number
  readonly definition: TaskDefinition
  readonly isEnabled: boolean
}

async function saveVersion(tx: Tx, task: LockedTask, wish: TaskWish, action: string, change: Change): Promise<TaskChanged> {
  const { row } = task
  const { definition } = wish
  const before = await definitionOf(tx, row.id, row.version)
  const group = await visibleGroup(tx, wish.groupId, change.scope)
  const isPending = definition.schedule.kind !== 'once' || task.series.next_due_at !== null
  const isSameSchedule = row.enabled === 1 && isPending && JSON.stringify(before?.schedule) === JSON.stringify(definition.schedule)
  refuse([
    ...(group === null ? [unknownGroup(wish.groupId)] : await nameProblems(tx, wish.groupId, definition.name, row.id)),
    ...(isSameSchedule ? [] : scheduleProblems(definition, wish.isEnabled, change.now)),
    ...routingProblems(definition),
    ...shardingProblems(definition),
  ])
  const version = row.version + 1
  const cursor = await moveSpan(tx, task, { definition, isEnabled: wish.isEnabled, taskVersion: version }, change.now)
  const columns = {
    ...listColumns(definition),
    group_id: wish.groupId,
    version,
    enabled: flag(wish.isEnabled),
    updated_at: change.now,
    ...(wish.isEnabled ? { paused: null } : {}),
  }
  await nameGuard(definition.name, () => tx.execute(query.updateTable('task').set(columns).where('id', '=', row.id)))
  await insertVersion(tx, row.id, version, definition, change)
  const series = await writeSeries(tx, task.series, { ...cursor, group_id: wish.groupId })
  await writeAudit(tx, change.now, change.auditId, change.caller, {
    action,
    resource: { kind: 'task', id: row.id, key: `${group ?? ''}/${definition.name}` },
    groupId: wish.groupId,
    ...changedFields(
      { ...before, enabled: row.enabled === 1, groupId: row.group_id },
      { ...definition, enabled: wish.isEnabled, groupId: wish.groupId },
    ),
  })
  return { ...changedOf(task, series), groupId: wish.groupId }
}

interface SpanChange {
  readonly definition: TaskDefinition
  readonly isEnabled: boolean
  readonly taskVersion: number
}

/** Ends the span in force, begins the next, and says where the cursor stands. */
async function moveSpan(tx: Tx, task: LockedTask, { definition, isEnabled, taskVersion }: SpanChange, now: number): Promise<Cursor> {
  const seriesId = task.series.id
  const input = await released(tx, task, await planInput(tx, task.series, now))
  if (isEnabled) {
    const plan = planRun(input, { schedule: definition.schedule, taskVersion })
    await closeSpan(tx, seriesId, plan.fromAt)
    await insertSpan(tx, { seriesId, fromAt: plan.fromAt, taskVersion, isEnabled, definition, anchorAt: plan.anchorAt })
    return plan.cursor
  }
  const plan = planStop(input, taskVersion)
  await closeSpan(tx, seriesId, plan.fromAt)
  await insertSpan(tx, {
    seriesId,
    fromAt: plan.fromAt,
    taskVersion,
    isEnabled,
    definition,
    anchorAt: stoppedAnchor(input.last, definition.schedule, plan.fromAt),
  })
  await insertStoppedSkip(tx, seriesId, plan.skip, now)
  return plan.cursor
}

/**
 * A person has decided about a series that was held because its data was wrong: what it could not fire is one skip, "stopped first", and it goes on from
 * now (`writeSeries` takes the hold away).
 */
async function released(tx: Tx, { row, series }: LockedTask, input: SpanPlanInput): Promise<SpanPlanInput> {
  if (series.held === null) return input
  const { cursor, skip } = planStop(input, row.version)
  await insertStoppedSkip(tx, series.id, skip, input.now)
  return { ...input, cursor }
}

async function planInput(tx: Tx, series: SeriesRow, now: number): Promise<SpanPlanInput> {
  return {
    now,
    cursor: { nextDueAt: series.next_due_at, lastDueAt: series.last_due_at, taskVersion: series.task_version, awaitsId: series.awaits_id },
    open: await spansSince(tx, series.id, series.last_due_at),
    last: await lastSpan(tx, series.id),
  }
}

async function closeSpan(tx: Tx, seriesId: number, toAt: number): Promise<void> {
  await tx.execute(query.updateTable('schedule_span').set({ to_at: toAt }).where('series_id', '=', seriesId).where('to_at', 'is', null))
}

async function insertSpan(
  tx: Tx,
  span: { seriesId: number; fromAt: number; taskVersion: number; isEnabled: boolean; definition: TaskDefinition; anchorAt: number },
): Promise<void> {
  await tx.insert('schedule_span', [
    {
      series_id: span.seriesId,
      from_at: span.fromAt,
      to_at: null,
      task_version: span.taskVersion,
      enabled: flag(span.isEnabled),
      schedule: JSON.stringify(span.definition.schedule),
      anchor_at: span.anchorAt,
    },
  ])
}

async function insertStoppedSkip(tx: Tx, seriesId: number, skip: StoppedSkip | null, now: number): Promise<void> {
  if (skip === null) return
  await tx.insertNew('skip', [
    {
      series_id: seriesId,
      from_at: skip.fromAt,
      to_at: skip.toAt,
      prev_due_at: skip.prevDueAt,
      count: skip.count,
      reason: REASON.stoppedFirst,
      facts: '{}',
      instance_id: null,
      decided_at: now,
    },
  ])
}

function newSeries(of: {
  taskId: number
  seriesId: number
  groupId: number
  definition: TaskDefinition
  isEnabled: boolean
  now: number
}): SeriesRow {
  const { taskId, now } = of
  return {
    id: of.seriesId,
    kind: TASK_SERIES,
    owner_id: taskId,
    group_id: of.groupId,
    slot: slotOf('task', taskId),
    last_due_at: now - 1,
    task_version: 1,
    revision: 1,
    awaits_id: null,
    held: null,
    next_due_at: of.isEnabled ? firstDue(of.definition.schedule, now, now) : null,
  }
}

async function writeSeries(tx: Tx, series: SeriesRow, to: Cursor & { group_id: number }): Promise<SeriesRow> {
  const next: SeriesRow = {
    ...series,
    group_id: to.group_id,
    next_due_at: to.nextDueAt,
    last_due_at: to.lastDueAt,
    task_version: to.taskVersion,
    awaits_id: to.awaitsId,
    revision: series.revision + 1,
    held: null,
  }
  const { id, group_id, next_due_at, last_due_at, task_version, awaits_id, revision, held } = next
  await tx.execute(
    query.updateTable('series').set({ group_id, next_due_at, last_due_at, task_version, awaits_id, revision, held }).where('id', '=', id),
  )
  return next
}

async function insertVersion(tx: Tx, taskId: number, version: number, definition: TaskDefinition, { now, caller }: Change): Promise<void> {
  const level = levelOf(definition)
  if (level > 0)
    await requireLevel(tx, level, await tx.now(), {
      what: 'keep to all that this task asks for',
      remedy: 'leave out shards, limits, labels and routing beyond roundRobin and random',
    })
  if (definition.sharding !== undefined) await noteShards(tx)
  await tx.insert('task_version', [
    {
      task_id: taskId,
      version,
      saved_at: now,
      saved_by: caller.actor.kind === 'user' ? caller.actor.id : null,
      saved_by_name: caller.actor.name,
      definition: definitionText(definition),
    },
  ])
}

function listColumns(definition: TaskDefinition) {
  return {
    name: definition.name,
    name_key: nameKey(definition.name),
    description: definition.description,
    owner: definition.owner,
    tags: JSON.stringify(definition.tags),
    schedule_kind: definition.schedule.kind,
    handler_kind: definition.handler.kind,
    schedule: JSON.stringify(definition.schedule),
  }
}

/** Without shards: they end by their parents, and a transaction holds never both. */
async function openRunsOf(tx: Tx, taskId: number): Promise<number[]> {
  const rows = await tx.rows(
    query.selectFrom('open_instance').select('id').where('task_id', '=', taskId).where('cause', '<>', CAUSE.shard).orderBy('id'),
  )
  return rows.map((row) => row.id)
}

/** The name of a group that is visible, locked so that it is not removed meanwhile; null otherwise. */
async function visibleGroup(tx: Tx, groupId: number, scope: Scope): Promise<string | null> {
  if (!isVisible(scope, groupId)) return null
  const [group] = await tx.lock(query.selectFrom('task_group').select('name').where('id', '=', groupId))
  return group?.name ?? null
}

function unknownGroup(groupId: number): FieldProblem {
  return { path: 'groupId', code: 'UNKNOWN_REFERENCE', message: `there is no group ${groupId}`, params: { value: groupId } }
}

async function nameProblems(tx: Tx, groupId: number, name: string, exceptTaskId: number | null): Promise<FieldProblem[]> {
  const other = await tx.first(query.selectFrom('task').select('id').where('group_id', '=', groupId).where('name_key', '=', nameKey(name)))
  return other === null || other.id === exceptTaskId ? [] : [nameTaken(name)]
}

function nameTaken(name: string): FieldProblem {
  return { path: 'name', code: 'NAME_TAKEN', message: `the group has another task named "${name}"`, params: { value: name } }
}

function scheduleProblems({ schedule }: TaskDefinition, isEnabled: boolean, now: number): FieldProblem[] {
  const problems = checkSchedule(schedule, 'UTC')
  if (!isEnabled || problems.length > 0) return problems
  if (schedule.kind === 'manual')
    return [{ path: 'enabled', code: 'ENABLED_WITHOUT_SCHEDULE', message: 'a task that only runs by hand has no schedule to enable' }]
  if (schedule.kind === 'once' && Date.parse(schedule.at) <= now) {
    return [{ path: 'schedule.at', code: 'ONCE_IN_PAST', message: `${schedule.at} has passed`, params: { value: schedule.at } }]
  }
  return []
}

/** A split that can be seen to be wrong is refused now, and not by each run. Params of a task that only runs by hand may come with the call. */
function shardingProblems({ sharding, params, schedule }: TaskDefinition): FieldProblem[] {
  if (sharding === undefined || sharding.kind === 'none' || sharding.kind === 'broadcast') return []
  if (sharding.kind === 'list' && schedule.kind === 'manual' && params === '') return []
  const plan = planShards({ sharding, params, executors: [] })
  if (plan.kind === 'shards') return []
  switch (plan.problem) {
    case 'rangeEmpty':
      return [{ path: 'sharding.to', code: 'RANGE_EMPTY', message: 'must be larger than sharding.from', params: plan.facts }]
    case 'tooManyShards':
      return [
        {
          path: 'sharding.size',
          code: 'TOO_MANY_SHARDS',
          message: `makes ${plan.facts.total} shards, and a run has at most ${plan.facts.max}: give a larger size`,
          params: plan.facts,
        },
      ]
    case 'paramsNotAList':
      return [{ path: 'params', code: 'PARAMS_NOT_A_LIST', message: 'must be a JSON array, because its items are what shards are made of' }]
  }
}

function refuse(problems: readonly FieldProblem[]): void {
  if (problems.length > 0)
    throw new AppError('UNPROCESSABLE', problems.map((problem) => `${problem.path}: ${problem.message}`).join('; '), { errors: problems })
}

/** Two writers with one name at the same instant: the unique key decides, and the loser is told as if it had come later. */
async function nameGuard<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error
    throw new AppError('UNPROCESSABLE', nameTaken(name).message, { errors: [nameTaken(name)] })
  }
}

function resourceOf({ row, groupName }: LockedTask): { kind: string; id: number; key: string } {
  return { kind: 'task', id: row.id, key: `${groupName}/${row.name}` }
}

function unchanged(task: LockedTask): TaskChanged {
  return changedOf(task, task.series)
}

function changedOf({ row }: LockedTask, series: SeriesRow): TaskChanged {
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

function flag(is: boolean): number {
  return is ? 1 : 0
}
