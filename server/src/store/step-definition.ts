import { TASK_DEFAULTS, type Handler, type TaskDefinition } from '@tickwheel/contract'
import type { InlineTask, Step } from '@tickwheel/core'
import type { ReadTx } from './database.ts'
import type { RunFacts } from './schema.ts'
import { definitionOf } from './tasks.ts'
import type { RunDefinition } from './workflow-definition.ts'

/** What says which definition a run has: the version of its task, and the step that it is done for. `stepNo` null: none. */
export interface DefinitionKeys {
  readonly taskId: number
  readonly taskVersion: number
  readonly workflowId: number | null
  readonly workflowVersion: number | null
  readonly stepNo: number | null
}

export type DefinitionColumns = Pick<RunFacts, 'task_id' | 'task_version' | 'workflow_id' | 'workflow_version' | 'step_no'>

export function keysOfRow(row: DefinitionColumns): DefinitionKeys {
  return {
    taskId: row.task_id,
    taskVersion: row.task_version,
    workflowId: row.workflow_id,
    workflowVersion: row.workflow_version,
    stepNo: row.step_no,
  }
}

/** Whether a run is of a task that a step defines in place, or the parent of a fan-out: its `taskId` is the workflow, of which it is no run. */
export function isInPlace({ taskId, workflowId, stepNo }: Pick<DefinitionKeys, 'taskId' | 'workflowId' | 'stepNo'>): boolean {
  return stepNo !== null && taskId === workflowId
}

/**
 * What a run does, from the version of its task (`own`) and that of the workflow whose step it is (`workflow`): of a step the task with the step's retry and
 * time limit in place, or what the step defines in place. Null: one of them is missing or damaged.
 */
export function resolveDefinition(keys: DefinitionKeys, own: RunDefinition | null, workflow: RunDefinition | null): RunDefinition | null {
  if (keys.stepNo === null) return own
  const step = workflow?.flow?.graph.steps[keys.stepNo]
  if (workflow === null || step === undefined) return null
  if (isInPlace(keys)) return inPlace(workflow, step)
  return own === null ? null : ofStep(own, step)
}

/** What a fan-out says of retry and time is its own, and not its children's. */
function ofStep(own: RunDefinition, step: Step): RunDefinition {
  if (step.kind === 'fanOut') return own
  return {
    ...own,
    ...(step.retry === undefined ? {} : { retry: { ...TASK_DEFAULTS.retry, ...step.retry } }),
    ...(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }),
  }
}

function inPlace(workflow: RunDefinition, step: Step): RunDefinition {
  const { flow: _flow, ...envelope } = workflow
  const inline = inlineOf(step)
  const task: TaskDefinition = {
    ...TASK_DEFAULTS,
    tags: [],
    schedule: { kind: 'manual' },
    name: `${envelope.name}.${step.key}`,
    owner: envelope.owner,
    priority: envelope.priority,
    overlap: { policy: 'parallel', max: TASK_DEFAULTS.overlap.max },
    handler: envelope.handler,
    ...(inline === undefined ? {} : workOf(inline)),
  }
  return ofStep(task, step)
}

function inlineOf(step: Step): InlineTask | undefined {
  if (step.kind === 'task') return step.inline
  return step.kind === 'fanOut' && step.each.kind === 'task' ? step.each.inline : undefined
}

/** The text of the version was checked when it was read: `InlineTask` of core only names no fields of handlers. */
function workOf({ handler, routing, labels, sharding }: InlineTask): Pick<TaskDefinition, 'handler'> & Partial<TaskDefinition> {
  return {
    handler: handler as Handler,
    ...(routing === undefined ? {} : { routing: routing as TaskDefinition['routing'] }),
    ...(labels === undefined ? {} : { labels }),
    ...(sharding === undefined ? {} : { sharding: sharding as NonNullable<TaskDefinition['sharding']> }),
  }
}

/** The definition of a run, inside a transaction. Null: none, or damaged. */
export async function definitionOfRun(tx: ReadTx, row: DefinitionColumns): Promise<RunDefinition | null> {
  const own = await definitionOf(tx, row.task_id, row.task_version)
  if (row.step_no === null || row.workflow_id === null || row.workflow_version === null) return own
  const isSame = row.workflow_id === row.task_id && row.workflow_version === row.task_version
  return resolveDefinition(keysOfRow(row), own, isSame ? own : await definitionOf(tx, row.workflow_id, row.workflow_version))
}
