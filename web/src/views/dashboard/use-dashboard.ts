import { computed, watch } from 'vue'
import { fetchDashboard } from '../../api/dashboard.ts'
import { useCall } from '../../api/use-call.ts'
import { usePoll } from '../../components/use-poll.ts'
import { useLive } from '../../live/use-live.ts'
import { useSoon } from '../../live/use-soon.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'
import { useMay } from '../../store/session.ts'

/** The next hour moves on by itself. */
const EVERY_MS = 15_000
/** What happens is read within this, however much happens. */
const SOON_MS = 1_500

export const HOUR_CHOICES = [24, 48, 168] as const

/** What is broken, late, full and next in the groups that the address asks for, kept up to date by live events. */
export function useDashboard() {
  const may = useMay()
  const { query, change } = useUrlQuery(['group', 'hours'])
  const groupId = computed(() => (query.value.group === undefined ? undefined : Number(query.value.group)))
  const hours = computed(() => HOUR_CHOICES.find((choice) => String(choice) === query.value.hours) ?? HOUR_CHOICES[0])
  const dashboard = useCall(() => fetchDashboard({ hours: hours.value, ...(groupId.value === undefined ? {} : { groupId: groupId.value }) }))
  usePoll(dashboard.load, EVERY_MS)
  watch([groupId, hours], () => void dashboard.load())

  const soon = useSoon(() => void dashboard.load(), SOON_MS)
  const more = { onResume: soon }
  useLive(() => (!may('instance:view') ? null : groupId.value === undefined ? 'group:*' : `group:${groupId.value}`), soon, more)
  useLive(() => (may('task:view') ? 'task' : null), soon, more)
  useLive(() => (may('executor:view') ? 'executor' : null), soon, more)
  useLive(() => (may('alarm:view') ? 'alarm' : null), soon, more)

  return { groupId, hours, change, ...dashboard }
}
