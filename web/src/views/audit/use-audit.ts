import type { AuditListItem } from '@tickwheel/contract'
import { computed, onMounted, watch } from 'vue'
import { listAudit } from '../../api/audit.ts'
import type { List } from '../../api/list.ts'
import { useCall } from '../../api/use-call.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'
import { newerPage, olderPage, trailOf } from '../runs/run-query.ts'
import { FILTERS, requestOf, type Filters } from './audit-query.ts'

/** How many stretches without a match are passed over before a person is asked whether to look on. */
const EMPTY_STRETCHES = 5

/** The entries that the address asks for. */
export function useAudit() {
  const { query, change, clear } = useUrlQuery([...FILTERS, 'page', 'entry'])
  const filters = computed<Filters>(() => Object.fromEntries(FILTERS.map((name) => [name, query.value[name]])))
  const trail = computed(() => trailOf(query.value.page))
  const entries = useCall(() => read(filters.value, query.value.page))
  onMounted(entries.load)
  watch(() => JSON.stringify([filters.value, query.value.page]), entries.load)

  const nextCursor = computed(() => entries.data.value?.nextCursor ?? null)
  return {
    ...entries, query, change, clear, filters, trail, nextCursor,
    rows: computed(() => entries.data.value?.items ?? []),
    isFiltered: computed(() => FILTERS.some((name) => query.value[name] !== undefined)),
    paging: {
      older: () => nextCursor.value !== null && change({ page: olderPage(query.value.page, nextCursor.value) }),
      newer: () => change({ page: newerPage(query.value.page) }),
      newest: () => change({ page: undefined }),
    },
  }
}

/** A filter looks at a stretch of the log at a time: one without a match is not shown as a page. */
async function read(filters: Filters, page: string | undefined): Promise<List<AuditListItem>> {
  let answer = await listAudit(requestOf(filters, page))
  for (let stretch = 1; answer.items.length === 0 && typeof answer.nextCursor === 'string' && stretch < EMPTY_STRETCHES; stretch += 1) {
    answer = await listAudit({ ...requestOf(filters, page), cursor: answer.nextCursor })
  }
  return answer
}
