/** What is chosen on the canvas. */
export interface Selection {
  readonly steps: ReadonlySet<string>
  /** places in `edges` */
  readonly edges: ReadonlySet<number>
}

export const NOTHING: Selection = { steps: new Set(), edges: new Set() }
export const oneStep = (key: string): Selection => ({ steps: new Set([key]), edges: new Set() })
export const oneEdge = (index: number): Selection => ({ steps: new Set(), edges: new Set([index]) })

export function sameSelection(a: Selection, b: Selection): boolean {
  return a.steps.symmetricDifference(b.steps).size === 0 && a.edges.symmetricDifference(b.edges).size === 0
}
