import type { InstanceListItem } from '@tickwheel/contract'
import { computed, onMounted, ref, shallowRef, watch } from 'vue'
import { listInstances } from '../../api/instances.ts'
import { useCall } from '../../api/use-call.ts'
import { runsIn } from '../../live/live-data.ts'
import { useLive } from '../../live/use-live.ts'
import { usePerFrame } from '../../live/use-per-frame.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'
import { FILTERS, filterOf, matches, newerPage, olderPage, PAGE_SIZE, requestOf, trailOf, type RunFilters } from './run-query.ts'
import { mergeRuns } from './run-rows.ts'

/**
 * The runs that the address asks for, kept up to date by live events. `fixed`: filters that the page itself sets, such as the task of its page.
 * `isHeld`: rows must not shift now (some are selected); new runs are counted and come when asked for.
 */
export function useRuns(fixed: () => RunFilters, isHeld: () => boolean) {
  const { query, change, clear } = useUrlQuery([...FILTERS, 'page', 'size'])
  const filters = computed<RunFilters>(() => ({ ...query.value, ...fixed() }))
  const isFiltered = computed(() => FILTERS.some((name) => query.value[name] !== undefined))
  /** what the list shows, whatever the page: what all that match are */
  const filter = computed(() => filterOf(filters.value))
  const trail = computed(() => trailOf(query.value.page))
  const pageSize = computed(() => Number(query.value.size ?? PAGE_SIZE))
  const runs = useCall(() => listInstances(requestOf(filters.value, query.value.page, pageSize.value)))
  const rows = shallowRef<readonly InstanceListItem[]>([])
  const heldBack = ref(0)
  const heldIds = new Set<number>()

  onMounted(load)
  watch(() => JSON.stringify([filters.value, query.value.page, pageSize.value]), load)

  async function load(): Promise<void> {
    await runs.load()
    rows.value = runs.data.value?.items ?? []
    heldIds.clear()
    heldBack.value = 0
  }

  const takeSoon = usePerFrame(take)
  useLive(
    () => (filters.value.group === undefined ? 'group:*' : `group:${filters.value.group}`),
    ({ data }) => takeSoon(runsIn(data)),
    { onResume: () => void load() },
  )

  function take(told: readonly InstanceListItem[]): void {
    if (runs.data.value === null) return
    const isFirstPage = trail.value.length === 0
    const merged = mergeRuns({ rows: rows.value, told, matches: (run) => matches(filters.value, run), takesNew: isFirstPage && !isHeld(), pageSize: pageSize.value })
    rows.value = merged.rows
    if (!isFirstPage) return
    for (const run of merged.heldBack) heldIds.add(run.id)
    heldBack.value = heldIds.size
  }

  const nextCursor = computed(() => runs.data.value?.nextCursor ?? null)
  const paging = {
    older: () => nextCursor.value !== null && change({ page: olderPage(query.value.page, nextCursor.value) }),
    newer: () => change({ page: newerPage(query.value.page) }),
    newest: () => change({ page: undefined }),
  }

  return { query, change, clear, isFiltered, filter, rows, heldBack, trail, nextCursor, paging, data: runs.data, failure: runs.failure, isFirst: runs.isFirst, isBusy: runs.isBusy, load }
}
