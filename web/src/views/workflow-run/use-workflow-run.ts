import type { WorkflowRun } from '@tickwheel/contract'
import { ref, watch } from 'vue'
import { getWorkflowRun } from '../../api/workflow-runs.ts'
import { useCall } from '../../api/use-call.ts'
import { usePoll } from '../../components/use-poll.ts'
import { useLive } from '../../live/use-live.ts'
import { useSoon } from '../../live/use-soon.ts'
import { keepSame } from './keep-same.ts'

const SOON_MS = 300
const AGAIN_MS = 2000

/** What the live topic sends: the run without its definition. What is hidden from this user in the answer is not in the event either. */
type LiveRun = Omit<WorkflowRun, 'definition'>

/** One run: read once, then moved by its live topic; where the server refuses the topic, read again every two seconds while it goes on. */
export function useWorkflowRun(runId: () => number) {
  const run = useCall(() => getWorkflowRun(runId()))
  const isRefused = ref(false)
  const loadSoon = useSoon(() => void load(), SOON_MS)

  async function load(): Promise<void> {
    const known = run.data.value
    await run.load()
    if (run.data.value !== null && run.data.value !== known) adopt(run.data.value, known)
  }

  watch(
    runId,
    () => {
      run.data.value = null
      isRefused.value = false
      void load()
    },
    { immediate: true },
  )

  useLive(() => `workflowRun:${runId()}`, ({ data }) => isRun(data) && take(data), { onResume: loadSoon, onClosed: () => (isRefused.value = true) })
  usePoll(async () => {
    if (isRefused.value && run.data.value?.endedAt === null) await load()
  }, AGAIN_MS)

  function take(news: LiveRun): void {
    const known = run.data.value
    if (known === null || known.id !== news.id || (known.endedAt !== null && news.endedAt === null)) return
    adopt({ ...known, ...news, definition: known.definition, params: known.params, outputs: known.outputs }, known)
    // what it gave is in the answer only
    if (known.endedAt === null && news.endedAt !== null) loadSoon()
  }

  function adopt(news: WorkflowRun, known: WorkflowRun | null): void {
    if (known === null || known.id !== news.id) return void (run.data.value = news)
    // the definition of a run never changes: the canvas is drawn once
    run.data.value = { ...news, definition: known.definition, stepRuns: keepSame(known.stepRuns, news.stepRuns) }
  }

  return { ...run, load, adopt: (news: WorkflowRun) => adopt(news, run.data.value) }
}

function isRun(data: unknown): data is LiveRun {
  return typeof data === 'object' && data !== null && 'stepRuns' in data && Array.isArray(data.stepRuns) && 'id' in data
}
