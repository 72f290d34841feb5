/** The draft as vue-flow draws it. */
import type { Edge, Step } from '@tickwheel/contract'
import { MarkerType, type Edge as FlowEdge, type Node as FlowNode } from '@vue-flow/core'
import type { Layout, WorkflowDraft } from './draft.ts'
import { edgeIds, handleOf } from './edge-ids.ts'
import { wayOf } from './graph-edits.ts'

export function flowNodes(steps: readonly Step[], places: Layout): FlowNode[] {
  return steps.map((step) => ({ id: step.key, type: 'step', position: { ...(places[step.key] ?? { x: 0, y: 0 }) }, ariaLabel: step.key }))
}

/** The list as it was, where the new one would draw the same: vue-flow goes through all of a list that is another. */
export function kept<Element extends FlowNode | FlowEdge>(before: Element[] | undefined, next: Element[]): Element[] {
  return before !== undefined && before.length === next.length && next.every((element, place) => JSON.stringify(element) === JSON.stringify(before[place])) ? before : next
}

/** `label`: what an edge says of itself, empty for a plain one. Edges to steps that do not exist are not drawn. */
export function flowEdges(draft: Pick<WorkflowDraft, 'steps' | 'edges'>, faulty: ReadonlySet<number>, label: (edge: Edge) => string): FlowEdge[] {
  const steps = new Map(draft.steps.map((step) => [step.key, step]))
  const ids = edgeIds(draft.edges)
  return draft.edges.flatMap((edge, index) => {
    const [source, target] = [steps.get(edge.from), steps.get(edge.to)]
    if (source === undefined || target === undefined) return []
    const words = label(edge)
    return [{
      id: ids[index] ?? '', type: 'default', source: edge.from, target: edge.to, sourceHandle: handleOf(edge, source), targetHandle: 'in', data: { index }, ariaLabel: `${edge.from} → ${edge.to}`,
      class: ['flow-edge', `on-${wayOf(edge).on}`, ...(faulty.has(index) ? ['faulty'] : [])], markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: 'context-stroke' }, interactionWidth: 16,
      ...(words === '' ? {} : { label: words, labelShowBg: true, labelBgPadding: [6, 2], labelBgBorderRadius: 4 }),
    } satisfies FlowEdge]
  })
}
