import { findCycle, looseGraph, Upstream, type LooseGraph } from './graph-reach.ts'
import { WORKFLOW_LIMITS, type Graph } from './graph.ts'
import { JoinLimit } from './join-limit.ts'
import { isTooDeep, JSON_DEPTH, utf8Bytes } from './json-value.ts'
import type { WorkflowProblem } from './problem.ts'
import { unreachableSteps } from './unreachable.ts'
import { validateEdges } from './validate-edges.ts'
import { validateExpressions } from './validate-expressions.ts'
import { validateSteps } from './validate-steps.ts'

/**
 * Everything that is wrong with a graph, all at once; an empty list: `advance` can run it. The shape of its parts is taken to be right (the schemas of the
 * contract see to that), and what it refers to in the store is not looked at: see `referencesOf`. Of a graph that is too large only that is told; of one
 * with a cycle, one cycle, and nothing that needs an order.
 */
export function validate(graph: Graph): WorkflowProblem[] {
  const tooLarge = validateSize(graph)
  if (tooLarge.length > 0) return tooLarge
  const loose = looseGraph(graph)
  return [
    ...validateSteps(graph.steps),
    ...validateEdges(graph.edges, loose),
    ...validateFlow(graph, loose),
    ...validateExpressions(graph, loose, new Upstream(loose)),
    ...validateRest(graph),
  ]
}

function validateSize(graph: Graph): WorkflowProblem[] {
  const problems: WorkflowProblem[] = []
  const tell = (path: string, max: number, what: string): void => {
    problems.push({ code: 'WORKFLOW_TOO_LARGE', path, params: { max }, message: `at most ${max} ${what} are allowed` })
  }
  if (graph.steps.length > WORKFLOW_LIMITS.steps) tell('steps', WORKFLOW_LIMITS.steps, 'steps')
  if (graph.edges.length > WORKFLOW_LIMITS.edges) tell('edges', WORKFLOW_LIMITS.edges, 'edges')
  // What is not even written as JSON: how deep the parts may be is told with them.
  if (problems.length === 0 && isTooDeep(graph, 2 * JSON_DEPTH)) tell('', 2 * JSON_DEPTH, 'levels of objects and lists')
  else if (problems.length === 0 && utf8Bytes(JSON.stringify(graph)) > WORKFLOW_LIMITS.bytes)
    tell('', WORKFLOW_LIMITS.bytes, 'bytes as JSON')
  return problems
}

function validateFlow(graph: Graph, loose: LooseGraph): WorkflowProblem[] {
  if (graph.steps.length === 0) return [{ code: 'REQUIRED', path: 'steps', params: {}, message: 'a workflow needs a step' }]
  const cycle = findCycle(loose)
  if (cycle !== null)
    return [
      { code: 'WORKFLOW_HAS_CYCLE', path: 'edges', params: { cycle }, message: `these steps wait for each other: ${cycle.join(' → ')}` },
    ]
  const places = new Map(graph.steps.map(({ key }, place) => [key, place]))
  const unreachable = unreachableSteps(loose).map((key): WorkflowProblem => ({
    code: 'WORKFLOW_STEP_UNREACHABLE',
    path: `steps.${places.get(key) ?? 0}`,
    params: { step: key },
    message: `no edge that leads to "${key}" can ever be taken`,
  }))
  return [...unreachable, ...validateJoins(graph, loose)]
}

function validateJoins({ steps }: Graph, loose: LooseGraph): WorkflowProblem[] {
  const counting = steps.flatMap((step, place) =>
    typeof step.join === 'object' ? [{ key: step.key, place, wanted: step.join.atLeast }] : [],
  )
  if (counting.length === 0) return []
  const limit = new JoinLimit(loose)
  return counting
    .map((join) => ({ ...join, possible: limit.of(join.key) }))
    .filter(({ wanted, possible }) => wanted > possible)
    .map(({ place, wanted, possible }) => ({
      code: 'WORKFLOW_JOIN_IMPOSSIBLE',
      path: `steps.${place}.join.atLeast`,
      params: { wanted, possible },
      message: `${wanted} edges are wanted; ${possible} can be taken together`,
    }))
}

function validateRest({ outputs = {}, paramsSchema }: Graph): WorkflowProblem[] {
  const problems: WorkflowProblem[] = []
  if (isTooDeep(outputs))
    problems.push({ code: 'TOO_LARGE', path: 'outputs', params: {}, message: 'objects and lists are nested too deep' })
  const type = paramsSchema?.type
  if (type !== undefined && type !== 'object') {
    problems.push({
      code: 'NOT_ALLOWED_VALUE',
      path: 'paramsSchema.type',
      params: {},
      message: 'the params of a run are an object: say "object"',
    })
  }
  return problems
}
