import { compileExpression, type Expression, type ExpressionPlace } from './expression.ts'
import type { LooseGraph, Upstream } from './graph-reach.ts'
import type { Graph, Json, Step } from './graph.ts'
import { isTooDeep } from './json-value.ts'
import type { WorkflowProblem } from './problem.ts'
import { expressionsIn } from './template.ts'

/** An expression of a graph: where it stands, what it may give, and the step before which everything that it speaks of must come. */
interface Placed {
  readonly text: string
  /** dotted, from the graph on */
  readonly path: string
  readonly place: ExpressionPlace
  /** types that it may have, as CEL calls them; null: any */
  readonly gives: readonly string[] | null
  /** null: it may speak of every step */
  readonly before: string | null
  /** a step that it may speak of beside those that come before */
  readonly and: string | null
}

/** Every expression of a graph that is not valid, gives the wrong kind of value, or speaks of what is not known where it stands. */
export function validateExpressions(graph: Graph, loose: LooseGraph, upstream: Upstream): WorkflowProblem[] {
  return placedIn(graph).flatMap((placed) => problemsOf(placed, loose, upstream))
}

/** Variables that expressions of a graph name, each place once, with the field that does so. `isEvery`: some expression may mean any. */
export interface GraphVariables {
  readonly names: readonly { readonly name: string; readonly path: string; readonly position: number }[]
  readonly isEvery: boolean
}

export function variablesIn(graph: Graph): GraphVariables {
  const found = placedIn(graph).flatMap(({ text, path, place }) => {
    const compiled = compileExpression(text, place)
    return compiled.kind === 'invalid' ? [] : compiled.vars.map((used) => (used === null ? null : { ...used, path }))
  })
  return { names: found.flatMap((used) => used ?? []), isEvery: found.includes(null) }
}

function problemsOf(placed: Placed, loose: LooseGraph, upstream: Upstream): WorkflowProblem[] {
  const compiled = compileExpression(placed.text, placed.place)
  if (compiled.kind === 'expression') return [...wrongType(placed, compiled), ...badReferences(placed, compiled, loose, upstream)]
  const { code, message, position } = compiled.problem
  return [{ code, path: placed.path, params: { message, position }, message: `${message} (at ${position})` }]
}

function wrongType({ path, gives }: Placed, { type }: Expression): WorkflowProblem[] {
  const kind = type.replace(/<.*/, '')
  if (gives === null || kind === 'dyn' || gives.includes(kind)) return []
  const message = `expected ${gives.join(' or ')}; it gives ${type}`
  return [{ code: 'EXPRESSION_INVALID', path, params: { message, position: 1 }, message }]
}

function badReferences({ path, before, and }: Placed, { steps }: Expression, loose: LooseGraph, upstream: Upstream): WorkflowProblem[] {
  return steps
    .filter(({ key }) => !loose.steps.has(key) || !isKnown(key, { before, and, loose, upstream }))
    .map(({ key, position }) => {
      const message = loose.steps.has(key) ? `the step "${key}" does not come before this` : `there is no step "${key}"`
      return { code: 'WORKFLOW_BAD_REFERENCE', path, params: { name: key, position }, message: `${message} (at ${position})` }
    })
}

/** In a graph with a cycle nothing comes before anything; that is told once, and not for each expression. */
function isKnown(
  key: string,
  { before, and, loose, upstream }: Pick<Placed, 'before' | 'and'> & { loose: LooseGraph; upstream: Upstream },
): boolean {
  return before === null || key === and || loose.order.length === 0 || upstream.has(key, before)
}

function placedIn({ steps, edges, outputs = {} }: Graph): Placed[] {
  const ofSteps = steps.flatMap((step, place) =>
    placedInStep(step).map((found) => ({ ...found, path: `steps.${place}.${found.path}`, before: step.key, and: null })),
  )
  const ofEdges = edges.flatMap(({ from, when }, place): Placed[] =>
    when === undefined ? [] : [{ text: when, path: `edges.${place}.when`, place: 'step', gives: ['bool'], before: from, and: from }],
  )
  const ofOutputs = inTemplate(outputs, 'outputs', 'step', null).map((found) => ({ ...found, before: null, and: null }))
  return [...ofSteps, ...ofEdges, ...ofOutputs]
}

type Found = Omit<Placed, 'before' | 'and'>

function placedInStep(step: Step): Found[] {
  switch (step.kind) {
    case 'task':
    case 'subWorkflow':
      return inTemplate(step.input ?? {}, 'input', 'step', null)
    case 'condition':
      return [{ text: step.when, path: 'when', place: 'step', gives: ['bool'] }]
    case 'switch':
      return step.cases.map(({ when }, place) => ({ text: when, path: `cases.${place}.when`, place: 'step', gives: ['bool'] }))
    case 'wait':
      return [
        ...inTemplate(step.until ?? '', 'until', 'step', ['string', 'google.protobuf.Timestamp']),
        ...inTemplate(step.upstream?.date ?? '', 'upstream.date', 'step', ['string']),
      ]
    case 'fanOut':
      return [
        ...inTemplate(step.items, 'items', 'step', typeof step.items === 'string' ? ['list'] : null),
        ...inTemplate(step.each.input ?? {}, 'each.input', 'item', null),
      ]
    case 'approval':
      return []
  }
}

function inTemplate(template: Json, path: string, place: ExpressionPlace, gives: readonly string[] | null): Found[] {
  if (isTooDeep(template)) return []
  return expressionsIn(template).map((found) => ({ text: found.text, path: [path, ...found.path].join('.'), place, gives }))
}
