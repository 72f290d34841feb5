import type { Executor, Group, NamedHandler } from '@tickwheel/contract'
import { computed, onMounted, shallowRef, watch } from 'vue'
import { allGroups } from '../../api/all-groups.ts'
import { listExecutors, listHandlers } from '../../api/executors.ts'
import { useLive } from '../../live/use-live.ts'

/** The groups to choose from, the executors of the chosen one, and what they say of the functions that they have. */
export function useSurroundings(groupId: () => number | null) {
  const groups = shallowRef<readonly Group[]>([])
  const executors = shallowRef<readonly Executor[]>([])
  const handlers = shallowRef<readonly NamedHandler[]>([])
  const group = computed(() => groups.value.find((one) => one.id === groupId()) ?? null)
  const functions = computed(() => [...new Set(executors.value.flatMap((executor) => executor.handlers.filter((handler) => handler.kind === 'named').map((handler) => handler.name)))].sort())

  async function loadExecutors(): Promise<void> {
    const id = groupId()
    const [answer, known] = id === null ? [null, null] : await Promise.all([listExecutors({ groupId: id, pageSize: 200 }).catch(() => null), listHandlers(id).catch(() => null)])
    // a side remark: without it the form is complete
    if (id !== groupId()) return
    executors.value = answer?.items ?? []
    handlers.value = known?.items ?? []
  }

  onMounted(async () => {
    groups.value = await allGroups().catch(() => [])
  })
  watch(groupId, loadExecutors, { immediate: true })
  useLive(() => 'executor', () => void loadExecutors(), { onResume: () => void loadExecutors() })
  return { groups, group, executors, functions, handlers }
}
