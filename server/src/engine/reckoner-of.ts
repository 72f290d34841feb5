/**
 * Which of the live nodes reckons, as each of them sees it: the first of those that do not fire, if there are any; else the one after the owner of the
 * first slot, which keeps house, so that work is spread. Where there is one node alone it is that one. Two at once do no harm. Null: there is none.
 */
export function reckonerOf(
  nodes: readonly { readonly runId: number; readonly fires: boolean }[],
  houseKeeper: number | null,
): number | null {
  const sorted = [...nodes].sort((a, b) => a.runId - b.runId)
  const idle = sorted.find((node) => !node.fires)
  if (idle !== undefined) return idle.runId
  const place = sorted.findIndex((node) => node.runId === houseKeeper)
  return sorted[(place + 1) % Math.max(1, sorted.length)]?.runId ?? null
}
