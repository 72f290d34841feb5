import type { Executor } from '@tickwheel/contract'
import { computed, onMounted, shallowRef } from 'vue'
import { listExecutors } from '../../api/executors.ts'
import { useCall } from '../../api/use-call.ts'
import { executorsIn } from '../../live/live-data.ts'
import { useLive } from '../../live/use-live.ts'
import { usePerFrame } from '../../live/use-per-frame.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'
import { mergeExecutors, sortExecutors } from './executor-rows.ts'

const PAGE_SIZE = 200

/** Every executor that this user sees, live; the address filters them by group and state and names the one that is opened. */
export function useExecutors() {
  const { query, change, clear } = useUrlQuery(['group', 'state', 'executor'])
  const all = shallowRef<readonly Executor[]>([])
  const { data, failure, isFirst, load } = useCall(async () => {
    all.value = sortExecutors(await readAll())
    return true
  })
  onMounted(load)
  const take = usePerFrame<ReturnType<typeof executorsIn>>((told) => (all.value = told.reduce<readonly Executor[]>(mergeExecutors, all.value)))
  useLive(() => 'executor', ({ data: told }) => take([executorsIn(told)]), { onResume: () => void load() })

  const rows = computed(() => all.value.filter((one) => (query.value.group === undefined || one.groupId === Number(query.value.group)) && (query.value.state === undefined || one.state === query.value.state)))
  const opened = computed(() => (query.value.executor === undefined ? null : (all.value.find((one) => one.id === Number(query.value.executor)) ?? null)))
  const replace = (changed: Executor) => void (all.value = mergeExecutors(all.value, { executors: [changed], removed: [] }))
  const remove = (id: number) => void (all.value = mergeExecutors(all.value, { executors: [], removed: [id] }))

  return { query, change, clear, all, rows, opened, data, failure, isFirst, load, replace, remove }
}

async function readAll(): Promise<Executor[]> {
  const executors: Executor[] = []
  for (let page = 1; ; page += 1) {
    const { items } = await listExecutors({ page, pageSize: PAGE_SIZE })
    executors.push(...items)
    if (items.length < PAGE_SIZE) return executors
  }
}
