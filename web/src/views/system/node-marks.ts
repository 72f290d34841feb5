/** A node's letter and colour on this page: `tone` is one of the `--node-…` colours. The letter stands where colours repeat or cannot be told apart. */
export interface NodeMark {
  readonly letter: string
  readonly tone: number
}

export const TONES = 8
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** The place of each node, by run id. Whoever had one keeps it; newcomers, by name, get the lowest that is free, so that colours do not jump when a node comes or goes. */
export function placeNodes(known: ReadonlyMap<number, number>, nodes: readonly { readonly runId: number; readonly name: string }[]): Map<number, number> {
  const places = new Map<number, number>()
  for (const { runId } of nodes) {
    const place = known.get(runId)
    if (place !== undefined) places.set(runId, place)
  }
  const taken = new Set(places.values())
  const newcomers = nodes.filter(({ runId }) => !places.has(runId)).toSorted((a, b) => a.name.localeCompare(b.name) || a.runId - b.runId)
  let next = 0
  for (const { runId } of newcomers) {
    while (taken.has(next)) next += 1
    taken.add(next)
    places.set(runId, next)
  }
  return places
}

/** Letters go on with numbers after Z. */
export function markAt(place: number): NodeMark {
  return { letter: LETTERS[place] ?? String(place + 1), tone: (place % TONES) + 1 }
}
