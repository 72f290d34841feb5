/** Where on the page a problem belongs: the validator and the server name it by a path such as `steps.2.when`. */
import type { FieldProblem } from '@tickwheel/contract'
import type { WorkflowDraft } from './draft.ts'

export type ProblemPlace =
  | { readonly kind: 'step'; readonly key: string; readonly field: string }
  | { readonly kind: 'edge'; readonly index: number; readonly field: string }
  | { readonly kind: 'settings'; readonly field: string }

/** As the validator (params may be missing) and as the server tells it. */
export type Problem = Pick<FieldProblem, 'code' | 'path'> & Partial<Pick<FieldProblem, 'message' | 'params'>>

export function placeOf({ path, params }: Pick<Problem, 'path' | 'params'>, draft: WorkflowDraft): ProblemPlace {
  const [first] = cycleIn(params)
  if (first !== undefined && draft.steps.some((step) => step.key === first)) return { kind: 'step', key: first, field: '' }
  const [top, place, ...rest] = path.split('.')
  const index = Number(place)
  const field = rest.join('.')
  const step = top === 'steps' ? draft.steps[index] : undefined
  if (step !== undefined) return { kind: 'step', key: step.key, field }
  if (top === 'edges' && draft.edges[index] !== undefined) return { kind: 'edge', index, field }
  return { kind: 'settings', field: path }
}

/** The steps of a circle; none for any other problem. */
export function cycleIn(params: Problem['params']): readonly string[] {
  const cycle: unknown = params?.['cycle']
  return Array.isArray(cycle) ? cycle.filter((key) => typeof key === 'string') : []
}

export interface PlacedProblem {
  readonly problem: Problem
  readonly place: ProblemPlace
}

/** The problems of one step, edge or the settings, by field; the first of each field, and everything about the whole under the empty one. */
export function problemsAt(problems: readonly PlacedProblem[], at: { kind: 'step'; key: string } | { kind: 'edge'; index: number } | { kind: 'settings' }): ReadonlyMap<string, Problem> {
  const found = new Map<string, Problem>()
  for (const { problem, place } of problems) if (isAt(place, at) && !found.has(place.field)) found.set(place.field, problem)
  return found
}

function isAt(place: ProblemPlace, at: { kind: 'step'; key: string } | { kind: 'edge'; index: number } | { kind: 'settings' }): boolean {
  if (place.kind === 'step') return at.kind === 'step' && place.key === at.key
  if (place.kind === 'edge') return at.kind === 'edge' && place.index === at.index
  return at.kind === 'settings'
}
