import type { Instance, InstanceListItem, TraceEntry } from '@tickwheel/contract'
import { computed, ref, shallowRef, watch } from 'vue'
import { getInstance, listEvents } from '../../api/instances.ts'
import { useCall } from '../../api/use-call.ts'
import type { ExecutorNames } from '../../locales/reason-words.ts'
import { useLive } from '../../live/use-live.ts'
import { useSoon } from '../../live/use-soon.ts'

const SOON_MS = 300

/** One run: read once, then moved by its live topic. What the topic does not carry (attempts, result, trace) is read again when the run has moved on. */
export function useRun(runId: () => number) {
  const run = useCall(() => getInstance(runId()))
  const trace = shallowRef<readonly TraceEntry[]>([])
  const isTraceRead = ref(false)
  const loadSoon = useSoon(() => void load(), SOON_MS)

  async function load(): Promise<void> {
    await Promise.all([run.load(), loadTrace()])
  }

  async function loadTrace(): Promise<void> {
    const id = runId()
    const { items } = await listEvents(id).catch(() => ({ items: trace.value }))
    if (id !== runId()) return
    trace.value = items
    isTraceRead.value = true
  }

  watch(
    runId,
    () => {
      run.data.value = null
      trace.value = []
      isTraceRead.value = false
      void load()
    },
    { immediate: true },
  )

  useLive(() => `instance:${runId()}`, ({ data }) => isRun(data) && take(data), { onResume: loadSoon })

  function take(news: Partial<Instance> & InstanceListItem): void {
    const known = run.data.value
    if (known === null || known.id !== news.id || (known.endedAt !== null && news.endedAt === null)) return
    const hasMoved = known.state !== news.state || known.attempt !== news.attempt || known.cancelRequestedAt !== news.cancelRequestedAt || known.waitingFor?.reason !== news.waitingFor?.reason || known.retriedBy !== news.retriedBy
    // what is hidden from this user in the answer is not in the event either
    run.data.value = { ...known, ...news, params: known.params, result: known.result, attempts: known.attempts }
    if (hasMoved) loadSoon()
  }

  const executorNames = computed<ExecutorNames>(() => {
    const names = new Map<number, string>()
    for (const one of [...(run.data.value?.attempts ?? []), ...(run.data.value === null ? [] : [run.data.value])]) if (one.executorId !== null && one.executorName !== null) names.set(one.executorId, one.executorName)
    return names
  })

  return { ...run, load, trace, isTraceRead, executorNames }
}

function isRun(data: unknown): data is Partial<Instance> & InstanceListItem {
  return typeof data === 'object' && data !== null && 'id' in data && 'state' in data
}
