import type { Graph, Step } from './graph.ts'

/** A task or workflow that a graph names as "group/name", and the field that does so. */
export interface WorkflowReference {
  readonly kind: 'task' | 'workflow'
  readonly name: string
  /** dotted: `steps.2.task`, `steps.3.each.workflow`, `steps.4.upstream.task` */
  readonly path: string
  /** `run`: a step runs it; `watch`: a wait looks for its success */
  readonly use: 'run' | 'watch'
}

/** Everything of the store that a graph refers to, in the order of its steps, each place once. Whether it exists and may be used is not known here. */
export function referencesOf({ steps }: Graph): WorkflowReference[] {
  return steps.flatMap((step, place) => referencesOfStep(step).map((found) => ({ ...found, path: `steps.${place}.${found.path}` })))
}

function referencesOfStep(step: Step): WorkflowReference[] {
  switch (step.kind) {
    case 'task':
      return named('task', step.task, 'task', 'run')
    case 'subWorkflow':
      return named('workflow', step.workflow, 'workflow', 'run')
    case 'fanOut':
      return step.each.kind === 'task'
        ? named('task', step.each.task, 'each.task', 'run')
        : named('workflow', step.each.workflow, 'each.workflow', 'run')
    case 'wait':
      return [
        ...named('task', step.upstream?.task, 'upstream.task', 'watch'),
        ...named('workflow', step.upstream?.workflow, 'upstream.workflow', 'watch'),
      ]
    case 'condition':
    case 'switch':
    case 'approval':
      return []
  }
}

function named(
  kind: WorkflowReference['kind'],
  name: string | undefined,
  path: string,
  use: WorkflowReference['use'],
): WorkflowReference[] {
  return name === undefined ? [] : [{ kind, name, path, use }]
}
