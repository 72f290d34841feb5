import { computed, watch } from 'vue'
import { listWorkflowRuns } from '../../api/workflow-runs.ts'
import { useCall } from '../../api/use-call.ts'
import { usePoll } from '../../components/use-poll.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'
import { newerPage, olderPage, trailOf } from '../runs/run-query.ts'
import { FILTERS, requestOf, type Filters } from './workflow-run-query.ts'

const PAGE_SIZE = 50
const AGAIN_MS = 3000

/** The runs that the address asks for, read again every few seconds: no live topic has the runs of all workflows. */
export function useWorkflowRuns(fixed: () => Filters) {
  const { query, change, clear } = useUrlQuery([...FILTERS, 'page'])
  const filters = computed<Filters>(() => ({ ...query.value, ...fixed() }))
  const trail = computed(() => trailOf(query.value.page))
  const runs = useCall(() => listWorkflowRuns(requestOf(filters.value, query.value.page, PAGE_SIZE)))
  watch(() => JSON.stringify([filters.value, query.value.page]), () => void runs.load())
  // an older page shows what has ended long ago: it stays as it was read
  usePoll(async () => {
    if (runs.data.value === null || trail.value.length === 0) await runs.load()
  }, AGAIN_MS)

  const nextCursor = computed(() => runs.data.value?.nextCursor ?? null)
  return {
    ...runs, query, change, clear, trail, nextCursor,
    rows: computed(() => runs.data.value?.items ?? []),
    isFiltered: computed(() => FILTERS.some((name) => query.value[name] !== undefined)),
    paging: {
      older: () => nextCursor.value !== null && change({ page: olderPage(query.value.page, nextCursor.value) }),
      newer: () => change({ page: newerPage(query.value.page) }),
      newest: () => change({ page: undefined }),
    },
  }
}
