import { BULK_ITEM_STATES, type Bulk, type BulkItem } from '@tickwheel/contract'
import { computed, watch } from 'vue'
import { getBulk, listBulkItems } from '../../api/bulks.ts'
import { useCall } from '../../api/use-call.ts'
import { useLive } from '../../live/use-live.ts'
import { useSoon } from '../../live/use-soon.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'
import { newerPage, olderPage, trailOf } from '../runs/run-query.ts'

const SOON_MS = 500
const PAGE_SIZE = 50

/** One bulk operation and the page of its items that the address asks for; both go on before one's eyes. */
export function useBulk(bulkId: () => number) {
  const { query, change } = useUrlQuery(['state', 'page'])
  const state = computed(() => BULK_ITEM_STATES.find((known) => known === query.value.state))
  const trail = computed(() => trailOf(query.value.page))
  const bulk = useCall(() => getBulk(bulkId()))
  const items = useCall(() => listBulkItems(bulkId(), { pageSize: PAGE_SIZE, ...(state.value === undefined ? {} : { state: state.value }), ...(trail.value.length === 0 ? {} : { cursor: trail.value.at(-1) ?? '' }) }))
  const itemsSoon = useSoon(() => void items.load(), SOON_MS)

  watch(bulkId, () => {
    bulk.data.value = null
    items.data.value = null
    void bulk.load()
  }, { immediate: true })
  watch([bulkId, state, trail], () => void items.load(), { immediate: true })

  useLive(() => `bulk:${bulkId()}`, ({ data }) => isBulk(data) && take(data), {
    onResume: () => {
      void bulk.load()
      itemsSoon()
    },
  })

  function take(news: Bulk): void {
    const known = bulk.data.value
    if (news.id !== bulkId() || (known !== null && known.state !== 'running' && news.state === 'running')) return
    bulk.data.value = news
    itemsSoon()
  }

  return {
    bulk, items, state, trail, take,
    choose: (chosen: BulkItem['state'] | undefined) => change({ state: chosen }),
    older: () => change({ page: olderPage(query.value.page, items.data.value?.nextCursor ?? '') }),
    newer: () => change({ page: newerPage(query.value.page) }),
  }
}

function isBulk(data: unknown): data is Bulk {
  return typeof data === 'object' && data !== null && 'id' in data && 'total' in data && 'failed' in data
}
