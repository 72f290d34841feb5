import { watch } from 'vue'
import { useCall } from '../../api/use-call.ts'
import { getWorkflow } from '../../api/workflows.ts'
import { namesTask } from '../../live/live-data.ts'
import { useLive } from '../../live/use-live.ts'
import { useSoon } from '../../live/use-soon.ts'

const SOON_MS = 400

/** One workflow, read again when somebody changes it. */
export function useWorkflow(workflowId: () => number) {
  const workflow = useCall(() => getWorkflow(workflowId()))
  const loadSoon = useSoon(() => void workflow.load(), SOON_MS)
  watch(
    workflowId,
    () => {
      workflow.data.value = null
      void workflow.load()
    },
    { immediate: true },
  )
  // a workflow is stored as a task: its changes are told there
  useLive(() => 'task', ({ data }) => namesTask(data, workflowId()) && loadSoon(), { onResume: loadSoon })
  return workflow
}
