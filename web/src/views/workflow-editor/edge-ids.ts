/** Edges have no names of their own: what they join and how is their id, so that a drawn edge stays the same one while others come and go. */
import type { Edge, Step } from '@tickwheel/contract'
import { wayOf, type Way } from './graph-edits.ts'
import { branchesOf } from './step-kinds.ts'

/** One id for each edge, in their order. The validator refuses doubles, but they can be shown. */
export function edgeIds(edges: readonly Edge[]): readonly string[] {
  const seen = new Map<string, number>()
  return edges.map((edge) => {
    const { on, branch } = wayOf(edge)
    const id = [edge.from, edge.to, on, branch ?? ''].join('>')
    const count = (seen.get(id) ?? 0) + 1
    seen.set(id, count)
    return count === 1 ? id : `${id}>${count}`
  })
}

/** The handle of its source at which an edge begins. */
export function handleOf(edge: Edge, source: Step | undefined): string {
  const { on, branch } = wayOf(edge)
  if (on === 'failure') return 'failure'
  return on === 'branch' && branch !== null && source !== undefined && branchesOf(source).includes(branch) ? branchHandle(branch) : 'out'
}
export const branchHandle = (branch: string) => `branch:${branch}`

/** The way that a handle stands for. */
export function wayFrom(handle: string | null | undefined): Way {
  if (handle === 'failure') return { on: 'failure', branch: null }
  if (handle?.startsWith('branch:') === true) return { on: 'branch', branch: handle.slice('branch:'.length) }
  return { on: 'success', branch: null }
}
