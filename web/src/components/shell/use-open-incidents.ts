import { ref, type Ref } from 'vue'
import { listIncidents } from '../../api/alarms.ts'
import { useLive } from '../../live/use-live.ts'
import { useSoon } from '../../live/use-soon.ts'
import { useMay } from '../../store/session.ts'
import { usePoll } from '../use-poll.ts'

const AGAIN_MS = 60_000
const PAUSE_MS = 1_000
/** More are told as `99+`. */
const MOST = 100

/** How many incidents wait for somebody, for the menu. Kept by the live topic; read again once a minute, in case that was missed. */
export function useOpenIncidents(): Ref<number> {
  const may = useMay()
  const count = ref(0)
  const read = async (): Promise<void> => {
    if (!may('alarm:view')) return
    // what cannot be read just now is read a minute later
    count.value = await listIncidents({ state: 'open', pageSize: MOST }).then((list) => list.items.length, () => count.value)
  }
  usePoll(read, AGAIN_MS)
  const soon = useSoon(() => void read(), PAUSE_MS)
  useLive(() => (may('alarm:view') ? 'alarm' : null), soon, { onResume: soon })
  return count
}
