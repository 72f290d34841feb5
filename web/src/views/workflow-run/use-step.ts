import type { StepRun } from '@tickwheel/contract'
import { watch } from 'vue'
import { getStep } from '../../api/workflow-runs.ts'
import { useCall } from '../../api/use-call.ts'

/** What went into a step and what came out; read again when the step has moved on. */
export function useStep(runId: () => number, step: () => StepRun) {
  const detail = useCall(() => getStep(runId(), step().key))
  watch(
    () => `${runId()} ${step().key}`,
    () => (detail.data.value = null),
  )
  watch(
    () => `${runId()} ${step().key} ${step().state} ${step().round} ${step().instanceId ?? ''}`,
    () => void detail.load(),
    { immediate: true },
  )
  return detail
}
