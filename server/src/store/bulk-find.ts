import { AppError, MAX_BULK, type Bulk, type BulkBody, type FieldCode, type InstanceFilter, type TaskFilter } from '@tickwheel/contract'
import { isOpen, type InstanceState, type Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { filterOf, findRuns, type RunFilter } from './instance-find.ts'
import { isOfWorkflow, listItems, readRuns, runsOfSteps } from './instances.ts'
import { partsOf } from './list.ts'
import { kindOfRow, TASK, WORKFLOW, type ScheduledKind } from './scheduled-kind.ts'
import { matching } from './scheduled-list.ts'
import type { TaskRow } from './schema.ts'
import { groupsOf, isVisible } from './scope.ts'

/** A thing that a bulk operation is about. `groupId` 0: there is none with this id, or none that is visible. */
export interface Target {
  readonly id: number
  readonly groupId: number
  readonly name: string
}

const NAME_MAX = 255
const READ_AT_ONCE = 500
/** So often is a search for runs gone on with, 20,000 rows each time. */
const LOOKS_MAX = 100

/**
 * What a bulk operation is about, in the order of its list; ids in the order in which they were given, also those that are not visible: its result says so.
 * 422 `BULK_NOTHING`, `BULK_TOO_MANY` beyond 10,000, `BULK_TOO_WIDE` where too much would have to be looked through.
 */
export async function findTargets(db: Database, scope: Scope, body: BulkBody): Promise<Target[]> {
  mustMeanSomething(body)
  const targets = body.ids === undefined ? await matchingTargets(db, scope, body) : await namedTargets(db, scope, body.kind, body.ids)
  if (targets.length > MAX_BULK)
    throw problem('BULK_TOO_MANY', 'filter', `more than ${MAX_BULK} match: narrow the filter, and do the rest in another operation`, {
      max: MAX_BULK,
    })
  if (targets.length === 0) throw problem('BULK_NOTHING', 'filter', 'nothing matches that this could be done to: choose another filter')
  return targets
}

function mustMeanSomething(body: BulkBody): void {
  if ((body.ids === undefined) === (body.filter === undefined))
    throw problem('BULK_IDS_OR_FILTER', 'ids', 'give either ids or a filter: {} means everything that you see')
  if (!('cancelRunning' in body) || body.action === 'stop' || body.action === 'delete') return
  const message = `only stop and delete can cancel what runs, ${body.action} cannot: leave it out`
  const params = { value: body.cancelRunning }
  throw new AppError('VALIDATION_FAILED', message, { errors: [{ path: 'cancelRunning', code: 'NOT_ALLOWED_VALUE', message, params }] })
}

function problem(code: FieldCode, path: string, message: string, params: Record<string, number> = {}): AppError {
  return new AppError('UNPROCESSABLE', `${path}: ${message}`, { errors: [{ path, code, message, params }] })
}

async function matchingTargets(db: Database, scope: Scope, body: BulkBody): Promise<Target[]> {
  switch (body.kind) {
    case 'task':
      return matchingScheduled(db, TASK, scope, body.filter ?? {})
    case 'workflow':
      return matchingScheduled(db, WORKFLOW, scope, body.filter ?? {})
    case 'instance':
      return matchingRuns(db, scope, body.action, body.filter ?? {})
  }
}

async function matchingScheduled(db: Database, kind: ScheduledKind, scope: Scope, filter: TaskFilter): Promise<Target[]> {
  const groupIds = groupsOf(scope, filter.groupId)
  if (groupIds?.length === 0) return []
  const rest = matching(kind, groupIds, filter)
  const found = filter.handlerKind === undefined ? rest : rest.where('handler_kind', '=', filter.handlerKind)
  const rows = await db.read((tx) =>
    tx.rows(
      found
        .select(['id', 'group_id', 'name'])
        .orderBy('id', 'desc')
        .limit(MAX_BULK + 1),
    ),
  )
  return rows.map(targetOf)
}

function targetOf({ id, group_id: groupId, name }: Pick<TaskRow, 'id' | 'group_id' | 'name'>): Target {
  return { id, groupId, name }
}

/** Runs are looked for in short reads: none holds a view of the store for long. */
async function matchingRuns(db: Database, scope: Scope, action: Bulk['action'], asked: InstanceFilter): Promise<Target[]> {
  const wanted = filterOf(scope, asked)
  const states = wanted.states.filter(action === 'cancel' ? isOpen : isRetried(asked))
  if (states.length === 0) return []
  const ids = asked.workflowRunId === undefined ? null : await db.read((tx) => runsOfSteps(tx, asked.workflowRunId ?? 0))
  const filter: RunFilter = { ...wanted, states, ids }
  const found: number[] = []
  let below = Number.MAX_SAFE_INTEGER
  for (let looks = 0; found.length <= MAX_BULK; looks += 1) {
    if (looks === LOOKS_MAX)
      throw problem('BULK_TOO_WIDE', 'filter', 'too many runs would have to be looked through: narrow the filter by time, task or state')
    const page = await db.read((tx) => findRuns(tx, filter, below, MAX_BULK + 1 - found.length))
    found.push(...(action === 'retry' ? await notRetried(db, page.ids) : page.ids))
    if (page.next === null) break
    below = page.next
  }
  return namedRuns(db, scope, found)
}

/** What did not succeed, unless the filter names states: nobody means to run again what went well by not saying so. */
function isRetried({ state }: InstanceFilter): (state: InstanceState) => boolean {
  const isNamed = state !== undefined && state !== ''
  return (word) => !isOpen(word) && (isNamed || word !== 'succeeded')
}

/** One retry for each run. */
async function notRetried(db: Database, ids: readonly number[]): Promise<number[]> {
  const retried = new Set<number>()
  for (const part of partsOf(ids, READ_AT_ONCE)) {
    const rows = await db.read((tx) => tx.rows(query.selectFrom('retry_link').select('instance_id').where('instance_id', 'in', part)))
    for (const row of rows) retried.add(row.instance_id)
  }
  return ids.filter((id) => !retried.has(id))
}

async function namedTargets(db: Database, scope: Scope, kind: Bulk['kind'], ids: readonly number[]): Promise<Target[]> {
  const found =
    kind === 'instance' ? await namedRuns(db, scope, ids) : await namedScheduled(db, scope, kind === 'task' ? TASK : WORKFLOW, ids)
  const byId = new Map(found.map((target) => [target.id, target]))
  return ids.map((id) => byId.get(id) ?? { id, groupId: 0, name: '' })
}

async function namedScheduled(db: Database, scope: Scope, kind: ScheduledKind, ids: readonly number[]): Promise<Target[]> {
  const found: Target[] = []
  for (const part of partsOf(ids, READ_AT_ONCE)) {
    const rows = await db.read((tx) =>
      tx.rows(
        query.selectFrom('task').select(['id', 'group_id', 'name', 'handler_kind']).where('id', 'in', part).where('deleted_at', 'is', null),
      ),
    )
    found.push(...rows.filter((row) => kindOfRow(row) === kind && isVisible(scope, row.group_id)).map(targetOf))
  }
  return found
}

/** Runs by id with the names that lists give them, in the order of the ids; those that are not visible are left out. */
async function namedRuns(db: Database, scope: Scope, ids: readonly number[]): Promise<Target[]> {
  const found = new Map<number, Target>()
  for (const part of partsOf(ids, READ_AT_ONCE))
    for (const target of await db.read((tx) => runTargets(tx, scope, part))) found.set(target.id, target)
  return ids.flatMap((id) => found.get(id) ?? [])
}

async function runTargets(tx: ReadTx, scope: Scope, ids: readonly number[]): Promise<Target[]> {
  const runs = (await readRuns(tx, ids)).filter((run) => !isOfWorkflow(run) && isVisible(scope, run.row.group_id))
  const items = await listItems(tx, runs, scope)
  return items.map(({ id, groupId, taskName }) => ({ id, groupId, name: taskName.slice(0, NAME_MAX) }))
}
