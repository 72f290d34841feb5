import type { Instance } from '@tickwheel/contract'
import { computed, watch } from 'vue'
import { compareInstance } from '../../api/instances.ts'
import { useCall } from '../../api/use-call.ts'
import { isEnded } from '../../components/run-state.ts'

/** A run beside the last success before it: read when it has begun, and once more when it has ended. */
export function useComparison(run: () => Instance | null) {
  const moment = computed(() => {
    const shown = run()
    return shown === null || (shown.startedAt === null && !isEnded(shown.state)) ? null : `${shown.id} ${isEnded(shown.state) ? 'ended' : 'open'}`
  })
  const call = useCall(() => compareInstance(run()?.id ?? 0))
  watch(() => run()?.id, () => (call.data.value = null))
  watch(moment, (now) => now !== null && void call.load(), { immediate: true })
  // an answer about the run that was looked at before
  const comparison = computed(() => (call.data.value?.run.id === run()?.id ? call.data.value : null))
  return { ...call, comparison, hasBegun: computed(() => moment.value !== null) }
}
