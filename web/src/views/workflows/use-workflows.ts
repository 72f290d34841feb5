import { computed, watch } from 'vue'
import { useCall } from '../../api/use-call.ts'
import { listWorkflows, type WorkflowListQuery } from '../../api/workflows.ts'
import { usePoll } from '../../components/use-poll.ts'
import { useLive } from '../../live/use-live.ts'
import { useSoon } from '../../live/use-soon.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'

const FILTERS = ['q', 'group', 'enabled', 'schedule', 'tag'] as const
const SOON_MS = 400
/** there is no topic of all runs of workflows: their bars are read again now and then */
const POLL_MS = 10_000

/** The workflows that the address asks for. */
export function useWorkflows() {
  const { query, change, clear } = useUrlQuery([...FILTERS, 'page', 'size'])
  const isFiltered = computed(() => FILTERS.some((name) => query.value[name] !== undefined))
  const workflows = useCall(() => listWorkflows(request()))

  function request(): WorkflowListQuery {
    const { page, size } = query.value
    return { page: Number(page ?? 1), pageSize: Number(size ?? 20), ...filter.value }
  }

  /** what the list shows, whatever the page: what all that match are */
  const filter = computed((): WorkflowListQuery => {
    const { q, group, enabled, schedule, tag } = query.value
    return {
      ...(q === undefined ? {} : { keyword: q }), ...(group === undefined ? {} : { groupId: Number(group) }), ...(enabled === undefined ? {} : { enabled: enabled === 'true' }),
      ...(schedule === undefined ? {} : { scheduleKind: schedule }), ...(tag === undefined ? {} : { tag }),
    }
  })

  watch(query, workflows.load)
  const loadSoon = useSoon(() => void workflows.load(), SOON_MS)
  // a workflow is stored as a task: its changes are told there
  useLive(() => 'task', loadSoon, { onResume: loadSoon })
  usePoll(() => workflows.load(), POLL_MS)
  return { query, change, clear, isFiltered, filter, ...workflows }
}
