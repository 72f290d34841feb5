import type { Executor, Group } from '@tickwheel/contract'
import { computed, onMounted, shallowRef, watch } from 'vue'
import { allGroups } from '../../api/all-groups.ts'
import { listExecutors } from '../../api/executors.ts'
import { useLive } from '../../live/use-live.ts'

/** The groups to choose from, and the executors of the chosen one. */
export function useSurroundings(groupId: () => number | null) {
  const groups = shallowRef<readonly Group[]>([])
  const executors = shallowRef<readonly Executor[]>([])
  const group = computed(() => groups.value.find((one) => one.id === groupId()) ?? null)
  const functions = computed(() => [...new Set(executors.value.flatMap((executor) => executor.handlers.filter((handler) => handler.kind === 'named').map((handler) => handler.name)))].sort())

  async function loadExecutors(): Promise<void> {
    const id = groupId()
    const answer = id === null ? null : await listExecutors({ groupId: id, pageSize: 200 }).catch(() => null)
    // a side remark: without it the form is complete
    if (id === groupId()) executors.value = answer?.items ?? []
  }

  onMounted(async () => {
    groups.value = await allGroups().catch(() => [])
  })
  watch(groupId, loadExecutors, { immediate: true })
  useLive(() => 'executor', () => void loadExecutors(), { onResume: () => void loadExecutors() })
  return { groups, group, executors, functions }
}
