import type { InstanceListItem } from '@tickwheel/contract'

export interface MergeInput {
  readonly rows: readonly InstanceListItem[]
  /** runs that were told live; of one that was told more than once the newest state counts */
  readonly told: readonly InstanceListItem[]
  readonly matches: (run: InstanceListItem) => boolean
  /** new runs are put on top: on the first page, while no row is selected */
  readonly takesNew: boolean
  readonly pageSize: number
}

export interface Merged {
  readonly rows: readonly InstanceListItem[]
  /** new runs that belong into the list but were not put in */
  readonly heldBack: readonly InstanceListItem[]
}

/**
 * The rows with what was told: known runs are replaced in place (and leave when they no longer match the filters), new ones come on top in the order
 * of their ids. Rows that are not concerned stay the same objects. A state that was told late never replaces a newer one.
 */
export function mergeRuns({ rows, told, matches, takesNew, pageSize }: MergeInput): Merged {
  const byId = new Map<number, InstanceListItem>()
  for (const run of told) {
    const earlier = byId.get(run.id)
    if (earlier === undefined || !isOlder(run, earlier)) byId.set(run.id, run)
  }
  const kept = rows.flatMap((row) => {
    const news = byId.get(row.id)
    if (news === undefined) return [row]
    byId.delete(row.id)
    const current = isOlder(news, row) ? row : news
    return matches(current) ? [current] : []
  })
  const newestId = rows[0]?.id ?? 0
  const fresh = [...byId.values()].filter((run) => run.id > newestId && matches(run)).sort((a, b) => b.id - a.id)
  if (!takesNew) return { rows: kept, heldBack: fresh }
  return { rows: [...fresh, ...kept].slice(0, pageSize), heldBack: [] }
}

/** An answer to a call and a live event may overtake each other; what has ended stays ended. */
function isOlder(news: InstanceListItem, row: InstanceListItem): boolean {
  return (row.endedAt !== null && news.endedAt === null) || news.attempt < row.attempt
}
