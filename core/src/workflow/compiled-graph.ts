import type { Edge, Graph, Step } from './graph.ts'

/** A step with its edges, which are named by their place in `graph.edges`. */
export interface CompiledStep {
  /** its place in `graph.steps`: the step's number */
  readonly no: number
  readonly step: Step
  readonly incoming: readonly number[]
  readonly outgoing: readonly number[]
}

/** A graph prepared for `advance`: what is looked up by key, and who comes after whom. */
export interface CompiledGraph {
  /** in topological order: each step after all that lead to it; among equals by number */
  readonly order: readonly CompiledStep[]
  readonly byKey: ReadonlyMap<string, CompiledStep>
  readonly edges: readonly Edge[]
}

/** As long as the graph itself is held by somebody, and no longer. */
const compiled = new WeakMap<Graph, CompiledGraph>()

/** The graph prepared, once for each object. Throws on a graph that `validate` refuses: two steps of one key, an edge to nowhere, a cycle. */
export function compileGraph(graph: Graph): CompiledGraph {
  const known = compiled.get(graph)
  if (known !== undefined) return known
  const made = compile(graph)
  compiled.set(graph, made)
  return made
}

function compile({ steps, edges }: Graph): CompiledGraph {
  const drafts = steps.map((step, no) => ({ no, step, incoming: [] as number[], outgoing: [] as number[] }))
  const byKey = new Map(drafts.map((draft) => [draft.step.key, draft]))
  if (byKey.size < steps.length) throw new RangeError('the graph has two steps of one key')
  for (const [place, { from, to }] of edges.entries()) {
    const [source, target] = [byKey.get(from), byKey.get(to)]
    if (source === undefined || target === undefined)
      throw new RangeError(`the edge ${from} → ${to} leads from or to a step that there is not`)
    source.outgoing.push(place)
    target.incoming.push(place)
  }
  const order = orderOf(drafts, (draft) => draft.outgoing.flatMap((place) => byKey.get(edges[place]?.to ?? '') ?? []))
  if (order.length < steps.length) throw new RangeError('the graph has a cycle')
  return { order, byKey, edges }
}

/** Kahn's algorithm, taking from the front: steps without a way between them stay in the order of their numbers as far as that can be. */
function orderOf<Draft extends { readonly incoming: readonly number[] }>(
  drafts: readonly Draft[],
  next: (draft: Draft) => readonly Draft[],
): Draft[] {
  const open = new Map(drafts.map((draft) => [draft, draft.incoming.length]))
  const order = drafts.filter((draft) => draft.incoming.length === 0)
  for (const draft of order) {
    for (const target of next(draft)) {
      const left = (open.get(target) ?? 0) - 1
      open.set(target, left)
      if (left === 0) order.push(target)
    }
  }
  return order
}
