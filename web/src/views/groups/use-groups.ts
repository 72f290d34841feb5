import { onMounted, watch } from 'vue'
import { listGroups } from '../../api/groups.ts'
import { useCall } from '../../api/use-call.ts'
import { useLive } from '../../live/use-live.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'

/** The page of groups that the address asks for. */
export function useGroups() {
  const { query, change, clear } = useUrlQuery(['q', 'page', 'size'])
  const groups = useCall(() =>
    listGroups({ page: Number(query.value.page ?? 1), pageSize: Number(query.value.size ?? 20), ...(query.value.q === undefined ? {} : { keyword: query.value.q }) }),
  )
  onMounted(groups.load)
  watch(query, groups.load)
  // the figures beside each group
  useLive(() => 'executor', soon(groups.load), { onResume: () => void groups.load() })
  return { query, change, clear, ...groups }
}

function soon(work: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined
      void work()
    }, 2_000)
  }
}
