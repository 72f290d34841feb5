import type { LooseGraph } from './graph-reach.ts'
import type { Edge } from './graph.ts'

/**
 * What must have come about before a step can run: for some steps before it, how they ended (`failure`, `success`, or `branch:` and which). A step that
 * can be reached in ways that contradict each other needs none of both.
 */
type Conditions = ReadonlyMap<string, string>

/**
 * How many of the edges that lead to a step can be taken in one run, at most. Edges that a single step upstream decides against each other (its branches,
 * its success and its failure) are not counted together; what only several steps together exclude is not seen.
 */
export class JoinLimit {
  readonly #graph: LooseGraph
  readonly #conditions = new Map<string, Conditions>()

  constructor(graph: LooseGraph) {
    this.#graph = graph
    for (const key of graph.order) this.#conditions.set(key, this.#conditionsOf(key))
  }

  of(key: string): number {
    const sets = (this.#graph.incoming.get(key) ?? []).map((edge) => this.#through(edge))
    const deciders = new Set(sets.flatMap((set) => [...set.keys()]))
    return Math.min(sets.length, ...[...deciders].map((decider) => together(sets.map((set) => set.get(decider)))))
  }

  #conditionsOf(key: string): Conditions {
    const incoming = this.#graph.incoming.get(key) ?? []
    // A condition of an edge that fails ends the step that it leads to, whatever else would have been needed.
    const isFree = this.#graph.steps.get(key)?.join === 'allDone' || incoming.some(({ when }) => when !== undefined)
    return isFree ? new Map() : inAllOf(incoming.map((edge) => this.#through(edge)))
  }

  #through({ from, on = 'success', branch }: Edge): Conditions {
    const before = this.#conditions.get(from) ?? new Map<string, string>()
    // An edge that is always taken is so after a skip too, so that nothing before it need have come about.
    if (on === 'always') return new Map()
    if (on === 'branch') return new Map([...before, [from, `branch:${branch ?? ''}`]])
    return new Map([...before, [from, on]])
  }
}

function inAllOf(sets: readonly Conditions[]): Conditions {
  const [first, ...others] = sets
  return new Map([...(first ?? [])].filter(([key, ending]) => others.every((other) => other.get(key) === ending)))
}

/** The largest number of edges that one end of a step allows. Undefined: it does not matter to that edge. */
function together(endings: readonly (string | undefined)[]): number {
  const free = endings.filter((ending) => ending === undefined).length
  const failures = endings.filter((ending) => ending === 'failure').length
  const successes = endings.filter((ending) => ending === 'success').length
  const branches = Map.groupBy(
    endings.filter((ending) => ending?.startsWith('branch:') === true),
    (ending) => ending,
  )
  const mostOfBranch = Math.max(0, ...[...branches.values()].map((list) => list.length))
  return free + Math.max(failures, successes + mostOfBranch)
}
