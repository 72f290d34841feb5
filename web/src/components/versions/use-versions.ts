import type { TaskVersion } from '@tickwheel/contract'
import { computed, ref, shallowRef } from 'vue'
import { listTaskVersions, restoreTaskVersion } from '../../api/tasks.ts'

const PAGE_SIZE = 50

/** The saved versions of a task, newest first, read page by page. */
export function useVersions() {
  const items = shallowRef<readonly TaskVersion[]>([])
  const total = ref(0)
  const failure = shallowRef<unknown>(null)
  const isBusy = ref(false)
  const newest = computed(() => items.value[0] ?? null)
  let taskId = 0

  async function open(id: number): Promise<void> {
    taskId = id
    items.value = []
    total.value = 0
    await more()
  }

  async function more(): Promise<void> {
    isBusy.value = true
    failure.value = null
    try {
      const page = Math.floor(items.value.length / PAGE_SIZE) + 1
      const answer = await listTaskVersions(taskId, { page, pageSize: PAGE_SIZE })
      items.value = [...items.value, ...answer.items]
      total.value = answer.total
    } catch (refused) {
      failure.value = refused
    } finally {
      isBusy.value = false
    }
  }

  const restore = (version: number) => restoreTaskVersion(taskId, version)
  return { items, total, newest, failure, isBusy, open, more, restore }
}
