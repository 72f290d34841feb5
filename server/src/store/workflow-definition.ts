import { TASK_DEFAULTS, WorkflowDefinition, type TaskDefinition } from '@tickwheel/contract'
import type { Graph } from '@tickwheel/core'
import { Compile } from 'typebox/compile'

/** `task.handler_kind` of a workflow. It is none of the kinds that a task may have. */
export const WORKFLOW_KIND = 'workflow'

/** What a graph refers to by "group/name", resolved when it was saved: a later rename does not change what a step runs. */
export interface WorkflowRefs {
  readonly tasks: Readonly<Record<string, number>>
  readonly workflows: Readonly<Record<string, number>>
}

export interface StoredWorkflow {
  readonly definition: WorkflowDefinition
  readonly refs: WorkflowRefs
  /** who saved it, by id: what it refers to must still be allowed to them when it runs; null: the system */
  readonly savedBy: number | null
}

/** What the engine knows of the version of a task or of a workflow. `flow`: it is a workflow, and the handler stands for nothing. */
export type RunDefinition = TaskDefinition & { readonly flow?: Flow }
export interface Flow {
  readonly graph: Graph
  readonly refs: WorkflowRefs
  readonly savedBy: number | null
}

const check = Compile(WorkflowDefinition)

/** A workflow as its version stores it, marked so that no program takes it for a task. */
export function workflowText({ definition, refs, savedBy }: StoredWorkflow): string {
  return JSON.stringify({ kind: WORKFLOW_KIND, definition, refs, savedBy })
}

/** Null: the value is no stored workflow. */
export function asWorkflow(value: unknown): StoredWorkflow | null {
  if (typeof value !== 'object' || value === null || !('kind' in value) || value.kind !== WORKFLOW_KIND) return null
  const { definition, refs, savedBy } = value as { definition?: unknown; refs?: unknown; savedBy?: unknown }
  if (!check.Check(definition) || !isRefs(refs)) return null
  return { definition, refs, savedBy: typeof savedBy === 'number' ? savedBy : null }
}

function isRefs(value: unknown): value is WorkflowRefs {
  return typeof value === 'object' && value !== null && 'tasks' in value && 'workflows' in value
}

/** A workflow as the engine runs it: with the envelope of a task, so that firing, overlap and misfire are the same. */
export function runDefinitionOf({ definition, refs, savedBy }: StoredWorkflow): RunDefinition {
  const { steps: _steps, edges: _edges, paramsSchema: _schema, stepConcurrency: _concurrency, onFailure: _on, ...rest } = definition
  const { outputs: _outputs, layout: _layout, ...envelope } = rest
  const flow = { graph: graphOf(definition), refs, savedBy }
  return { ...TASK_DEFAULTS, ...envelope, handler: { kind: 'named', name: WORKFLOW_KIND }, flow }
}

/** The part of a definition that a task's does not have, as core knows it. */
export function graphOf({ steps, edges, paramsSchema, stepConcurrency, onFailure, outputs }: WorkflowDefinition): Graph {
  return {
    // Safe: the schemas of the contract describe these types, but for values of any kind, which came from JSON.
    paramsSchema: (paramsSchema ?? null) as Graph['paramsSchema'] & {},
    steps: steps as Graph['steps'],
    edges,
    stepConcurrency,
    onFailure,
    outputs: (outputs ?? {}) as Graph['outputs'] & {},
  }
}
