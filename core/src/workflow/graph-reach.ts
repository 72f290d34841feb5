import type { Edge, Graph, Step } from './graph.ts'

/**
 * A graph that may be wrong in every way: two steps of one key (the first counts), edges to nowhere (left out), cycles. For questions that need an order
 * there is `order`, which is empty where there is none.
 */
export interface LooseGraph {
  readonly steps: ReadonlyMap<string, Step>
  /** the edges between steps that there are */
  readonly outgoing: ReadonlyMap<string, readonly Edge[]>
  readonly incoming: ReadonlyMap<string, readonly Edge[]>
  /** each step after all that lead to it; empty: there is a cycle */
  readonly order: readonly string[]
}

export function looseGraph(graph: Graph): LooseGraph {
  const steps = new Map(
    graph.steps
      .toReversed()
      .map((step) => [step.key, step] as const)
      .toReversed(),
  )
  const edges = graph.edges.filter(({ from, to }) => steps.has(from) && steps.has(to))
  const [outgoing, incoming] = [Map.groupBy(edges, ({ from }) => from), Map.groupBy(edges, ({ to }) => to)]
  const order = orderOf([...steps.keys()], outgoing, incoming)
  return { steps, outgoing, incoming, order: order.length < steps.size ? [] : order }
}

function orderOf(keys: readonly string[], outgoing: LooseGraph['outgoing'], incoming: LooseGraph['incoming']): string[] {
  const open = new Map(keys.map((key) => [key, incoming.get(key)?.length ?? 0]))
  const order = keys.filter((key) => open.get(key) === 0)
  for (const key of order) {
    for (const { to } of outgoing.get(key) ?? []) {
      const left = (open.get(to) ?? 0) - 1
      open.set(to, left)
      if (left === 0) order.push(to)
    }
  }
  return order
}

/** The steps of a cycle in their order, the first again at the end; null: there is none. */
export function findCycle({ steps, outgoing, incoming, order }: LooseGraph): readonly string[] | null {
  if (order.length === steps.size) return null
  // Who is not freed by its predecessors has one that is not, and so on: walking backwards among them comes round.
  const free = new Set(orderOf([...steps.keys()], outgoing, incoming))
  const bound = [...steps.keys()].filter((key) => !free.has(key))
  const places = new Map<string, number>()
  let key = bound[0]
  while (key !== undefined && !places.has(key)) {
    places.set(key, places.size)
    key = incoming.get(key)?.find(({ from }) => !free.has(from))?.from
  }
  if (key === undefined) return null
  return [key, ...[...places.keys()].slice(places.get(key)).toReversed()]
}

/** Who comes before whom, over any number of edges. Empty for a graph with a cycle. */
export class Upstream {
  readonly #places: ReadonlyMap<string, number>
  /** a bit for each step that comes before */
  readonly #before = new Map<string, Uint32Array>()

  constructor({ order, incoming }: LooseGraph) {
    this.#places = new Map(order.map((key, place) => [key, place]))
    for (const key of order) {
      const bits = new Uint32Array((order.length + 31) >>> 5)
      for (const { from } of incoming.get(key) ?? []) this.#add(bits, from)
      this.#before.set(key, bits)
    }
  }

  /** Whether `key` comes before `of`. */
  has(key: string, of: string): boolean {
    const place = this.#places.get(key)
    if (place === undefined) return false
    return ((this.#before.get(of)?.[place >>> 5] ?? 0) & (1 << (place & 31))) !== 0
  }

  #add(bits: Uint32Array, key: string): void {
    const more = this.#before.get(key)
    if (more !== undefined) for (let word = 0; word < bits.length; word++) bits[word] = (bits[word] ?? 0) | (more[word] ?? 0)
    const place = this.#places.get(key) ?? 0
    bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31))
  }
}
