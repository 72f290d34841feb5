/** Places for every step, left to right, so that edges go forward and cross seldom. */
import { Graph, layout } from '@dagrejs/dagre'
import type { Edge, Step } from '@tickwheel/contract'
import type { Layout } from './draft.ts'
import { wayOf } from './graph-edits.ts'
import { nodeSize } from './node-size.ts'
import { branchesOf } from './step-kinds.ts'

const GAP = { across: 40, along: 88, edges: 56 } as const
/** a longer condition is cut off on its edge */
export const LONGEST_LABEL = 28
/** everything stands on this grid, also what is dragged */
export const GRID = 8
/** of the points that dagre gives for an edge: the one in the column behind its source */
const BESIDE = 2
/** above it the exact way takes seconds, and nobody sees the difference */
const EXACT_STEPS = 300

/** The same graph gives the same places. Edges of a circle, and to steps that do not exist, do not matter. */
export function autoLayout(steps: readonly Step[], edges: readonly Edge[]): Layout {
  if (steps.length === 0) return {}
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', ranker: steps.length > EXACT_STEPS ? 'longest-path' : 'network-simplex', nodesep: GAP.across, edgesep: GAP.edges, ranksep: GAP.along, marginx: 0, marginy: 0 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const step of steps) graph.setNode(step.key, { ...nodeSize(step) })
  for (const edge of inOrder(steps, edges)) if (edge.from !== edge.to && graph.hasNode(edge.from) && graph.hasNode(edge.to)) graph.setEdge(edge.from, edge.to, labelSize(edge))
  layout(graph)
  const down = isUpsideDown(steps, edges, (from, to) => graph.edge(from, to).points?.[BESIDE]?.y) ? -1 : 1
  return Object.fromEntries(steps.map((step) => [step.key, cornerOf(step, { x: graph.node(step.key).x ?? 0, y: (graph.node(step.key).y ?? 0) * down })]))
}

/**
 * The same drawing stands on its head as well as on its feet; it is better where edges leave a step in the order of its handles, the way of a failure
 * lowest: then fewer of them run across the step beside.
 */
function isUpsideDown(steps: readonly Step[], edges: readonly Edge[], heightOf: (from: string, to: string) => number | undefined): boolean {
  const keys = new Set(steps.map((step) => step.key))
  const leaving = new Map<string, { handle: number; y: number }[]>()
  const sources = new Map(steps.map((step) => [step.key, step]))
  for (const edge of edges) {
    const source = sources.get(edge.from)
    const y = keys.has(edge.to) && edge.from !== edge.to && source !== undefined ? heightOf(edge.from, edge.to) : undefined
    if (source !== undefined && y !== undefined) leaving.set(edge.from, [...(leaving.get(edge.from) ?? []), { handle: handleRank(edge, source), y }])
  }
  let wrong = 0
  for (const ways of leaving.values()) for (const a of ways) for (const b of ways) if (a.handle < b.handle) wrong += Math.sign(a.y - b.y)
  return wrong > 0
}

/** The order in which edges are told has no meaning; that of the handles has. */
function inOrder(steps: readonly Step[], edges: readonly Edge[]): readonly Edge[] {
  const places = new Map(steps.map((step, place) => [step.key, { step, place }]))
  const rank = (edge: Edge) => {
    const source = places.get(edge.from)
    return [source?.place ?? -1, source === undefined ? 0 : handleRank(edge, source.step), places.get(edge.to)?.place ?? -1] as const
  }
  return edges.map((edge) => ({ edge, rank: rank(edge) })).sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || a.rank[2] - b.rank[2]).map(({ edge }) => edge)
}

function handleRank(edge: Edge, source: Step): number {
  const { on, branch } = wayOf(edge)
  if (on === 'failure') return Number.MAX_SAFE_INTEGER
  return on === 'branch' && branch !== null ? branchesOf(source).indexOf(branch) + 1 : 0
}

/** Room for the condition that stands on an edge. */
function labelSize({ when }: Edge): { width?: number; height?: number } {
  return when === undefined ? {} : { width: Math.min(when.length, LONGEST_LABEL) * 7 + 12, height: 20 }
}

/** dagre gives the middle. */
function cornerOf(step: Step, middle: { x: number; y: number }): { x: number; y: number } {
  const { width, height } = nodeSize(step)
  return { x: onGrid(middle.x - width / 2), y: onGrid(middle.y - height / 2) }
}

export function onGrid(length: number): number {
  return Math.round(length / GRID) * GRID
}

/** The places that a draft gives, completed where some are missing; all of them anew where none is given. */
export function placesOf(steps: readonly Step[], edges: readonly Edge[], given: Layout): Layout {
  const missing = steps.filter((step) => given[step.key] === undefined)
  if (missing.length === 0) return given
  const fresh = autoLayout(steps, edges)
  if (missing.length === steps.length) return fresh
  // below everything that has a place: nothing is covered, and nothing that a person placed moves
  const below = Math.max(...steps.map((step) => (given[step.key]?.y ?? 0) + nodeSize(step).height)) + GAP.across
  const top = Math.min(...missing.map((step) => fresh[step.key]?.y ?? 0))
  return { ...given, ...Object.fromEntries(missing.map(({ key }) => [key, { x: fresh[key]?.x ?? 0, y: onGrid((fresh[key]?.y ?? 0) - top + below) }])) }
}
