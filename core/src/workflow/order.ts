import type { Evaluation, ExpressionScope } from './expression.ts'
import { escapeReferences } from '../secret/references.ts'
import type { InlineTask, Json, JsonObject, SubWorkflowWork, TaskWork } from './graph.ts'
import { evaluateTemplate } from './template.ts'

/** `params`: JSON text of the input; null: the task's own. Exactly one of `task` ("group/name") and `inline` is not null. */
export interface TaskOrder {
  readonly kind: 'task'
  readonly task: string | null
  readonly inline: InlineTask | null
  readonly params: string | null
}
export interface SubWorkflowOrder {
  readonly kind: 'subWorkflow'
  /** "group/name" */
  readonly workflow: string
  readonly params: string | null
}
/** What is to be run, with its params computed. */
export function orderOf(work: TaskWork | SubWorkflowWork, scope: ExpressionScope): Evaluation<TaskOrder | SubWorkflowOrder> {
  // only what the author wrote refers to secrets: what comes out of params and outputs is data, and a sub-workflow fills nothing
  const params = paramsOf(work.input, scope, work.kind === 'task' ? withoutReferences : undefined)
  if (params.kind !== 'value') return params
  if (work.kind === 'subWorkflow') return { kind: 'value', value: { kind: 'subWorkflow', workflow: work.workflow, params: params.value } }
  return { kind: 'value', value: { kind: 'task', task: work.task ?? null, inline: work.inline ?? null, params: params.value } }
}

function paramsOf(
  input: JsonObject | undefined,
  scope: ExpressionScope,
  computed: ((value: Json) => Json) | undefined,
): Evaluation<string | null> {
  if (input === undefined) return { kind: 'value', value: null }
  const found = evaluateTemplate(input, scope, computed)
  return found.kind === 'value' ? { kind: 'value', value: JSON.stringify(found.value) } : found
}

function withoutReferences(value: Json): Json {
  if (typeof value === 'string') return escapeReferences(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withoutReferences)
  return Object.fromEntries(Object.entries(value).map(([name, part]: [string, Json]) => [escapeReferences(name), withoutReferences(part)]))
}
