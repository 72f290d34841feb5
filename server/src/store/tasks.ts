import { AppError, type FieldProblem, type TaskCreate, type TaskDefinition, type TaskUpdate } from '@tickwheel/contract'
import { CAUSE, OUTCOME, planShards, type Scope } from '@tickwheel/core'
import { writeAudit } from './audit.ts'
import { endBackfillsOf } from './backfill-ends.ts'
import { saveCalendarUse } from './calendar-binding.ts'
import { SYSTEM, type Change } from './caller.ts'
import { query, type Database, type ReadTx, type Tx } from './database.ts'
import { completeDefinition, definitionText, levelOf, parseDefinition } from './definition.ts'
import { floorOfInstant } from './ids.ts'
import { instantText } from './page.ts'
import { judgeTexts, textsOf } from './references.ts'
import { routingProblems } from './routing.ts'
import { FAILURES } from './run-writes.ts'
import type { TaskRow } from './schema.ts'
import {
  boundAgain,
  changedOf,
  createScheduled,
  deleteScheduled,
  lockAny,
  lockScheduled,
  requireVersion,
  resourceOf,
  saveScheduled,
  toggleScheduled,
  type Content,
  type TaskChanged,
  type Wish,
} from './scheduled.ts'
import { livingRow, TASK, type ScheduledKind } from './scheduled-kind.ts'
import { moveSpan, writeSeries } from './span-moves.ts'
import { lastSpan } from './spans.ts'
import type { RunDefinition } from './workflow-definition.ts'

/** A run's id may have been taken so long before the run was made. */
const IDS_KEPT_MS = 15_000

export interface TaskWish extends MayRefer {
  readonly input: TaskCreate
  readonly serverZone: string
}

/** Makes a task, its first version, its series and its first span. 422 `UNPROCESSABLE` names every field that has no meaning. */
export async function createTask(db: Database, wish: TaskWish, change: Change): Promise<TaskChanged> {
  return db.write('rest', (tx) => createTaskIn(tx, wish, change))
}

/** As `createTask`, in a transaction of the caller. */
export async function createTaskIn(tx: Tx, { input, serverZone, mayRefer = [] }: TaskWish, change: Change): Promise<TaskChanged> {
  const wish = await wishOf(tx, { groupId: input.groupId, definition: completeDefinition(input, serverZone), mayRefer, serverZone })
  return createScheduled(tx, TASK, { ...wish, isEnabled: input.enabled ?? false }, change)
}

export interface TaskSave extends MayRefer {
  readonly taskId: number
  readonly input: TaskUpdate
  readonly serverZone: string
}

/** Saves a new version of a task. `input.version` must be the current one (409 `STALE_VERSION`). Without `enabled` it stays as it is. */
export async function updateTask(db: Database, save: TaskSave, change: Change): Promise<TaskChanged> {
  return db.write('rest', (tx) => updateTaskIn(tx, save, change))
}

/** As `updateTask`, in a transaction of the caller. */
export async function updateTaskIn(tx: Tx, { taskId, input, serverZone, mayRefer = [] }: TaskSave, change: Change): Promise<TaskChanged> {
  const task = await lockScheduled(tx, TASK, taskId, change.scope)
  requireVersion(task, input.version)
  const wish = await wishOf(tx, { groupId: input.groupId, definition: completeDefinition(input, serverZone), mayRefer, serverZone })
  const before = await contentOfVersion(tx, task.row)
  return saveScheduled(tx, task, { ...wish, isEnabled: input.enabled ?? task.row.enabled === 1, verb: 'edit', before }, change)
}

/** Saves a new version that equals an old one. Group and enabled stay as they are. */
export async function restoreTaskVersion(
  db: Database,
  { taskId, version, serverZone, mayRefer = [] }: { taskId: number; version: number; serverZone: string } & MayRefer,
  change: Change,
): Promise<TaskChanged> {
  return db.write('rest', async (tx) => {
    const task = await lockScheduled(tx, TASK, taskId, change.scope)
    const definition = await definitionOf(tx, taskId, version)
    if (definition === null) throw new AppError('TASK_VERSION_NOT_FOUND', `task ${taskId} has no version ${version}`)
    const before = await contentOfVersion(tx, task.row)
    const wish = {
      ...(await wishOf(tx, { groupId: task.row.group_id, definition, mayRefer, serverZone })),
      isEnabled: task.row.enabled === 1,
    }
    return saveScheduled(tx, task, { ...wish, verb: 'restore', before }, change)
  })
}

export interface Switch {
  readonly taskId: number
  readonly isEnabled: boolean
  readonly kind?: ScheduledKind
  readonly cancelRunning?: boolean
}

/** Starts or stops the schedule of a task, or of what `kind` says; nothing happens when it is so already. `cancelRunning`: the caller cancels its runs. */
export async function setTaskEnabled(db: Database, wanted: Switch, change: Change): Promise<TaskChanged> {
  return db.write('rest', (tx) => setTaskEnabledIn(tx, wanted, change))
}

/** As `setTaskEnabled`, in a transaction of the caller. */
export async function setTaskEnabledIn(
  tx: Tx,
  { taskId, isEnabled, kind = TASK, cancelRunning = false }: Switch,
  change: Change,
): Promise<TaskChanged> {
  const task = await lockScheduled(tx, kind, taskId, change.scope)
  const definition = await definitionOf(tx, taskId, task.row.version)
  if (definition === null) throw new Error(`task ${taskId} has no definition of its version ${task.row.version}`)
  // those of a backfill would be followed by more
  if (cancelRunning && !isEnabled) await endBackfillsOf(tx, taskId, change.now)
  return toggleScheduled(tx, task, { isEnabled, schedule: definition.schedule }, change)
}

/**
 * Stops the schedule of a task or a workflow whose last runs have all failed, as many as its definition says. What was made before the task was last started or saved
 * does not count, nor what was canceled or skipped, nor what a backfill has made; runs count in the order in which they were made. The caller holds the locks of the task and of its
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
    `SELECT outcome FROM instance WHERE task_id = ? AND id > ? AND created_at >= ? AND workflow_run_id IS NULL AND cause <> ${CAUSE.backfill} AND outcome IN (${[OUTCOME.succeeded, ...FAILURES].join(', ')}) ORDER BY id DESC LIMIT ?`,
    [taskId, floorOfInstant(span.fromAt - IDS_KEPT_MS), span.fromAt, failures],
  )
  if (ended.length < failures || !ended.every(({ outcome }) => FAILURES.includes(outcome))) return null
  const task = await lockAny(tx, taskId)
  if (task === null) return null
  const { schedule } = definition
  const { calendar } = await boundAgain(tx, task, schedule, now)
  const cursor = await moveSpan(tx, task, { schedule, isEnabled: false, taskVersion: row.version, calendar }, now)
  await saveCalendarUse(tx, taskId, calendar)
  const paused = JSON.stringify({ at: instantText(now), failures, instanceId })
  await tx.execute(query.updateTable('task').set({ enabled: 0, paused, updated_at: now }).where('id', '=', taskId))
  const series = await writeSeries(tx, task.series, { ...cursor, group_id: row.group_id })
  await writeAudit(tx, now, auditId, SYSTEM, {
    action: `${task.kind.noun}:pause`,
    resource: resourceOf(task),
    groupId: row.group_id,
    before: { enabled: true },
    after: { enabled: false, failures, instanceId },
  })
  return changedOf(task, series)
}

/**
 * Deletes a task, or what `kind` says: its name is free again, its history stays. 409 `TASK_HAS_OPEN_RUNS` unless the caller will cancel them
 * (`openRunIds`). What a workflow refers to may be deleted: from then on the step fails with `WORKFLOW_UNKNOWN_TASK`, and a save of the workflow names it.
 */
export async function deleteTask(
  db: Database,
  { taskId, cancelRunning, kind = TASK }: { taskId: number; cancelRunning: boolean; kind?: ScheduledKind },
  change: Change,
): Promise<TaskChanged> {
  return db.write('rest', async (tx) => deleteScheduled(tx, await lockScheduled(tx, kind, taskId, change.scope), cancelRunning, change))
}

/** The definition of a version; null when there is none. Versions never change, so it may be kept for ever. */
export async function readDefinition(db: Database, taskId: number, version: number): Promise<RunDefinition | null> {
  return db.read((tx) => definitionOf(tx, taskId, version))
}

/** As `readDefinition`, inside a transaction. */
export async function definitionOf(tx: ReadTx, taskId: number, version: number): Promise<RunDefinition | null> {
  const row = await tx.first(
    query.selectFrom('task_version').select('definition').where('task_id', '=', taskId).where('version', '=', version),
  )
  return row === null ? null : parseDefinition(row.definition)
}

/** The row of a task that lives and is visible; 404 `TASK_NOT_FOUND` otherwise, also for a workflow. */
export async function visibleTask(tx: ReadTx, taskId: number, scope: Scope): Promise<TaskRow> {
  return livingRow(tx, TASK, taskId, scope)
}

/** `mayRefer`: the groups whose secrets the caller may see the names of; absent: none. */
export interface MayRefer {
  readonly mayRefer?: Scope
}

async function wishOf(
  tx: ReadTx,
  { groupId, definition, mayRefer, serverZone }: { groupId: number; definition: TaskDefinition; mayRefer: Scope; serverZone: string },
): Promise<Omit<Wish, 'isEnabled'>> {
  const texts = textsOf(definition).map((text) => ({ ...text, groupId }))
  const { problems, references } = await judgeTexts(tx, texts, mayRefer)
  return {
    groupId,
    content: contentOf(definition),
    problems: [...routingProblems(definition), ...shardingProblems(definition), ...problems],
    references,
    serverZone,
  }
}

async function contentOfVersion(tx: ReadTx, { id, version }: TaskRow): Promise<Content | null> {
  const definition = await definitionOf(tx, id, version)
  return definition === null ? null : contentOf(definition)
}

function contentOf(definition: TaskDefinition): Content {
  const level = levelOf(definition)
  const { description, owner, tags, handler } = definition
  return {
    name: definition.name,
    schedule: definition.schedule,
    columns: { description, owner, tags: JSON.stringify(tags), handler_kind: handler.kind },
    text: definitionText(definition),
    fields: definition,
    need:
      level === 0
        ? null
        : {
            level,
            what: 'keep to all that this task asks for',
            remedy:
              'leave out calendars, shards, limits, labels, environment, references to variables and secrets, and routing beyond roundRobin and random',
          },
    hasShards: definition.sharding !== undefined,
  }
}

/** A split that can be seen to be wrong is refused now, and not by each run. Params of a task that only runs by hand may come with the call. */
export function shardingProblems({
  sharding,
  params,
  schedule,
}: Pick<TaskDefinition, 'params' | 'schedule'> & { readonly sharding?: TaskDefinition['sharding'] | undefined }): FieldProblem[] {
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
