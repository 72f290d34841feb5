import type { InstanceListItem } from '@tickwheel/contract'
import { computed, onMounted, watch } from 'vue'
import { listTasks, type TaskListQuery } from '../../api/tasks.ts'
import { useCall } from '../../api/use-call.ts'
import { runsIn } from '../../live/live-data.ts'
import { useLive } from '../../live/use-live.ts'
import { usePerFrame } from '../../live/use-per-frame.ts'
import { useSoon } from '../../live/use-soon.ts'
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
    const { page, size } = query.value
    return { page: Number(page ?? 1), pageSize: Number(size ?? 20), ...filter.value }
  }

  /** what the list shows, whatever the page: what all that match are */
  const filter = computed((): TaskListQuery => {
    const { q, group, enabled, schedule, handler, tag } = query.value
    return {
      ...(q === undefined ? {} : { keyword: q }), ...(group === undefined ? {} : { groupId: Number(group) }), ...(enabled === undefined ? {} : { enabled: enabled === 'true' }),
      ...(schedule === undefined ? {} : { scheduleKind: schedule }), ...(handler === undefined ? {} : { handlerKind: handler }), ...(tag === undefined ? {} : { tag }),
    }
  })

  onMounted(tasks.load)
  watch(query, tasks.load)

  const reloadSoon = useSoon(() => void tasks.load(), SOON_MS)
  const takeRuns = usePerFrame<InstanceListItem>((runs) => {
    if (tasks.data.value !== null) tasks.data.value = { ...tasks.data.value, items: withRuns(tasks.data.value.items, runs) }
  })
  useLive(() => 'task', reloadSoon, { onResume: reloadSoon })
  useLive(() => 'group:*', ({ data }) => takeRuns(runsIn(data)), { onResume: reloadSoon })

  return { query, change, clear, isFiltered, filter, ...tasks }
}
