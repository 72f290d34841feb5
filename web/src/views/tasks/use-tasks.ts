import type { InstanceListItem } from '@tickwheel/contract'
import { computed, onMounted, onScopeDispose, watch } from 'vue'
import { listTasks, type TaskListQuery } from '../../api/tasks.ts'
import { useCall } from '../../api/use-call.ts'
import { useLive } from '../../live/use-live.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'
import { withRuns } from './task-rows.ts'

const FILTERS = ['q', 'group', 'enabled', 'schedule', 'handler', 'tag'] as const
const SOON_MS = 400

/** The tasks that the address asks for, kept up to date by live events. */
export function useTasks() {
  const { query, change, clear } = useUrlQuery([...FILTERS, 'page', 'size'])
  const isFiltered = computed(() => FILTERS.some((name) => query.value[name] !== undefined))
  const tasks = useCall(() => listTasks(request()))

  function request(): TaskListQuery {
    const { q, group, enabled, schedule, handler, tag, page, size } = query.value
    return {
      page: Number(page ?? 1), pageSize: Number(size ?? 20),
      ...(q === undefined ? {} : { keyword: q }), ...(group === undefined ? {} : { groupId: Number(group) }), ...(enabled === undefined ? {} : { enabled: enabled === 'true' }),
      ...(schedule === undefined ? {} : { scheduleKind: schedule }), ...(handler === undefined ? {} : { handlerKind: handler }), ...(tag === undefined ? {} : { tag }),
    }
  }

  onMounted(tasks.load)
  watch(query, tasks.load)

  let timer: ReturnType<typeof setTimeout> | undefined
  function reloadSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void tasks.load()
    }, SOON_MS)
  }
  onScopeDispose(() => clearTimeout(timer))

  useLive(() => 'task', reloadSoon, { onResume: reloadSoon })
  useLive(() => 'group:*', ({ data }) => {
    if (tasks.data.value === null || !isRuns(data)) return
    tasks.data.value = { ...tasks.data.value, items: withRuns(tasks.data.value.items, data.instances) }
  }, { onResume: reloadSoon })

  return { query, change, clear, isFiltered, ...tasks }
}

function isRuns(data: unknown): data is { instances: InstanceListItem[] } {
  return typeof data === 'object' && data !== null && 'instances' in data && Array.isArray(data.instances)
}
