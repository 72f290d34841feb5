import type { Incident } from '@tickwheel/contract'
import { INCIDENT_STATES, type IncidentState } from '@tickwheel/core'
import { computed, onMounted, shallowRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { getIncident, listIncidents, listRules } from '../../api/alarms.ts'
import { useCall } from '../../api/use-call.ts'
import { useLive } from '../../live/use-live.ts'
import { useSoon } from '../../live/use-soon.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'
import { newerPage, olderPage, trailOf } from '../runs/run-query.ts'

const PAGE_SIZE = 50
/** Unless the address says otherwise: what is not over. */
const DEFAULT: readonly IncidentState[] = ['open', 'acknowledged']

/** The incidents that the address asks for, and the one that is opened, kept up to date. */
export function useIncidents() {
  const route = useRoute()
  const router = useRouter()
  const { query, change } = useUrlQuery(['state', 'group', 'page'])
  const states = computed<readonly IncidentState[]>(() => (query.value.state === undefined ? DEFAULT : INCIDENT_STATES.filter((state) => query.value.state?.split(',').includes(state))))
  const trail = computed(() => trailOf(query.value.page))
  const incidents = useCall(() => {
    const cursor = trail.value.at(-1)
    const { group } = query.value
    return listIncidents({ pageSize: PAGE_SIZE, state: states.value.join(','), ...(cursor === undefined ? {} : { cursor }), ...(group === undefined ? {} : { groupId: Number(group) }) })
  })
  const hasRules = shallowRef(true)
  const openedId = computed(() => (route.name === 'incident' ? Number(route.params['id']) : null))
  const opened = useCall(async () => (openedId.value === null ? null : getIncident(openedId.value)))

  async function load(): Promise<void> {
    await Promise.all([incidents.load(), opened.load()])
    if (incidents.data.value?.items.length === 0) hasRules.value = await listRules({ pageSize: 1 }).then((list) => list.total > 0, () => true)
  }
  onMounted(load)
  watch(() => JSON.stringify([query.value, openedId.value]), load)
  const soon = useSoon(() => void load(), 500)
  useLive(() => 'alarm', soon, { onResume: soon })

  /** After a write, so that nobody waits for the event. */
  function replace(incident: Incident): void {
    if (opened.data.value?.id === incident.id) opened.data.value = incident
    const list = incidents.data.value
    if (list !== null) incidents.data.value = { ...list, items: list.items.map((one) => (one.id === incident.id ? incident : one)) }
  }

  const nextCursor = computed(() => incidents.data.value?.nextCursor ?? null)
  return {
    query, change, states, ...incidents, load, hasRules, trail, nextCursor, replace,
    opened: opened.data, openedFailure: opened.failure, openedId,
    open: (id: number) => void router.push({ name: 'incident', params: { id }, query: route.query }),
    shut: () => void router.push({ name: 'alarms', query: route.query }),
    older: () => nextCursor.value !== null && change({ page: olderPage(query.value.page, nextCursor.value) }),
    newer: () => change({ page: newerPage(query.value.page) }),
  }
}
