import type { FieldProblem, Step, WorkflowDefinition } from '@tickwheel/contract'
import { referencesOf, WORKFLOW_LIMITS, type Scope, type WorkflowReference } from '@tickwheel/core'
import { query, type ReadTx } from './database.ts'
import { nameKey } from './definition.ts'
import { partsOf } from './list.ts'
import type { RunRights } from './run-rights.ts'
import { isSharded, itemIsSharded } from './is-sharded.ts'
import { keyOf } from './scheduled.ts'
import { TASK, WORKFLOW, type ScheduledKind } from './scheduled-kind.ts'
import { isVisible } from './scope.ts'
import { definitionOf } from './tasks.ts'
import { graphOf, type StoredWorkflow, type WorkflowRefs } from './workflow-definition.ts'
import { readWorkflow } from './workflow-versions.ts'

/*
 * What a workflow refers to by "group/name": found with the rights of whoever saves it, and kept by id, so that a later rename changes nothing. Whoever
 * reads the workflow is shown the present names.
 */

/** Workflows that are made in the same transaction, by `pathKey`. */
export type ComingWorkflows = ReadonlyMap<string, { readonly id: number; readonly groupId: number }>

const NONE_COMING: ComingWorkflows = new Map()

/** What makes "group/name" one thing, however it is written. */
export function pathKey(path: string): string {
  return path.split('/').map(nameKey).join('/')
}

/** Finds what is referred to. What does not exist and what the caller may not run are the same problem: nobody learns of one what the other is. */
export async function resolveReferences(
  tx: ReadTx,
  definition: WorkflowDefinition,
  mayRun: RunRights,
  coming: ComingWorkflows = NONE_COMING,
): Promise<{ readonly refs: WorkflowRefs; readonly problems: FieldProblem[] }> {
  const references = referencesOf(graphOf(definition))
  const tasks = await idsOf(tx, TASK, namesIn(references, 'task'), mayRun.tasks)
  const workflows = await idsOf(tx, WORKFLOW, namesIn(references, 'workflow'), mayRun.workflows)
  for (const name of namesIn(references, 'workflow')) {
    const made = coming.get(pathKey(name))
    if (made !== undefined && isVisible(mayRun.workflows, made.groupId)) workflows.set(name, made.id)
  }
  const isKnown = ({ kind, name }: WorkflowReference): boolean => (kind === 'task' ? tasks : workflows).has(name)
  return {
    refs: { tasks: Object.fromEntries(tasks), workflows: Object.fromEntries(workflows) },
    problems: [...references.filter((reference) => !isKnown(reference)).map(unknown), ...(await shardedItems(tx, definition, tasks))],
  }
}

/** Fan-outs whose items would be runs of a task that is split into shards: an item is not split again. */
async function shardedItems(tx: ReadTx, { steps }: WorkflowDefinition, tasks: ReadonlyMap<string, number>): Promise<FieldProblem[]> {
  const known = new Map<number, boolean>()
  const problems: FieldProblem[] = []
  for (const [index, step] of steps.entries()) {
    if (step.kind !== 'fanOut' || step.each.kind !== 'task' || step.each.task === undefined) continue
    const name = step.each.task
    const id = tasks.get(name)
    if (id === undefined) continue
    const isSplit = known.get(id) ?? (await isShardedNow(tx, id))
    known.set(id, isSplit)
    if (isSplit)
      problems.push({ path: `steps.${index}.each.task`, code: 'NOT_ALLOWED_VALUE', message: itemIsSharded(name), params: { name } })
  }
  return problems
}

async function isShardedNow(tx: ReadTx, taskId: number): Promise<boolean> {
  const row = await tx.first(query.selectFrom('task').select('version').where('id', '=', taskId))
  const definition = row === null ? null : await definitionOf(tx, taskId, row.version)
  return definition !== null && isSharded(definition)
}

function namesIn(references: readonly WorkflowReference[], kind: WorkflowReference['kind']): string[] {
  return [...new Set(references.filter((reference) => reference.kind === kind).map(({ name }) => name))]
}

function unknown({ kind, name, path }: WorkflowReference): FieldProblem {
  return {
    path,
    code: 'WORKFLOW_UNKNOWN_TASK',
    message: `there is no ${kind} "${name}" that you may run; write it as group/name`,
    params: { name, kind },
  }
}

/** Ids by "group/name". */
async function idsOf(tx: ReadTx, kind: ScheduledKind, names: readonly string[], scope: Scope): Promise<Map<string, number>> {
  const wanted = names.map((name) => ({ name, group: nameKey(name.split('/')[0] ?? ''), key: keyOf(kind, name.split('/')[1] ?? '') }))
  const groups = await groupsByKey(tx, [...new Set(wanted.map(({ group }) => group))])
  const found = new Map<string, number>()
  for (const [group, inGroup] of Map.groupBy(wanted, (one) => one.group)) {
    const groupId = groups.get(group)
    if (groupId === undefined || !isVisible(scope, groupId)) continue
    const ids = await idsInGroup(
      tx,
      groupId,
      inGroup.map(({ key }) => key),
    )
    for (const { name, key } of inGroup) {
      const id = ids.get(key)
      if (id !== undefined) found.set(name, id)
    }
  }
  return found
}

const NAMES_AT_ONCE = 500

async function groupsByKey(tx: ReadTx, keys: readonly string[]): Promise<Map<string, number>> {
  const groups = new Map<string, number>()
  for (const part of partsOf(keys, NAMES_AT_ONCE)) {
    const rows = await tx.rows(query.selectFrom('task_group').select(['id', 'name_key']).where('name_key', 'in', part))
    for (const row of rows) groups.set(row.name_key, row.id)
  }
  return groups
}

async function idsInGroup(tx: ReadTx, groupId: number, keys: readonly string[]): Promise<Map<string, number>> {
  const ids = new Map<string, number>()
  for (const part of partsOf([...new Set(keys)], NAMES_AT_ONCE)) {
    const rows = await tx.rows(
      query.selectFrom('task').select(['id', 'name_key']).where('group_id', '=', groupId).where('name_key', 'in', part),
    )
    for (const row of rows) if (row.name_key !== null) ids.set(row.name_key, row.id)
  }
  return ids
}

/** So many others are read at most to find a circle. */
const MAX_READ = 1000

/**
 * References by which a workflow would contain itself, through any others, or more than five deep. `selfId` null: it does not exist yet, so nothing can
 * refer to it. Two saves at one instant can still close a circle; a run that goes too deep fails with `WORKFLOW_TOO_DEEP`.
 */
export async function recursionProblems(
  tx: ReadTx,
  selfId: number | null,
  { definition, refs }: Pick<StoredWorkflow, 'definition' | 'refs'>,
): Promise<FieldProblem[]> {
  const parts = new PartsOfWorkflows(tx)
  const problems: FieldProblem[] = []
  for (const { name, path, use, kind } of referencesOf(graphOf(definition))) {
    const id = refs.workflows[name]
    if (kind !== 'workflow' || use !== 'run' || id === undefined) continue
    const found = await judge(parts, selfId, id)
    if (found !== null) problems.push({ path, code: 'WORKFLOW_RECURSION', message: wordsOf(found, name), params: { name, why: found } })
  }
  return problems
}

type Recursion = 'contains' | 'tooDeep' | 'tooMany'

function wordsOf(found: Recursion, name: string): string {
  switch (found) {
    case 'contains':
      return `"${name}" contains this workflow, itself or through others: a workflow cannot run inside itself`
    case 'tooDeep':
      return `"${name}" has sub-workflows so deep that this one would be nested more than ${WORKFLOW_LIMITS.depth} deep`
    case 'tooMany':
      return `through "${name}" this workflow contains more than ${MAX_READ} others`
  }
}

/** Level by level from one reference down; what a level holds is in it once. */
async function judge(parts: PartsOfWorkflows, selfId: number | null, first: number): Promise<Recursion | null> {
  let level = new Set([first])
  for (let depth = 1; level.size > 0; depth++) {
    if (selfId !== null && level.has(selfId)) return 'contains'
    if (depth > WORKFLOW_LIMITS.depth) return 'tooDeep'
    const below = new Set<number>()
    for (const id of level) for (const part of await parts.of(id)) below.add(part)
    if (parts.count > MAX_READ) return 'tooMany'
    level = below
  }
  return null
}

/** Which workflows are parts of which, each read once. */
class PartsOfWorkflows {
  readonly #tx: ReadTx
  readonly #known = new Map<number, readonly number[]>()

  constructor(tx: ReadTx) {
    this.#tx = tx
  }

  get count(): number {
    return this.#known.size
  }

  async of(id: number): Promise<readonly number[]> {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const read = this.#known.size > MAX_READ ? [] : await this.#read(id)
    this.#known.set(id, read)
    return read
  }

  async #read(id: number): Promise<number[]> {
    const row = await this.#tx.first(query.selectFrom('task').select(['version', 'deleted_at']).where('id', '=', id))
    const read = row === null || row.deleted_at !== null ? null : await readWorkflow(this.#tx, id, row.version)
    if (read === null) return []
    const { definition, refs } = read.stored
    const ids = referencesOf(graphOf(definition)).flatMap(({ kind, name, use }) =>
      kind === 'workflow' && use === 'run' ? (refs.workflows[name] ?? []) : [],
    )
    return [...new Set(ids)]
  }
}

/** A stored definition with the present names of what it refers to; what was deleted keeps the name that it was saved with. */
export async function withPresentNames(tx: ReadTx, { definition, refs }: StoredWorkflow): Promise<WorkflowDefinition> {
  const names = await presentNames(tx, [...Object.values(refs.tasks), ...Object.values(refs.workflows)])
  const task = (name: string): string => names.get(refs.tasks[name] ?? 0) ?? name
  const workflow = (name: string): string => names.get(refs.workflows[name] ?? 0) ?? name
  return { ...definition, steps: definition.steps.map((step) => renamed(step, { task, workflow })) }
}

interface Names {
  readonly task: (name: string) => string
  readonly workflow: (name: string) => string
}

function renamed(step: Step, names: Names): Step {
  switch (step.kind) {
    case 'task':
      return step.task === undefined ? step : { ...step, task: names.task(step.task) }
    case 'subWorkflow':
      return { ...step, workflow: names.workflow(step.workflow) }
    case 'fanOut': {
      const { each } = step
      if (each.kind === 'subWorkflow') return { ...step, each: { ...each, workflow: names.workflow(each.workflow) } }
      return each.task === undefined ? step : { ...step, each: { ...each, task: names.task(each.task) } }
    }
    case 'wait': {
      const { upstream } = step
      if (upstream === undefined) return step
      return {
        ...step,
        upstream: {
          ...upstream,
          ...(upstream.task === undefined ? {} : { task: names.task(upstream.task) }),
          ...(upstream.workflow === undefined ? {} : { workflow: names.workflow(upstream.workflow) }),
        },
      }
    }
    case 'condition':
    case 'switch':
    case 'approval':
      return step
  }
}

async function presentNames(tx: ReadTx, ids: readonly number[]): Promise<Map<number, string>> {
  const names = new Map<number, string>()
  for (const part of partsOf([...new Set(ids)], NAMES_AT_ONCE)) {
    const rows = await tx.rows(
      query
        .selectFrom('task')
        .innerJoin('task_group', 'task_group.id', 'task.group_id')
        .select(['task.id', 'task.name', 'task_group.name as group_name'])
        .where('task.id', 'in', part)
        .where('task.deleted_at', 'is', null),
    )
    for (const row of rows) names.set(row.id, `${row.group_name}/${row.name}`)
  }
  return names
}
