import { MESSAGE_INCIDENTS, type AlarmMessage, type MessageIncident } from '../alarm/message.ts'

/**
 * Several messages of one channel as one, in the order in which they came: what a channel gets when more waits for it than people, or the vendor, would take
 * one by one. The first 20 incidents are named, `facts.incidents` tells how many there are, and `count` their occurrences together. An incident that was
 * told twice is named once, by the last that was said of it.
 */
export function digestOf(messages: readonly [AlarmMessage, ...AlarmMessage[]]): AlarmMessage {
  const [first] = messages
  const byId = new Map<number, MessageIncident>()
  for (const incident of messages.flatMap(incidentsOf)) {
    byId.delete(incident.id)
    byId.set(incident.id, incident)
  }
  const incidents = [...byId.values()]
  const groups = new Set(messages.map(({ group }) => group?.id ?? null))
  const rules = new Set(messages.map(({ rule }) => rule?.id ?? null))
  const unnamed = messages.reduce((sum, message) => sum + unnamedOf(message), 0)
  return {
    kind: 'digest',
    incidentId: null,
    event: first.event,
    rule: rules.size === 1 ? first.rule : null,
    group: groups.size === 1 ? first.group : null,
    target: first.target,
    count: incidents.reduce((sum, { count }) => sum + count, 0),
    firstAt: Math.min(...messages.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...messages.map(({ lastAt }) => lastAt)),
    runs: [],
    facts: { incidents: incidents.length + unnamed },
    incidents: incidents.slice(0, MESSAGE_INCIDENTS),
  }
}

function incidentsOf({ kind, incidentId, event, target, count, firstAt, lastAt, incidents }: AlarmMessage): readonly MessageIncident[] {
  if (kind === 'digest') return incidents
  if (kind === 'test' || incidentId === null || target === null) return []
  return [{ id: incidentId, kind, event, target, count, firstAt, lastAt }]
}

/** Incidents of a digest that it only counts. */
function unnamedOf({ kind, facts, incidents }: AlarmMessage): number {
  const told = kind === 'digest' && typeof facts['incidents'] === 'number' ? facts['incidents'] : incidents.length
  return Math.max(0, told - incidents.length)
}
