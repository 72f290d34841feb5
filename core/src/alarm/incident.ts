import { INCIDENT_STATE, type AlarmEvent } from './event.ts'
import { MESSAGE_INCIDENTS, MESSAGE_RUNS, type AlarmMessage, type MessageIncident, type MessageRun, type MessageTarget } from './message.ts'

/** An incident as far as it decides what is told. Instants in epoch ms. `toldState`: what the last message said it was; null: nothing was said. */
export interface IncidentFacts {
  readonly id: number
  readonly event: AlarmEvent
  readonly target: MessageTarget
  readonly group: AlarmMessage['group']
  readonly state: number
  readonly count: number
  readonly openedAt: number
  readonly lastAt: number
  readonly silencedUntil: number | null
  readonly toldCount: number | null
  readonly toldState: number | null
  readonly runs: readonly MessageRun[]
  readonly facts: AlarmMessage['facts']
}

/**
 * What is to be told of an incident now. `nothing`: and nothing is left to tell; `later`: it is silenced, and will be told if it is still open then.
 */
export type News = 'opened' | 'repeated' | 'recovered' | 'nothing' | 'later'

/** What is to be told of an incident at an instant (epoch ms). */
export function newsOf(
  { state, count, openedAt, silencedUntil, toldCount, toldState }: IncidentFacts,
  { now, tellsRecovery }: { readonly now: number; readonly tellsRecovery: boolean },
): News {
  const isSilenced = silencedUntil !== null && silencedUntil > now
  if (state === INCIDENT_STATE.recovered) {
    // of what was silent while it was open nobody needs to hear that it is over
    if (isSilenced || (toldState === null && silencedUntil !== null && silencedUntil > openedAt)) return 'nothing'
    return tellsRecovery && toldState !== INCIDENT_STATE.recovered ? 'recovered' : 'nothing'
  }
  if (state === INCIDENT_STATE.acknowledged) return 'nothing'
  if (toldState !== null && count <= (toldCount ?? 0)) return 'nothing'
  if (isSilenced) return 'later'
  return toldState === null ? 'opened' : 'repeated'
}

export interface Told {
  readonly incident: IncidentFacts
  readonly news: 'opened' | 'repeated' | 'recovered'
}

/** The message that tells of one or several incidents, of which there is at least one; what is new comes first. */
export function messageOf(rule: AlarmMessage['rule'], [first, ...more]: readonly [Told, ...Told[]]): AlarmMessage {
  if (more.length === 0) return messageOfOne(rule, first)
  const all = [first, ...more].toSorted((left, right) => ORDER[left.news] - ORDER[right.news] || left.incident.id - right.incident.id)
  const head = all[0] ?? first
  return {
    ...messageOfOne(rule, head),
    kind: 'digest',
    incidentId: null,
    group: sameGroup(all),
    count: all.reduce((sum, { incident }) => sum + incident.count, 0),
    firstAt: Math.min(...all.map(({ incident }) => incident.openedAt)),
    lastAt: Math.max(...all.map(({ incident }) => incident.lastAt)),
    runs: all
      .flatMap(({ incident }) => incident.runs)
      .toSorted((left, right) => right.at - left.at)
      .slice(0, MESSAGE_RUNS),
    facts: { incidents: all.length },
    incidents: all.slice(0, MESSAGE_INCIDENTS).map(lineOf),
  }
}

const ORDER = { opened: 0, repeated: 1, recovered: 2 } as const

function messageOfOne(rule: AlarmMessage['rule'], { incident, news }: Told): AlarmMessage {
  return {
    kind: news,
    incidentId: incident.id,
    event: incident.event,
    rule,
    group: incident.group,
    target: incident.target,
    count: incident.count,
    firstAt: incident.openedAt,
    lastAt: incident.lastAt,
    runs: incident.runs.slice(0, MESSAGE_RUNS),
    facts: incident.facts,
    incidents: [],
  }
}

function lineOf({ incident, news }: Told): MessageIncident {
  const { id, event, target, count, openedAt, lastAt } = incident
  return { id, kind: news, event, target, count, firstAt: openedAt, lastAt }
}

function sameGroup(all: readonly Told[]): AlarmMessage['group'] {
  const group = all[0]?.incident.group ?? null
  return all.every(({ incident }) => incident.group?.id === group?.id) ? group : null
}
