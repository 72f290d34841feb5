import type { FieldProblem, InlineTask, WorkflowDefinition } from '@tickwheel/contract'
import { validate, WORKFLOW_LIMITS } from '@tickwheel/core'
import { paramsSchemaProblems } from './params-schema.ts'
import { labelProblems } from './routing.ts'
import { shardingProblems } from './tasks.ts'
import { graphOf } from './workflow-definition.ts'

/**
 * What is wrong with a definition by itself: its graph, its expressions, and the tasks that its steps define in place. Of one that is too large or too
 * deep only that is told: it cannot even be written as JSON.
 */
export function definitionProblems(definition: WorkflowDefinition): FieldProblem[] {
  const ofGraph = graphProblems(definition)
  if (ofGraph.some(isTooLarge)) return ofGraph
  const tooLarge = sizeProblems(definition)
  if (tooLarge.length > 0) return tooLarge
  return [...ofGraph, ...paramsSchemaProblems(definition.paramsSchema), ...inlineProblems(definition)]
}

export function isTooLarge({ code }: FieldProblem): boolean {
  return code === 'WORKFLOW_TOO_LARGE'
}

function graphProblems(definition: WorkflowDefinition): FieldProblem[] {
  return validate(graphOf(definition)).map(({ path, code, message, params }) => ({ path, code, message, params: { ...params } }))
}

/** With the layout, of which the graph knows nothing. */
function sizeProblems(definition: WorkflowDefinition): FieldProblem[] {
  const bytes = Buffer.byteLength(JSON.stringify(definition))
  if (bytes <= WORKFLOW_LIMITS.bytes) return []
  const message = `the definition has ${bytes} bytes as JSON, and at most ${WORKFLOW_LIMITS.bytes} are stored: move scripts and data out of it`
  return [{ path: 'steps', code: 'WORKFLOW_TOO_LARGE', message, params: { bytes, max: WORKFLOW_LIMITS.bytes } }]
}

/** What is wrong with the tasks that steps define in place, as it would be refused of a task. */
function inlineProblems({ steps }: WorkflowDefinition): FieldProblem[] {
  return inlineTasksOf({ steps }).flatMap(({ inline, path }) =>
    [
      ...labelProblems({ labels: inline.labels ?? {} }),
      ...shardingProblems({ sharding: inline.sharding, params: '', schedule: { kind: 'manual' } }),
    ].map((problem) => ({ ...problem, path: `${path}.${problem.path}` })),
  )
}

/** The tasks that steps define in place, each with the path of its field. */
export function inlineTasksOf({ steps }: Pick<WorkflowDefinition, 'steps'>): { readonly inline: InlineTask; readonly path: string }[] {
  return steps.flatMap((step, index) => {
    const path = `steps.${index}`
    if (step.kind === 'task') return step.inline === undefined ? [] : [{ inline: step.inline, path: `${path}.inline` }]
    if (step.kind !== 'fanOut' || step.each.kind !== 'task' || step.each.inline === undefined) return []
    return [{ inline: step.each.inline, path: `${path}.each.inline` }]
  })
}
