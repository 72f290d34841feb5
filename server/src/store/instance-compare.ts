import { isDeepStrictEqual } from 'node:util'
import type { ComparedRun, InstanceComparison, InstanceListItem, TaskDefinition } from '@tickwheel/contract'
import { segmentsOf, type Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { findRuns, type FoundPage } from './instance-find.ts'
import { listItems, paramsOf, readRuns, visibleRun, type Run } from './instances.ts'
import { definitionOfRun, isInPlace, keysOfRow } from './step-definition.ts'
import { stepNames } from './step-names.ts'
import { hideParams } from './task-list.ts'

/** Steps of one workflow are looked through, newest first, for the same step. */
const STEPS_LOOKED_AT = 500

export interface ComparingCaller {
  readonly now: number
  readonly mayViewParams: (groupId: number) => boolean
  /** whether the definition of a run may be seen; `isInPlace`: that is one of a workflow */
  readonly mayView: (groupId: number, isInPlace: boolean) => boolean
}

/**
 * A run beside the newest one before it that succeeded, of the same task and in sight: of a step defined in place of the same step, of a shard the one
 * with the same key. Reads at most 20,000 entries of the task's index. 404 `INSTANCE_NOT_FOUND` when the run does not exist or is not visible.
 */
export async function compareInstance(
  db: Database,
  scope: Scope,
  instanceId: number,
  caller: ComparingCaller,
): Promise<InstanceComparison> {
  return db.read(async (tx) => {
    const run = await visibleRun(tx, scope, instanceId)
    const found = await lastSuccess(tx, scope, run)
    const success = typeof found === 'string' ? null : found
    const runs = success === null ? [run] : [run, success]
    const items = new Map((await listItems(tx, runs, scope)).map((item) => [item.id, item]))
    const sides: Side[] = []
    for (const one of runs) sides.push(await sideOf(tx, one, items.get(one.row.id), caller))
    const [mine, other] = sides
    if (mine === undefined) throw new Error(`run ${instanceId} is visible and has no side`)
    const differences = other === undefined ? [] : differencesOf(mine, other)
    const shown = ({ facts, definition }: Side): ComparedRun => ({
      ...facts,
      definition: differences.includes('definition') ? definition : null,
    })
    const hidden = [...new Set(sides.flatMap((side) => side.hidden))]
    return {
      run: shown(mine),
      success: other === undefined ? null : shown(other),
      noSuccess: typeof found === 'string' ? found : null,
      differences,
      ...(hidden.length === 0 ? {} : { hidden }),
    }
  })
}

type NoSuccess = NonNullable<InstanceComparison['noSuccess']>

async function lastSuccess(tx: ReadTx, scope: Scope, { row }: Run): Promise<Run | NoSuccess> {
  const sought = isInPlace(keysOfRow(row)) ? STEPS_LOOKED_AT : 1
  const filter = {
    scope,
    taskId: row.task_id,
    states: ['succeeded'],
    hasShards: row.shard_index !== null,
    shardKey: row.shard_index === null ? undefined : (row.shard_key ?? ''),
    ids: null,
    fromAt: null,
    toAt: null,
  } as const
  const found = await findRuns(tx, filter, row.id, sought)
  const candidates = await readRuns(tx, found.ids)
  const success = sought === 1 ? candidates[0] : await ofSameStep(tx, row, candidates)
  return success ?? whyNone(found)
}

function whyNone({ next }: FoundPage): NoSuccess {
  return next === null ? 'none' : 'notAmongNewest'
}

/** Steps are told apart by their keys, which stay when a workflow is changed and its steps move. */
async function ofSameStep(tx: ReadTx, row: Run['row'], candidates: readonly Run[]): Promise<Run | undefined> {
  const nameOf = await stepNames(tx, [row, ...candidates.map((candidate) => candidate.row)])
  const key = nameOf(row)?.key
  return candidates.find((candidate) => key !== undefined && nameOf(candidate.row)?.key === key)
}

interface Side {
  readonly facts: Omit<ComparedRun, 'definition'>
  readonly definition: TaskDefinition | null
  readonly hidden: readonly string[]
}

async function sideOf(tx: ReadTx, run: Run, item: InstanceListItem | undefined, caller: ComparingCaller): Promise<Side> {
  const { row } = run
  if (item === undefined) throw new Error(`run ${row.id} was read and is not listed`)
  const mayViewParams = caller.mayViewParams(row.group_id)
  const mayView = caller.mayView(row.group_id, isInPlace(keysOfRow(row)))
  const definition = mayView ? await shownDefinition(tx, run, mayViewParams) : null
  return {
    facts: { ...factsOf(item, caller.now), params: mayViewParams ? await givenParams(tx, run) : null },
    definition,
    hidden: [...(mayViewParams ? [] : ['params']), ...(mayView ? [] : ['definition'])],
  }
}

async function givenParams(tx: ReadTx, { row }: Run): Promise<string> {
  return paramsOf(tx, row, await tx.rows(query.selectFrom('payload').selectAll().where('instance_id', '=', row.id)))
}

async function shownDefinition(tx: ReadTx, { row }: Run, mayViewParams: boolean): Promise<TaskDefinition | null> {
  const definition = await definitionOfRun(tx, row)
  if (definition === null) return null
  const { flow: _flow, ...own } = definition
  return mayViewParams ? own : hideParams(own).definition
}

function factsOf(item: InstanceListItem, now: number): Omit<ComparedRun, 'definition' | 'params'> {
  const { id, state, cause, actor, taskVersion, attempt, scheduledAt, firedAt, startedAt, endedAt, executorId, executorName } = item
  const segments = segmentsOf(item, now).map(({ name, ms }) => ({ name, ms }))
  const totalMs = segments.reduce((sum, segment) => sum + segment.ms, 0)
  const instants = { scheduledAt, firedAt, startedAt, endedAt }
  return { id, state, cause, actor, taskVersion, attempt, ...instants, executorId, executorName, totalMs, segments }
}

/** What is hidden is not said to differ. */
function differencesOf(mine: Side, other: Side): InstanceComparison['differences'] {
  const [a, b] = [mine.facts, other.facts]
  const isSeen = (field: string): boolean => ![...mine.hidden, ...other.hidden].includes(field)
  return [
    ...(isSeen('params') && a.params !== b.params ? (['params'] as const) : []),
    ...(a.taskVersion === b.taskVersion ? [] : (['version'] as const)),
    ...(isSeen('definition') && !isDeepStrictEqual(mine.definition, other.definition) ? (['definition'] as const) : []),
    ...(a.executorId === null || b.executorId === null || a.executorId === b.executorId ? [] : (['executor'] as const)),
    ...(a.attempt === b.attempt ? [] : (['attempts'] as const)),
  ]
}
