import {
  AppError,
  TASK_DEFAULTS,
  type FieldProblem,
  type WorkflowCreate,
  type WorkflowDefinition,
  type WorkflowUpdate,
} from '@tickwheel/contract'
import { accountOf, type Caller, type Change } from './caller.ts'
import type { Database, ReadTx, Tx } from './database.ts'
import { isSharded } from './is-sharded.ts'
import { CALENDARS_LEVEL, VARIABLES_LEVEL, WORKFLOWS_LEVEL } from './levels.ts'
import { judgeWorkflow } from './references.ts'
import {
  createScheduled,
  lockScheduled,
  placeProblemsOf,
  requireVersion,
  saveScheduled,
  type Content,
  type TaskChanged,
  type Wish,
} from './scheduled.ts'
import { WORKFLOW } from './scheduled-kind.ts'
import { calendarIdOf, completeSchedule } from './schedules.ts'
import { WORKFLOW_KIND, workflowText, type StoredWorkflow } from './workflow-definition.ts'
import { noteWorkflows } from './workflow-mark.ts'
import { definitionProblems, inlineTasksOf, isTooLarge } from './workflow-problems.ts'
import type { RunRights } from './run-rights.ts'
import { recursionProblems, resolveReferences, withPresentNames, type ComingWorkflows } from './workflow-refs.ts'
import { readWorkflow } from './workflow-versions.ts'

export interface WorkflowWish {
  readonly input: WorkflowCreate
  readonly serverZone: string
  /** where its author may run what it refers to */
  readonly mayRun: RunRights
  /** what is made in the same transaction, and may be referred to before it is there */
  readonly coming?: ComingWorkflows
}

/** Makes a workflow, its first version, its series and its first span. 422 `UNPROCESSABLE` names every problem at once. */
export async function createWorkflow(db: Database, wish: WorkflowWish, change: Change): Promise<TaskChanged> {
  return db.write('rest', (tx) => createWorkflowIn(tx, wish, change))
}

/** As `createWorkflow`, in a transaction of the caller. `id`: taken for it before, by `takeEntityId`. */
export async function createWorkflowIn(
  tx: Tx,
  { input, serverZone, mayRun, coming, id = null }: WorkflowWish & { readonly id?: number | null },
  change: Change,
): Promise<TaskChanged> {
  const definition = completeWorkflow(input, serverZone)
  const wish = await wishOf(tx, id, { groupId: input.groupId, definition, mayRun, serverZone, caller: change.caller, coming })
  const changed = await createScheduled(tx, WORKFLOW, { ...wish, isEnabled: input.enabled ?? false, id }, change)
  await noteWorkflows(tx)
  return changed
}

export type WorkflowSave = Omit<WorkflowWish, 'input'> & { readonly workflowId: number; readonly input: WorkflowUpdate }

/** Saves a new version. `input.version` must be the current one (409 `STALE_VERSION`). Runs that have begun keep theirs. */
export async function updateWorkflow(db: Database, save: WorkflowSave, change: Change): Promise<TaskChanged> {
  return db.write('rest', (tx) => updateWorkflowIn(tx, save, change))
}

/** As `updateWorkflow`, in a transaction of the caller. */
export async function updateWorkflowIn(
  tx: Tx,
  { workflowId, input, serverZone, mayRun, coming }: WorkflowSave,
  change: Change,
): Promise<TaskChanged> {
  const workflow = await lockScheduled(tx, WORKFLOW, workflowId, change.scope)
  requireVersion(workflow, input.version)
  const definition = completeWorkflow(input, serverZone)
  const wish = await wishOf(tx, workflowId, { groupId: input.groupId, definition, mayRun, serverZone, caller: change.caller, coming })
  const before = await contentOfVersion(tx, workflowId, workflow.row.version)
  return saveScheduled(tx, workflow, { ...wish, isEnabled: input.enabled ?? workflow.row.enabled === 1, verb: 'edit', before }, change)
}

/**
 * Saves a new version that equals an old one; group and enabled stay as they are. What it refers to is looked for again under its present name and with
 * the rights of whoever restores it.
 */
export async function restoreWorkflowVersion(
  db: Database,
  { workflowId, version, serverZone, mayRun }: { workflowId: number; version: number; serverZone: string; mayRun: RunRights },
  change: Change,
): Promise<TaskChanged> {
  return db.write('rest', async (tx) => {
    const workflow = await lockScheduled(tx, WORKFLOW, workflowId, change.scope)
    const old = await readWorkflow(tx, workflowId, version)
    if (old === null) throw new AppError('WORKFLOW_VERSION_NOT_FOUND', `workflow ${workflowId} has no version ${version}`)
    const definition = await withPresentNames(tx, old.stored)
    const { row } = workflow
    const wish = await wishOf(tx, workflowId, { groupId: row.group_id, definition, mayRun, serverZone, caller: change.caller })
    const before = await contentOfVersion(tx, workflowId, row.version)
    return saveScheduled(tx, workflow, { ...wish, isEnabled: row.enabled === 1, verb: 'restore', before }, change)
  })
}

/** Everything that a save would refuse in an unsaved definition. `workflowId`: what it would be saved over; null: a new one. */
export async function workflowProblems(
  db: Database,
  { workflowId, input, serverZone, mayRun }: { workflowId: number | null; input: WorkflowCreate; serverZone: string; mayRun: RunRights },
  { scope, now, caller }: Pick<Change, 'scope' | 'now' | 'caller'>,
): Promise<FieldProblem[]> {
  return db.read(async (tx) => {
    const definition = completeWorkflow(input, serverZone)
    const wish = await wishOf(tx, workflowId, { groupId: input.groupId, definition, mayRun, serverZone, caller })
    const whole: Wish = { ...wish, isEnabled: input.enabled ?? false }
    return [...(await placeProblemsOf(tx, WORKFLOW, { wish: whole, exceptId: workflowId, scope, now })), ...wish.problems]
  })
}

/** A definition with every default filled in and names trimmed. */
export function completeWorkflow(input: WorkflowCreate, serverZone: string): WorkflowDefinition {
  const { paramsSchema, outputs, layout } = input
  return {
    name: input.name.trim(),
    description: input.description ?? TASK_DEFAULTS.description,
    owner: (input.owner ?? TASK_DEFAULTS.owner).trim(),
    tags: [...new Set((input.tags ?? []).map((tag) => tag.trim()).filter((tag) => tag !== ''))],
    schedule: completeSchedule(input.schedule, serverZone),
    overlap: { ...TASK_DEFAULTS.overlap, ...input.overlap },
    misfire: { ...TASK_DEFAULTS.misfire, ...input.misfire },
    timeoutMs: input.timeoutMs ?? TASK_DEFAULTS.timeoutMs,
    priority: input.priority ?? TASK_DEFAULTS.priority,
    pauseAfterFailures: input.pauseAfterFailures ?? TASK_DEFAULTS.pauseAfterFailures,
    steps: input.steps,
    edges: input.edges,
    stepConcurrency: input.stepConcurrency ?? 0,
    onFailure: input.onFailure ?? 'finish',
    ...(paramsSchema === undefined ? {} : { paramsSchema }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(layout === undefined ? {} : { layout }),
  }
}

interface Draft {
  readonly groupId: number
  readonly definition: WorkflowDefinition
  readonly mayRun: RunRights
  readonly serverZone: string
  readonly caller: Caller
  readonly coming?: ComingWorkflows | undefined
}

async function wishOf(
  tx: ReadTx,
  selfId: number | null,
  { groupId, definition, mayRun, serverZone, caller, coming }: Draft,
): Promise<Omit<Wish, 'isEnabled'>> {
  const savedBy = accountOf(caller)
  const own = definitionProblems(definition)
  if (own.some(isTooLarge)) return { groupId, content: contentOf(hollow(definition)), problems: own, references: [], serverZone }
  const { refs, problems } = await resolveReferences(tx, definition, mayRun, coming)
  const circles = await recursionProblems(tx, selfId, { definition, refs })
  const judged = await judgeWorkflow(tx, { groupId, definition, refs, mayRefer: mayRun.secrets ?? [] })
  const content = contentOf({ definition, refs, savedBy })
  return {
    groupId,
    content: { ...content, need: needOf(definition, judged.references.length > 0) ?? content.need },
    problems: [...own, ...problems, ...circles, ...judged.problems],
    references: judged.references,
    serverZone,
  }
}

function needOf(definition: WorkflowDefinition, hasReferences: boolean): Content['need'] {
  if (calendarIdOf(definition.schedule) !== null) return CALENDARS_NEED
  return hasReferences || hasEnvironment(definition) ? VARIABLES_NEED : null
}

const CALENDARS_NEED = { level: CALENDARS_LEVEL, what: 'keep to calendars', remedy: 'leave the calendar out' }
const VARIABLES_NEED = {
  level: VARIABLES_LEVEL,
  what: 'give runs variables and secrets',
  remedy: 'leave out environments and references to variables and secrets',
}

function hasEnvironment(definition: WorkflowDefinition): boolean {
  return inlineTasksOf(definition).some(({ inline }) => 'env' in inline.handler)
}

/** What stands for a definition that is refused because it is too large to be written. */
function hollow(definition: WorkflowDefinition): StoredWorkflow {
  const { paramsSchema: _schema, outputs: _outputs, layout: _layout, ...rest } = definition
  return { definition: { ...rest, steps: [], edges: [] }, refs: { tasks: {}, workflows: {} }, savedBy: null }
}

async function contentOfVersion(tx: Tx, workflowId: number, version: number): Promise<Content | null> {
  const read = await readWorkflow(tx, workflowId, version)
  return read === null ? null : contentOf(read.stored)
}

function contentOf(stored: StoredWorkflow): Content {
  const { definition } = stored
  const { name, schedule, description, owner, tags } = definition
  return {
    name,
    schedule,
    columns: { description, owner, tags: JSON.stringify(tags), handler_kind: WORKFLOW_KIND },
    text: workflowText(stored),
    fields: definition,
    need: { level: WORKFLOWS_LEVEL, what: 'run workflows', remedy: 'save it when every node is new enough' },
    hasShards: inlineTasksOf(definition).some(({ inline }) => isSharded(inline)),
  }
}
