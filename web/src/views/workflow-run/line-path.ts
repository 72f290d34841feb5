import { NODE_SIZE, type Flow, type FlowPoint } from '../../components/flow/layout.ts'

export interface LinePath {
  /** for the `d` of an SVG path */
  readonly path: string
  /** where words stand */
  readonly label: FlowPoint
}

/** room for the arrow's head */
const HEAD = 5

/** The line of an edge from the right of one node to the left of another, by the points that its way has; null where a node is missing. */
export function linePath({ places, ways }: Flow, { place, from, to }: { readonly place: number; readonly from: string; readonly to: string }): LinePath | null {
  const [source, target] = [places.get(from), places.get(to)]
  if (source === undefined || target === undefined) return null
  const middle = NODE_SIZE.height / 2
  const points = [{ x: source.x + NODE_SIZE.width, y: source.y + middle }, ...(ways.get(place) ?? []), { x: target.x - HEAD, y: target.y + middle }]
  const [first = { x: 0, y: 0 }, ...rest] = points
  const curves = rest.map((point, index) => curve(points[index] ?? first, point))
  const [second = first] = rest
  return { path: `M${first.x},${first.y}${curves.join('')}`, label: { x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 } }
}

/** From point to point, leaving and arriving level. A way back bulges, so that it can be seen as one. */
function curve(from: FlowPoint, to: FlowPoint): string {
  const reach = to.x > from.x ? (to.x - from.x) / 2 : Math.max(60, (from.x - to.x) / 3)
  return `C${from.x + reach},${from.y} ${to.x - reach},${to.y} ${to.x},${to.y}`
}
