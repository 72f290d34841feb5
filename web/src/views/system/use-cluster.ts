import { computed, ref, shallowRef } from 'vue'
import { serverNow } from '../../api/client.ts'
import { fetchCluster } from '../../api/cluster.ts'
import { useCall } from '../../api/use-call.ts'
import { usePoll } from '../../components/use-poll.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'
import { concernsOf } from './concerns.ts'
import { placeNodes } from './node-marks.ts'
import { nodeRows } from './node-rows.ts'
import { slotCells } from './slot-cells.ts'

const EVERY_MS = 2_000

/** Nodes and slots as they are, read every two seconds; the address names the node whose slots are shown, and the slot that is pinned. */
export function useCluster() {
  const { query, change } = useUrlQuery(['node', 'slot'])
  const places = shallowRef<ReadonlyMap<number, number>>(new Map())
  const answeredAtMs = ref(0)
  const { data: view, failure, isFirst, load } = useCall(async () => {
    const answer = await fetchCluster()
    places.value = placeNodes(places.value, answer.nodes)
    answeredAtMs.value = serverNow()
    return answer
  })
  usePoll(load, EVERY_MS)

  const rows = computed(() => (view.value === null ? [] : nodeRows(view.value.nodes, places.value, answeredAtMs.value)))
  const cells = computed(() => (view.value === null ? [] : slotCells(view.value, places.value)))
  const concerns = computed(() => (view.value === null ? [] : concernsOf(view.value, cells.value)))
  const pinned = computed(() => (/^\d+$/.test(query.value.slot ?? '') ? (cells.value[Number(query.value.slot)] ?? null) : null))

  return { query, change, view, failure, isFirst, load, answeredAtMs, rows, cells, concerns, pinned }
}
