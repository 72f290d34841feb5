import { computed, type ComputedRef } from 'vue'
import { useNow } from '../../components/use-now.ts'

const MINUTE_MS = 60_000

/** The server's time to the minute: what is drawn and listed by the hour need not be made anew each second. */
export function useMinute(): ComputedRef<number> {
  const now = useNow()
  return computed(() => Math.floor(now.value / MINUTE_MS) * MINUTE_MS)
}
