import { Graph, layout } from '@dagrejs/dagre'

/** What a layout needs of a workflow's graph. */
export interface FlowShape {
  readonly steps: readonly { readonly key: string }[]
  readonly edges: readonly { readonly from: string; readonly to: string }[]
}

export interface FlowPoint {
  readonly x: number
  readonly y: number
}

/** The size of a step's node, in px; both canvases draw it so. */
export const NODE_SIZE = { width: 216, height: 60 } as const

const GAP = { nodesep: 28, edgesep: 24, ranksep: 88 } as const
/** above it the exact way takes seconds, and nobody sees the difference */
const EXACT_STEPS = 300

/** Where each step stands, left to right: the upper left corner of its node, in px. Edges from or to a step that is not there are left out. */
export function layoutOf(shape: FlowShape): ReadonlyMap<string, FlowPoint> {
  return flowOf(shape).places
}

export interface Flow {
  readonly places: ReadonlyMap<string, FlowPoint>
  /** by the edge's place: where it passes between nodes that are in its way; absent: straight */
  readonly ways: ReadonlyMap<number, readonly FlowPoint[]>
}

/** `layoutOf`, with the ways that edges take. */
export function flowOf({ steps, edges }: FlowShape): Flow {
  const keys = new Set(steps.map(({ key }) => key))
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', ranker: steps.length > EXACT_STEPS ? 'longest-path' : 'network-simplex', ...GAP })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const key of keys) graph.setNode(key, { ...NODE_SIZE })
  for (const { from, to } of edges) if (keys.has(from) && keys.has(to) && from !== to) graph.setEdge(from, to)
  layout(graph)
  const ways = edges.flatMap(({ from, to }, place): [number, FlowPoint[]][] => {
    const points = (graph.edge(from, to) as { points?: FlowPoint[] } | undefined)?.points ?? []
    // three: from border to border by the middle, nothing in between
    return points.length <= 3 ? [] : [[place, points.slice(1, -1).map(({ x, y }) => ({ x: Math.round(x), y: Math.round(y) }))]]
  })
  return { places: new Map([...keys].map((key) => [key, cornerOf(graph.node(key))])), ways: new Map(ways) }
}

/** The places that were saved with the workflow where they cover every step, else `flowOf`. */
export function savedFlowOf(shape: FlowShape & { readonly layout?: Readonly<Record<string, FlowPoint>> | undefined }): Flow {
  const saved = new Map(Object.entries(shape.layout ?? {}))
  const places = shape.steps.flatMap(({ key }): [string, FlowPoint][] => {
    const place = saved.get(key)
    return place === undefined ? [] : [[key, place]]
  })
  return places.length === shape.steps.length ? { places: new Map(places), ways: new Map() } : flowOf(shape)
}

/** dagre gives centres */
function cornerOf({ x = 0, y = 0 }: { x?: number; y?: number }): FlowPoint {
  return { x: Math.round(x - NODE_SIZE.width / 2), y: Math.round(y - NODE_SIZE.height / 2) }
}
