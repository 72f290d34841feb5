/** Every change of the drawing, each from one draft to the next. */
import type { Edge, Step } from '@tickwheel/contract'
import type { Layout, Point, WorkflowDraft } from './draft.ts'
import { followKey, rewriteEdge, rewriteStep, rewriteValues } from './expression-fields.ts'
import { KEY_STEM, branchesOf, freeKey, newStep, type StepKind } from './step-kinds.ts'

/** How an edge leaves its step. */
export interface Way {
  readonly on: NonNullable<Edge['on']>
  readonly branch: string | null
}
export const SUCCESS: Way = { on: 'success', branch: null }

export const wayOf = (edge: Edge): Way => ({ on: edge.on ?? 'success', branch: edge.branch ?? null })

/** A new step at a place, joined to `behind` by its first free way out where it is given. */
export function addStep(draft: WorkflowDraft, kind: StepKind, { at, behind }: { at: Point; behind?: string | null }): { draft: WorkflowDraft; key: string } {
  const key = freeKey(KEY_STEM[kind], new Set(draft.steps.map((step) => step.key)))
  const added = { ...draft, steps: [...draft.steps, newStep(kind, key)], layout: { ...draft.layout, [key]: at } }
  const source = draft.steps.find((step) => step.key === behind)
  return { key, draft: source === undefined ? added : connect(added, { from: source.key, to: key, way: freeWay(source, draft.edges) }) }
}

/** The branch that nothing follows yet, else the first; success for a step without branches. */
function freeWay(step: Step, edges: readonly Edge[]): Way {
  const branches = branchesOf(step)
  const used = new Set(edges.filter((edge) => edge.from === step.key).map((edge) => edge.branch))
  const branch = branches.find((one) => !used.has(one)) ?? branches[0]
  return branch === undefined ? SUCCESS : { on: 'branch', branch }
}

/** The same draft where such an edge exists, or the two ends are one. */
export function connect(draft: WorkflowDraft, { from, to, way }: { from: string; to: string; way: Way }): WorkflowDraft {
  if (from === to || draft.edges.some((edge) => edge.from === from && edge.to === to && sameWay(wayOf(edge), way))) return draft
  return { ...draft, edges: [...draft.edges, { from, to, ...wayFields(way) }] }
}

const sameWay = (a: Way, b: Way) => a.on === b.on && a.branch === b.branch

/** Success goes without saying. */
export function wayFields({ on, branch }: Way): Pick<Edge, 'on' | 'branch'> {
  return { ...(on === 'success' ? {} : { on }), ...(on === 'branch' && branch !== null ? { branch } : {}) }
}

/** Whether steps would wait for each other in a circle with an edge from one to the other. */
export function wouldCircle(edges: readonly Edge[], from: string, to: string): boolean {
  return from === to || upstreamOf(edges, from).has(to)
}

/** Every step from which a way leads to this one; the step itself only where there is a circle. */
export function upstreamOf(edges: readonly Edge[], key: string): ReadonlySet<string> {
  const sources = new Map<string, string[]>()
  for (const edge of edges) sources.set(edge.to, [...(sources.get(edge.to) ?? []), edge.from])
  const found = new Set<string>()
  const open = [...(sources.get(key) ?? [])]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    open.push(...(sources.get(next) ?? []))
  }
  return found
}

export interface Parts {
  readonly steps: ReadonlySet<string>
  /** places in `edges` */
  readonly edges: ReadonlySet<number>
}

/** Without these steps and edges, and without the edges of these steps. */
export function removeParts(draft: WorkflowDraft, { steps, edges }: Parts): WorkflowDraft {
  if (steps.size === 0 && edges.size === 0) return draft
  return {
    ...draft,
    steps: draft.steps.filter((step) => !steps.has(step.key)),
    edges: draft.edges.filter((edge, index) => !edges.has(index) && !steps.has(edge.from) && !steps.has(edge.to)),
    layout: Object.fromEntries(Object.entries(draft.layout).filter(([key]) => !steps.has(key))),
  }
}

/** A step with other fields. A new key is followed by edges, places and expressions; edges of a branch that is renamed at its place follow too. */
export function replaceStep(draft: WorkflowDraft, key: string, next: Step): WorkflowDraft {
  const before = draft.steps.find((step) => step.key === key)
  if (before === undefined) return draft
  const replaced = { ...draft, steps: draft.steps.map((step) => (step === before ? next : step)), edges: followBranches(draft.edges, before, next) }
  return next.key === key || draft.steps.some((step) => step.key === next.key) ? keptKey(replaced, next, key) : renamed(replaced, key, next.key)
}

/** Two steps must not have one key: such a change keeps the old one. */
function keptKey(draft: WorkflowDraft, next: Step, key: string): WorkflowDraft {
  return next.key === key ? draft : { ...draft, steps: draft.steps.map((step) => (step === next ? { ...next, key } : step)) }
}

function renamed(draft: WorkflowDraft, old: string, fresh: string): WorkflowDraft {
  const follow = followKey(old, fresh)
  const other = (key: string) => (key === old ? fresh : key)
  return {
    ...draft,
    steps: draft.steps.map((step) => rewriteStep(step, follow)),
    edges: draft.edges.map((edge) => ({ ...rewriteEdge(edge, follow), from: other(edge.from), to: other(edge.to) })),
    outputs: rewriteValues(draft.outputs, follow),
    layout: Object.fromEntries(Object.entries(draft.layout).map(([key, place]) => [other(key), place])),
  }
}

function followBranches(edges: readonly Edge[], before: Step, next: Step): readonly Edge[] {
  if (before.kind !== 'switch' || next.kind !== 'switch' || before.cases.length !== next.cases.length) return edges
  const names = new Map<string, string>()
  before.cases.forEach(({ branch }, place) => {
    const other = next.cases[place]?.branch
    if (other !== undefined && other !== branch) names.set(branch, other)
  })
  if (names.size === 0) return edges
  return edges.map((edge) => (edge.from === before.key && edge.branch !== undefined && names.has(edge.branch) ? { ...edge, branch: names.get(edge.branch) ?? edge.branch } : edge))
}

export function replaceEdge(draft: WorkflowDraft, index: number, next: Edge): WorkflowDraft {
  return { ...draft, edges: draft.edges.map((edge, place) => (place === index ? next : edge)) }
}

export function moveSteps(draft: WorkflowDraft, places: Layout): WorkflowDraft {
  const changed = Object.entries(places).some(([key, place]) => !isAt(draft.layout[key], place))
  return changed ? { ...draft, layout: { ...draft.layout, ...places } } : draft
}

function isAt(now: Point | undefined, { x, y }: Point): boolean {
  return now !== undefined && now.x === x && now.y === y
}
