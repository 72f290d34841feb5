/** Where the canvas of a run looks first: pure figures, so that no node is drawn only to be left again. */
import { NODE_SIZE, type FlowPoint } from '../../components/flow/layout.ts'

export interface Size {
  readonly width: number
  readonly height: number
}

interface Bounds extends Size {
  readonly left: number
  readonly top: number
}

/** around the whole, in px of the graph */
const MARGIN = 40

/** The zoom at which the whole graph is in sight; above 1 where it is small. */
export function wholeZoom(places: ReadonlyMap<string, FlowPoint>, view: Size): number {
  const { width, height } = boundsOf(places)
  return Math.min(view.width / width, view.height / height)
}

/** The middle of the view from which a step is in sight, and as little as can be of what lies beside the graph; null where there is no such step. */
export function middleFor(key: string, places: ReadonlyMap<string, FlowPoint>, view: Size, zoom: number): FlowPoint | null {
  const place = places.get(key)
  if (place === undefined) return null
  const { left, top, width, height } = boundsOf(places)
  return { x: within(place.x + NODE_SIZE.width / 2, left, width, view.width / zoom), y: within(place.y + NODE_SIZE.height / 2, top, height, view.height / zoom) }
}

function within(wanted: number, from: number, length: number, sight: number): number {
  return length <= sight ? from + length / 2 : Math.min(Math.max(wanted, from + sight / 2), from + length - sight / 2)
}

function boundsOf(places: ReadonlyMap<string, FlowPoint>): Bounds {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const { x, y } of places.values()) {
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x + NODE_SIZE.width)
    bottom = Math.max(bottom, y + NODE_SIZE.height)
  }
  return { left: left - MARGIN, top: top - MARGIN, width: right - left + 2 * MARGIN, height: bottom - top + 2 * MARGIN }
}
