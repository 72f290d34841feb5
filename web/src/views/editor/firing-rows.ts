import type { PreviewFiring, PreviewLeftOut } from '@tickwheel/core'

export type FiringRow =
  | { readonly kind: 'firing'; readonly firing: PreviewFiring }
  | { readonly kind: 'out'; readonly out: PreviewLeftOut }
  /** more of those just above that have no row of their own */
  | { readonly kind: 'more'; readonly at: string; readonly count: number }

/** Firings and what is left out between them, by time. Of many in a row that are left out the first two are shown. */
export function firingRows(firings: readonly PreviewFiring[], leftOut: readonly PreviewLeftOut[]): FiringRow[] {
  const rows: FiringRow[] = []
  let from = 0
  for (const firing of firings) {
    const end = leftOut.findIndex(({ at }, index) => index >= from && at > firing.at)
    const between = leftOut.slice(from, end < 0 ? leftOut.length : end)
    from += between.length
    rows.push(...outRows(between), { kind: 'firing', firing })
  }
  return rows
}

const FEW = 2

function outRows(between: readonly PreviewLeftOut[]): FiringRow[] {
  const rest = between.slice(FEW)
  const [first] = rest
  // a row that says "and 1 more" is as long as the one that it hides
  if (rest.length < 2 || first === undefined) return between.map((out) => ({ kind: 'out', out }))
  return [...between.slice(0, FEW).map((out): FiringRow => ({ kind: 'out', out })), { kind: 'more', at: first.at, count: rest.length }]
}
