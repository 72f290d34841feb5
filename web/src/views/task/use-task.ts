import type { InstanceListItem, Task } from '@tickwheel/contract'
import { computed, shallowRef, watch } from 'vue'
import { listInstances } from '../../api/instances.ts'
import { getTask } from '../../api/tasks.ts'
import { useCall } from '../../api/use-call.ts'
import { namesTask, runsIn } from '../../live/live-data.ts'
import { useLive } from '../../live/use-live.ts'
import { useSoon } from '../../live/use-soon.ts'
import { mergeRuns } from '../runs/run-rows.ts'

const SOON_MS = 400
const RECENT = 100
const DOTS = 20

/** One task with its last runs, read again when somebody changes it. */
export function useTask(taskId: () => number) {
  const task = useCall(() => getTask(taskId()))
  /** newest first; null: not known yet */
  const recent = shallowRef<readonly InstanceListItem[] | null>(null)
  const loadSoon = useSoon(() => void load(), SOON_MS)

  watch(
    taskId,
    () => {
      task.data.value = null
      recent.value = null
      void load()
    },
    { immediate: true },
  )

  async function load(): Promise<void> {
    await Promise.all([task.load(), loadRecent()])
  }

  async function loadRecent(): Promise<void> {
    const id = taskId()
    const { items } = await listInstances({ taskId: id, pageSize: RECENT }).catch(() => ({ items: recent.value ?? [] }))
    if (id === taskId()) recent.value = items
  }

  useLive(() => 'task', ({ data }) => namesTask(data, taskId()) && loadSoon(), { onResume: loadSoon })
  useLive(
    () => (task.data.value === null ? null : `group:${task.data.value.groupId}`),
    ({ data }) => {
      const runs = runsIn(data).filter((run) => run.taskId === taskId() && run.cause !== 'shard')
      if (runs.length === 0) return
      if (recent.value !== null) recent.value = mergeRuns({ rows: recent.value, told: runs, matches: () => true, takesNew: true, pageSize: RECENT }).rows
      // a once that has fired, and a fixedDelay whose run has ended, have another next instant
      if (task.data.value?.schedule.kind === 'once' || task.data.value?.schedule.kind === 'fixedDelay') loadSoon()
    },
  )

  /** For the bars of the last runs, newest first. */
  const dots = computed(() =>
    (recent.value ?? []).slice(0, DOTS).map((run) => ({ id: run.id, state: run.state, scheduledAt: run.scheduledAt ?? run.firedAt, durationMs: run.startedAt === null || run.endedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.startedAt) })),
  )

  return { ...task, load, recent, dots, replace: (changed: Task) => void (task.data.value = changed) }
}
